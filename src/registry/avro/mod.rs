//! Avro's binary encoding, read by the writer's schema alone: straight to JSON, with no tree of
//! values in between.
//!
//! The reader has a schema of its own. The crate apache-avro drops the properties of primitive
//! types (`connect.name`, by which Connect's and Debezium's logical types are known), refuses
//! schemas that Java writes records with (defaults that do not fit, names with other characters),
//! and would build each value twice. The tests take it for an oracle.
//!
//! A schema becomes a plan (`parser`, `logical`): its types in one list, names resolved to places
//! in it. A value is read along the plan (`reader`), without recursion, so that neither a deep
//! value nor a schema that contains itself can exhaust the stack; what a type takes at least
//! (`least`) is known before, so that lengths that lie are found before anything is built.

mod clock_text;
mod cursor;
mod fault;
mod least;
mod logical;
mod names;
mod parser;
mod plan;
mod reader;
mod scalars;

#[cfg(test)]
mod oracle_test;
#[cfg(test)]
mod refusals_test;
#[cfg(test)]
mod schemas_test;
#[cfg(test)]
mod values_test;

use crate::event::Unreadable;
use plan::Plan;

pub use reader::AvroValue;

/// A schema of Avro.
#[derive(Debug)]
pub struct AvroSchema {
    plan: Plan,
}

impl AvroSchema {
    /// Reads a schema, and those that it refers to by name: whole schemas, in any order.
    ///
    /// # Errors
    /// What is wrong with it, as a lowercase fragment.
    pub fn parse(schema: &str, references: &[String]) -> Result<Self, String> {
        Ok(Self { plan: parser::parse(schema, references)? })
    }

    /// The full name of the record, enum or fixed that the schema is. Which branch of a union a
    /// value is tells [`AvroValue::name`].
    pub fn name(&self) -> Option<&str> {
        self.plan.node(self.plan.root).name().map(|name| &**name)
    }

    /// The JSON of a value in Avro's binary encoding. Where the schema is `bytes`, these are all
    /// bytes that there are: Confluent's serializers write them without a length.
    ///
    /// # Errors
    /// Bytes that are no such value, or that no JSON can hold.
    pub fn read(&self, bytes: &[u8]) -> Result<AvroValue, Unreadable> {
        reader::read(&self.plan, bytes)
    }
}
