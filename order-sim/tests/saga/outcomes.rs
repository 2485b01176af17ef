//! What the saga ends in when nothing goes wrong but what the options ask for.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::world::{Record, World};

/// The states in which an order and its payment may end together.
const ENDS: [(&str, &str); 4] = [
    ("CANCELLED", "DECLINED"),
    ("CONFIRMED", "AUTHORIZED"),
    ("REFUNDED", "REFUNDED"),
    ("SHIPPED", "CAPTURED"),
];

/// Runs both services until all is settled.
fn settle(world: &World, order_options: &str, payment_options: &str) -> String {
    let payment = world.payment_sim(payment_options);
    let said = world.order_sim(&format!("--until-settled --rate 300 {order_options}")).succeed();
    assert!(payment.terminate().0.success());
    said
}

#[test]
fn the_saga_ends_in_matching_states_on_both_sides() {
    let world = World::new("the_saga_ends");
    let said = settle(&world, "--count 60", "");
    assert!(said.starts_with("60 orders made; 60 orders: "), "{said}");
    let orders =
        world.rows(&world.order_db, "SELECT id, total_amount, status FROM orders ORDER BY id");
    let payments = world
        .rows(&world.payment_db, "SELECT order_id, amount, status FROM payments ORDER BY order_id");
    assert_eq!(orders.len(), 60);
    assert_eq!(payments.len(), 60);
    let mut seen = HashSet::new();
    for (order, payment) in orders.iter().zip(&payments) {
        assert_eq!(order[..2], payment[..2]);
        let end = (order[2].as_str(), payment[2].as_str());
        assert!(ENDS.contains(&end), "order {} ended as {end:?}", order[0]);
        seen.insert(end);
    }
    assert_eq!(seen.len(), ENDS.len(), "60 orders are enough for every end");
    for database in [&world.order_db, &world.payment_db] {
        assert_eq!(
            world.number(database, "SELECT count(*) FROM outbox WHERE published_at IS NULL"),
            0
        );
    }
}

#[test]
fn every_story_is_a_tree_of_events_in_the_native_envelope() {
    let world = World::new("every_story_is_a_tree");
    settle(&world, "--count 30", "--decline-rate 0");
    let mut events = world.records(&world.orders_topic);
    events.extend(world.records(&world.payments_topic));
    let types: HashMap<String, String> = events
        .iter()
        .map(Record::event)
        .map(|event| (text(&event, "event_id"), text(&event, "event_type")))
        .collect();
    assert_eq!(types.len(), events.len(), "no event is there twice");
    let orders: HashSet<String> =
        world.rows(&world.order_db, "SELECT id FROM orders").into_iter().flatten().collect();
    for record in &events {
        let event = record.event();
        assert_eq!(record.key.as_deref(), Some(text(&event, "aggregate_id").as_bytes()));
        assert!(orders.contains(&text(&event, "correlation_id")));
        let occurred_at = text(&event, "occurred_at");
        assert!(occurred_at.len() == 27 && occurred_at.ends_with('Z'), "{occurred_at}");
        let amount = event["payload"].get("total_amount").or(event["payload"].get("amount"));
        assert!(amount.is_some_and(serde_json::Value::is_string), "an amount is text: {event}");
        let cause = event["causation_id"].as_str().map(|id| types[id].as_str());
        let expected = match text(&event, "event_type").as_str() {
            "OrderCreated" => None,
            "PaymentAuthorized" => Some("OrderCreated"),
            "OrderConfirmed" => Some("PaymentAuthorized"),
            "PaymentCaptured" => Some("OrderConfirmed"),
            "OrderShipped" => Some("PaymentCaptured"),
            "PaymentRefunded" => Some("OrderShipped"),
            "OrderRefunded" => Some("PaymentRefunded"),
            other => panic!("{other} has no place in this saga"),
        };
        assert_eq!(cause, expected);
    }
}

