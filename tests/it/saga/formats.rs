//! The same story in Avro and Protobuf: real producers, a real registry, faults and replays.

use sandbox::Sandbox;

use super::world::{LIMIT, World};
use super::{ORDERS_MADE, agree};
use crate::support::wait_until;

const ORDERS: i64 = 60;

#[test]
fn services_that_write_avro_and_protobuf_are_told_of_as_those_that_write_json() {
    if Sandbox::shared().kafka().is_mock() {
        eprintln!("skipped: a mock of Kafka keeps no consumer groups over kill -9");
        return;
    }
    for formats in [["avro", "protobuf"], ["protobuf", "avro"]] {
        live_through(formats);
    }
}

fn live_through(formats: [&'static str; 2]) {
    let scope = Sandbox::shared().scope(&format!("saga_{}", formats[0]));
    let world = World::in_formats(&scope, formats);
    let mut ingest = world.ingest();
    let mut order = world.order_sim(ORDERS);
    let mut payment = world.payment_sim();
    order.succeed(LIMIT);
    let mut resident = world.resident_order_sim();
    wait_until("the resident service makes its order", LIMIT, || {
        world.order_db.number(ORDERS_MADE) > ORDERS
    });
    world.settle("at first");
    agree(&world);
    let dead_letters = "SELECT count(*) FROM dead_letters";
    let before = world.books.number(dead_letters);
    assert!(before > 0, "faults struck");
    world.audit.succeed(&["replay-dlt", "--yes", "--reason", "test"]);
    world.settle("after the replay");
    agree(&world);
    for service in [&mut resident, &mut payment] {
        service.stop();
    }
    world.audit.succeed(&["verify"]);
    ingest.stop();

    // Nothing was left unread, and each row tells by which schema it was read.
    let schemas =
        "SELECT DISTINCT source_service, attributes ->> 'schema_type', attributes ->> 'schema_name'
                     FROM event_logs ORDER BY 1";
    let name = |format: &str, avro: &str, message: &str| match format {
        "avro" => ["AVRO".to_owned(), avro.to_owned()],
        _ => ["PROTOBUF".to_owned(), message.to_owned()],
    };
    let order = name(formats[0], "com.acme.orders.OrderEvent", "acme.orders.OrderEvent");
    let payment = name(formats[1], "com.acme.payments.PaymentEvent", "acme.payments.PaymentEvent");
    let expected: Vec<Vec<String>> = [("order-service", order), ("payment-service", payment)]
        .into_iter()
        .map(|(service, schema)| std::iter::once(service.to_owned()).chain(schema).collect())
        .collect();
    assert_eq!(world.books.rows(schemas), expected);
    let raw = "SELECT count(*) FROM dead_letters WHERE substr(value, 1, 1) <> '\\x00'";
    assert_eq!(world.books.number(raw), 0, "dead letters keep the bytes that came");
    // Events have their topic's own subject. Topics of dead letters have no subject: a registry
    // that outlives the test may name any that has the same schema.
    let subjects = "SELECT count(*) FROM event_logs JOIN kafka_partitions USING (partition_id)
                     WHERE CASE WHEN topic LIKE '%-dlt' THEN attributes ->> 'schema_subject' IS NULL
                                ELSE attributes ->> 'schema_subject' IS DISTINCT FROM topic || '-value' END";
    assert_eq!(world.books.number(subjects), 0);
}
