//! Logical types: what the attributes of a type say that its values mean. What is not known, or
//! does not fit its type, is ignored, as the specification of Avro has it.
//!
//! `connect.name` goes first: a value of Connect's or Debezium's type becomes what the JSON
//! converter's value becomes.

use serde_json::{Map, Value};

use super::plan::{BytesMeaning, FixedMeaning, Meaning, Node, Unit};
use crate::event::LogicalType;

type Attributes = Map<String, Value>;

/// A type of Avro's own with the meaning that its attributes give it.
pub(super) fn with_meaning(primitive: Node, attributes: &Attributes) -> Node {
    let named = |base| named(attributes, base);
    match primitive {
        Node::Int(_) => Node::Int(named("int32").map_or_else(|| int(attributes), Meaning::Named)),
        Node::Long(_) => {
            Node::Long(named("int64").map_or_else(|| long(attributes), Meaning::Named))
        }
        Node::Text => named("string").map_or(Node::Text, Node::NamedText),
        Node::Bytes(_) => Node::Bytes(match named("bytes") {
            Some(LogicalType::Decimal(scale)) => BytesMeaning::Decimal(scale),
            _ => bytes(attributes),
        }),
        other => other,
    }
}

/// The logical type of Connect's or Debezium's that `connect.name` names.
pub(super) fn named(attributes: &Attributes, base: &str) -> Option<LogicalType> {
    let name = attributes.get("connect.name")?.as_str()?;
    LogicalType::named(name, base, || {
        let parameters = attributes.get("connect.parameters");
        let scale = parameters.and_then(|parameters| parameters.get("scale"));
        let scale = scale.or_else(|| attributes.get("scale"))?;
        match scale {
            Value::String(scale) => scale.parse().ok(),
            scale => i32::try_from(scale.as_i64()?).ok(),
        }
    })
}

fn logical_type(attributes: &Attributes) -> &str {
    attributes.get("logicalType").and_then(Value::as_str).unwrap_or_default()
}

fn int(attributes: &Attributes) -> Meaning {
    match logical_type(attributes) {
        "date" => Meaning::Date,
        "time-millis" => Meaning::TimeOfDay(Unit::Milli),
        _ => Meaning::Number,
    }
}

fn long(attributes: &Attributes) -> Meaning {
    match logical_type(attributes) {
        "time-micros" => Meaning::TimeOfDay(Unit::Micro),
        "timestamp-millis" => Meaning::Timestamp(Unit::Milli),
        "timestamp-micros" => Meaning::Timestamp(Unit::Micro),
        "timestamp-nanos" => Meaning::Timestamp(Unit::Nano),
        "local-timestamp-millis" => Meaning::LocalTimestamp(Unit::Milli),
        "local-timestamp-micros" => Meaning::LocalTimestamp(Unit::Micro),
        "local-timestamp-nanos" => Meaning::LocalTimestamp(Unit::Nano),
        _ => Meaning::Number,
    }
}

fn bytes(attributes: &Attributes) -> BytesMeaning {
    match logical_type(attributes) {
        "decimal" => scale(attributes).map_or(BytesMeaning::Base64, BytesMeaning::Decimal),
        "big-decimal" => BytesMeaning::BigDecimal,
        _ => BytesMeaning::Base64,
    }
}

/// What bytes of a fixed length mean.
pub(super) fn fixed(attributes: &Attributes, size: u64) -> FixedMeaning {
    match (logical_type(attributes), size) {
        ("decimal", _) => match scale(attributes) {
            Some(scale) if precision(attributes) <= Some(max_precision(size)) => {
                FixedMeaning::Decimal(scale)
            }
            _ => FixedMeaning::Base64,
        },
        ("duration", 12) => FixedMeaning::Duration,
        ("uuid", 16) => FixedMeaning::Uuid,
        _ => FixedMeaning::Base64,
    }
}

/// The scale of a decimal; `None` where precision and scale describe no decimal.
fn scale(attributes: &Attributes) -> Option<i32> {
    let precision = precision(attributes)?;
    let scale = match attributes.get("scale") {
        Some(scale) => scale.as_u64()?,
        None => 0,
    };
    (precision > 0 && scale <= precision).then(|| i32::try_from(scale).ok()).flatten()
}

fn precision(attributes: &Attributes) -> Option<u64> {
    attributes.get("precision")?.as_u64()
}

/// How many digits any number of `size` bytes may have: ⌊log₁₀(2⁸ⁿ⁻¹ − 1)⌋.
fn max_precision(size: u64) -> u64 {
    let bits = size.saturating_mul(8).saturating_sub(1);
    (bits as f64 * std::f64::consts::LOG10_2).floor() as u64
}
