//! What a decoder finds in a record, before the rules that all formats share make columns of it.

use std::borrow::Cow;

use super::column_source::ColumnOrigin;
use super::json;
use super::json::{Kind, Member, Refusal, Value};
use super::wrapping;
use super::{Format, Reason};

/// What a decoder says of a record.
#[expect(clippy::large_enum_variant, reason = "it is matched where it is returned, never stored")]
pub(in crate::event) enum Outcome<'a> {
    /// The record is of this decoder's format.
    Decoded(Envelope<'a>),
    /// Another decoder has to try.
    NotMine,
    /// The record is of this format, and breaks it.
    Invalid(Problem),
}

/// Why a record is quarantined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::event) struct Problem {
    pub(in crate::event) reason: Reason,
    pub(in crate::event) detail: String,
    /// The schema that the value needs.
    pub(in crate::event) schema_id: Option<u32>,
}

impl From<Reason> for Problem {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: reason.describe().to_owned(), schema_id: None }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { reason, position } = refusal;
        Self { reason, detail: format!("{} (byte {position})", reason.describe()), schema_id: None }
    }
}

/// A value as it came: JSON, or the bytes of a header, of which the word that they carry counts
/// (quotes and wrappers are taken off; the attributes keep all headers as they came).
#[derive(Debug, Clone, Copy)]
pub(in crate::event) enum Raw<'a> {
    Json(Value<'a>),
    Bytes(&'a [u8]),
}

impl<'a> Raw<'a> {
    /// The bytes of an id: a text's characters, a number's digits, a header's value, and what a
    /// struct of one field or quotes within carry. `None` for what cannot be an id.
    pub(in crate::event) fn id(&self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Json(Value { kind: Kind::Number, raw, .. }) => {
                Some(Cow::Borrowed(raw.as_bytes()))
            }
            Self::Json(Value { kind: Kind::Object, raw, .. }) => {
                wrapping::carried_by_json(raw).map(into_bytes)
            }
            Self::Json(value) => value.text().map(|text| match text {
                Cow::Borrowed(text) => wrapping::carried(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(wrapping::carried(text.as_bytes()).into_owned()),
            }),
            Self::Bytes(bytes) => Some(wrapping::carried(bytes)),
        }
        .filter(|id| !id.is_empty())
    }

    /// Whether a member holds its id inside quotes or a struct.
    pub(in crate::event) fn wraps(&self, id: &[u8]) -> bool {
        match self {
            Self::Json(value) if value.kind == Kind::Object => true,
            // Only a text that begins with a quote, which is escaped, or a brace can hold more.
            Self::Json(value) => {
                matches!(value.raw.as_bytes().get(1), Some(b'\\' | b'{'))
                    && value.text().is_some_and(|text| text.as_bytes() != id)
            }
            Self::Bytes(_) => false,
        }
    }

    /// The characters of a text; `None` for JSON of other kinds and for bytes that are not UTF-8.
    pub(in crate::event) fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Json(value) => value.text(),
            Self::Bytes(bytes) => match wrapping::carried(bytes) {
                Cow::Borrowed(word) => std::str::from_utf8(word).ok().map(Cow::Borrowed),
                Cow::Owned(word) => String::from_utf8(word).ok().map(Cow::Owned),
            },
        }
    }

    /// Appends it as JSON that JSONB can hold.
    pub(in crate::event) fn put(&self, out: &mut String) {
        match self {
            Self::Json(value) => out.push_str(value.raw),
            Self::Bytes(bytes) => json::put_bytes(out, &wrapping::carried(bytes)),
        }
    }
}

fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// A value and where it stood.
#[derive(Debug, Clone, Copy)]
pub(in crate::event) struct Field<'a> {
    pub(in crate::event) raw: Raw<'a>,
    pub(in crate::event) origin: ColumnOrigin,
}

impl<'a> Field<'a> {
    /// A member's value; null counts as absent.
    pub(in crate::event) fn member(name: &'static str, value: Option<Value<'a>>) -> Option<Self> {
        let value = value.filter(|value| value.kind != Kind::Null)?;
        Some(Self { raw: Raw::Json(value), origin: ColumnOrigin::Member(name) })
    }

    /// A header's value.
    pub(in crate::event) fn header(name: &'static str, value: Option<&'a [u8]>) -> Option<Self> {
        Some(Self { raw: Raw::Bytes(value?), origin: ColumnOrigin::Header(name) })
    }
}

