//! Events in Protobuf. The messages are those of schemas/*.proto, as a test says.

use chrono::{DateTime, Utc};
use prost::Message;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{DoesNotFit, EventSchemas};
use crate::event::Event;

/// An envelope around the payload of a service: `OrderEvent` and `PaymentEvent` differ in nothing
/// else.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(string, tag = "1")]
    event_id: String,
    #[prost(string, tag = "2")]
    event_type: String,
    #[prost(string, tag = "3")]
    aggregate_id: String,
    #[prost(string, tag = "4")]
    source_service: String,
    #[prost(message, optional, tag = "5")]
    occurred_at: Option<Timestamp>,
    #[prost(string, tag = "6")]
    correlation_id: String,
    #[prost(string, optional, tag = "7")]
    causation_id: Option<String>,
    /// `Order` or `Payment`: a message is written like bytes.
    #[prost(bytes = "vec", tag = "8")]
    payload: Vec<u8>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Order {
    #[prost(string, tag = "1")]
    customer_id: String,
    #[prost(string, tag = "2")]
    total_amount: String,
    #[prost(enumeration = "Currency", optional, tag = "3")]
    currency: Option<i32>,
    #[prost(oneof = "Next", tags = "4, 5")]
    next: Option<Next>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
enum Next {
    #[prost(bool, tag = "4")]
    Ship(bool),
    #[prost(bool, tag = "5")]
    Refused(bool),
}

#[derive(Clone, PartialEq, Message)]
struct Payment {
    #[prost(string, tag = "1")]
    order_id: String,
    #[prost(string, tag = "2")]
    customer_id: String,
    #[prost(string, tag = "3")]
    amount: String,
    #[prost(enumeration = "Currency", optional, tag = "4")]
    currency: Option<i32>,
    #[prost(string, optional, tag = "5")]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
enum Currency {
    Unspecified = 0,
    Chf = 756,
    Gbp = 826,
    Usd = 840,
    Eur = 978,
    Xxx = 999,
}

impl Currency {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Chf, "CHF"),
        (Self::Gbp, "GBP"),
        (Self::Usd, "USD"),
        (Self::Eur, "EUR"),
        (Self::Xxx, "XXX"),
    ];
}

/// The message of an event.
pub(crate) fn write(schemas: EventSchemas, event: &Event) -> Result<Vec<u8>, DoesNotFit> {
    let mut members = Members { schema: schemas.message(), left: object(schemas, &event.payload)? };
    let payload = match schemas {
        EventSchemas::Orders => members.order()?.encode_to_vec(),
        EventSchemas::Payments => members.payment()?.encode_to_vec(),
    };
    members.finish()?;
    let nanos = event.occurred_at.timestamp_subsec_nanos();
    let envelope = Envelope {
        event_id: event.event_id.to_string(),
        event_type: event.event_type.clone(),
        aggregate_id: event.aggregate_id.to_string(),
        source_service: event.source_service.clone(),
        occurred_at: Some(Timestamp {
            seconds: event.occurred_at.timestamp(),
            nanos: i32::try_from(nanos).unwrap_or_default(),
        }),
        correlation_id: event.correlation_id.to_string(),
        causation_id: event.causation_id.map(|id| id.to_string()),
        payload,
    };
    Ok(envelope.encode_to_vec())
}

/// The event of a message.
pub(crate) fn read(schemas: EventSchemas, bytes: &[u8]) -> Result<Event, DoesNotFit> {
    let fits_not = |reason: String| DoesNotFit { schema: schemas.message(), reason };
    let unreadable = |error: prost::DecodeError| fits_not(error.to_string());
    let envelope = Envelope::decode(bytes).map_err(unreadable)?;
    let payload = envelope.payload.as_slice();
    let payload = match schemas {
        EventSchemas::Orders => order_json(Order::decode(payload).map_err(unreadable)?),
        EventSchemas::Payments => payment_json(Payment::decode(payload).map_err(unreadable)?),
    };
    let id = |name: &str, text: &str| -> Result<Uuid, DoesNotFit> {
        text.parse().map_err(|_| fits_not(format!("{name} is no UUID")))
    };
    Ok(Event {
        event_id: id("event_id", &envelope.event_id)?,
        aggregate_id: id("aggregate_id", &envelope.aggregate_id)?,
        occurred_at: envelope
            .occurred_at
            .and_then(time)
            .ok_or_else(|| fits_not("occurred_at is no time".to_owned()))?,
        correlation_id: id("correlation_id", &envelope.correlation_id)?,
        causation_id: envelope.causation_id.map(|text| id("causation_id", &text)).transpose()?,
        event_type: envelope.event_type,
        source_service: envelope.source_service,
        payload: payload.map_err(fits_not)?,
    })
}

fn time(timestamp: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(timestamp.seconds, u32::try_from(timestamp.nanos).ok()?)
}

fn object(schemas: EventSchemas, payload: &Value) -> Result<Map<String, Value>, DoesNotFit> {
    let reason = || format!("the payload {payload} is no object");
    payload
        .as_object()
        .cloned()
        .ok_or_else(|| DoesNotFit { schema: schemas.message(), reason: reason() })
}

/// Members of a payload that have no field yet.
struct Members {
    schema: &'static str,
    left: Map<String, Value>,
}

impl Members {
    fn order(&mut self) -> Result<Order, DoesNotFit> {
        let ship = self.flag("ship")?.map(Next::Ship);
        let refused = self.flag("refused")?.map(Next::Refused);
        if ship.is_some() && refused.is_some() {
            return Err(self.fits_not("ship and refused are there, and only one can be"));
        }
        Ok(Order {
            customer_id: self.text("customer_id")?,
            total_amount: self.text("total_amount")?,
            currency: Some(self.currency()?.into()),
            next: ship.or(refused),
        })
    }

