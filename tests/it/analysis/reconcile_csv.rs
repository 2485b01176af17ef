//! `audit reconcile LEFT --csv FILE`: a statement of somebody else's.

use std::io::Write;
use std::process::{Output, Stdio};

use record_file::{Content, Record};
use sandbox::{Sandbox, Scope};

use crate::support::Audit;

/// Three orders with ids that are text, the second in two requests, and one with UUIDs.
fn orders(scope: &Scope<'_>) -> Audit {
    let audit = Audit::migrated(scope);
    let topic = scope.create_topic("orders.events", 1);
    let event = |n: u32, order: &str, request: &str, event_type: &str, total: &str| {
        Record {
        topic: topic.clone(),
        partition: Some(0),
        offset: None,
        timestamp_ms: None,
        key: None,
        headers: Vec::new(),
        value: Some(Content(
            format!(
                r#"{{"event_id":"00000000-0000-4000-8000-{n:012}","event_type":"{event_type}","aggregate_id":"{order}",
                    "correlation_id":"{request}","occurred_at":"2026-11-2{n}T10:00:00Z","payload":{{"total":"{total}"}}}}"#
            )
            .into_bytes(),
        )),
    }
    };
    let uuid = "019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a";
    let records = [
        event(1, "order-1", "request-1", "OrderConfirmed", "1000.50"),
        event(2, "order-2", "request-2", "OrderConfirmed", "20"),
        event(3, "order-2", "request-3", "OrderConfirmed", "30"),
        event(4, uuid, "request-4", "OrderConfirmed", "40"),
        event(5, "order-5", "request-5", "OrderCreated", "50"),
    ];
    sandbox::produce(scope.brokers(), &records).unwrap_or_else(|error| panic!("{error}"));
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    audit
}

