//! The whole story: two services that fail, are killed and are replayed, and an audit that tells
//! all of it.

mod consistency;
mod formats;
mod stuck;
mod world;

use sandbox::Sandbox;
use serde_json::Value;

use self::world::{LIMIT, World};
use crate::support::{Database, Oracle, wait_until};

/// Orders, unless `AUDIT_TEST_ORDERS` says otherwise; a thorough run takes 2,000.
const ORDERS: i64 = 300;

const ORDERS_MADE: &str = "SELECT count(*) FROM orders";

/// The two kinds of errors that the services may give up with, as SQL.
const IS_POISON: &str = "exception_class IN ('payment_sim::payments::UnsupportedCurrency', 'order_sim::orders::PaymentDoesNotMatch')";
const IS_TRANSIENT: &str = "exception_class IN ('payment_sim::payments::ProviderUnavailable', 'order_sim::orders::WarehouseUnavailable')";

/// `--max-replays`, unless it is given.
const MAX_REPLAYS: i64 = 3;

#[test]
fn killed_and_failing_services_end_every_order_and_replays_bring_back_all_that_can_be() {
    let orders = std::env::var("AUDIT_TEST_ORDERS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(ORDERS);
    let sandbox = Sandbox::shared();
    if sandbox.kafka().is_mock() {
        eprintln!("skipped: a mock of Kafka keeps no consumer groups over kill -9");
        return;
    }
    let scope = sandbox.scope("saga");
    let world = World::new(&scope);
    let mut ingest = world.ingest();
    live_through_kills(&world, orders);
    let made = world.order_db.number(ORDERS_MADE);
    let (mut order, mut payment) = (world.resident_order_sim(), world.payment_sim());
    wait_until("the resident service makes its order", LIMIT, || {
        world.order_db.number(ORDERS_MADE) > made
    });
    world.settle("after the kills");
    agree(&world);
    world.audit.succeed(&["verify"]);

    replay_all(&world);
    agree(&world);
    for service in [&mut order, &mut payment] {
        service.stop();
    }
    world.audit.succeed(&["verify"]);
    ingest.stop();
    let topics = world.topics();
    Oracle::read(&world.books, &world.audit.brokers, &topics.each_ref().map(String::as_str))
        .approve();
}

/// The services make the orders and carry them on until all are settled, and each is killed three
/// times in between.
fn live_through_kills(world: &World<'_>, orders: i64) {
    let mut order = world.order_sim(orders);
    let mut payment = world.payment_sim();
    let wait_for_events = |service: &str, count: i64| {
        let query = format!(
            "SELECT count(*) FROM event_logs WHERE source_service = '{service}' AND NOT is_dlt"
        );
        wait_until(&format!("{count} events of {service}"), LIMIT, || {
            world.books.number(&query) >= count
        });
    };
    for round in 1..=3 {
        wait_for_events("order-service", round * orders / 2);
        order.kill();
        // One more may be on its way into the database, from the killed one.
        let made = world.order_db.number(ORDERS_MADE);
        order = world.order_sim((orders - made).max(0));
        wait_for_events("payment-service", round * orders / 3);
        payment.kill();
        payment = world.payment_sim();
    }
    order.succeed(LIMIT);
    payment.stop();
    assert!(world.order_db.number(ORDERS_MADE) >= orders);
}

/// The audit alone tells what the services' own tables say, and what it tells adds up.
fn agree(world: &World<'_>) {
    world.books.add_up();
    let same = |database: &Database, own: &str, told: &str| {
        assert_eq!(database.rows(own), world.books.rows(told), "{own}");
    };
    same(
        &world.order_db,
        "SELECT id, total_amount, currency, status FROM orders ORDER BY id",
        consistency::ORDERS,
    );
    same(
        &world.payment_db,
        "SELECT order_id, id, amount, status FROM payments ORDER BY order_id",
        consistency::PAYMENTS,
    );
    let events = |service| {
        format!(
            "SELECT event_id, causation_id FROM events JOIN event_logs USING (event_id, event_type) WHERE source_service = '{service}' GROUP BY 1, 2 ORDER BY 1"
        )
    };
    let outbox = "SELECT event_id, causation_id FROM outbox WHERE published_at IS NOT NULL ORDER BY event_id";
    same(&world.order_db, outbox, &events("order-service"));
    same(&world.payment_db, outbox, &events("payment-service"));
}

/// Replays until there is nothing left to replay.
fn replay_all(world: &World<'_>) {
    let dead_letters = |condition: &str| {
        world.books.number(&format!(
            "SELECT count(*) FROM dead_letters WHERE replay_id IS NULL AND {condition}"
        ))
    };
    assert!(
        dead_letters(IS_POISON) > 0 && dead_letters(IS_TRANSIENT) > 0,
        "faults of both kinds struck"
    );
    let mut rounds = 0;
    while plan(world).iter().any(|group| group["action"] == "replay") {
        rounds += 1;
        // A replayed event can lead to another that fails, and a story has six that can.
        assert!(rounds <= 6 + MAX_REPLAYS, "it never ends: {:?}", plan(world));
        world.audit.succeed(&["replay-dlt", "--yes", "--reason", "test"]);
        world.settle(&format!("after replay {rounds}"));
    }
    assert!(rounds >= MAX_REPLAYS);

    let (poison, transient) = (dead_letters(IS_POISON), dead_letters(IS_TRANSIENT));
    let all = world.books.number("SELECT count(*) FROM dead_letters");
    assert_eq!(
        all,
        transient + poison * (1 + MAX_REPLAYS),
        "no dead letter but these, poison with its returns"
    );
    let again = world.audit.run(&["replay-dlt", "--yes", "--reason", "test"]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    let expected = format!("0 to replay, {} already replayed, {poison} parked", all - poison);
    assert!(again.status.success() && said.contains(&expected), "{expected} is not in {said}");

    let status = json(world, &["replay-dlt", "--status", "--limit", "1000000"]);
    assert!(status.iter().all(|replay| replay["reason"] == "test"));
    let count =
        |state: &str| status.iter().filter(|replay| replay["state"] == state).count() as i64;
    assert_eq!(
        count("returned"),
        poison * MAX_REPLAYS,
        "all poison comes back, and nothing else does"
    );
    // What was dead-lettered twice, or healed as a duplicate before its replay, had its effect
    // without this replay.
    assert_eq!(count("processed") + count("sent"), transient);
    assert!(count("processed") > 0);
    let unanswered = format!(
        "SELECT count(*) FROM asking WHERE answered = 0 AND event_id IN (
             SELECT event_id FROM dead_letters JOIN event_logs ON id = event_log_id WHERE {IS_TRANSIENT})"
    );
    assert_eq!(world.books.number(&unanswered), 0, "every transient failure ends processed");
    let stopped = "SELECT count(*) FROM asking WHERE answered = 0 AND NOT is_poison";
    assert_eq!(world.books.number(stopped), 0, "only poison keeps an order from its end");
    eprintln!(
        "{transient} transient and {poison} poison dead letters, {rounds} rounds of replays: {} processed, {} sent, {} returned",
        count("processed"),
        count("sent"),
        count("returned"),
    );
}

fn plan(world: &World<'_>) -> Vec<Value> {
    json(world, &["replay-dlt", "--dry-run"])
}

/// The rows of a command in JSON.
fn json(world: &World<'_>, arguments: &[&str]) -> Vec<Value> {
    let stdout = world.audit.succeed(&[arguments, &["-o", "json"]].concat());
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{stdout}: {error}"))
}