#[test]
fn the_same_seed_gives_the_same_business_with_fresh_ids() {
    let run = || {
        let world = World::new("the_same_seed");
        settle(
            &world,
            "--count 60 --seed 11 --fail-rate 0.1 --poison-rate 0.1",
            "--seed 11 --fail-rate 0.1 --poison-rate 0.1",
        );
        let business = "SELECT customer_id, total_amount, currency, status FROM orders ORDER BY id";
        let ids = world.rows(&world.order_db, "SELECT id FROM orders");
        (world.rows(&world.order_db, business), ids.into_iter().collect::<HashSet<_>>())
    };
    let ((first, first_ids), (second, second_ids)) = (run(), run());
    assert_eq!(first, second);
    assert!(
        first.iter().any(|order| order[2] == "XXX")
            && first.iter().any(|order| order[3] == "SHIPPED")
    );
    assert!(first_ids.is_disjoint(&second_ids));
}

#[test]
fn a_second_run_continues_the_sequence_of_the_seed() {
    let business = "SELECT customer_id, total_amount, currency FROM orders ORDER BY id";
    let (once, twice) = (World::new("one_run"), World::new("two_runs"));
    once.order_sim("--count 20 --rate 1000").succeed();
    twice.order_sim("--count 12 --rate 1000").succeed();
    twice.order_sim("--count 8 --rate 1000").succeed();
    assert_eq!(once.rows(&once.order_db, business), twice.rows(&twice.order_db, business));
}

#[test]
fn duplicates_have_no_second_effect() {
    let world = World::new("duplicates");
    settle(&world, "--count 20 --duplicate-rate 1", "--duplicate-rate 1");
    for (database, topic) in
        [(&world.order_db, &world.orders_topic), (&world.payment_db, &world.payments_topic)]
    {
        let mut deliveries: BTreeMap<String, usize> = BTreeMap::new();
        for record in world.records(topic) {
            *deliveries.entry(text(&record.event(), "event_id")).or_default() += 1;
        }
        let outbox = world.rows(database, "SELECT event_id FROM outbox ORDER BY event_id");
        assert!(
            deliveries.keys().eq(outbox.iter().map(|row| &row[0])),
            "every event is there, and no other"
        );
        assert!(deliveries.values().all(|count| *count == 2), "each was published twice");
        let doubled = "SELECT count(*) - count(DISTINCT causation_id) FROM outbox WHERE causation_id IS NOT NULL";
        assert_eq!(world.number(database, doubled), 0);
    }
    assert_eq!(world.number(&world.payment_db, "SELECT count(*) FROM payments"), 20);
    assert_eq!(
        world.number(&world.order_db, "SELECT count(*) FROM orders WHERE status = 'CREATED'"),
        0
    );
}

#[test]
fn instances_that_start_at_once_on_an_empty_database_share_the_work() {
    let world = World::new("several_instances");
    let payments = [world.payment_sim(""), world.payment_sim(""), world.payment_sim("")];
    let makers =
        [world.order_sim("--count 20 --rate 100"), world.order_sim("--count 20 --rate 100")];
    for maker in makers {
        maker.succeed();
    }
    world.order_sim("--count 0 --until-settled").succeed();
    assert_eq!(
        world.number(&world.payment_db, "SELECT count(DISTINCT order_id) FROM payments"),
        40
    );
    for payment in payments {
        assert!(payment.terminate().0.success());
    }
}

#[test]
fn sigterm_ends_both_with_0_and_an_empty_outbox() {
    let world = World::new("sigterm");
    let (order, payment) = (world.order_sim("--rate 50"), world.payment_sim(""));
    world.wait_for_records(&world.payments_topic, 10);
    for (service, database) in [(order, &world.order_db), (payment, &world.payment_db)] {
        let (status, said) = service.terminate();
        assert_eq!(status.code(), Some(0), "{said}");
        assert_eq!(
            world.number(database, "SELECT count(*) FROM outbox WHERE published_at IS NULL"),
            0
        );
    }
}

#[test]
fn whoever_stops_it_before_its_count_is_made_or_settled_gets_130() {
    for (name, options) in
        [("cut_short", "--count 100000 --rate 50"), ("unsettled", "--count 1 --until-settled")]
    {
        // Nobody answers, so that nothing is ever settled.
        let world = World::new(name);
        let order = world.order_sim(options);
        world.wait_for_records(&world.orders_topic, 1);
        let (status, said) = order.terminate();
        assert_eq!(status.code(), Some(130), "{options}: {said}");
        assert!(said.contains("interrupted before it was done"), "{said}");
    }
}

fn text(event: &serde_json::Value, member: &str) -> String {
    event[member].as_str().unwrap_or_else(|| panic!("{member} is text in {event}")).to_owned()
}