/// Compares with a file that comes through a pipe: the exit code, the rows, and what was said.
fn compare(
    audit: &Audit,
    file: impl AsRef<[u8]>,
    arguments: &[&str],
) -> (Option<i32>, String, String) {
    let sides = ["reconcile", "OrderConfirmed:$.total", "-o", "csv", "--csv", "-"];
    let columns = ["--csv-key", "Order", "--csv-amount", "Amount"];
    let mut command = audit.command(&[&sides[..], &columns, arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{error}"));
    let mut stdin = child.stdin.take().unwrap_or_else(|| panic!("there is a pipe"));
    // It may end before it read all.
    let _ = stdin.write_all(file.as_ref());
    drop(stdin);
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    let Output { status, stdout, stderr } = output;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_key_is_any_id_of_a_story_and_keys_of_one_story_are_summed() {
    let scope = Sandbox::shared().scope("reconcile_csv");
    let audit = orders(&scope);
    let file = "\u{feff}Amount,\"Order\"\r\n\
                1000,order-1\r\n0.25,request-1\r\n0.25,order-1\r\n\
                20,00000000-0000-4000-8000-000000000002\r\n\
                40.00,{019AA4C5-7D1E-7C3A-9B0E-3F6F1D2C4B5A}\r\n\
                50,order-5\r\n-7,\"nobody's, \"\"order\"\"\"\r\n";
    let (code, rows, said) = compare(&audit, file, &["--all"]);
    insta::assert_snapshot!(rows, @r#"
    correlation,left,right,difference,verdict
    request-3,30,,30,left only
    request-5,,50,-50,right only
    "nobody's, ""order""",,-7,7,right only
    request-2,20,20,0,agrees
    request-4,40,40,0,agrees
    request-1,1000.5,1000.5,0,agrees
    "#);
    insta::assert_snapshot!(said, @r"
    the standard input: 7 rows; 1 key stands in several, whose amounts are summed
    3 stories agree, 0 differ, 1 left only, 2 right only
    sums: left 1090.5, right 1103.5, difference -13
    1 key means a story that another key means, too: their amounts are summed
    ");
    assert_eq!(code, Some(0));
    assert_eq!(compare(&audit, file, &["--check"]).0, Some(4));
}

#[test]
fn a_key_of_several_stories_is_never_guessed() {
    let scope = Sandbox::shared().scope("reconcile_ambiguous");
    let audit = orders(&scope);
    let file = "Order,Amount\norder-2,50\n";
    let (code, _, said) = compare(&audit, file, &[]);
    assert_eq!(code, Some(4));
    let expected = "1 key means several stories, and nothing tells which: not compared (order-2); try --by aggregate\n";
    assert!(said.contains(expected), "{said}");
    let (code, rows, _) = compare(&audit, file, &["--by", "aggregate", "--all"]);
    assert_eq!(code, Some(0));
    assert!(rows.ends_with("order-2,50,50,0,agrees\n"), "{rows}");
    // A correlation means its aggregate then.
    let (_, rows, _) =
        compare(&audit, "Order,Amount\nrequest-2,50\n", &["--by", "aggregate", "--all"]);
    assert!(rows.ends_with("order-2,50,50,0,agrees\n"), "{rows}");
}

#[test]
fn a_key_whose_story_lies_outside_the_period_is_counted_and_not_compared() {
    let scope = Sandbox::shared().scope("reconcile_outside");
    let audit = orders(&scope);
    let file = "Order,Amount\norder-1,1\nrequest-2,20\norder-5,50\nunknown,3\n";
    let period = ["--since", "2026-11-22", "--until", "2026-11-25", "--all"];
    let (code, rows, said) = compare(&audit, file, &period);
    insta::assert_snapshot!(rows, @r"
    correlation,left,right,difference,verdict
    request-4,40,,40,left only
    request-3,30,,30,left only
    unknown,,3,-3,right only
    request-2,20,20,0,agrees
    ");
    assert!(said.contains("2 keys are of stories that are not selected: not compared\n"), "{said}");
    assert_eq!(code, Some(0));
    // A story that is selected and has no left side is there, too.
    let (_, rows, _) = compare(&audit, file, &["--since", "2026-11-25"]);
    assert!(rows.contains("request-5,,50,-50,right only\n"), "{rows}");
}

#[test]
fn what_can_not_be_read_is_named_with_its_line_and_never_exits_with_0() {
    let scope = Sandbox::shared().scope("reconcile_faulty");
    let audit = orders(&scope);
    let german =
        ["--csv-delimiter", ";", "--csv-decimal", ",", "--correlation", "request-1", "--all"];
    let (code, rows, said) = compare(&audit, "Order;Amount\norder-1;1.000,50\n", &german);
    assert!(rows.ends_with("request-1,1000.5,1000.5,0,agrees\n"), "{rows}");
    assert_eq!((code, said.contains("not compared")), (Some(0), false), "{said}");
    let (code, rows, said) =
        compare(&audit, "Order;Amount\norder-1;1000.50\norder-1;1\n\"order-1\n;2", &german);
    assert!(rows.ends_with("request-1,1000.5,1,999.5,differs\n"), "{rows}");
    assert!(said.contains("line 2 is not compared: '1000.50' is no amount\n"), "{said}");
    assert!(
        said.contains(
            "line 4 is not compared: its quote is not closed: it reaches to the end of the file\n"
        ),
        "{said}"
    );
    assert_eq!(code, Some(4));
    let tabs = ["--csv-delimiter", "tab", "--correlation", "request-1", "--all"];
    let (code, rows, _) = compare(&audit, "Order\tAmount\norder-1\t1000.5\n", &tabs);
    assert!(code == Some(0) && rows.ends_with("request-1,1000.5,1000.5,0,agrees\n"), "{rows}");

    let failed = |file: &[u8], arguments: &[&str]| {
        let (code, rows, said) = compare(&audit, file, arguments);
        assert_eq!(rows, "");
        (code, said)
    };
    let (code, said) = failed(b"Order,Amount\nM\xfcller,1\n", &[]);
    assert_eq!(code, Some(1));
    assert!(
        said.starts_with("error: the standard input: line 2 is not UTF-8\nhint: convert it"),
        "{said}"
    );
    let (code, said) = failed(b"order,Amount,Note\n", &[]);
    assert_eq!(code, Some(2));
    assert_eq!(
        said,
        "error: --csv-key: the standard input has no column 'Order'; did you mean order?\nhint: its columns are order, Amount, Note\n"
    );
    let (code, said) = failed(b"Order;Amount\n", &[]);
    assert_eq!(code, Some(2));
    assert!(
        said.ends_with("hint: its first line is one column; try --csv-delimiter ';'\n"),
        "{said}"
    );
    let (code, said) = failed(b"Order,Amount,Amount\n", &[]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("--csv-amount: the standard input has several columns 'Amount'"),
        "{said}"
    );
    for wrong in [
        &["--csv-delimiter", ";;"][..],
        &["--csv-delimiter", "\""],
        &["--csv-decimal", ";"],
        &["PaymentCaptured:$.amount"],
    ] {
        assert_eq!(failed(b"Order,Amount\n", wrong).0, Some(2), "{wrong:?}");
    }
    let sides = ["reconcile", "OrderConfirmed:$.total"];
    for wrong in
        [&["--csv", "f.csv"][..], &["--csv-key", "a", "B:$.a"], &["--csv-decimal", ",", "B:$.a"]]
    {
        let output = audit.run(&[&sides[..], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let missing = ["--csv", "/nowhere.csv", "--csv-key", "a", "--csv-amount", "b"];
    let output = audit.run(&[&sides[..], &missing].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: /nowhere.csv: "));
}
