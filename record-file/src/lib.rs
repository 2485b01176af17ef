//! Reads files of sample Kafka records. The format is that of `fixtures/`, and is described in its
//! README.
//!
//! It is a crate of its own because those who write records (`sandbox produce`) and those who read
//! them (`audit decode`, the tests) must understand a file alike, and must not depend on each
//! other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A record as a producer sends it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The topic.
    pub topic: String,
    /// The partition; `None` leaves it to the key.
    pub partition: Option<i32>,
    /// The offset that it is thought to have. Kafka gives it another one.
    pub offset: Option<i64>,
    /// Kafka's timestamp in milliseconds since the Unix epoch; `None` for a record that has none.
    pub timestamp_ms: Option<i64>,
    /// The key; `None` is null.
    pub key: Option<Content>,
    /// Names and values in their order; a value of `None` is null.
    #[serde(default)]
    pub headers: Vec<(Content, Option<Content>)>,
    /// The value; `None` is null, a tombstone. The member has to be there, so that none is made by
    /// forgetting it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub value: Option<Content>,
}

/// Bytes. In a file they are text, or `{"base64": …}`, or `{"json": …}`: then they are the JSON's
/// text as it stands there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content(pub Vec<u8>);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "lowercase")]
        enum Encoded {
            Base64(String),
            Json(Box<RawValue>),
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
            return Ok(Self(text.into_bytes()));
        }
        match serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)? {
            Encoded::Base64(text) => {
                STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
            }
            Encoded::Json(json) => Ok(Self(json.get().as_bytes().to_vec())),
        }
    }
}

/// A record, and what a schema registry says of the schemas that it was written by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// The schemas, and those that they refer to; `None` where the file says nothing of schemas.
    pub schemas: Option<Vec<RegisteredSchema>>,
}

/// A schema as a registry has it: what it answers to `/schemas/ids/{id}` and
/// `/schemas/ids/{id}/versions`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RegisteredSchema {
    /// Its id.
    pub id: u32,
    /// Where it is registered.
    pub versions: Vec<SubjectVersion>,
    /// What it is written in: `AVRO`, `PROTOBUF`, `JSON`; Avro where the registry does not say.
    pub schema_type: Option<String>,
    /// The schema's text.
    pub schema: String,
    /// Other schemas that it refers to.
    #[serde(default)]
    pub references: Vec<Reference>,
}

/// A version of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct SubjectVersion {
    /// The subject.
    pub subject: String,
    /// The version, counted from 1.
    pub version: i64,
}

/// Another schema that one refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub struct Reference {
    /// What the schema calls it.
    pub name: String,
    /// Where it is registered.
    pub subject: String,
    /// The version of the subject.
    pub version: i64,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record is not of the format.
    #[error("record {number} cannot be read: {source}; fixtures/README.md describes the format")]
    Record {
        /// Which record of the file, counted from 1.
        number: usize,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// There is no record in it.
    #[error("there is no record in it")]
    Nothing,
}

/// Reads the records of a file: one object with the member `record`, or several one after the
/// other, such as one a line. The other members of such an object (in fixtures, what the record
/// must become) are passed over.
///
/// # Errors
/// A record is not of the format, or there is none.
pub fn read(bytes: &[u8]) -> Result<Vec<Record>, Error> {
    Ok(read_entries(bytes)?.into_iter().map(|entry| entry.record).collect())
}

/// Reads the records of a file, as [`read`], with the schemas that stand beside them.
///
/// # Errors
/// A record is not of the format, or there is none.
pub fn read_entries(bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    let entries = serde_json::Deserializer::from_slice(bytes)
        .into_iter::<Entry>()
        .enumerate()
        .map(|(index, entry)| entry.map_err(|source| Error::Record { number: index + 1, source }))
        .collect::<Result<Vec<_>, _>>()?;
    if entries.is_empty() { Err(Error::Nothing) } else { Ok(entries) }
}

/// Whether the bytes look like such a file: they begin with an object whose member `record` is one
/// that names a topic.
pub fn is_record_file(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Entry {
        record: Topic,
    }
    #[derive(Deserialize)]
    struct Topic {
        topic: String,
    }
    let first = serde_json::Deserializer::from_slice(bytes).into_iter::<Entry>().next();
    matches!(first, Some(Ok(entry)) if !entry.record.topic.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Content, Record, is_record_file, read};

    fn content(bytes: &[u8]) -> Content {
        Content(bytes.to_vec())
    }

    #[test]
    fn bytes_nulls_and_the_order_of_headers_are_kept() {
        let file = br#"{
            "about": "passed over", "row": [1, {"record": 2}],
            "record": {"topic": "t", "partition": 3, "timestamp_ms": -1, "key": {"base64": "AP8="},
                       "headers": [["a", "1"], [{"base64": "/w=="}, null], ["a", ""]],
                       "value": {"json": {"b":  1, "a": 1E2}}}}"#;
        let expected = Record {
            topic: "t".to_owned(),
            partition: Some(3),
            offset: None,
            timestamp_ms: Some(-1),
            key: Some(content(b"\0\xff")),
            headers: vec![
                (content(b"a"), Some(content(b"1"))),
                (content(b"\xff"), None),
                (content(b"a"), Some(content(b""))),
            ],
            value: Some(content(br#"{"b":  1, "a": 1E2}"#)),
        };
        assert!(is_record_file(file));
        assert_eq!(read(file).ok(), Some(vec![expected]));
    }

    #[test]
    fn a_file_may_hold_a_record_a_line() {
        let file = b"{\"record\":{\"topic\":\"t\",\"value\":null}}\n{\"record\":{\"topic\":\"u\",\"value\":\"x\"}}\n";
        let read = read(file).unwrap_or_default();
        let found: Vec<_> =
            read.iter().map(|record| (record.topic.as_str(), record.value.is_some())).collect();
        assert_eq!(found, [("t", false), ("u", true)]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        let wrong = |file: &str| {
            read(file.as_bytes()).map_or_else(|error| error.to_string(), |_| String::new())
        };
        let second =
            wrong("{\"record\":{\"topic\":\"t\",\"value\":null}}\n{\"record\":{\"topic\":\"t\"}}");
        assert!(
            second.starts_with("record 2 cannot be read: missing field `value` at line 2"),
            "{second}"
        );
        let typo = wrong(r#"{"record":{"topic":"t","value":"x","timestamp":1}}"#);
        assert!(typo.contains("unknown field `timestamp`"), "{typo}");
        let base64 = wrong(r#"{"record":{"topic":"t","value":{"base64":"?"}}}"#);
        assert!(base64.contains("Invalid symbol 63"), "{base64}");
        assert_eq!(wrong(" \n"), "there is no record in it");
    }

    #[test]
    fn other_json_is_no_record_file() {
        for other in [
            "{\"event_type\":\"A\"}",
            "{\"record\":{}}",
            "{\"record\":1}",
            "[]",
            "text",
            "",
            "{\"record\":{\"topic\":\"\"}}",
        ] {
            assert!(!is_record_file(other.as_bytes()), "{other}");
        }
        // A mistake further on is a mistake in a record file, and not another format.
        assert!(is_record_file(br#"{"record":{"topic":"t","valve":1}}"#));
    }
}
