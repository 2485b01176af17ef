//! The logical types of Connect's schemas, and of Debezium's, whose plain values nobody can read.
//!
//! Sources: Kafka Connect's `Decimal`, `Date`, `Time`, `Timestamp` and `JsonConverter`; Debezium's
//! package `io.debezium.time` and `VariableScaleDecimal`. Types whose values are readable text
//! already (`ZonedTimestamp`, `IsoTime`, `Uuid`, `Json`, `Enum`) need nothing.

use serde::Deserialize;

use super::decimal;
use super::time_text::{self, Unit};

/// Whether a schema may name a logical type at all; the text is looked through before it is parsed.
const NAMES_BEGIN: [&str; 3] =
    ["org.apache.kafka.connect.data.", "io.debezium.time.", "io.debezium.data.VariableScale"];

/// What a value has to be read as, and where within it.
#[derive(Debug, PartialEq)]
pub(super) enum Reading {
    /// One value of a logical type.
    Value(LogicalType),
    /// A struct, or a map with names: the members that have to be read.
    Members(Vec<(String, Reading)>),
    /// A map with names, all of whose values have to be read.
    Values(Box<Reading>),
    /// An array, all of whose elements have to be read.
    Elements(Box<Reading>),
    /// A map with other keys: an array of pairs.
    Pairs(Option<Box<Reading>>, Option<Box<Reading>>),
}

/// A logical type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LogicalType {
    /// An exact number: bytes in base64, with so many digits behind the point.
    Decimal(i32),
    /// The same, with the digits behind the point beside it.
    VariableScaleDecimal,
    /// Days since 1970.
    Date,
    /// A date in text with the zone behind it, which RFC 3339 doesn't have.
    IsoDate,
    /// Since midnight.
    TimeOfDay(Unit),
    /// Since 1970.
    Timestamp(Unit),
}

/// A schema, as far as it matters here.
#[derive(Deserialize)]
struct Schema {
    r#type: String,
    name: Option<String>,
    parameters: Option<Parameters>,
    /// The name of the field that it describes, within the schema of a struct.
    field: Option<String>,
    fields: Option<Vec<Schema>>,
    items: Option<Box<Schema>>,
    keys: Option<Box<Schema>>,
    values: Option<Box<Schema>>,
}

#[derive(Deserialize)]
struct Parameters {
    scale: Option<String>,
}

impl Reading {
    /// What a schema says; `None` where no value has to be read, or the schema cannot be.
    pub(super) fn of_schema(json: &str) -> Option<Self> {
        if !NAMES_BEGIN.iter().any(|name| json.contains(name)) {
            return None;
        }
        Self::of(&serde_json::from_str(json).ok()?)
    }

    fn of(schema: &Schema) -> Option<Self> {
        if let Some(logical_type) = LogicalType::of(schema) {
            return Some(Self::Value(logical_type));
        }
        let boxed = |schema: &Option<Box<Schema>>| Self::of(schema.as_deref()?).map(Box::new);
        match schema.r#type.as_str() {
            "struct" => {
                let fields = schema.fields.as_ref()?.iter();
                let members: Vec<_> = fields
                    .filter_map(|field| Some((field.field.clone()?, Self::of(field)?)))
                    .collect();
                (!members.is_empty()).then_some(Self::Members(members))
            }
            "array" => boxed(&schema.items).map(Self::Elements),
            "map" if schema.keys.as_ref().is_some_and(|keys| keys.r#type == "string") => {
                boxed(&schema.values).map(Self::Values)
            }
            "map" => {
                let (keys, values) = (boxed(&schema.keys), boxed(&schema.values));
                (keys.is_some() || values.is_some()).then_some(Self::Pairs(keys, values))
            }
            _ => None,
        }
    }
}

impl LogicalType {
    fn of(schema: &Schema) -> Option<Self> {
        let scale = || schema.parameters.as_ref()?.scale.as_ref()?.parse().ok();
        Self::named(schema.name.as_deref()?, &schema.r#type, scale)
    }

    /// The logical type of this name, where it stands on this type of Connect's.
    pub(crate) fn named(
        name: &str,
        base: &str,
        scale: impl FnOnce() -> Option<i32>,
    ) -> Option<Self> {
        Some(match (name, base) {
            ("org.apache.kafka.connect.data.Decimal", "bytes") => Self::Decimal(scale()?),
            ("io.debezium.data.VariableScaleDecimal", "struct") => Self::VariableScaleDecimal,
            ("org.apache.kafka.connect.data.Date" | "io.debezium.time.Date", "int32") => Self::Date,
            ("io.debezium.time.IsoDate", "string") => Self::IsoDate,
            ("org.apache.kafka.connect.data.Time" | "io.debezium.time.Time", "int32") => {
                Self::TimeOfDay(Unit::Milli)
            }
            ("io.debezium.time.MicroTime", "int64") => Self::TimeOfDay(Unit::Micro),
            ("io.debezium.time.NanoTime", "int64") => Self::TimeOfDay(Unit::Nano),
            ("org.apache.kafka.connect.data.Timestamp" | "io.debezium.time.Timestamp", "int64") => {
                Self::Timestamp(Unit::Milli)
            }
            ("io.debezium.time.MicroTimestamp", "int64") => Self::Timestamp(Unit::Micro),
            ("io.debezium.time.NanoTimestamp", "int64") => Self::Timestamp(Unit::Nano),
            _ => return None,
        })
    }

    /// The JSON that a value means; `None` for null, and for what the type cannot have.
    pub(crate) fn read(self, json: &str) -> Option<String> {
        match self {
            Self::Decimal(scale) => decimal::read(json, scale),
            Self::VariableScaleDecimal => decimal::read_with_scale(json),
            Self::IsoDate => json.strip_suffix("Z\"").map(|date| format!("{date}\"")),
            Self::Date | Self::TimeOfDay(_) | Self::Timestamp(_) => {
                self.read_count(json.parse().ok()?)
            }
        }
    }

    /// The JSON that a count of days or of a second's parts means.
    pub(crate) fn read_count(self, count: i64) -> Option<String> {
        match self {
            Self::Date => time_text::date(count),
            Self::TimeOfDay(unit) => time_text::time_of_day(count, unit),
            Self::Timestamp(unit) => time_text::timestamp(count, unit),
            Self::Decimal(_) | Self::VariableScaleDecimal | Self::IsoDate => None,
        }
    }
}
