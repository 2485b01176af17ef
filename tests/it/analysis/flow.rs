//! `audit flow` against the stories that its rows make by definition.

use std::collections::BTreeMap;

use chrono::DateTime;
use sandbox::Sandbox;
use serde_json::Value;

use super::naive::{self, Pair, Variant, Ways};
use super::random_log::{DAY, Random, Row, begin, write};
use crate::support::rows::{partition, record};
use crate::support::{Audit, Database, Terminal};

/// How many logs are tried.
const LOGS: i64 = 16;

/// Selectors, and what they mean for a time, and for a row.
struct Choice {
    arguments: Vec<String>,
    begins_within: Box<dyn Fn(i64) -> bool>,
    matches: Box<dyn Fn(&Row) -> bool>,
}

impl Choice {
    /// Of all stories of a log.
    fn of_log(log: i64) -> Self {
        Self::between(begin(log), begin(log) + 50 * DAY)
    }

    fn between(since: i64, until: i64) -> Self {
        let time = |at| DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339();
        let arguments = ["--since".to_owned(), time(since), "--until".to_owned(), time(until)];
        Self {
            arguments: arguments.to_vec(),
            begins_within: Box::new(move |at| since <= at && at < until),
            matches: Box::new(|_| true),
        }
    }

    fn and(self, option: &[&str], matches: impl Fn(&Row) -> bool + 'static) -> Self {
        let mut arguments = self.arguments;
        arguments.extend(option.iter().map(|&word| word.to_owned()));
        Self { arguments, matches: Box::new(matches), ..self }
    }

    fn all(log: i64, rows: &[Row], random: &mut Random) -> Vec<Self> {
        let of = || Self::of_log(log);
        let day = begin(log) + DAY;
        let date =
            DateTime::from_timestamp_micros(day).unwrap_or_default().date_naive().to_string();
        let some = rows[random.below(rows.len())].clone();
        let mut choices = vec![
            of(),
            Self::between(begin(log) + random.below(2) as i64 * DAY, day + DAY),
            Self {
                arguments: vec!["--date".to_owned(), date],
                begins_within: Box::new(move |at| day <= at && at < day + DAY),
                matches: Box::new(|_| true),
            },
            of().and(&["--type", "A"], |row| row.event_type == "A"),
            of().and(&["--type", "!B"], |row| row.event_type != "B"),
            of().and(&["--service", "s1"], |row| row.service == "s1"),
            of().and(&["--service", "s1", "--type", "B"], |row| {
                row.service == "s1" && row.event_type == "B"
            }),
            of().and(&["--dlt"], |row| row.is_dlt == Some(true)),
            of().and(&["--quarantined"], |row| row.event_type == "audit.Quarantined"),
            of().and(&["--where", "$.n == 2"], |row| row.number == 2),
            of().and(&["--topic", "t2"], |row| row.topic == "t2" && row.batch < i64::MAX),
        ];
        if let Some(aggregate) = some.aggregate {
            let id = aggregate.to_string();
            choices
                .push(of().and(&["--aggregate", &id], move |row| row.aggregate == Some(aggregate)));
        }
        if let (Some(text), correlation) = (some.text, some.correlation) {
            choices.push(
                of().and(&["--correlation", &text], move |row| row.correlation == correlation),
            );
        }
        choices
    }
}

