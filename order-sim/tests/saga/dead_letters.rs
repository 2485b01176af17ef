//! What can't be processed: raw bytes and Spring's headers in the dead-letter topic, and what a
//! replay does.

use crate::world::{Record, World};

const ORIGIN: &str = "kafka_dlt-original-";
const EXCEPTION: &str = "kafka_dlt-exception-";

fn record(
    partition: i32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[(&str, Option<&[u8]>)],
) -> Record {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec)))
        .collect();
    let (key, value) = (key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
    Record { partition, offset: -1, timestamp: -1, key, value, headers }
}

#[test]
fn poison_goes_to_the_dead_letter_topic_with_raw_bytes_and_the_headers_of_spring() {
    let world = World::new("poison");
    let payment = world.payment_sim("");
    let dead_letter_topic = format!("{}-dlt", world.orders_topic);
    world.wait_for_records(&dead_letter_topic, 0);
    let repeated: [(&str, Option<&[u8]>); 4] =
        [("trace", Some(b"1")), ("trace", Some(b"\x00\xff")), ("none", None), ("empty", Some(b""))];
    world.send(
        &world.orders_topic,
        &[
            record(3, Some(b"\x00key\xff"), Some(b"no event \xff\xfe"), &repeated),
            record(1, None, None, &[]),
            record(0, Some(b""), Some(b""), &[]),
        ],
    );
    let sent = world.wait_for_records(&world.orders_topic, 3);
    let dead = world.wait_for_records(&dead_letter_topic, 3);
    for (sent, dead) in sent.iter().zip(&dead) {
        assert_eq!(
            (&dead.key, &dead.value, dead.partition),
            (&sent.key, &sent.value, sent.partition)
        );
        assert_eq!(
            dead.headers[..sent.headers.len()],
            sent.headers,
            "the record's own headers come first, unchanged"
        );
        let one = |name: &str| {
            let values = dead.header(name);
            assert_eq!(values.len(), 1, "{name}");
            values[0]
        };
        assert_eq!(one(&format!("{ORIGIN}topic")), world.orders_topic.as_bytes());
        assert_eq!(one(&format!("{ORIGIN}partition")), sent.partition.to_be_bytes());
        assert_eq!(one(&format!("{ORIGIN}offset")), sent.offset.to_be_bytes());
        assert_eq!(one(&format!("{ORIGIN}timestamp")), sent.timestamp.to_be_bytes());
        assert_eq!(one(&format!("{ORIGIN}timestamp-type")), b"CreateTime");
        assert_eq!(
            one(&format!("{ORIGIN}consumer-group")),
            format!("{}-payment-sim", world.orders_topic).as_bytes()
        );
        assert_eq!(one(&format!("{EXCEPTION}fqcn")), b"simkit::event::MalformedEvent");
        assert!(
            one(&format!("{EXCEPTION}stacktrace"))
                .starts_with(b"simkit::event::MalformedEvent: the record")
        );
        let message = String::from_utf8_lossy(one(&format!("{EXCEPTION}message")));
        let causes = dead.header(&format!("{EXCEPTION}cause-fqcn"));
        if sent.value.is_some() {
            assert_eq!(message, "the record's value is not an event in the native envelope");
            assert_eq!(causes, [b"serde_json::error::Error"]);
        } else {
            assert_eq!(message, "the record has no value, so no event");
            assert!(causes.is_empty(), "Spring leaves the header out where there is no cause");
        }
        let added = if sent.value.is_some() { 10 } else { 9 };
        assert_eq!(dead.headers.len(), sent.headers.len() + added, "and no other header");
    }
    assert!(payment.terminate().0.success());
}

#[test]
fn poison_that_is_sent_again_is_dead_lettered_again_and_keeps_its_root() {
    let world = World::new("poison_again");
    let payment = world.payment_sim("");
    let topic = format!("{}-dlt", world.orders_topic);
    world.order_sim("--count 1 --poison-rate 1 --until-settled").succeed();
    let root = world.wait_for_records(&topic, 1).remove(0);
    assert_eq!(
        root.header(&format!("{EXCEPTION}fqcn")),
        [b"payment_sim::payments::UnsupportedCurrency"]
    );
    assert_eq!(root.header(&format!("{EXCEPTION}message")), [b"currency \"XXX\" is not supported"]);
    world.send(&world.orders_topic, std::slice::from_ref(&root));
    let dead = world.wait_for_records(&topic, 2);
    let again = &dead[1];
    assert_eq!((&again.key, &again.value), (&root.key, &root.value));
    assert_eq!(again.headers[..root.headers.len()], root.headers);
    let offsets = again.header(&format!("{ORIGIN}offset"));
    assert_eq!(
        offsets,
        [0_i64.to_be_bytes(), 1_i64.to_be_bytes()],
        "first the root, last the latest hop"
    );
    assert_eq!(world.number(&world.payment_db, "SELECT count(*) FROM payments"), 0);
    assert!(payment.terminate().0.success());
}

#[test]
fn poisoned_payments_are_dead_lettered_by_the_order_service() {
    let world = World::new("poisoned_payments");
    let payment = world.payment_sim("--poison-rate 1");
    world.order_sim("--count 3 --rate 100 --until-settled").succeed();
    let dead = world.records(&format!("{}-dlt", world.payments_topic));
    assert_eq!(dead.len(), 3);
    for record in dead {
        assert_eq!(
            record.header(&format!("{EXCEPTION}fqcn")),
            [b"order_sim::orders::PaymentDoesNotMatch"]
        );
    }
    assert_eq!(
        world.number(&world.order_db, "SELECT count(*) FROM orders WHERE status = 'CREATED'"),
        3
    );
    assert!(payment.terminate().0.success());
}

#[test]
fn a_transient_failure_outlives_its_retries_and_succeeds_when_it_is_replayed() {
    let world = World::new("transient");
    // Killed in between: what is to heal is remembered in the database, not in the process.
    let payment = world.payment_sim("--fail-rate 1");
    world.order_sim("--count 5 --rate 100 --until-settled").succeed();
    let dead = world.records(&format!("{}-dlt", world.orders_topic));
    assert_eq!(dead.len(), 5);
    for record in &dead {
        assert_eq!(
            record.header(&format!("{EXCEPTION}fqcn")),
            [b"payment_sim::payments::ProviderUnavailable"]
        );
        assert_eq!(record.header(&format!("{EXCEPTION}cause-fqcn")), [b"std::io::error::Error"]);
        let trace = String::from_utf8_lossy(record.header(&format!("{EXCEPTION}stacktrace"))[0])
            .into_owned();
        assert!(trace.contains("given up after 3 attempts"), "{trace}");
        assert!(
            trace.contains("\nCaused by: std::io::error::Error: injected by --fail-rate\n"),
            "{trace}"
        );
    }
    assert_eq!(world.number(&world.payment_db, "SELECT count(*) FROM payments"), 0);
    world.wait_for_number(&world.payment_db, "SELECT count(*) FROM dead_lettered_events", 5);
    payment.kill();

    let payment = world.payment_sim("--fail-rate 1");
    world.send(&world.orders_topic, &dead);
    world.wait_for_number(&world.payment_db, "SELECT count(*) FROM payments", 5);
    assert_eq!(world.records(&format!("{}-dlt", world.orders_topic)).len(), 5, "none came back");
    assert!(payment.terminate().0.success());
}
