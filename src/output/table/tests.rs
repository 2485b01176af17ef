//! Tables on terminals of several widths.

use crate::output::render::rendered;
use crate::output::text::width::display_width;
use crate::output::{Column, Emphasis, Format, Style, render};
use crate::time::{PostgresMicros, Timestamp};
use crate::value::Value;

const WIDTHS: [u16; 3] = [80, 120, 200];

/// 2026-11-22T10:00:00Z.
const MORNING: i64 = 848_656_800_000_000;

/// A table of what people really have: text ids, long types, emoji, text from right to left.
fn hostile(width: u16, times: [i64; 4], note: &str) -> String {
    let columns = [
        Column::new("id"),
        Column::new("created_at"),
        Column::new("event_type").category(),
        Column::new("source_service").optional(1),
        Column::new("aggregate"),
        Column::new("event_id").optional(2),
        Column::new("mark").optional(1),
        Column::new("error_class").explains(),
        Column::new("payload").optional(3),
    ];
    let uuid = uuid::Uuid::from_u128(0x019a_a4c5_7d1e_7c3a_9b0e_3f6f_1d2c_4b5a);
    let long_type = "com.example.warehouse.shipping.ShipmentOfSeveralParcelsHasBeenHandedOver.v2";
    let rows = [
        ("OrderCreated", "order-4711", "order-service", None),
        (long_type, "الطلب-٤٧١١", "payment-service", Some(note)),
        ("🛒CartCheckedOut", "cart/🛒/日本語", "shop", None),
        ("PaymentDeclined", "order-4711", "payment-service", Some("CardDeclined")),
    ];
    let rows = rows.iter().zip(times).enumerate().map(|(index, (row, time))| {
        let (event_type, aggregate, service, error) = *row;
        let cells = vec![
            Value::from(index as i64 + 9_998),
            Timestamp::without_zone(PostgresMicros(time)).into(),
            event_type.into(),
            service.into(),
            aggregate.into(),
            uuid.into(),
            if error.is_some() { "DLT".into() } else { Value::Null },
            error.into(),
            Value::Json(r#"{"amount": "10.50", "currency": "EUR", "items": [1, 2, 3]}"#.into()),
        ];
        (cells, if error.is_some() { Emphasis::Alarm } else { Emphasis::None })
    });
    let mut output = Vec::new();
    let style = Style { width: Some(width), terminal: true, ..Style::default() };
    render(Format::Table, style, &columns, rows, &mut output).expect("writing to memory");
    let text = String::from_utf8(output).expect("UTF-8");
    for line in text.lines() {
        assert!(display_width(line) <= width.into(), "{width}: {line}");
    }
    text
}

const TIMES: [i64; 4] = [MORNING, MORNING + 123_456, MORNING + 60_000_000, MORNING + 61_000_000];
const NOTE: &str = "TimeoutException: the bank at https://bank.example/authorise did not answer \
                    within 30 seconds; tried 3 times";

#[test]
fn the_same_table_on_terminals_of_80_120_and_200_columns() {
    let tables = WIDTHS.map(|width| hostile(width, TIMES, NOTE));
    insta::assert_snapshot!(tables.join("\n"), @r#"
    2026-11-22 UTC
    id     created_at    event_type                             aggregate       mark
     9998  10:00:00.000  OrderCreated                           order-4711      -
     9999  10:00:00.123  com.example.warehouse.shipping.Shipm…  الطلب-٤٧١١      DLT
        TimeoutException: the bank at https://bank.example/authorise did not answer
        within 30 seconds; tried 3 times
    10000  10:01:00.000  🛒CartCheckedOut                       cart/🛒/日本語  -
    10001  10:01:01.000  PaymentDeclined                        order-4711      DLT
        CardDeclined

    2026-11-22 UTC
    id     created_at       event_type                                  source_service   aggregate       event_id       mark
     9998  10:00:00.000000  OrderCreated                                order-service    order-4711      019aa4c5…4b5a  -
     9999  10:00:00.123456  com.example.warehouse.shipping.ShipmentOf…  payment-service  الطلب-٤٧١١      019aa4c5…4b5a  DLT
        TimeoutException: the bank at https://bank.example/authorise did not answer within 30 seconds; tried 3 times
    10000  10:01:00.000000  🛒CartCheckedOut                            shop             cart/🛒/日本語  019aa4c5…4b5a  -
    10001  10:01:01.000000  PaymentDeclined                             payment-service  order-4711      019aa4c5…4b5a  DLT
        CardDeclined

    id     created_at                   event_type                                                                   source_service   aggregate       event_id       mark  payload
     9998  2026-11-22T10:00:00.000000Z  OrderCreated                                                                 order-service    order-4711      019aa4c5…4b5a  -     {"amount": "10.50", "currency": …
     9999  2026-11-22T10:00:00.123456Z  com.example.warehouse.shipping.ShipmentOfSeveralParcelsHasBeenHandedOver.v2  payment-service  الطلب-٤٧١١      019aa4c5…4b5a  DLT   {"amount": "10.50", "currency": …
        TimeoutException: the bank at https://bank.example/authorise did not answer within 30 seconds; tried 3 times
    10000  2026-11-22T10:01:00.000000Z  🛒CartCheckedOut                                                             shop             cart/🛒/日本語  019aa4c5…4b5a  -     {"amount": "10.50", "currency": …
    10001  2026-11-22T10:01:01.000000Z  PaymentDeclined                                                              payment-service  order-4711      019aa4c5…4b5a  DLT   {"amount": "10.50", "currency": …
        CardDeclined
    "#);
}

#[test]
fn an_explanation_is_whole_at_any_width() {
    for width in 40..250 {
        let text = hostile(width, TIMES, NOTE);
        let shown: String = text.split_whitespace().collect();
        let note: String = NOTE.split_whitespace().collect();
        assert!(shown.contains(&note), "{width}: {text}");
    }
}

#[test]
fn times_are_as_short_as_they_must_be() {
    let day = 86_400_000_000;
    let headers = [
        TIMES,
        [MORNING, MORNING + day, MORNING + 2 * day, MORNING + 3 * day],
        [MORNING, MORNING + 365 * day, MORNING, i64::MAX],
    ]
    .map(|times| hostile(80, times, NOTE).lines().take(4).collect::<Vec<_>>().join("\n"));
    insta::assert_snapshot!(headers.join("\n\n"), @"
    2026-11-22 UTC
    id     created_at    event_type                             aggregate       mark
     9998  10:00:00.000  OrderCreated                           order-4711      -
     9999  10:00:00.123  com.example.warehouse.shipping.Shipm…  الطلب-٤٧١١      DLT

    2026 UTC
    id     created_at      event_type                                 aggregate
     9998  11-22 10:00:00  OrderCreated                               order-4711
     9999  11-23 10:00:00  com.example.warehouse.shipping.ShipmentO…  الطلب-٤٧١١

    id     created_at            event_type                           aggregate
     9998  2026-11-22T10:00:00Z  OrderCreated                         order-4711
     9999  2027-11-22T10:00:00Z  com.example.warehouse.shipping.Shi…  الطلب-٤٧١١
        TimeoutException: the bank at https://bank.example/authorise did not answer
    ");
}

#[test]
fn an_explanation_without_room_for_its_name_stands_below() {
    let columns = [Column::new("topic"), Column::new("exception_message").explains()];
    let rows = [
        (vec![Value::from("orders.events"), "short".into()], Emphasis::None),
        (vec![Value::from("orders.events"), "a message that is longer".into()], Emphasis::None),
    ];
    let mut output = Vec::new();
    let style = Style { width: Some(30), terminal: true, ..Style::default() };
    render(Format::Table, style, &columns, rows, &mut output).expect("writing to memory");
    insta::assert_snapshot!(String::from_utf8(output).expect("UTF-8"), @"
    topic
    orders.events
        short
    orders.events
        a message that is longer
    ");
}

#[test]
fn several_explanations_are_told_apart() {
    let columns =
        [Column::new("topic"), Column::new("why").explains(), Column::new("error").explains()];
    let row = |why: Option<&'static str>, error: &'static str| {
        (vec![Value::from("orders.events"), why.into(), error.into()], Emphasis::None)
    };
    let rows = [row(Some("the event was replayed three times already"), NOTE), row(None, "short")];
    let mut output = Vec::new();
    let style = Style { width: Some(60), terminal: true, ..Style::default() };
    render(Format::Table, style, &columns, rows, &mut output).expect("writing to memory");
    insta::assert_snapshot!(String::from_utf8(output).expect("UTF-8"), @"
    topic
    orders.events
        why: the event was replayed three times already
        error: TimeoutException: the bank at
        https://bank.example/authorise did not answer within 30
        seconds; tried 3 times
    orders.events
        error: short
    ");
}

#[test]
fn a_table_for_a_file_is_complete() {
    insta::assert_snapshot!(rendered(Format::Table, Style::default()), @r#"
id  event_type                               event_id                              is_dlt  created_at                   payload
 1  OrderCreated                             019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a  false   2026-11-22T10:00:00.120000Z  {"amount": "10.50"}
 2  Pay\u{1b}[31m\u{202e}, "quoted"\n\u{9b}  019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a  true    2026-11-22T10:00:00.120000Z  {"note": "a,b\u001b"}
-                                            -                                     -       -                                              0.5
 3  =1+1                                     -                                     -       -                            []
"#);
}

#[test]
fn a_table_fits_the_terminal_and_shortens_ids() {
    let style = Style { width: Some(80), terminal: true, ..Style::default() };
    let text = rendered(Format::Table, style);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text, @r#"
2026-11-22 UTC
id  event_type             event_id       is_dlt  created_at    payload
 1  OrderCreated           019aa4c5…4b5a  false   10:00:00.120  {"amount": "10.…
 2  Pay\u{1b}[31m\u{202e…  019aa4c5…4b5a  true    10:00:00.120  {"note": "a,b\u…
-                          -              -       -                          0.5
 3  =1+1                   -              -       -             []
"#);
}

#[test]
fn a_name_is_cut_where_the_terminal_is_too_narrow_for_the_names() {
    let style = Style { width: Some(54), terminal: true, ..Style::default() };
    let text = rendered(Format::Table, style);
    assert!(text.lines().all(|line| line.chars().count() <= 54), "{text}");
    assert!(text.contains("\nid  event_…  event_id "), "{text}");
}

#[test]
fn nothing_of_a_payload_reaches_the_terminal_as_a_control() {
    let style = Style { width: Some(200), terminal: true, color: false, ..Style::default() };
    assert!(!rendered(Format::Table, style).contains(['\x1b', '\u{9b}', '\u{202e}']));
}
