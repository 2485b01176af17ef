//! Why a message is not read.

use crate::event::{Reason, Unreadable};

use super::place::Place;

/// What ends the reading of a message.
#[derive(Debug)]
pub(super) enum Failure {
    /// The message cannot become JSON.
    Unreadable(Unreadable),
    /// It is nested deeper than this thread's stack allows.
    Deep,
}

/// What is wrong with bytes, and where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry::protobuf) struct Wrong {
    pub(in crate::registry::protobuf) reason: Reason,
    pub(in crate::registry::protobuf) what: &'static str,
    pub(in crate::registry::protobuf) at: usize,
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl Wrong {
    /// Bytes that no such message has.
    pub(super) fn mismatch(what: &'static str, at: usize) -> Self {
        Self { reason: Reason::SchemaMismatch, what, at }
    }

    /// The failure, with the field where it happened.
    pub(super) fn within(self, place: &Place<'_>) -> Failure {
        let path = place.path();
        // A message of a thousand levels has a path that nobody reads to its end.
        let shown = match path.char_indices().rev().nth(199) {
            Some((start, _)) if start > 0 => format!("…{}", &path[start..]),
            _ => path,
        };
        let Self { reason, what, at } = self;
        let described = reason.describe();
        let detail = match shown.as_str() {
            "" => format!("{described}: {what}, at byte {at}"),
            path => format!("{described}: {path}: {what}, at byte {at}"),
        };
        Failure::Unreadable(Unreadable { reason, detail })
    }
}

/// A value that the schema does not describe.
pub(in crate::registry::protobuf) fn mismatch(what: impl std::fmt::Display) -> Unreadable {
    let reason = Reason::SchemaMismatch;
    Unreadable { reason, detail: format!("{}: {what}", reason.describe()) }
}
