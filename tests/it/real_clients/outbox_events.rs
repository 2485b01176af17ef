//! Events of an outbox table, whether Debezium's router took them out of their change events or
//! not.

use super::{ORDER, Recorded, Row};

/// The topics that hold the events of the same outbox.
const ORDERS: [&str; 7] = [
    "routed.order.events",
    "routed_expanded.order.events",
    "routed_bare.order.events",
    "routed_text.order.events",
    "routed_envelope.order.events",
    "unrouted.public.outbox",
    "unrouted_bare.public.outbox",
];

/// The one event of an aggregate that an outbox has, whatever its deletion left there.
fn event(recorded: &Recorded, topic: &str, aggregate: &str) -> Row {
    let mut rows = recorded.rows(topic, &["--aggregate", aggregate]);
    assert_eq!(rows.len(), 1, "{topic}: {rows:?}");
    rows.swap_remove(0)
}

#[test]
fn an_outbox_event_has_its_own_type_aggregate_id_and_payload() {
    let Some(recorded) = Recorded::shared() else { return };
    for topic in ORDERS {
        let placed = event(recorded, topic, "ORDER-4711");
        assert_eq!(placed.event_type, "OrderPlaced", "{topic}");
        assert_eq!(placed.event_id, "11111111-1111-4111-8111-111111111111", "{topic}");
        assert_eq!(placed.payload.get(), r#"{"lines": [{"price": 6.17}], "total": 12.34}"#);
        let cancelled = event(recorded, topic, "ORDER-4712");
        assert_eq!(cancelled.event_type, "OrderCancelled", "{topic}");
        assert_eq!(cancelled.payload.get(), "{}", "{topic}");
        // As its id, too, it is the same event for everybody.
        let by_id = recorded.types(topic, &["--event-id", "22222222-2222-4222-8222-222222222222"]);
        assert_eq!(by_id, ["OrderCancelled"], "{topic}");
    }
}

#[test]
fn an_outbox_event_without_a_payload_is_one_of_its_type_all_the_same() {
    let Some(recorded) = Recorded::shared() else { return };
    for topic in ["routed.payment.events", "unrouted.public.outbox", "unrouted_bare.public.outbox"]
    {
        let taken = event(recorded, topic, ORDER);
        assert_eq!(taken.event_type, "PaymentTaken", "{topic}");
        assert_eq!(taken.event_id, "33333333-3333-4333-8333-333333333333", "{topic}");
    }
    // Without a wrapper around it nothing is left of it but key and headers.
    for topic in ["routed_bare.payment.events", "routed_text.payment.events"] {
        let row = event(recorded, topic, ORDER);
        assert_eq!(row.payload.get(), "null", "{topic}");
    }
}

#[test]
fn an_outbox_table_with_other_usual_names_of_columns_is_one_too() {
    let Some(recorded) = Recorded::shared() else { return };
    for topic in ["unrouted.public.event_outbox", "unrouted_bare.public.event_outbox"] {
        let shipped = event(recorded, topic, "ORDER-4713");
        assert_eq!(shipped.event_type, "OrderShipped", "{topic}");
        assert_eq!(shipped.event_id, "44444444-4444-4444-8444-444444444444", "{topic}");
        assert_eq!(shipped.payload.get(), r#"{"carrier": "post"}"#, "{topic}");
    }
}

#[test]
fn what_an_outbox_without_router_says_of_a_deletion_stays_a_change_event() {
    let Some(recorded) = Recorded::shared() else { return };
    for topic in ["unrouted.public.outbox", "unrouted_bare.public.outbox"] {
        let deletions = recorded.types(topic, &["--type", "outbox.*"]);
        assert_eq!(deletions, ["outbox.deleted"], "{topic}");
        assert_eq!(recorded.rows(topic, &[]).len(), 5, "{topic}");
    }
}
