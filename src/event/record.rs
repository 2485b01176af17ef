//! A Kafka record as it was read: what every decoder starts from.

/// One Kafka record, borrowed from the batch that holds its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The Kafka cluster's own id, part of the identity of a record.
    pub cluster_id: &'a str,
    /// The topic it was read from.
    pub topic: &'a str,
    /// The partition of that topic.
    pub partition: i32,
    /// The offset in that partition.
    pub offset: i64,
    /// Kafka's timestamp in milliseconds since the Unix epoch; `None` where the record has none.
    pub timestamp_ms: Option<i64>,
    /// The key; `None` is Kafka's null, which differs from a key of no bytes.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is Kafka's null: a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers in their order, repeated names included.
    pub headers: &'a [Header<'a>],
}

impl<'a> Record<'a> {
    /// Whether a header of that name is there, whatever its value is.
    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header.name == name.as_bytes())
    }

    /// The value of the last header of that name, which is the one that counts among repeated
    /// names; `None` for null too.
    pub(crate) fn last_header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().rev().find(|header| header.name == name.as_bytes())?.value
    }
}

/// One header of a record. Kafka does not promise that a name is UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name's bytes.
    pub name: &'a [u8],
    /// The value's bytes; `None` is null.
    pub value: Option<&'a [u8]>,
}
