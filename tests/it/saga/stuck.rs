//! `audit stuck` over both services, where that of the payments was killed in the middle.

use std::collections::BTreeSet;

use sandbox::Sandbox;

use super::world::{LIMIT, World};
use crate::support::wait_until;

/// Orders before the outage, and in it.
const HEALTHY: i64 = 120;
const CAUGHT: i64 = 60;

/// The stories that `stuck` finds.
fn found(world: &World<'_>, arguments: &[&str]) -> BTreeSet<String> {
    let csv = world.audit.succeed(&[&["stuck", "-o", "csv"], arguments].concat());
    csv.lines().skip(1).filter_map(|line| line.split(',').next().map(str::to_owned)).collect()
}

fn ids(rows: Vec<Vec<String>>) -> BTreeSet<String> {
    rows.into_iter().flatten().collect()
}

#[test]
fn stuck_finds_every_order_that_a_killed_service_left_behind_and_no_other() {
    let sandbox = Sandbox::shared();
    if sandbox.kafka().is_mock() {
        eprintln!("skipped: a mock of Kafka keeps no consumer groups over kill -9");
        return;
    }
    let scope = sandbox.scope("saga_stuck");
    let world = World::without_faults(&scope);
    let mut ingest = world.ingest();
    let mut payment = world.payment_sim();
    world.order_sim(HEALTHY).succeed(LIMIT);
    world.settle("before the outage");
    let since = world
        .books
        .value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
    let since_sql = since.replace('T', " ").replace('Z', "");

    let mut order = world.order_sim(CAUGHT);
    let paid = format!(
        "SELECT count(*) FROM event_logs WHERE event_type = 'PaymentAuthorized' AND created_at >= '{since_sql}'"
    );
    wait_until("some of the orders are paid", LIMIT, || world.books.number(&paid) >= CAUGHT / 10);
    payment.kill();
    wait_until("the order service did what it can", LIMIT, || {
        world.order_db.number("SELECT count(*) FROM orders") == HEALTHY + CAUGHT
            && world.order_db.number("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0
            && world.order_db.number("SELECT count(*) FROM outbox")
                == world.books.number("SELECT count(*) FROM events WHERE event_type LIKE 'Order%'")
            && world
                .books
                .number("SELECT count(*) FROM open_events WHERE event_type LIKE 'Payment%'")
                == 0
    });
    order.kill();

    let not_final =
        ids(world.order_db.rows("SELECT id FROM orders WHERE status IN ('CREATED', 'CONFIRMED')"));
    let of_today = |ids: BTreeSet<String>| -> BTreeSet<String> {
        let today = format!(
            "SELECT correlation_id FROM event_logs GROUP BY 1 HAVING min(created_at) >= '{since_sql}'"
        );
        let today = self::ids(world.books.rows(&today));
        ids.intersection(&today).cloned().collect()
    };
    let not_final = of_today(not_final);
    assert!(
        !not_final.is_empty() && (not_final.len() as i64) < CAUGHT,
        "it was killed in the middle"
    );
    let given =
        ["--since", &since, "--end", "OrderShipped,OrderCancelled,OrderRefunded", "--within", "1s"];
    wait_until("given ends find what is not final", LIMIT, || found(&world, &given) == not_final);

    // Learned are the ends of the healthy orders. Some of them are only confirmed: they are not to
    // be shipped.
    let left_behind = ids(world.books.rows(&format!(
        "WITH last AS (
             SELECT DISTINCT ON (correlation_id) correlation_id, event_type, min(created_at) OVER (PARTITION BY correlation_id) AS began
               FROM event_logs ORDER BY correlation_id, created_at DESC, id DESC)
         SELECT correlation_id FROM last
          WHERE began >= '{since_sql}' AND event_type NOT IN (SELECT event_type FROM last WHERE began < '{since_sql}')"
    )));
    let unpaid =
        of_today(ids(world.order_db.rows("SELECT id FROM orders WHERE status = 'CREATED'")));
    assert!(left_behind.is_superset(&unpaid) && !unpaid.is_empty());
    wait_until("what was learned finds what stopped on its way", LIMIT, || {
        found(&world, &["--since", &since]) == left_behind
    });
    ingest.stop();
}
