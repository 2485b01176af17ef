//! What is wrong with bytes, and how it is told.

use crate::event::{Reason, Unreadable};

/// What is wrong with bytes at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the bytes end early, {needed} more are needed")]
    EndsEarly { needed: u64 },
    #[error("a number has more than 64 bits")]
    NumberTooLong,
    #[error("{0} has more than the 32 bits of an int")]
    NotAnInt(i64),
    #[error("a length of {0}")]
    NegativeLength(i64),
    #[error("the byte {0} is no boolean")]
    NotABoolean(u8),
    #[error("branch {index} of a union that has {branches}")]
    NoBranch { index: i64, branches: usize },
    #[error("symbol {index} of an enum that has {symbols}")]
    NoSymbol { index: i32, symbols: usize },
    #[error("a block of {items} items in {left} bytes")]
    TooManyItems { items: u64, left: usize },
    #[error("a decimal of no bytes")]
    NoDigits,
    #[error("bytes that are no big-decimal")]
    NotABigDecimal,
    #[error("{} the value", if *.0 == 1 { "a byte follows".to_owned() } else { format!("{} bytes follow", .0) })]
    BytesFollow(usize),
    #[error("a text that is not UTF-8")]
    NotUtf8,
    #[error("a decimal of {bytes} bytes and the scale {scale}")]
    NumberOutOfRange { bytes: usize, scale: i64 },
    #[error("more levels than that")]
    TooDeep,
}

impl Fault {
    fn reason(self) -> Reason {
        match self {
            Self::NotUtf8 => Reason::InvalidUtf8,
            Self::NumberOutOfRange { .. } => Reason::NumberOutOfRange,
            Self::TooDeep => Reason::NestedTooDeep,
            _ => Reason::SchemaMismatch,
        }
    }

    /// The same with its reason; `path` leads to the value that begins at the byte.
    pub(super) fn at(self, path: &str, byte: usize) -> Unreadable {
        let reason = self.reason();
        let path = if path.is_empty() { String::new() } else { format!("{path}, ") };
        let detail = format!("{}: at {path}byte {byte}: {self}", reason.describe());
        Unreadable { reason, detail }
    }
}

/// Why reading ends.
#[derive(Debug)]
pub(super) enum Refused {
    /// The bytes are wrong.
    Fault(Fault),
    /// The JSON would become too large.
    Unreadable(Unreadable),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unreadable> for Refused {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}