    fn payment(&mut self) -> Result<Payment, DoesNotFit> {
        let reason = self.left.contains_key("reason").then(|| self.text("reason")).transpose()?;
        Ok(Payment {
            order_id: self.text("order_id")?,
            customer_id: self.text("customer_id")?,
            amount: self.text("amount")?,
            currency: Some(self.currency()?.into()),
            reason,
        })
    }

    fn text(&mut self, name: &str) -> Result<String, DoesNotFit> {
        match self.left.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(self.fits_not(&format!("{name} is no text"))),
        }
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, DoesNotFit> {
        match self.left.remove(name) {
            None => Ok(None),
            Some(Value::Bool(is_so)) => Ok(Some(is_so)),
            Some(_) => Err(self.fits_not(&format!("{name} is no boolean"))),
        }
    }

    fn currency(&mut self) -> Result<Currency, DoesNotFit> {
        let text = self.text("currency")?;
        let known = Currency::ALL.iter().find(|(_, code)| *code == text);
        known
            .map(|(currency, _)| *currency)
            .ok_or_else(|| self.fits_not(&format!("{text} is no currency of acme.money")))
    }

    fn finish(&self) -> Result<(), DoesNotFit> {
        match self.left.keys().next() {
            Some(name) => Err(self.fits_not(&format!("there is no field {name}"))),
            None => Ok(()),
        }
    }

    fn fits_not(&self, reason: &str) -> DoesNotFit {
        DoesNotFit { schema: self.schema, reason: reason.to_owned() }
    }
}

fn order_json(order: Order) -> Result<Value, String> {
    let mut members = Map::new();
    members.insert("customer_id".to_owned(), order.customer_id.into());
    members.insert("total_amount".to_owned(), order.total_amount.into());
    members.insert("currency".to_owned(), currency_json(order.currency)?);
    match order.next {
        Some(Next::Ship(ship)) => _ = members.insert("ship".to_owned(), ship.into()),
        Some(Next::Refused(refused)) => _ = members.insert("refused".to_owned(), refused.into()),
        None => {}
    }
    Ok(members.into())
}

fn payment_json(payment: Payment) -> Result<Value, String> {
    let mut members = Map::new();
    members.insert("order_id".to_owned(), payment.order_id.into());
    members.insert("customer_id".to_owned(), payment.customer_id.into());
    members.insert("amount".to_owned(), payment.amount.into());
    members.insert("currency".to_owned(), currency_json(payment.currency)?);
    if let Some(reason) = payment.reason {
        members.insert("reason".to_owned(), reason.into());
    }
    Ok(members.into())
}

fn currency_json(number: Option<i32>) -> Result<Value, String> {
    let known = Currency::ALL.iter().find(|(currency, _)| Some(i32::from(*currency)) == number);
    let known = known.map(|(_, code)| (*code).into());
    known.ok_or_else(|| format!("there is no currency {}", number.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use prost_reflect::{DescriptorPool, DynamicMessage};
    use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
    use serde_json::json;

    use super::{read, write};
    use crate::event::Event;
    use crate::event::tests::{order_events, payment_events};
    use crate::format::EventSchemas;
    use crate::format::schemas::MONEY;

    struct Files(EventSchemas);

    impl FileResolver for Files {
        fn open_file(&self, name: &str) -> Result<File, protox::Error> {
            match name {
                "event.proto" => File::from_source(name, self.0.protobuf()),
                _ if name == MONEY.name => File::from_source(name, MONEY.schema),
                _ => Err(protox::Error::file_not_found(name)),
            }
        }
    }

    /// What the schema itself makes of a message.
    fn by_the_schema(schemas: EventSchemas, bytes: &[u8]) -> serde_json::Value {
        let mut resolver = ChainFileResolver::new();
        resolver.add(Files(schemas));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = protox::Compiler::with_file_resolver(resolver);
        compiler.include_imports(true).open_file("event.proto").unwrap();
        let pool =
            DescriptorPool::from_file_descriptor_set(compiler.file_descriptor_set()).unwrap();
        let message = pool.get_message_by_name(schemas.message()).unwrap();
        let message = DynamicMessage::decode(message, bytes).unwrap();
        assert_eq!(message.unknown_fields().count(), 0);
        let options = prost_reflect::SerializeOptions::new().use_proto_field_name(true);
        message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
    }

    #[track_caller]
    fn check(schemas: EventSchemas, event: &Event) {
        let bytes = write(schemas, event).unwrap();
        assert_eq!(&read(schemas, &bytes).unwrap(), event);
        let mut twin: serde_json::Value = serde_json::from_str(&event.to_json()).unwrap();
        if event.causation_id.is_none() {
            twin.as_object_mut().unwrap().remove("causation_id");
        }
        assert_eq!(by_the_schema(schemas, &bytes), twin);
    }

    #[test]
    fn every_type_of_event_is_what_the_schema_makes_of_it() {
        for event in order_events() {
            check(EventSchemas::Orders, &event);
        }
        for event in payment_events() {
            check(EventSchemas::Payments, &event);
        }
    }

    #[test]
    fn what_a_schema_cannot_hold_is_refused_and_not_left_out() {
        let mut event = order_events().remove(0);
        event.payload["note"] = json!("urgent");
        let refused = write(EventSchemas::Orders, &event).unwrap_err().to_string();
        assert_eq!(refused, "acme.orders.OrderEvent: there is no field note");
        let mut event = order_events().remove(0);
        event.payload["currency"] = json!("SEK");
        let refused = write(EventSchemas::Orders, &event).unwrap_err().to_string();
        assert_eq!(refused, "acme.orders.OrderEvent: SEK is no currency of acme.money");
    }
}
