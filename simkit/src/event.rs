//! The envelope that both services publish and consume.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use crate::failure::Failure;

/// An event as it is on a topic: JSON in snake case. The record's key is the aggregate's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// This event's own id, UUID version 7.
    pub event_id: Uuid,
    /// What happened, such as `OrderCreated`.
    pub event_type: String,
    /// What it happened to: the order in orders.events, the payment in payments.events.
    pub aggregate_id: Uuid,
    /// The service that published it.
    pub source_service: String,
    /// When it happened, to the microsecond.
    #[serde(serialize_with = "microseconds")]
    pub occurred_at: DateTime<Utc>,
    /// The story it belongs to: the order's id, in the events of both services.
    pub correlation_id: Uuid,
    /// The event that led to it, if one did.
    pub causation_id: Option<Uuid>,
    /// What the event says.
    pub payload: Value,
}

/// An event that is about to be written to the outbox. Its id and its time are given there.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub event_type: &'static str,
    /// What it happened to; becomes the record's key.
    pub aggregate_id: Uuid,
    /// The order's id.
    pub correlation_id: Uuid,
    /// The event that led to this one.
    pub causation_id: Option<Uuid>,
    /// What the event says.
    pub payload: Value,
}

/// A record that holds no event: processing it again cannot help.
#[derive(Debug, thiserror::Error)]
pub enum MalformedEvent {
    /// The record's value is null.
    #[error("the record has no value, so no event")]
    NoValue,
    /// The value is not an envelope.
    #[error("the record's value is not an event in the native envelope")]
    Envelope,
    /// The value is behind a schema registry, and none was named.
    #[error(
        "the record's value has the id of a schema, and no --schema-registry tells where it is"
    )]
    NoRegistry,
    /// The envelope is one, but its payload lacks what this type of event must say.
    #[error("the payload of this {event_type} does not say what it must")]
    Payload {
        /// The event's type.
        event_type: String,
    },
}

impl Event {
    /// The event in JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, ids and JSON always have a JSON form")
    }

    /// Reads the value of a record that is in JSON.
    ///
    /// # Errors
    /// [`Failure::Unprocessable`] if there is no value or it is not an envelope.
    pub fn parse(value: Option<&[u8]>) -> Result<Self, Failure> {
        let value = value.ok_or_else(|| Failure::unprocessable(&MalformedEvent::NoValue))?;
        serde_json::from_slice(value)
            .map_err(|error| Failure::unprocessable(&MalformedEvent::Envelope).because(&error))
    }

    /// Reads the payload as what this type of event says.
    ///
    /// # Errors
    /// [`Failure::Unprocessable`] if a member is missing or of another kind.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&self.payload).map_err(|error| {
            let malformed = MalformedEvent::Payload { event_type: self.event_type.clone() };
            Failure::unprocessable(&malformed).because(&error)
        })
    }
}

fn microseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.format("%Y-%m-%dT%H:%M:%S%.6fZ"))
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// An event of each type of the order service.
    pub(crate) fn order_events() -> Vec<Event> {
        let order =
            json!({"customer_id": Uuid::from_u128(9), "total_amount": "12.30", "currency": "EUR"});
        let with = |name: &str, value: bool| {
            let mut order = order.clone();
            order[name] = json!(value);
            order
        };
        vec![
            event("OrderCreated", "order-service", None, order.clone()),
            event("OrderConfirmed", "order-service", Some(3), with("ship", false)),
            event("OrderCancelled", "order-service", Some(3), order.clone()),
            event("OrderShipped", "order-service", Some(3), with("refused", true)),
            event("OrderRefunded", "order-service", Some(3), order.clone()),
        ]
    }

    /// An event of each type of the payment service.
    pub(crate) fn payment_events() -> Vec<Event> {
        let payment = json!({
            "order_id": Uuid::from_u128(2), "customer_id": Uuid::from_u128(9),
            "amount": "9999999999.99", "currency": "XXX",
        });
        let because = |reason: &str| {
            let mut payment = payment.clone();
            payment["reason"] = json!(reason);
            payment
        };
        vec![
            event("PaymentAuthorized", "payment-service", Some(1), payment.clone()),
            event("PaymentDeclined", "payment-service", Some(1), because("insufficient_funds")),
            event("PaymentCaptured", "payment-service", Some(1), payment.clone()),
            event("PaymentRefunded", "payment-service", Some(1), because("")),
        ]
    }

    fn event(event_type: &str, service: &str, cause: Option<u128>, payload: Value) -> Event {
        Event {
            event_id: Uuid::from_u128(1),
            event_type: event_type.to_owned(),
            aggregate_id: Uuid::from_u128(2),
            source_service: service.to_owned(),
            occurred_at: DateTime::from_timestamp_micros(1_795_341_600_123_456).unwrap(),
            correlation_id: Uuid::from_u128(2),
            causation_id: cause.map(Uuid::from_u128),
            payload,
        }
    }

    #[test]
    fn the_envelope_has_exactly_the_members_of_the_contract() {
        let event = Event {
            event_id: Uuid::from_u128(1),
            event_type: "OrderCreated".to_owned(),
            aggregate_id: Uuid::from_u128(2),
            source_service: "order-service".to_owned(),
            occurred_at: DateTime::from_timestamp_micros(1_795_341_600_123_456).unwrap(),
            correlation_id: Uuid::from_u128(2),
            causation_id: None,
            payload: serde_json::json!({"total_amount": "12.30"}),
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(
            text,
            r#"{"event_id":"00000000-0000-0000-0000-000000000001","event_type":"OrderCreated","#
                .to_owned()
                + r#""aggregate_id":"00000000-0000-0000-0000-000000000002","source_service":"order-service","#
                + r#""occurred_at":"2026-11-22T10:00:00.123456Z","#
                + r#""correlation_id":"00000000-0000-0000-0000-000000000002","causation_id":null,"#
                + r#""payload":{"total_amount":"12.30"}}"#
        );
        assert_eq!(Event::parse(Some(text.as_bytes())).unwrap(), event);
    }

    #[test]
    fn a_record_without_an_envelope_is_unprocessable_and_says_which_parser_refused_it() {
        let failure = Event::parse(Some(b"not json")).unwrap_err();
        let report = failure.report();
        assert!(!failure.is_transient() && !failure.is_outage());
        assert_eq!(report.class, "simkit::event::MalformedEvent");
        assert!(report.cause.as_ref().unwrap().0.starts_with("serde_json::"));
        assert!(Event::parse(None).is_err());
    }
}
