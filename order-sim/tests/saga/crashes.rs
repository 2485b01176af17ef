//! kill -9, at whatever point it strikes.

use std::collections::HashSet;
use std::thread::sleep;
use std::time::Duration;

use crate::world::{OpenTransaction, World};

const ORDERS: i64 = 300;

#[test]
fn kill_9_loses_nothing_and_doubles_no_effect() {
    let world = World::new("kill_9");
    let faults = "--fail-rate 0.03 --poison-rate 0.03 --duplicate-rate 0.1";
    let orders_made = || world.number(&world.order_db, "SELECT count(*) FROM orders");
    let mut order = world.order_sim(&format!("--rate 100 {faults}"));
    let mut payment = world.payment_sim(faults);
    world.wait_for_records(&world.payments_topic, 20);
    for pause in [310, 470] {
        order.kill();
        order = world.order_sim(&format!("--rate 100 {faults}"));
        sleep(Duration::from_millis(pause));
        payment.kill();
        payment = world.payment_sim(faults);
        sleep(Duration::from_millis(pause));
    }
    order.kill();
    let missing = (ORDERS - orders_made()).max(0);
    world.order_sim(&format!("--count {missing} --rate 200 --until-settled {faults}")).succeed();
    assert!(payment.terminate().0.success());

    for (database, topic) in
        [(&world.order_db, &world.orders_topic), (&world.payment_db, &world.payments_topic)]
    {
        assert_eq!(
            world.number(database, "SELECT count(*) FROM outbox WHERE published_at IS NULL"),
            0
        );
        let published: HashSet<String> =
            world.records(topic).iter().map(|record| id_of(&record.event())).collect();
        let outbox: HashSet<String> =
            world.rows(database, "SELECT event_id FROM outbox").into_iter().flatten().collect();
        assert_eq!(published, outbox, "what is on the topic is what the transactions committed");
        let doubled = "SELECT count(*) - count(DISTINCT causation_id) FROM outbox WHERE causation_id IS NOT NULL";
        assert_eq!(world.number(database, doubled), 0, "an event had its effect twice");
    }
    every_order_is_settled(&world);
}

#[test]
fn an_offset_is_committed_only_after_the_effect() {
    let world = World::new("offset_after_effect");
    let payment = world.payment_sim("");
    world.wait_for_number(&world.payment_db, "SELECT count(*) FROM payments", 0);
    // The event in hand waits for this lock: it has no effect yet, for longer than offsets take to
    // be committed.
    let lock = OpenTransaction::begin(&world.payment_db, "LOCK TABLE payments");
    world.order_sim("--count 4 --rate 100").succeed();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database =
                   (SELECT oid FROM pg_database WHERE datname = current_database())";
    world.wait_for_number(&world.payment_db, waiting, 1);
    sleep(Duration::from_millis(1500));
    payment.kill();
    drop(lock);
    let payment = world.payment_sim("");
    world.wait_for_number(&world.payment_db, "SELECT count(*) FROM payments", 4);
    assert!(payment.terminate().0.success());
}

#[test]
fn a_database_that_cuts_connections_dead_letters_nothing() {
    let world = World::new("cut_connections");
    let payment = world.payment_sim("");
    let order = world.order_sim("--count 150 --rate 100 --until-settled");
    world.wait_for_records(&world.payments_topic, 10);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut cuts = 0;
    for _ in 0..8 {
        sleep(Duration::from_millis(70));
        cuts += world.rows(&world.payment_db, cut).len() + world.rows(&world.order_db, cut).len();
    }
    assert!(cuts > 0, "no connection was cut");
    order.succeed();
    assert!(payment.terminate().0.success());
    for topic in [&world.orders_topic, &world.payments_topic] {
        assert_eq!(world.records(&format!("{topic}-dlt")), []);
    }
    assert_eq!(
        world.number(&world.payment_db, "SELECT count(DISTINCT order_id) FROM payments"),
        150
    );
    assert_eq!(world.number(&world.order_db, "SELECT count(*) FROM orders"), 150);
}

/// Every order is in the state that its payment says, or an event of its story is in a dead-letter
/// topic.
fn every_order_is_settled(world: &World) {
    let dead_lettered: HashSet<String> = [&world.orders_topic, &world.payments_topic]
        .into_iter()
        .flat_map(|topic| world.records(&format!("{topic}-dlt")))
        .map(|record| record.event()["correlation_id"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(!dead_lettered.is_empty(), "the faults struck");
    let payments = world.counts(
        &world.payment_db,
        "SELECT order_id || ' ' || status, count(*) FROM payments GROUP BY 1",
    );
    let orders = world.rows(&world.order_db, "SELECT id, status FROM orders");
    assert!(orders.len() as i64 >= ORDERS);
    for order in orders {
        let (id, status) = (&order[0], order[1].as_str());
        let payment = match status {
            "CANCELLED" => "DECLINED",
            "CONFIRMED" => "AUTHORIZED",
            "SHIPPED" => "CAPTURED",
            "REFUNDED" => "REFUNDED",
            _ => "",
        };
        let matches = payments.get(&format!("{id} {payment}")) == Some(&1);
        assert!(
            matches || dead_lettered.contains(id),
            "order {id} is {status} and was not dead-lettered"
        );
    }
}

fn id_of(event: &serde_json::Value) -> String {
    event["event_id"].as_str().unwrap_or_default().to_owned()
}
