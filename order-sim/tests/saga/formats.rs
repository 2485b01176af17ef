//! JSON, Avro and Protobuf on the topics: the business is the same, whoever writes what.

use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use sandbox::{Proxy, Sandbox, Verdict};

use crate::world::{Record, World};

const FAULTS: &str = "--seed 11 --fail-rate 0.05 --poison-rate 0.05";

/// What two services made of the same orders.
#[derive(Debug, PartialEq, Eq)]
struct Business {
    orders: Vec<Vec<String>>,
    payments: Vec<Vec<String>>,
    /// Of each topic of dead letters, the errors.
    errors: [Vec<String>; 2],
}

/// Lets both services carry on 60 orders until all is settled, in these formats.
fn business(world: &World, order_format: &str, payment_format: &str) -> Business {
    let registry = Sandbox::shared().registry().url();
    let options = |format: &str| format!("{FAULTS} --schema-registry {registry} --format {format}");
    let payment = world.payment_sim(&options(payment_format));
    let order = options(order_format) + " --count 60 --rate 300 --until-settled";
    world.order_sim(&order).succeed();
    assert!(payment.terminate().0.success());
    let orders = "SELECT customer_id, total_amount, currency, status FROM orders ORDER BY id";
    let payments = "SELECT amount, status FROM payments ORDER BY amount, status";
    let errors = [&world.orders_topic, &world.payments_topic].map(|topic| {
        let dead = world.records(&format!("{topic}-dlt"));
        assert!(!dead.is_empty(), "faults struck");
        let originals = world.records(topic);
        for letter in &dead {
            assert!(originals.iter().any(|record| is_copy(letter, record)), "raw bytes are kept");
        }
        let mut errors: Vec<_> = dead.iter().map(error).collect();
        errors.sort();
        errors.dedup();
        errors
    });
    Business {
        orders: world.rows(&world.order_db, orders),
        payments: world.rows(&world.payment_db, payments),
        errors,
    }
}

fn is_copy(letter: &Record, record: &Record) -> bool {
    let origin = |name: &str| letter.header(&format!("kafka_dlt-original-{name}"))[0].to_vec();
    origin("partition") == record.partition.to_be_bytes()
        && origin("offset") == record.offset.to_be_bytes()
        && (&letter.key, &letter.value) == (&record.key, &record.value)
}

fn error(letter: &Record) -> String {
    String::from_utf8_lossy(letter.header("kafka_dlt-exception-message")[0]).into_owned()
}

/// What the value of a record begins with: JSON with a brace, the others with 0 and an id.
fn beginnings(world: &World, topic: &str) -> Vec<u8> {
    let values = world.records(topic).into_iter().filter_map(|record| record.value);
    let mut first: Vec<u8> = values.filter_map(|value| value.first().copied()).collect();
    first.dedup();
    first
}

#[test]
fn the_business_is_the_same_in_every_format() {
    let world = World::new("formats_json");
    let expected = business(&world, "json", "json");
    assert_eq!(beginnings(&world, &world.orders_topic), b"{");
    for (order, payment) in [("avro", "protobuf"), ("protobuf", "avro"), ("json", "avro")] {
        let world = World::new(&format!("formats_{order}_{payment}"));
        assert_eq!(business(&world, order, payment), expected, "{order} and {payment}");
        let of_orders: &[u8] = if order == "json" { b"{" } else { b"\0" };
        assert_eq!(beginnings(&world, &world.orders_topic), of_orders);
        assert_eq!(beginnings(&world, &world.payments_topic), b"\0");
    }
}

#[test]
fn a_format_that_needs_a_registry_is_wrong_usage_without_one() {
    for program in [env!("CARGO_BIN_EXE_order-sim").as_ref(), crate::world::payment_sim()] {
        let output = Command::new(program)
            .args(["--database-url", "postgres://nobody@127.0.0.1:1/none", "--format", "avro"])
            .env_remove("SCHEMA_REGISTRY")
            .env("AUDIT_SCHEMA_REGISTRY", "")
            .output()
            .expect("the service starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("need a schema registry: --schema-registry URL"), "{stderr}");
    }
}

#[test]
fn a_value_behind_a_registry_that_was_not_named_is_dead_lettered_with_its_bytes() {
    let world = World::new("formats_unnamed");
    let payment = world.payment_sim("");
    let registry = Sandbox::shared().registry().url();
    let order = format!("--count 1 --format avro --schema-registry {registry} --until-settled");
    // Only the order service can read its dead letter, and tell that the order is settled.
    world.order_sim(&order).succeed();
    let dead = world.records(&format!("{}-dlt", world.orders_topic));
    assert_eq!(dead.len(), 1);
    assert!(error(&dead[0]).ends_with("no --schema-registry tells where it is"));
    assert!(is_copy(&dead[0], &world.records(&world.orders_topic)[0]));
    assert!(payment.terminate().0.success());
}

#[test]
fn services_wait_for_a_registry_that_is_away_and_lose_nothing() {
    let registry = Sandbox::shared().registry();
    let Some(port) = registry.port() else {
        eprintln!("skipped: a proxy stands before the sandbox's own registry only");
        return;
    };
    let proxy = Proxy::start(port).expect("a proxy");
    let url = registry.url().replace(&port.to_string(), &proxy.port().to_string());
    let world = World::new("formats_away");
    // Silent at the start: the first request arrives, and is held back.
    let (asks, asked) = mpsc::channel();
    let (let_go, held) = mpsc::channel::<()>();
    proxy.cut_when(move |_, _| {
        let _ = asks.send(());
        // Returns at once when the other end is dropped.
        let _ = held.recv();
        Verdict::Forward
    });
    let order = world.order_sim(&format!("--count 3 --format avro --schema-registry {url}"));
    asked.recv_timeout(Duration::from_secs(60)).expect("the service asks the registry");
    std::thread::sleep(Duration::from_secs(1));
    drop(let_go);
    order.succeed();

    // There at the start, and away when a schema is asked for.
    proxy.cut_before(b"/schemas/ids/");
    let payment = world.payment_sim(&format!("--schema-registry {url}"));
    world.wait_for_number(&world.payment_db, "SELECT count(*) FROM payments", 3);
    assert!(!proxy.is_waiting_to_cut());
    assert!(world.records(&format!("{}-dlt", world.orders_topic)).is_empty());
    let (status, said) = payment.terminate();
    assert!(status.success() && said.contains("the schema registry does not answer"), "{said}");
}
