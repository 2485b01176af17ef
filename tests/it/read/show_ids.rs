//! `audit show` of the id of an aggregate or a correlation; ids as they came in its forms and in
//! those of `trace`.

use sandbox::Sandbox;

use crate::support::rows::record;
use crate::support::{Audit, Database};

/// The exit code, the first lines of stdout, and stderr.
fn shown(audit: &Audit, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = audit.run(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A case of three events, one delivered twice, whose last is a dead letter; its request; a number
/// that is both; aggregates that begin alike.
fn world(name: &str) -> Audit {
    let scope = Sandbox::shared().scope(name);
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let case = audit::event::aggregate_uuid(b"case-10011");
    let request = audit::event::correlation_uuid(b"request-7");
    let numbers = [audit::event::aggregate_uuid(b"4711"), audit::event::correlation_uuid(b"4711")];
    let event = |event: u32,
                 kind: &str,
                 aggregate: &str,
                 is_dlt: bool,
                 second: u32,
                 story: &str| {
        format!(
            "('019aa4c5-7d1e-7c3a-9b0e-{event:012}'::uuid, '{kind}', '{aggregate}'::uuid, 'claims', {is_dlt}, '{{}}'::jsonb,
              '2026-11-22 10:00:{second:02}'::timestamp, {story}::uuid)"
        )
    };
    let (case, request) = (case.to_string(), format!("'{request}'"));
    let rows = [
        event(1, "CaseOpened", &case, false, 1, "NULL"),
        event(2, "CaseClosed", &case, false, 9, &request),
        event(2, "CaseClosed", &case, true, 9, &request),
        event(3, "CaseNoted", &case, false, 5, &request),
        event(4, "Counted", &numbers[0].to_string(), false, 1, "NULL"),
        event(5, "Summed", &numbers[0].to_string(), false, 3, &format!("'{}'", numbers[1])),
        event(6, "Alike", "aaaaaaaa-0000-4000-8000-000000000001", false, 1, "NULL"),
        event(7, "Alike", "aaaaaaaa-0000-4000-8000-000000000002", false, 1, "NULL"),
    ];
    record(&database, &format!("VALUES {}", rows.join(", ")));
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET attributes = '{\"key\": \"case-10011\", \"original\": {\"correlation_id\": \"request-7\"}}' WHERE id <= 4;
         UPDATE event_logs SET attributes = '{\"key\": \"4711\", \"original\": {\"correlation_id\": 4711}}' WHERE id IN (5, 6)",
    );
    audit
}

#[test]
fn of_an_id_that_no_event_has_the_last_event_is_shown_and_it_is_said_what_the_id_was_taken_for() {
    let audit = world("show_ids");
    let first_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    for (id, first, said) in [
        (
            "case-10011",
            "type         CaseClosed [DLT]",
            "case-10011 is an aggregate with 4 events: its last one is shown; `audit trace case-10011` shows all",
        ),
        (
            "request-7",
            "type         CaseClosed [DLT]",
            "request-7 is a correlation with 3 events: its last one is shown; `audit trace request-7` shows all",
        ),
        (
            "4711",
            "type         Summed",
            "4711 is an aggregate with 2 events, and a correlation with 1 event: the last of both is shown; `audit \
             trace 4711` shows all",
        ),
        (
            "aaaaaaaa…0001",
            "type         Alike",
            "aaaaaaaa…0001 is an aggregate with 1 event: its last one is shown; `audit trace aaaaaaaa…0001` shows all",
        ),
    ] {
        let (code, stdout, stderr) = shown(&audit, &["show", id]);
        assert_eq!((code, first_line(&stdout).as_str()), (Some(0), first), "{stdout}{stderr}");
        assert_eq!(stderr.trim_end(), said);
    }
    let (code, stdout, stderr) = shown(&audit, &["show", "aaaaaaaa"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert_eq!(
        stderr,
        "error: 'aaaaaaaa' is the beginning of several aggregates\n\
         hint: give more of its digits:\n  aaaaaaaa-0000-4000-8000-000000000001\n  \
         aaaaaaaa-0000-4000-8000-000000000002\n"
    );
    let (code, _, stderr) = shown(&audit, &["show", "case-10012"]);
    assert_eq!(code, Some(3));
    assert_eq!(stderr, "error: no event, aggregate or correlation has the id 'case-10012'\n");
    // A row comes before all others.
    let (_, stdout, stderr) = shown(&audit, &["show", "1"]);
    assert_eq!((first_line(&stdout).as_str(), stderr.as_str()), ("type         CaseOpened", ""));
}

#[test]
fn what_is_shown_has_the_ids_as_they_came_beside_those_that_were_made_of_them() {
    let audit = world("shown_ids");
    let text = audit.succeed(&["show", "case-10011"]);
    let case = audit::event::aggregate_uuid(b"case-10011");
    assert!(text.contains(&format!("\naggregate    case-10011 ({case})\n")), "{text}");
    for command in
        [&["query", "--order", "oldest"][..], &["tail", "--no-follow"], &["trace", "case-10011"]]
    {
        let text = audit.succeed(&[command, &["-o", "ndjson"]].concat());
        let rows: Vec<serde_json::Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let row = rows.iter().find(|row| row["event_type"] == "CaseNoted");
        let row = row.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(row["aggregate_id"], case.to_string(), "{command:?}");
        assert_eq!(row["aggregate"], "case-10011", "{command:?}");
        assert_eq!(row["correlation"], "request-7", "{command:?}");
    }
    let trace = audit.succeed(&["trace", "case-10011"]);
    assert!(trace.lines().nth(1).is_some_and(|line| line.contains("case-10011")), "{trace}");
    let csv = audit.succeed(&["export"]);
    let header = "id,event_id,event_type,aggregate_id,source_service,is_dlt,payload,created_at";
    assert_eq!(csv.lines().next(), Some(header));
}
