//! The raw headers of a dead letter as JSON, and back: order, repeated names and nulls stay, byte
//! for byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use thiserror::Error;

use crate::event::{Header, json};

/// A header that owns its bytes, as a replay sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedHeader {
    /// The name's bytes.
    pub name: Vec<u8>,
    /// The value's bytes; `None` is null.
    pub value: Option<Vec<u8>>,
}

/// Why stored headers could not be read back.
#[derive(Debug, Error)]
pub enum HeadersError {
    /// It is not the JSON that [`headers_json`] writes.
    #[error(
        "stored headers are not the array of objects that the audit writes; restore the row from a backup"
    )]
    Layout(#[from] serde_json::Error),
    /// A name or value is not base64.
    #[error("header {position} of the stored headers is not base64; restore the row from a backup")]
    Base64 {
        /// Which header, counted from 0.
        position: usize,
        /// What is wrong with it.
        source: base64::DecodeError,
    },
    /// A header has no name.
    #[error("header {position} of the stored headers has no name; restore the row from a backup")]
    NoName {
        /// Which header, counted from 0.
        position: usize,
    },
}

/// Writes headers for the column `dead_letters.headers`: `[{"name": …, "value_base64": …}, …]`,
/// with `name_base64` in place of `name` where the name is not text that JSONB can hold, and null
/// for a null value.
pub fn headers_json(headers: &[Header<'_>]) -> String {
    let length: usize = headers
        .iter()
        .map(|header| header.name.len() + header.value.map_or(0, <[u8]>::len) * 4 / 3 + 40)
        .sum();
    let mut out = String::with_capacity(length + 2);
    out.push('[');
    for (position, header) in headers.iter().enumerate() {
        out.push_str(if position == 0 { "{" } else { ",{" });
        match std::str::from_utf8(header.name) {
            Ok(name) if !name.contains('\0') => {
                out.push_str("\"name\":");
                json::put_text(&mut out, name);
            }
            _ => {
                out.push_str("\"name_base64\":");
                json::put_base64(&mut out, header.name);
            }
        }
        out.push_str(",\"value_base64\":");
        match header.value {
            Some(value) => json::put_base64(&mut out, value),
            None => out.push_str("null"),
        }
        out.push('}');
    }
    out.push(']');
    out
}

/// Reads what [`headers_json`] wrote.
///
/// # Errors
/// The text is not of that layout: the row was changed by hand.
pub fn headers_from_json(json: &str) -> Result<Vec<OwnedHeader>, HeadersError> {
    #[derive(Deserialize)]
    struct Stored {
        name: Option<String>,
        name_base64: Option<String>,
        value_base64: Option<String>,
    }
    let stored: Vec<Stored> = serde_json::from_str(json)?;
    stored
        .into_iter()
        .enumerate()
        .map(|(position, stored)| {
            let decode = |text: String| {
                STANDARD.decode(text).map_err(|source| HeadersError::Base64 { position, source })
            };
            let name = match (stored.name, stored.name_base64) {
                (Some(name), _) => name.into_bytes(),
                (None, Some(name)) => decode(name)?,
                (None, None) => return Err(HeadersError::NoName { position }),
            };
            Ok(OwnedHeader { name, value: stored.value_base64.map(decode).transpose()? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{HeadersError, headers_from_json, headers_json};
    use crate::event::Header;

    #[test]
    fn order_repeated_names_and_nulls_are_kept() {
        let headers = [
            Header { name: b"a", value: Some(b"1") },
            Header { name: b"a", value: None },
            Header { name: b"\xff", value: Some(b"") },
            Header { name: b"n\0l", value: Some(b"\0\xff") },
        ];
        assert_eq!(
            headers_json(&headers),
            concat!(
                r#"[{"name":"a","value_base64":"MQ=="},{"name":"a","value_base64":null},"#,
                r#"{"name_base64":"/w==","value_base64":""},{"name_base64":"bgBs","value_base64":"AP8="}]"#
            )
        );
        assert_eq!(headers_json(&[]), "[]");
    }

    #[test]
    fn headers_that_were_changed_by_hand_are_an_error() {
        assert!(matches!(headers_from_json("{}"), Err(HeadersError::Layout(_))));
        assert!(matches!(
            headers_from_json(r#"[{"name":"a","value_base64":"?"}]"#),
            Err(HeadersError::Base64 { position: 0, .. })
        ));
        assert!(matches!(
            headers_from_json(r#"[{"value_base64":null}]"#),
            Err(HeadersError::NoName { position: 0 })
        ));
    }

    proptest! {
        #[test]
        fn any_headers_come_back_byte_for_byte(
            owned in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..12), proptest::option::of(proptest::collection::vec(any::<u8>(), 0..24))),
                0..6,
            )
        ) {
            let headers: Vec<_> =
                owned.iter().map(|(name, value)| Header { name, value: value.as_deref() }).collect();
            let back = headers_from_json(&headers_json(&headers)).map(|back| {
                back.into_iter().map(|header| (header.name, header.value)).collect::<Vec<_>>()
            });
            prop_assert_eq!(back.ok(), Some(owned));
        }
    }
}