fn json(audit: &Audit, choice: &Choice, more: &[&str]) -> (Vec<Value>, String) {
    let mut arguments = vec!["flow", "-o", "json"];
    arguments.extend(more);
    arguments.extend(choice.arguments.iter().map(String::as_str));
    let output = audit.run(&arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    match serde_json::from_slice(&output.stdout) {
        Ok(rows) => (rows, stderr),
        Err(error) => panic!("{arguments:?}: {error}"),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn micros(value: &Value) -> Option<i64> {
    value.as_f64().map(|seconds| (seconds * 1_000_000.0).round() as i64)
}

fn percentiles(row: &Value) -> Option<[i64; 2]> {
    Some([micros(&row["p50_seconds"])?, micros(&row["p95_seconds"])?])
}

fn flow_of(audit: &Audit, choice: &Choice) -> BTreeMap<Pair, Ways> {
    let (rows, _) = json(audit, choice, &[]);
    let order: Vec<_> = rows
        .iter()
        .map(|row| (std::cmp::Reverse(row["count"].as_u64()), text(&row["from"]), text(&row["to"])))
        .collect();
    assert!(order.is_sorted(), "the most frequent first, then by name: {order:?}");
    let ways = |row: &Value| Ways {
        count: row["count"].as_u64().unwrap_or_default(),
        share: naive::billionths(row["share"].as_f64().unwrap_or_default()),
        percentiles: percentiles(row),
    };
    rows.iter().map(|row| ((text(&row["from"]), text(&row["to"])), ways(row))).collect()
}

fn variants_of(audit: &Audit, choice: &Choice) -> BTreeMap<Vec<String>, Variant> {
    let (rows, _) = json(audit, choice, &["--variants"]);
    let variant = |row: &Value| {
        let types = row["variant"].as_array().into_iter().flatten().filter_map(text).collect();
        let variant = Variant {
            stories: row["stories"].as_u64().unwrap_or_default(),
            share: naive::billionths(row["share"].as_f64().unwrap_or_default()),
            percentiles: percentiles(row).unwrap_or_default(),
            example: text(&row["example"]).unwrap_or_default(),
        };
        (types, variant)
    };
    rows.iter().map(variant).collect()
}

#[track_caller]
fn assert_agrees(audit: &Audit, choice: &Choice, rows: &[Row]) {
    let stories = naive::stories(rows, &*choice.begins_within, &*choice.matches);
    let what = format!("{:?}\n{rows:#?}", choice.arguments);
    assert_eq!(flow_of(audit, choice), naive::flow(&stories), "{what}");
    assert_eq!(variants_of(audit, choice), naive::variants(&stories), "{what}");
}

#[test]
fn flows_and_variants_of_random_logs_are_those_of_a_naive_model() {
    let scope = Sandbox::shared().scope("flow_random");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    for topic in ["t1", "t2"] {
        partition(&database, topic);
    }
    let mut random = Random(13);
    for log in 0..LOGS {
        let rows = write(&database, log, &mut random);
        let mut choices = Choice::all(log, &rows, &mut random);
        // One with all stories, and some of the others: each has its turn among the logs.
        assert_agrees(&audit, &choices.remove(0), &rows);
        for turn in 0..3 {
            let place = (log as usize * 3 + turn) % choices.len();
            assert_agrees(&audit, &choices[place], &rows);
        }
        let steps = naive::steps(&rows);
        let without = steps.iter().filter(|row| naive::key(row).is_none()).count();
        let (_, said) = json(&audit, &Choice::of_log(log), &[]);
        let expected = match without {
            0 => String::new(),
            1 => "1 selected step belongs to no story".to_owned(),
            count => format!("{count} selected steps belong to no story"),
        };
        assert!(
            said.contains(&expected) && said.contains("selected step") == (without > 0),
            "{said}"
        );
    }
}

#[test]
fn rows_are_cut_for_people_only_and_pictures_are_well_formed() {
    let scope = Sandbox::shared().scope("flow_formats");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let empty = audit.run(&["flow", "--fail-on-empty"]);
    assert_eq!(empty.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&empty.stderr), "no stories match\n");
    // 60 types, each in a story of its own, and one of them three times.
    let rows = "SELECT gen_random_uuid(), 'Type<' || n || '>\"', ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
                       's', false, '{}'::jsonb, '2026-11-22'::timestamp + m * interval '1.5 s', NULL::uuid
                  FROM generate_series(1, 60) n, generate_series(1, CASE n WHEN 7 THEN 3 ELSE 1 END) m";
    record(&database, rows);

    let table = audit.run(&["flow"]);
    assert_eq!(String::from_utf8_lossy(&table.stdout).lines().count(), 51);
    let said = String::from_utf8_lossy(&table.stderr).into_owned();
    insta::assert_snapshot!(said, @r#"
60 stories, 62 steps, begun from 2026-11-22T00:00:01.500000Z to 2026-11-22T00:00:01.500000Z
71 rarer pairs are left out; show more with --limit
"#);
    for format in ["csv", "ndjson"] {
        let header = usize::from(format == "csv");
        let all = audit.succeed(&["flow", "-o", format]);
        assert_eq!(all.lines().count(), 121 + header, "{format}");
        let cut = audit.succeed(&["flow", "-o", format, "-n", "3"]);
        assert_eq!(cut.lines().count(), 3 + header, "{format}");
    }
    let variants = audit.succeed(&["flow", "--variants", "-o", "csv", "--type", "*7>*"]);
    insta::assert_snapshot!(variants, @r#"
variant,stories,share,p50_seconds,p95_seconds,example
"[""Type<17>\""""]",1,0.16666666666666666,0,0,00000000-0000-4000-8000-000000000017
"[""Type<27>\""""]",1,0.16666666666666666,0,0,00000000-0000-4000-8000-000000000027
"[""Type<37>\""""]",1,0.16666666666666666,0,0,00000000-0000-4000-8000-000000000037
"[""Type<47>\""""]",1,0.16666666666666666,0,0,00000000-0000-4000-8000-000000000047
"[""Type<57>\""""]",1,0.16666666666666666,0,0,00000000-0000-4000-8000-000000000057
"[""Type<7>\"""",""Type<7>\"""",""Type<7>\""""]",1,0.16666666666666666,3,3,00000000-0000-4000-8000-000000000007
"#);
    insta::assert_snapshot!(audit.succeed(&["flow", "--variants", "--type", "Type<7>*"]), @r#"
variant      stories  share    p50_seconds  p95_seconds  example
Type<7>" ×3        1  100.0 %            3            3  00000000-0000-4000-8000-000000000007
"#);
    insta::assert_snapshot!(audit.succeed(&["flow", "--type", "Type<7>*"]), @r#"
from      to        count  share    p50_seconds  p95_seconds
Type<7>"  Type<7>"      2   66.7 %          1.5          1.5
-         Type<7>"      1  100.0 %  -            -
Type<7>"  -             1   33.3 %  -            -
"#);
    let svg = audit.succeed(&["flow", "-o", "svg", "--type", "Type<7>*"]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("Type&lt;7&gt;&quot;") && !svg.contains("Type<"), "{svg}");
    let dot = audit.succeed(&["flow", "-o", "dot", "--type", "Type<7>*"]);
    assert!(dot.starts_with("digraph flow {") && dot.contains(r#"label="Type<7>\"\n3""#), "{dot}");
    let mermaid = audit.succeed(&["flow", "-o", "mermaid", "--type", "Type<7>*"]);
    assert!(mermaid.contains("Type#60;7#62;#34;<br/>3"), "{mermaid}");
    let refused = audit.run(&["flow", "--variants", "-o", "svg"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--variants are rows"), "{said}");
}

#[test]
fn on_a_terminal_a_flow_is_drawn_as_wide_as_there_is_room() {
    let scope = Sandbox::shared().scope("flow_terminal");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let rows = "SELECT gen_random_uuid(), step.event_type, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
                       's', false, '{}'::jsonb, '2026-11-22'::timestamp + (n + step.at) * interval '1 s', NULL::uuid
                  FROM generate_series(1, 40) n
                  JOIN (VALUES (0, 'OrderCreated', 0), (0, 'PaymentAuthorized', 0.412), (0, 'OrderConfirmed', 65),
                               (5, 'OrderConfirmed', 70), (20, 'OrderCreated', 90)) AS step(least, event_type, at)
                    ON n > step.least";
    record(&database, rows);
    let drawn = |width: u16| {
        let mut command =
            audit.command(&["flow", "--no-pager", "--color", "never", "--no-progress"]);
        command.env("TERM", "xterm");
        let (status, shown) = Terminal::start(command, width).end();
        assert!(status.success(), "{shown}");
        shown.replace("\r\n", "\n")
    };
    for width in [120, 200] {
        let widest = drawn(width).lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width.into()), "{widest:?}");
    }
    insta::assert_snapshot!(drawn(80), @r#"
what follows          count    share      p50      p95
● beginning              40
└→ OrderCreated          40  100.0 %                    ████████████████████████

OrderCreated             60
├→ PaymentAuthorized     40   66.7 %   0.412s   0.412s  ████████████████████████
└→ ■ end                 20   33.3 %                    ████████████

PaymentAuthorized        40
└→ OrderConfirmed        40  100.0 %    1m04s    1m04s  ████████████████████████

OrderConfirmed           75
├↻ OrderConfirmed        35   46.7 %   5.000s   5.000s  █████████████████████
├→ ■ end                 20   26.7 %                    ████████████
└↑ OrderCreated          20   26.7 %  20.000s  20.000s  ████████████
40 stories, 175 steps, begun from 2026-11-22T00:00:01.000000Z to
2026-11-22T00:00:40.000000Z
"#);
}
