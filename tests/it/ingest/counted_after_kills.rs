//! The oracle of counts: after each kill -9, of the ingester or of PostgreSQL, under load, what is
//! counted are the rows.

use std::time::Duration;

use sandbox::Sandbox;

use crate::support::counts::assert_counted;
use crate::support::{Audit, Database, Oracle, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

/// How many events are sent before each kill.
const EVENTS: usize = 3_000;

/// How often something is killed, if `AUDIT_TEST_KILLS` does not say it.
const KILLS: usize = 6;

#[test]
fn the_counts_are_those_of_the_rows_after_each_kill_of_an_ingester_or_of_postgresql() {
    // Servers of its own: the other tests would notice.
    let sandbox = Sandbox::start().unwrap_or_else(|error| panic!("{error}"));
    if sandbox.postgres().is_given() {
        eprintln!("skipped: only servers of our own can be killed");
        return;
    }
    let kills = std::env::var("AUDIT_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let scope = sandbox.scope("counted_after_kills");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let scattered = scope.create_topic("late.events", 1);
    let producer = Producer::new(scope.brokers());
    let topics = format!("{topic},{scattered}");
    for kill in 0..kills.unwrap_or(KILLS) {
        // A group of its own needs not wait for the killed member's session to run out.
        let group = format!("{topic}-{kill}");
        let arguments = [
            "ingest",
            "--topics",
            &topics,
            "--batch-rows",
            "150",
            "--batch-wait",
            "20",
            "--group",
            &group,
        ];
        let mut ingester = audit.start(&arguments);
        let database = Database::open(&audit.database_url);
        let before = database.event_count();
        producer.native_events(&topic, kill * EVENTS..(kill + 1) * EVENTS);
        // Each of another hour, and every second of them delivered twice.
        for number in 0..400_i64 {
            let value = format!(
                r#"{{"event_id":"00000000-0000-4000-8000-{:012}","event_type":"Late","occurred_at":{},"payload":{{}}}}"#,
                number / 2 + kill as i64 * 150,
                number * 3_600_000
            );
            producer.send(&scattered, None, None, Some(value.as_bytes()), &[]);
        }
        producer.flush();
        // Somewhere in the middle, at another place each time.
        let enough = before + 100 + (kill as i64 * 577) % EVENTS as i64;
        wait_until("enough rows to be in the middle", LIMIT, || database.event_count() >= enough);
        if kill % 2 == 0 {
            ingester.kill();
        } else {
            drop(database);
            assert!(sandbox.postgres().kill().is_ok());
            ingester.kill();
            assert!(sandbox.postgres().start().is_ok());
        }
        assert_counted(&Database::open(&audit.database_url));
        eprintln!("kill {}: the counts are those of the rows", kill + 1);
    }
    audit.succeed(&["ingest", "--until-end", "--topics", &topics]);
    let database = Database::open(&audit.database_url);
    Oracle::read(&database, scope.brokers(), &[&topic, &scattered]).approve_coverage();
    audit.succeed(&["migrate"]);
    assert_counted(&database);
    audit.succeed(&["verify"]);
}