/// The event's data.
#[derive(Debug, Clone)]
pub(in crate::event) enum Payload<'a> {
    /// JSON that stands in the record.
    Raw(&'a str),
    /// JSON that was put together.
    Built(String),
}

impl<'a> Payload<'a> {
    /// JSON that stands in the record; without the wrapper of Kafka Connect where it has one.
    pub(in crate::event) fn of(json: &'a str) -> Self {
        match wrapping::payload_of_text(json) {
            None => Self::Raw(json),
            Some(Cow::Borrowed(payload)) => Self::Raw(payload),
            Some(Cow::Owned(payload)) => Self::Built(payload),
        }
    }
}

/// What a decoder found.
#[derive(Debug)]
pub(in crate::event) struct Envelope<'a> {
    pub(in crate::event) format: Format,
    pub(in crate::event) event_id: Option<Field<'a>>,
    pub(in crate::event) event_type: Option<Field<'a>>,
    /// An event type that a rule made, where no field holds it.
    pub(in crate::event) made_type: Option<(Cow<'a, str>, ColumnOrigin)>,
    pub(in crate::event) aggregate_id: Option<Field<'a>>,
    pub(in crate::event) source_service: Option<Field<'a>>,
    pub(in crate::event) occurred_at: Option<Field<'a>>,
    pub(in crate::event) correlation_id: Option<Field<'a>>,
    /// A W3C `traceparent` of the envelope itself.
    pub(in crate::event) traceparent: Option<Field<'a>>,
    pub(in crate::event) payload: Payload<'a>,
    pub(in crate::event) payload_origin: ColumnOrigin,
    /// Whether the payload was a text that held the object.
    pub(in crate::event) payload_was_text: bool,
    /// What has no column and a name of its own in the attributes.
    pub(in crate::event) named: Vec<(&'static str, Raw<'a>)>,
    /// Members of the envelope that no rule knows.
    pub(in crate::event) unknown: Vec<Member<'a>>,
}

impl<'a> Envelope<'a> {
    /// An envelope with a payload and nothing else.
    pub(in crate::event) fn new(
        format: Format,
        payload: Payload<'a>,
        payload_origin: ColumnOrigin,
    ) -> Self {
        Self {
            format,
            event_id: None,
            event_type: None,
            made_type: None,
            aggregate_id: None,
            source_service: None,
            occurred_at: None,
            correlation_id: None,
            traceparent: None,
            payload,
            payload_origin,
            payload_was_text: false,
            named: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Keeps a value in the attributes under its own name.
    pub(in crate::event) fn keep(&mut self, name: &'static str, field: Option<Field<'a>>) {
        if let Some(field) = field {
            self.named.push((name, field.raw));
        }
    }

    /// Sets the payload to a value, or to the object that a text holds.
    pub(in crate::event) fn set_payload(
        &mut self,
        value: Value<'a>,
        origin: ColumnOrigin,
    ) -> Result<(), Problem> {
        if value.depth > json::MAX_DEPTH {
            return Err(Reason::NestedTooDeep.into());
        }
        self.payload_origin = origin;
        self.payload = Payload::of(value.raw);
        // What was wrapped may be a text that holds an object, as Debezium's Json is.
        let value = match self.payload {
            Payload::Raw(payload) if payload.len() < value.raw.len() => {
                json::scan(payload.as_bytes())?.value
            }
            _ => value,
        };
        if let Some(text) = value.text().filter(|text| text.trim_start().starts_with('{')) {
            // What is not an object that JSONB can hold is simply a text.
            let holds_object = json::scan(text.as_bytes()).is_ok_and(|scan| {
                scan.value.kind == Kind::Object && scan.value.depth <= json::MAX_DEPTH
            });
            if holds_object {
                self.payload_was_text = true;
                self.payload = match text {
                    Cow::Borrowed(text) => Payload::Raw(text),
                    Cow::Owned(text) => Payload::Built(text),
                };
            }
        }
        Ok(())
    }
}

/// Puts members together as an object.
pub(in crate::event) fn object_of(members: &[Member<'_>]) -> String {
    let length: usize =
        members.iter().map(|member| member.raw_name.len() + member.value.raw.len() + 2).sum();
    let mut out = String::with_capacity(length + 2);
    out.push('{');
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(member.raw_name);
        out.push(':');
        out.push_str(member.value.raw);
    }
    out.push('}');
    out
}
