//! Tables on terminals of several widths.

use proptest::prelude::*;

use crate::output::render::rendered;
use crate::output::text::width::display_width;
use crate::output::{Column, Emphasis, Format, Style, TimeForm, render};
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
fn the_narrowest_terminals_show_it_too() {
    for width in 16..40 {
        assert!(hostile(width, TIMES, NOTE).contains("9998"), "{width}");
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
fn a_table_for_a_file_holds_whole_payloads_however_long() {
    let columns = ["payload", "id"].map(Column::new);
    let long = format!("[\"{}\"]", "x".repeat(100_000));
    let rows = [long.as_str(), "[]"].map(|json| vec![Value::Json(json.into()), 1.into()]);
    let text = shown(&columns, &rows, Style::default());
    assert_eq!(text, format!("payload  id\n{long}  1\n[]  1\n"));
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
    assert!(text.contains("\nid  event_t…  event_id "), "{text}");
}

#[test]
fn nothing_of_a_payload_reaches_the_terminal_as_a_control() {
    let style = Style { width: Some(200), terminal: true, color: false, ..Style::default() };
    assert!(!rendered(Format::Table, style).contains(['\x1b', '\u{9b}', '\u{202e}']));
}

/// What is shown of rows of one table.
fn shown(columns: &[Column], rows: &[Vec<Value<'_>>], style: Style) -> String {
    let rows = rows.iter().map(|row| (row.clone(), Emphasis::None));
    let mut output = Vec::new();
    render(Format::Table, style, columns, rows, &mut output).expect("writing to memory");
    String::from_utf8(output).expect("UTF-8")
}

fn terminal(width: u16) -> Style {
    Style { width: Some(width), terminal: true, ..Style::default() }
}

#[test]
fn errors_that_are_all_that_was_asked_for_stand_alone() {
    let rows = [Value::from(NOTE), Value::Null, "short".into()].map(|error| vec![error]);
    let columns = [Column::new("error_message").explains()];
    insta::assert_snapshot!(shown(&columns, &rows, terminal(60)), @"
    error_message
    TimeoutException: the bank at
        https://bank.example/authorise did not answer within 30
        seconds; tried 3 times
    -
    short
    ");
    let columns = [columns[0].clone(), Column::new("why").explains()];
    let rows = rows.map(|row| vec![row[0].clone(), "it was asked for".into()]);
    insta::assert_snapshot!(shown(&columns, &rows, terminal(60)), @"
    error_message: TimeoutException: the bank at
        https://bank.example/authorise did not answer within 30
        seconds; tried 3 times
        why: it was asked for
    error_message: -
        why: it was asked for
    error_message: short
        why: it was asked for
    ");
}

#[test]
fn of_a_long_id_the_beginning_stands_in_the_row_and_all_of_it_below() {
    let columns = [Column::new("id"), Column::new("aggregate").whole(), Column::new("event_type")];
    let long = "order-".to_owned() + &"4711-".repeat(20) + "end";
    let rows = [
        vec![Value::from(1), long.as_str().into(), "OrderCreated".into()],
        vec![Value::from(2), "order-1".into(), "OrderShipped".into()],
    ];
    insta::assert_snapshot!(shown(&columns, &rows, terminal(60)), @"
    id  aggregate                                   event_type
     1  order-4711-4711-4711-4711-4711-4711-4711-…  OrderCreated
        aggregate:
        order-4711-4711-4711-4711-4711-4711-4711-4711-4711-4711-
        4711-4711-4711-4711-4711-4711-4711-4711-4711-4711-end
     2  order-1                                     OrderShipped
    ");
}

#[test]
fn columns_that_are_equally_wide_give_way_equally() {
    let columns = [Column::new("service"), Column::new("type")];
    let rows = [vec![Value::from("s".repeat(90)), "t".repeat(90).into()]];
    insta::assert_snapshot!(shown(&columns, &rows, terminal(41)), @"
    service               type
    sssssssssssssssssss…  tttttttttttttttttt…
    ");
}

#[test]
fn times_in_the_form_of_sql_are_never_cut() {
    let columns = ["created_at", "event_type", "payload"].map(Column::new);
    let time = Timestamp::without_zone(PostgresMicros(MORNING + 123_456));
    let payload = Value::Json(r#"{"amount": "10.50"}"#.into());
    let rows = [vec![time.into(), "OrderCreated".repeat(4).into(), payload]];
    for format in [Format::Table, Format::Lines] {
        for width in 40..120 {
            let style = Style { times: Some(TimeForm::Sql), ..terminal(width) };
            let rows = rows.iter().map(|row| (row.clone(), Emphasis::None));
            let mut output = Vec::new();
            render(format, style, &columns, rows, &mut output).expect("writing to memory");
            let text = String::from_utf8(output).expect("UTF-8");
            assert!(text.contains("2026-11-22 10:00:00.123456"), "{format:?} {width}: {text}");
            assert!(text.lines().all(|line| display_width(line) <= width.into()), "{text}");
        }
    }
}

#[test]
fn a_thousand_rows_of_a_megabyte_are_laid_out() {
    let payload = format!(r#"{{"note": "{}"}}"#, "日本".repeat(1 << 17));
    let columns = ["id", "event_type", "payload"].map(Column::new).into_iter();
    let columns: Vec<Column> = columns.chain([Column::new("error").explains()]).collect();
    let rows = (0..1_000).map(|id| {
        let error = Value::from("no answer; ".repeat(600));
        (
            vec![id.into(), "OrderCreated".into(), Value::Json(payload.as_str().into()), error],
            Emphasis::None,
        )
    });
    let mut output = Vec::new();
    render(Format::Table, terminal(80), &columns, rows, &mut output).expect("writing to memory");
    let text = String::from_utf8(output).expect("UTF-8");
    assert!(text.lines().all(|line| display_width(line) <= 80));
    assert_eq!(text.lines().filter(|line| line.contains("OrderCreated")).count(), 1_000);
}

/// A column, and the values that its cells are made of.
fn any_column() -> impl Strategy<Value = (Column, Vec<Value<'static>>)> {
    let text = || "[a-zé日🛒]{1,12}( [a-z]{1,20}){0,3}";
    let id = || prop_oneof![4 => "[a-z]{1,8}-[0-9]{1,12}", 1 => "[a-z0-9-]{60,120}"];
    let values = |value: BoxedStrategy<Value<'static>>| {
        proptest::collection::vec(prop_oneof![4 => value, 1 => Just(Value::Null)], 4)
    };
    let name = "[a-z_]{2,16}";
    prop_oneof![
        (name, values(any::<i64>().prop_map(Value::from).boxed()))
            .prop_map(|(name, cells)| (Column::new(name), cells)),
        (name, 0u8..3, values(text().prop_map(Value::from).boxed()))
            .prop_map(|(name, rank, cells)| (Column::new(name).optional(rank), cells)),
        (name, values(id().prop_map(Value::from).boxed()))
            .prop_map(|(name, cells)| (Column::new(name).whole(), cells)),
        (name, values(text().prop_map(Value::from).boxed()))
            .prop_map(|(name, cells)| (Column::new(name).explains(), cells)),
        (
            name,
            values(
                (0..4i64)
                    .prop_map(|day| {
                        Timestamp::without_zone(PostgresMicros(MORNING + day * 40_000_000_001))
                            .into()
                    })
                    .boxed()
            )
        )
            .prop_map(|(name, cells)| (Column::new(name), cells)),
        (
            name,
            values(
                text().prop_map(|text| Value::Json(format!(r#"{{"a": "{text}"}}"#).into())).boxed()
            )
        )
            .prop_map(|(name, cells)| (Column::new(name), cells)),
    ]
}

proptest! {
    #[test]
    fn every_table_fits_and_shows_what_must_be_whole(
        columns in proptest::collection::vec(any_column(), 1..9), width in 20u16..240,
    ) {
        let rows: Vec<Vec<Value<'_>>> =
            (0..4).map(|row| columns.iter().map(|(_, cells)| cells[row].clone()).collect()).collect();
        let (columns, _): (Vec<Column>, Vec<_>) = columns.into_iter().unzip();
        let text = shown(&columns, &rows, terminal(width));
        for line in text.lines() {
            prop_assert!(display_width(line) <= width.into(), "{width}: {line}\n{text}");
        }
        let solid: String = text.split_whitespace().collect();
        for (column, cell) in rows.iter().flat_map(|row| columns.iter().zip(row)) {
            let whole = match cell {
                Value::Integer(number) => number.to_string(),
                // A narrower terminal is not worth more lines.
                Value::Text(text) if column.is_whole() && width >= 40 => text.split_whitespace().collect(),
                _ => continue,
            };
            prop_assert!(solid.contains(&whole), "{width}: {whole} is not in\n{text}");
        }
    }
}
