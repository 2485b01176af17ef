//! Manners on a terminal, a real pseudo-terminal: colour, widths, ids, and what a payload can't do
//! to it.

use std::process::ExitStatus;

use sandbox::Sandbox;
use unicode_width::UnicodeWidthStr;

use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Terminal};

/// Runs `audit` on a terminal to its end.
fn on_terminal(
    audit: &Audit,
    columns: u16,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (ExitStatus, String) {
    let mut command = audit.command(arguments);
    // What takes long on a busy machine would show it.
    command.arg("--no-progress").envs(variables.iter().copied());
    Terminal::start(command, columns).end()
}

/// What it shows on a terminal without colours, as lines.
fn shown(audit: &Audit, columns: u16, arguments: &[&str]) -> String {
    let (status, screen) = on_terminal(audit, columns, &[("NO_COLOR", "1")], arguments);
    // An answer that is not whole looks the same.
    assert!(matches!(status.code(), Some(0 | 4)), "{arguments:?}: {status}\n{screen}");
    screen.replace("\r\n", "\n")
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask_for_it() {
    let scope = Sandbox::shared().scope("colour");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 3, "2026-11-22"));
    let show = ["show", "1"];
    let trace = ["trace", "1"];
    let commands: [&[&str]; 10] = [
        &["decode", "Cargo.toml"],
        &["query"],
        &["tail", "--no-follow"],
        &show,
        &trace,
        &["stats"],
        &["status"],
        &["verify", "--wait", "0"],
        &["dlt"],
        &["replay-dlt", "--dry-run"],
    ];
    for command in commands {
        let is_coloured = |variables: &[(&str, &str)], more: &[&str]| {
            let (_, screen) = on_terminal(&audit, 160, variables, &[command, more].concat());
            assert!(!screen.is_empty(), "{command:?}");
            screen.contains('\u{1b}')
        };
        // Without a row these have nothing to colour.
        let has_rows = !command[0].contains("dlt");
        assert_eq!(is_coloured(&[], &[]), has_rows, "{command:?}");
        assert_eq!(
            is_coloured(&[("NO_COLOR", "1")], &["--color", "always"]),
            has_rows,
            "{command:?}"
        );
        assert_eq!(is_coloured(&[("NO_COLOR", "")], &[]), has_rows, "{command:?}");
        assert!(!is_coloured(&[("NO_COLOR", "1")], &[]), "{command:?}");
        assert!(!is_coloured(&[("TERM", "dumb")], &[]), "{command:?}");
        assert!(!is_coloured(&[], &["--color", "never"]), "{command:?}");
        let piped = |more: &[&str]| audit.run(&[command, more].concat()).stdout.contains(&0x1b);
        assert!(!piped(&[]), "{command:?}");
        let as_table = if command[0] == "tail" {
            &["--color", "always", "-o", "table"][..]
        } else {
            &["--color", "always"]
        };
        assert_eq!(piped(as_table), has_rows, "{command:?}");
    }
    let error = |variables: &[(&str, &str)], more: &[&str]| {
        let (status, screen) =
            on_terminal(&audit, 80, variables, &[&["show", "999"], more].concat());
        assert_eq!(status.code(), Some(3), "{screen}");
        screen.contains('\u{1b}')
    };
    assert!(error(&[], &[]));
    assert!(!error(&[("NO_COLOR", "1")], &[]));
    assert!(!error(&[], &["--color", "never"]));
}

#[test]
fn no_line_is_wider_than_the_terminal_and_short_ids_are_taken_back() {
    let scope = Sandbox::shared().scope("widths");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(
        &database,
        "SELECT gen_random_uuid(), type, '019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a'::uuid, service, n % 5 = 0,
                jsonb_build_object('note', repeat(text, 40), 'n', n), '2026-11-22'::timestamp + n * interval '1 hour',
                '019aa4c5-0000-7000-8000-000000000001'::uuid
           FROM generate_series(1, 30) n,
                LATERAL (SELECT (ARRAY['注文が作成されました・とても長い名前のイベント', 'PaymentAuthorizedByTheBankOfTheCustomer', 'E'])[1 + n % 3],
                                (ARRAY['order-service-in-a-far-away-region', '支払いサービス', NULL])[1 + n % 3],
                                (ARRAY['日本', '👩\u{200d}🚀👋🏽❤\u{fe0f}', 'e\u{301}\u{301}', 'plain '])[1 + n % 4]) AS of_row(type, service, text)",
    );
    database.execute(
        "INSERT INTO dead_letters (event_log_id, headers, exception_class, exception_message, origin_topic)
         VALUES (5, '[]', 'com.example.orders.VeryLongExceptionName', 'まことに申し訳ございません', 'orders.events');
         INSERT INTO kafka_partitions (cluster_id, topic, partition, claimed_by)
         VALUES ('c', 'a-topic-with-quite-a-long-name.orders.events', 0, 'a-host-with-a-long-name.example:12345')",
    );
    let commands: [&[&str]; 9] = [
        &["dlt"],
        &["query"],
        &["query", "--columns", "event_type,payload,source_service,aggregate_id"],
        &["tail", "--no-follow"],
        &["trace", "1"],
        &["stats", "--by", "type,service"],
        &["stats", "--by", "day", "--duplicates"],
        &["status"],
        &["verify", "--wait", "0"],
    ];
    for columns in [80, 200] {
        for command in commands {
            // Coloured, because blanks at the end of a line are no less wide for that.
            let (_, screen) = on_terminal(&audit, columns, &[], command);
            // What is said besides the result is not laid out.
            let lines: Vec<_> =
                screen.lines().filter(|line| !line.contains("lag is unknown")).collect();
            assert!(lines.len() > 2, "{command:?}: {screen}");
            for line in lines {
                let width = without_colours(line).width();
                assert!(
                    width <= columns.into(),
                    "{command:?}, {columns} columns:\n{line}\n{screen}"
                );
            }
        }
    }
    let narrow = shown(&audit, 80, &["query", "-n", "1"]);
    assert!(narrow.contains("019aa4c5…4b5a") && !narrow.contains("019aa4c5-7d1e"), "{narrow}");
    let piped = audit.succeed(&["query", "-n", "1"]);
    assert!(piped.contains("019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a"), "{piped}");

    let event_id = database.value("SELECT event_id FROM event_logs WHERE id = 30");
    let short = format!("{}…{}", &event_id[..8], &event_id[32..]);
    assert!(shown(&audit, 200, &["trace", "1"]).contains(&short));
    assert!(shown(&audit, 200, &["query"]).contains(&short));
    assert!(audit.succeed(&["show", &short]).contains(&event_id));
    assert_eq!(audit.succeed(&["query", "--count", "--event-id", &short]), "1\n");
    assert_eq!(audit.succeed(&["query", "--count", "--aggregate", "019aa4c5…4b5a"]), "30\n");
    // Besides the header; a story has all 30.
    assert_eq!(audit.succeed(&["trace", "019aa4c5…4b5a"]).lines().count(), 31);
}

