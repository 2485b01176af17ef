//! A validating scan of JSON: one pass, no tree, no recursion.
//!
//! It accepts what PostgreSQL's JSONB accepts (RFC 8259) and holds unchanged in meaning, and
//! refuses all else with the reason and the place. Of a top-level object it yields the members as
//! they stand in the text. Limits of PostgreSQL from its sources: `jsonb.h` (`JENTRY_OFFLENMASK`),
//! `jsonb_util.c`, `numeric.c`.

mod number;
mod scanner;
mod text;

use std::borrow::Cow;

use super::Reason;

pub(crate) use scanner::ENDS_RUN;
pub(super) use scanner::foreign_encoding;
pub use scanner::scan;
pub(crate) use text::{compact, put_base64, put_bytes, put_text};

/// The deepest payload that is stored.
pub const MAX_DEPTH: usize = 1_000;

/// The most bytes that a text, an array or an object may have inside JSONB (256 MiB less one).
pub(crate) const MAX_JSONB_BYTES: u64 = 0x0FFF_FFFF;

/// Why a text was refused, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub reason: Reason,
    /// The offset of the first offending byte; the length of the text where it ends too early.
    pub position: usize,
}

/// The kinds of JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    Text,
    /// Any number.
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

/// A valid JSON value, borrowed from the text it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    /// The JSON as it stands in the text, without white space around it.
    pub raw: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// How many levels of objects and arrays it has; 0 for a scalar.
    pub depth: usize,
    /// Whether a text holds escapes.
    escaped: bool,
}

impl<'a> Value<'a> {
    /// The characters of a text, without quotes and escapes; `None` for all other kinds.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let inner = match self.kind {
            Kind::Text => self.raw.get(1..self.raw.len() - 1)?,
            _ => return None,
        };
        Some(if self.escaped { Cow::Owned(text::unescape(inner)) } else { Cow::Borrowed(inner) })
    }
}

/// A member of the top-level object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// The name as it stands in the text, with quotes and escapes.
    pub raw_name: &'a str,
    /// The value.
    pub value: Value<'a>,
    name_escaped: bool,
}

impl<'a> Member<'a> {
    /// The name, without quotes and escapes.
    pub fn name(&self) -> Cow<'a, str> {
        let inner = self.raw_name.get(1..self.raw_name.len() - 1).unwrap_or_default();
        if self.name_escaped { Cow::Owned(text::unescape(inner)) } else { Cow::Borrowed(inner) }
    }
}

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan<'a> {
    /// The whole value.
    pub value: Value<'a>,
    /// The members of a top-level object in their order, repeated names included; empty for other
    /// kinds.
    pub members: Vec<Member<'a>>,
}

impl<'a> Scan<'a> {
    /// The value of the last member of that name: of repeated names JSONB keeps the last.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.members.iter().rev().find(|member| member.name() == name).map(|member| member.value)
    }
}
