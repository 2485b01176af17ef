//! `audit stats --compare`.

use sandbox::Sandbox;

use super::{column, rows, said};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

/// Two days: what there was less, more and no more of.
fn two_days(audit: &Audit) -> Database {
    let database = Database::open(&audit.database_url);
    for (event_type, before, now) in
        [("Fewer", 30, 10), ("More", 4, 10), ("Same", 7, 7), ("Gone", 5, 0), ("New", 0, 3)]
    {
        for (count, day) in [(before, "2026-11-21 10:00"), (now, "2026-11-22 10:00")] {
            if count > 0 {
                record(&database, &events(event_type, count, day));
            }
        }
    }
    database
}

#[test]
fn groups_are_ordered_by_what_changed_and_those_that_are_gone_have_no_events() {
    let scope = Sandbox::shared().scope("compared");
    let audit = Audit::migrated(&scope);
    let database = two_days(&audit);
    let expected = "\
type,events,events_before,change,share,per_second,dlt,quarantined,first,last
Fewer,10,30,-0.6666666666666666,0.3333333333333333,1.111,0,0,2026-11-22 10:00:01,2026-11-22 10:00:10
More,10,4,1.5,0.3333333333333333,1.111,0,0,2026-11-22 10:00:01,2026-11-22 10:00:10
Gone,0,5,-1,0,0,0,0,,
New,3,0,,0.1,0.333,0,0,2026-11-22 10:00:01,2026-11-22 10:00:03
Same,7,7,0,0.23333333333333334,0.778,0,0,2026-11-22 10:00:01,2026-11-22 10:00:07
";
    let ways: [&[&str]; 3] = [
        &["--since", "2026-11-22", "--until", "2026-11-23", "--compare", "previous"],
        &["--date", "2026-11-22", "--compare", "2026-11-21"],
        &["--since", "2026-11-22", "--compare", "2026-11-21 10:00..2026-11-21T11:00:00Z"],
    ];
    let compared = |arguments: &[&str]| {
        let csv = audit.succeed(&[&["stats", "-o", "csv", "--limit", "10"], arguments].concat());
        assert_eq!(csv, expected, "{arguments:?}");
    };
    ways.iter().for_each(|way| compared(way));
    // From counts, too.
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         INSERT INTO kafka_partitions (cluster_id, topic, partition) VALUES ('c', 'orders', 0);
         UPDATE event_logs SET partition_id = 1;
         SELECT fill_event_counts(1000), merge_event_counts(1000)",
    );
    assert!(database.number("SELECT count(*) FROM event_counts_by_day") == 8);
    ways.iter().for_each(|way| compared(way));
    let gone = rows(
        &audit,
        &[
            "--since",
            "2026-11-22",
            "--until",
            "2026-11-23",
            "--compare",
            "previous",
            "--type",
            "Gone",
        ],
    );
    assert_eq!(
        (column(&gone, "events"), column(&gone, "share")),
        (vec!["0".to_owned()], vec!["null".to_owned()])
    );
    let hours =
        rows(&audit, &["--by", "hour-of-day", "--date", "2026-11-22", "--compare", "2026-11-21"]);
    assert_eq!(
        (column(&hours, "hour-of-day"), column(&hours, "events_before")),
        (vec!["10".to_owned()], vec!["46".to_owned()])
    );
}

#[test]
fn both_periods_are_echoed_and_what_can_not_be_compared_is_wrong_usage() {
    let scope = Sandbox::shared().scope("compared_usage");
    let audit = Audit::migrated(&scope);
    let said_of = said(
        &audit,
        &[
            "--since",
            "2026-11-22T06:00:00Z",
            "--until",
            "2026-11-22T09:00:00Z",
            "--compare",
            "previous",
        ],
    );
    assert_eq!(
        said_of,
        "2026-11-22T06:00:00Z ≤ created_at < 2026-11-22T09:00:00Z\n\
         compared with 2026-11-22T03:00:00Z ≤ created_at < 2026-11-22T06:00:00Z\n\
         no rows match\n"
    );
    for (arguments, expected) in [
        (&["--compare", "previous"][..], "--compare previous needs --since"),
        (&["--compare", "previous", "--until", "2026-11-22"], "--compare previous needs --since"),
        (&["--compare", "sometime"], "--compare: 'sometime' is no period"),
        (&["--compare", "yesterday", "--by", "type,hour"], "--compare: no hour is in both periods"),
        (&["--compare", "2026-11-22..2026-11-21"], "is not before"),
        (&["--compare", "previous", "--since", "-1d", "--date", "today"], "takes no --date"),
    ] {
        let output = audit.run(&[&["stats"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}
