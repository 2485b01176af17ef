//! Reads messages in Protobuf's wire format into JSON.
//!
//! The library that knows the schemas has a reader, too (`DynamicMessage`), which tests compare
//! this one with. It is not used because it builds a tree of some sixty bytes for each value,
//! however small that is on the wire, refuses a message for a field of another wire type where
//! Protobuf's own parsers keep that as unknown, does not say where in the message unknown fields
//! were, or why and at which byte something failed, and turns a whole record down for an Any of a
//! type that it does not know. Here each message is indexed (which fields stand where) and its JSON
//! written at once.

mod any;
mod failure;
mod gather;
mod maps;
mod members;
mod place;
mod reader;
mod scalar;
mod time_text;
mod unknown;
mod well_known;
mod wire;

pub(in crate::registry::protobuf) use failure::mismatch;
pub(in crate::registry::protobuf) use reader::read;
pub(in crate::registry::protobuf) use wire::{Cursor, Span};
