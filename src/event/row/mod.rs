//! The rules that all formats share: from what a decoder found to the columns of a row.

pub(in crate::event) mod assemble;
pub(in crate::event) mod attributes;
mod event;
pub(in crate::event) mod ids;
pub mod occurred_at;
pub(in crate::event) mod quarantine;
pub(in crate::event) mod refused;

pub use event::Event;
