//! Events in Avro.

use apache_avro::reader::datum::{GenericDatumReader, GenericDatumReaderBuilder};
use apache_avro::schema::Name;
use apache_avro::types::Value;
use apache_avro::writer::datum::{GenericDatumWriter, GenericDatumWriterBuilder};
use apache_avro::{Decimal, Schema};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value as Json};

use super::schemas::AMOUNT;
use super::{DoesNotFit, EventSchemas};
use crate::Amount;
use crate::event::Event;

/// A schema, and those that it refers to by their names.
pub(crate) struct AvroSchema {
    name: &'static str,
    main: Schema,
    referenced: Vec<Schema>,
}

impl AvroSchema {
    /// The schema that a service writes.
    pub(crate) fn of(schemas: EventSchemas) -> Self {
        Self::parse(schemas.record(), schemas.avro(), &[AMOUNT.schema.to_owned()])
            .expect("the schemas of schemas/ are schemas, as a test says")
    }

    /// A schema that a registry has.
    pub(crate) fn parse(
        name: &'static str,
        schema: &str,
        referenced: &[String],
    ) -> Result<Self, apache_avro::Error> {
        let (main, referenced) = Schema::parse_str_with_list(schema, referenced)?;
        Ok(Self { name, main, referenced })
    }

    /// The event in Avro's binary encoding.
    pub(crate) fn write(&self, event: &Event) -> Result<Vec<u8>, DoesNotFit> {
        let fits_not = |reason: String| DoesNotFit { schema: self.name, reason };
        let json = serde_json::to_value(event).map_err(|error| fits_not(error.to_string()))?;
        let value = self.value(&self.main, &json, &event.event_type).map_err(fits_not)?;
        GenericDatumWriter::builder(&self.main)
            .schemata(self.referenced.iter().chain([&self.main]).collect())
            .and_then(GenericDatumWriterBuilder::build)
            .and_then(|writer| writer.write_value_to_vec(value))
            .map_err(|error| fits_not(error.to_string()))
    }

    /// The event that is encoded in these bytes.
    pub(crate) fn read(&self, mut bytes: &[u8]) -> Result<Event, DoesNotFit> {
        let fits_not = |reason: String| DoesNotFit { schema: self.name, reason };
        let value = GenericDatumReader::builder(&self.main)
            .writer_schemata(self.referenced.iter().chain([&self.main]).collect())
            .and_then(GenericDatumReaderBuilder::build)
            .and_then(|reader| reader.read_value(&mut bytes))
            .map_err(|error| fits_not(error.to_string()))?;
        if !bytes.is_empty() {
            return Err(fits_not(format!("{} bytes follow the record", bytes.len())));
        }
        let json = json(value).map_err(fits_not)?;
        serde_json::from_value(json).map_err(|error| fits_not(error.to_string()))
    }

    /// The Avro value that JSON stands for under a schema. Of a union of records it is the one
    /// that is named like the event's type.
    fn value(&self, schema: &Schema, json: &Json, event_type: &str) -> Result<Value, String> {
        let kind = |what: &str| format!("{json} is no {what}");
        let text = || json.as_str().ok_or_else(|| kind("text"));
        match schema {
            Schema::Null if json.is_null() => Ok(Value::Null),
            Schema::Boolean => json.as_bool().map(Value::Boolean).ok_or_else(|| kind("boolean")),
            Schema::String => Ok(Value::String(text()?.to_owned())),
            Schema::Uuid(_) => text()?.parse().map(Value::Uuid).map_err(|_| kind("UUID")),
            Schema::TimestampMicros => DateTime::parse_from_rfc3339(text()?)
                .map(|time| Value::TimestampMicros(time.timestamp_micros()))
                .map_err(|_| kind("time")),
            Schema::Decimal(_) => {
                let amount: Amount = text()?.parse().map_err(|_| kind("amount"))?;
                Ok(Value::Decimal(Decimal::from(amount.hundredths().to_be_bytes())))
            }
            Schema::Ref { name } => self.value(self.named(name)?, json, event_type),
            Schema::Record(record) => {
                let members = json.as_object().ok_or_else(|| kind("object"))?;
                let value = |name: &String, schema| {
                    let member = members.get(name).ok_or_else(|| format!("{name} is missing"))?;
                    Ok((name.clone(), self.value(schema, member, event_type)?))
                };
                let fields: Result<Vec<_>, String> =
                    record.fields.iter().map(|field| value(&field.name, &field.schema)).collect();
                let fields = fields?;
                let knows = |name: &&String| fields.iter().any(|(known, _)| known == *name);
                match members.keys().find(|name| !knows(name)) {
                    Some(name) => Err(format!("{name} is not in the record {}", record.name)),
                    None => Ok(Value::Record(fields)),
                }
            }
            Schema::Union(union) => {
                let is_it = |variant: &&Schema| match variant {
                    Schema::Null => json.is_null(),
                    Schema::Record(record) => record.name.name() == event_type,
                    _ => !json.is_null(),
                };
                let (index, variant) = (0..)
                    .zip(union.variants())
                    .find(|(_, variant)| is_it(variant))
                    .ok_or_else(|| format!("there is no record {event_type}"))?;
                let value = self.value(variant, json, event_type)?;
                Ok(Value::Union(index, Box::new(value)))
            }
            other => Err(format!("{json} is nothing that {other:?} describes")),
        }
    }