/// The line without the sequences that colour it.
fn without_colours(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or(piece, |(_, rest)| rest))
}

/// Whether a terminal may act on the character, or a reader be misled by it. A tab in CSV does no
/// harm.
fn is_harmful(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn nothing_that_a_record_holds_reaches_the_terminal_as_a_control_or_turns_the_text_around() {
    const HOSTILE: &str = "x\u{1b}[31m\u{1b}]0;t\u{7}\u{9b}2J\u{7f}\u{202e}\u{2066}\u{2067}\u{200f}\u{61c}\r\n\t\u{8}y";
    let scope = Sandbox::shared().scope("controls");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let text = HOSTILE.replace('\'', "''");
    database.execute(&format!(
        "CREATE FUNCTION hostile() RETURNS text LANGUAGE sql IMMUTABLE RETURN '{text}';
         INSERT INTO kafka_partitions (cluster_id, topic, partition, claimed_by)
         VALUES ('c', 'orders.events-dlt' || hostile(), 0, hostile())"
    ));
    record(
        &database,
        "SELECT md5('e' || n)::uuid, left('T' || hostile(), 100), md5('a')::uuid, 's' || hostile(), n = 2,
                jsonb_build_object('m' || hostile(), hostile(), 'n', n), '2026-11-22'::timestamp + n * interval '1 second',
                md5('c')::uuid
           FROM generate_series(1, 2) n",
    );
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET partition_id = 1, kafka_offset = id, 
                attributes = jsonb_build_object('a' || hostile(), hostile(), 'causation_id', 'cause' || hostile());
         INSERT INTO dead_letters (event_log_id, headers, exception_class, exception_message, origin_topic, consumer_group)
         VALUES (2, '[]', 'java.Evil' || hostile(), hostile(), 'origin' || hostile(), 'group' || hostile())",
    );
    let commands: [&[&str]; 17] = [
        &[
            "query",
            "--columns",
            "id,event_type,source_service,payload,attributes,topic,causation_id",
        ],
        &["query", "-o", "json"],
        &["query", "-o", "csv"],
        &["tail", "--no-follow"],
        &["tail", "--no-follow", "-o", "ndjson"],
        &["export"],
        &["show", "2"],
        &["show", "2", "--diff"],
        &["show", "2", "--diff", "-o", "json"],
        &["trace", "1"],
        &["trace", "1", "-o", "mermaid"],
        &["dlt"],
        &["stats", "--by", "type,service,topic,error"],
        &["replay-dlt", "--dry-run"],
        &["status"],
        // Suggestions and errors quote it, too.
        &["query", "--type", "TX*"],
        &["query", "--service", HOSTILE],
    ];
    for command in commands {
        // A wide terminal shows all of it.
        let screen = shown(&audit, 2000, command);
        assert!(screen.contains("31m"), "{command:?} shows nothing of it:\n{screen}");
        assert_eq!(
            screen.chars().find(|character| is_harmful(*character)),
            None,
            "{command:?}:\n{screen:?}"
        );
    }
    for (code, refused) in [
        (3, &["trace", HOSTILE, "--color", "never"][..]),
        (2, &["query", "--limit", HOSTILE]),
        (2, &[HOSTILE]),
    ] {
        let (status, screen) = on_terminal(&audit, 200, &[], refused);
        let screen = screen.replace("\r\n", "\n");
        assert_eq!(status.code(), Some(code), "{screen}");
        assert_eq!(screen.chars().find(|character| is_harmful(*character)), None, "{screen:?}");
    }

    // What JSON shows on a terminal still means the same.
    for command in
        [&["query", "-o", "json"][..], &["show", "2", "-o", "json"], &["trace", "1", "-o", "json"]]
    {
        let value = |text: &str| {
            serde_json::from_str::<serde_json::Value>(text)
                .unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        let on_terminal = value(&shown(&audit, 80, command));
        assert_eq!(on_terminal, value(&audit.succeed(command)), "{command:?}");
        assert!(on_terminal.to_string().contains("\\u001b[31m"), "{on_terminal}");
    }
}
