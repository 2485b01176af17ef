//! A schema as the reader walks along it.

use std::sync::Arc;

use crate::event::LogicalType;

/// The place of a type in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(pub(super) u32);

impl NodeId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The least that a value takes. Never more than it does; less where types contain each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Least {
    /// Bytes in Avro.
    pub(super) bytes: u64,
    /// Bytes as JSON.
    pub(super) json: u64,
}

/// All types of a schema.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) nodes: Vec<Node>,
    /// What a value of each type takes at least.
    pub(super) least: Vec<Least>,
    pub(super) root: NodeId,
}

impl Plan {
    /// The type at a place, which the parser gave out.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(super) fn least(&self, id: NodeId) -> Least {
        self.least[id.index()]
    }
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Boolean,
    Int(Meaning),
    Long(Meaning),
    Float,
    Double,
    /// Text, UUIDs among it.
    Text,
    /// Text of a logical type of Connect's or Debezium's.
    NamedText(LogicalType),
    Bytes(BytesMeaning),
    Fixed(Fixed),
    Enum(Enum),
    Record(Record),
    /// Debezium's record of `scale` and `value`.
    VariableScaleDecimal {
        name: Arc<str>,
        is_scale_first: bool,
    },
    Array(NodeId),
    Map(NodeId),
    Union(Box<[NodeId]>),
}

/// What a whole number counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// Nothing but itself.
    Number,
    /// Days since 1970.
    Date,
    /// Since midnight.
    TimeOfDay(Unit),
    /// Since 1970, in UTC.
    Timestamp(Unit),
    /// Since 1970, on a clock that has no zone.
    LocalTimestamp(Unit),
    /// What a logical type of Connect's or Debezium's counts.
    Named(LogicalType),
}

/// The part of a second that is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Unit {
    Milli,
    Micro,
    Nano,
}

/// What bytes mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum BytesMeaning {
    /// Nothing but themselves.
    Base64,
    /// A whole number, and how many of its digits stand behind the point.
    Decimal(i32),
    /// The same, the digits' number behind it.
    BigDecimal,
}

/// Bytes of one length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fixed {
    pub(super) name: Arc<str>,
    pub(super) size: u64,
    pub(super) meaning: FixedMeaning,
}

/// What bytes of one length mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FixedMeaning {
    Base64,
    Decimal(i32),
    /// Months, days, milliseconds.
    Duration,
    Uuid,
}

/// A choice of words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Enum {
    pub(super) name: Arc<str>,
    /// As JSON, with quotes.
    pub(super) symbols: Box<[Box<str>]>,
}

/// Fields in their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) name: Arc<str>,
    pub(super) fields: Box<[Field]>,
}

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// What stands before the value: a bracket or a comma, the name as JSON, a colon.
    pub(super) before: Box<str>,
    pub(super) name: Box<str>,
    pub(super) node: NodeId,
}

impl Node {
    /// The full name of a type that has one.
    pub(super) fn name(&self) -> Option<&Arc<str>> {
        match self {
            Self::Fixed(fixed) => Some(&fixed.name),
            Self::Enum(words) => Some(&words.name),
            Self::Record(record) => Some(&record.name),
            Self::VariableScaleDecimal { name, .. } => Some(name),
            _ => None,
        }
    }
}