    fn named(&self, name: &Name) -> Result<&Schema, String> {
        let named = self.referenced.iter().find(|schema| schema.name() == Some(name));
        named.ok_or_else(|| format!("there is no schema {name}"))
    }
}

/// The JSON that an Avro value stands for: members as they are in the envelope in JSON, amounts
/// as text with two decimals.
fn json(value: Value) -> Result<Json, String> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Boolean(is_so) => is_so.into(),
        Value::String(text) => text.into(),
        Value::Uuid(id) => id.to_string().into(),
        Value::TimestampMicros(micros) => DateTime::from_timestamp_micros(micros)
            .ok_or_else(|| format!("{micros} is no time"))?
            .to_rfc3339_opts(SecondsFormat::Micros, true)
            .into(),
        Value::Decimal(decimal) => amount(&decimal)?.to_string().into(),
        Value::Union(_, value) => json(*value)?,
        Value::Record(fields) => {
            let members: Result<Map<_, _>, String> =
                fields.into_iter().map(|(name, value)| Ok((name, json(value)?))).collect();
            members?.into()
        }
        other => return Err(format!("{other:?} has no place in an event")),
    })
}

fn amount(decimal: &Decimal) -> Result<Amount, String> {
    let no_amount = || format!("{decimal:?} is no amount");
    let bytes: Vec<u8> = decimal.try_into().map_err(|_| no_amount())?;
    // Two's complement: the first bit is the sign of all that stand before it.
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1_i128 } else { 0 };
    if bytes.len() > 8 {
        return Err(no_amount());
    }
    let hundredths = bytes.iter().fold(sign, |number, byte| (number << 8) | i128::from(*byte));
    i64::try_from(hundredths).ok().and_then(Amount::from_hundredths).ok_or_else(no_amount)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::AvroSchema;
    use crate::event::tests::{order_events, payment_events};
    use crate::format::EventSchemas;

    #[test]
    fn every_type_of_event_is_the_same_behind_its_schema() {
        for event in order_events() {
            let schema = AvroSchema::of(EventSchemas::Orders);
            let mut bytes = schema.write(&event).unwrap();
            assert_eq!(schema.read(&bytes).unwrap(), event);
            bytes.push(0);
            let refused = schema.read(&bytes).unwrap_err().to_string();
            assert!(refused.ends_with("1 bytes follow the record"), "{refused}");
        }
        for event in payment_events() {
            let schema = AvroSchema::of(EventSchemas::Payments);
            assert_eq!(schema.read(&schema.write(&event).unwrap()).unwrap(), event);
        }
    }

    #[test]
    fn what_a_schema_cannot_hold_is_refused_and_not_left_out() {
        let schema = AvroSchema::of(EventSchemas::Orders);
        let mut event = order_events().remove(0);
        event.payload["note"] = json!("urgent");
        let refused = schema.write(&event).unwrap_err().to_string();
        assert!(
            refused.ends_with("note is not in the record com.acme.orders.OrderCreated"),
            "{refused}"
        );
        event.event_type = "OrderLost".to_owned();
        let refused = schema.write(&event).unwrap_err().to_string();
        assert_eq!(refused, "com.acme.orders.OrderEvent: there is no record OrderLost");
    }
}
