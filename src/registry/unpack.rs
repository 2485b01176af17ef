//! From a record to what schemas make of its value and its key.

use std::collections::HashSet;

use super::key_text::key_text;
use super::schema::Schema;
use super::schemas::{Found, Missing, Schemas, Trust};
use crate::event::{Record, RecordSchema, Unpacked, UnpackedKey, UnpackedValue, header_and_data};

/// With more ids than this that the registry does not know, keys of other kinds are taken for what
/// they are: numbers of 8 bytes begin with 0, too, and each could be asked for.
const MOST_STRANGE_KEYS: usize = 64;

/// Unpacks the records of a batch.
#[derive(Debug)]
pub struct Unpacker<'a> {
    schemas: &'a Schemas,
    trust: Trust,
    /// The schema of the last value, with its topic: records come in runs.
    value: Option<(u32, String, Found)>,
    /// The schema of the last key.
    key: Option<(u32, Found)>,
    /// The ids of keys that no schema has; of no interest once a schema has read one.
    strange_keys: HashSet<u32>,
    has_read_keys: bool,
}

impl<'a> Unpacker<'a> {
    /// One that asks for what is missing.
    pub fn new(schemas: &'a Schemas) -> Self {
        Self {
            schemas,
            trust: Trust::WhileFresh,
            value: None,
            key: None,
            strange_keys: HashSet::new(),
            has_read_keys: false,
        }
    }

    /// What the record was unpacked to before, from what is known.
    pub fn again(schemas: &'a Schemas, record: &Record<'_>) -> Unpacked {
        let mut unpacker = Self { trust: Trust::Always, ..Self::new(schemas) };
        let value = unpacker.value(record).unwrap_or_default();
        Unpacked { value, key: unpacker.key(record).unwrap_or_default() }
    }

    /// What schemas make of the record.
    ///
    /// # Errors
    /// The first schema that is not known yet: after it is loaded, the record can be unpacked.
    pub fn unpack(&mut self, record: &Record<'_>) -> Result<Unpacked, Missing> {
        Ok(Unpacked { value: self.value(record)?, key: self.key(record)? })
    }

    fn value(&mut self, record: &Record<'_>) -> Result<Option<UnpackedValue>, Missing> {
        let Some((id, data)) = record.value.and_then(header_and_data) else { return Ok(None) };
        let is_last = |(last, topic, _): &&(u32, String, Found)| {
            *last == id && topic.as_str() == record.topic
        };
        let found = match self.value.as_ref().filter(is_last) {
            Some((_, _, found)) => found,
            None => {
                let found = self.schemas.find(id, Some(record.topic), self.trust)?;
                &self.value.insert((id, record.topic.to_owned(), found)).2
            }
        };
        let mut schema = RecordSchema {
            id: Some(id),
            schema_type: found.known.schema_type(),
            subject: found.subject.clone(),
            name: None,
        };
        let read = found.known.schema().map_err(Clone::clone).and_then(|schema| schema.read(data));
        let (json, unknown_fields) = match read {
            Ok(read) => {
                schema.name = read.name;
                (Ok(read.json), read.unknown_fields)
            }
            Err(unreadable) => {
                schema.name = found.known.schema().ok().and_then(Schema::name);
                (Err(unreadable), Vec::new())
            }
        };
        Ok(Some(UnpackedValue { schema, json, unknown_fields }))
    }

    fn key(&mut self, record: &Record<'_>) -> Result<Option<UnpackedKey>, Missing> {
        let Some((id, data)) = record.key.and_then(header_and_data) else { return Ok(None) };
        let found = match self.key.as_ref().filter(|(last, _)| *last == id) {
            Some((_, found)) => found,
            None => {
                let found = match self.schemas.find(id, None, self.trust) {
                    Err(_) if self.are_keys_strange() => return Ok(None),
                    found => found?,
                };
                if found.known.schema().is_err() {
                    self.strange_keys.insert(id);
                }
                &self.key.insert((id, found)).1
            }
        };
        let read = found.known.schema().ok().and_then(|schema| schema.read(data).ok());
        self.has_read_keys |= read.is_some();
        let text = read.and_then(|read| key_text(&read.json, &read.members));
        Ok(text.map(|text| UnpackedKey { schema_id: Some(id), text }))
    }

    fn are_keys_strange(&self) -> bool {
        !self.has_read_keys && self.strange_keys.len() > MOST_STRANGE_KEYS
    }
}
