//! The row of a record that PostgreSQL refuses: quarantined, and holding less and less of what
//! could be the reason, down to a row of sizes.

use serde::Deserialize;

use super::attributes::MAX_BYTES;
use crate::event::json::put_base64;
use crate::event::{Event, Record};

/// How much a quarantined row keeps of a record that PostgreSQL refuses. Each form holds less that
/// an index, a constraint or an encoding could refuse than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuarantineForm {
    /// Key and headers stand in the attributes as any row has them.
    Readable,
    /// Key and headers stand in the attributes in base64, whatever they hold.
    Base64,
    /// The attributes only count key and headers. The payload keeps key and value.
    Counted,
    /// The payload, too, only tells the sizes of key and value.
    Sizes,
}

impl QuarantineForm {
    /// The form to try after this one was refused, too.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Readable => Some(Self::Base64),
            Self::Base64 => Some(Self::Counted),
            Self::Counted => Some(Self::Sizes),
            Self::Sizes => None,
        }
    }
}

/// Reduces the attributes of a quarantined row to what the form leaves.
pub(in crate::event) fn reduce_attributes(
    event: &mut Event<'_>,
    record: &Record<'_>,
    form: QuarantineForm,
) {
    #[derive(Deserialize)]
    struct Kept {
        created_at_from: Option<String>,
    }
    if form == QuarantineForm::Readable {
        return;
    }
    // What the audit itself wrote there a moment ago.
    let kept = serde_json::from_str::<Kept>(&event.attributes).ok();
    let header_bytes =
        |(name, value): (&[u8], Option<&[u8]>)| name.len() + value.map_or(0, <[u8]>::len);
    let headers = record.headers.iter().map(|header| (header.name, header.value));
    let bytes = record.key.map_or(0, <[u8]>::len) + headers.map(header_bytes).sum::<usize>();
    let mut members = if form == QuarantineForm::Base64 && bytes <= MAX_BYTES {
        in_base64(record)
    } else {
        counted(record)
    };
    if let Some(created_at_from) = kept.and_then(|kept| kept.created_at_from) {
        members.push(format!("\"created_at_from\":\"{created_at_from}\""));
    }
    event.attributes = format!("{{{}}}", members.join(","));
}

/// Key and headers as members of a JSON object, all in base64.
fn in_base64(record: &Record<'_>) -> Vec<String> {
    let base64 = |bytes: &[u8]| {
        let mut out = String::from("{\"base64\":");
        put_base64(&mut out, bytes);
        out.push('}');
        out
    };
    let mut members = Vec::new();
    if let Some(key) = record.key {
        members.push(format!("\"key\":{}", base64(key)));
    }
    if !record.headers.is_empty() {
        let pair = |name: &[u8], value: Option<&[u8]>| {
            format!("[{},{}]", base64(name), value.map_or_else(|| "null".to_owned(), base64))
        };
        let pairs: Vec<String> =
            record.headers.iter().map(|header| pair(header.name, header.value)).collect();
        members.push(format!("\"headers\":[{}]", pairs.join(",")));
    }
    members
}

/// How large the key is and how many headers there are, as members of a JSON object.
fn counted(record: &Record<'_>) -> Vec<String> {
    let mut members = Vec::new();
    if let Some(key) = record.key {
        members.push(format!("\"key_bytes\":{}", key.len()));
    }
    if !record.headers.is_empty() {
        members.push(format!("\"headers_left_out\":{}", record.headers.len()));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Decoder, Header, Unpacked};
    use crate::time::UnixMicros;

    fn event(form: QuarantineForm, timestamp_ms: Option<i64>) -> (String, String) {
        let headers = [
            Header { name: "größe".as_bytes(), value: Some(b"1") },
            Header { name: b"note", value: None },
        ];
        let record = Record {
            cluster_id: "cluster",
            topic: "orders.events",
            partition: 0,
            offset: 7,
            timestamp_ms,
            key: Some("🔑".as_bytes()),
            value: Some(b"{}"),
            headers: &headers,
        };
        let event = Decoder::default().quarantine_refused(
            &record,
            Unpacked::nothing(),
            form,
            "no",
            UnixMicros(0),
        );
        assert_eq!(event.event_type, crate::event::QUARANTINED);
        (event.attributes, event.payload.into_owned())
    }

    #[test]
    fn each_form_holds_less_than_the_one_before() {
        let payload = r#"{"reason":"refused_by_database","detail":"no","value_base64":"e30=","key_base64":"8J+UkQ=="}"#;
        assert_eq!(
            event(QuarantineForm::Readable, Some(5)),
            (
                r#"{"key":"🔑","headers":[["größe","1"],["note",null]],"created_at_from":"kafka_timestamp"}"#
                    .to_owned(),
                payload.to_owned()
            )
        );
        assert_eq!(
            event(QuarantineForm::Base64, Some(5)),
            (
                r#"{"key":{"base64":"8J+UkQ=="},"headers":[[{"base64":"Z3LDtsOfZQ=="},{"base64":"MQ=="}],[{"base64":"bm90ZQ=="},null]],"created_at_from":"kafka_timestamp"}"#
                    .to_owned(),
                payload.to_owned()
            )
        );
        let counted = r#"{"key_bytes":4,"headers_left_out":2,"created_at_from":"now"}"#;
        assert_eq!(event(QuarantineForm::Counted, None), (counted.to_owned(), payload.to_owned()));
        assert_eq!(
            event(QuarantineForm::Sizes, None),
            (
                counted.to_owned(),
                r#"{"reason":"refused_by_database","detail":"no","value_base64":null,"value_bytes":2,"key_base64":null,"key_bytes":4}"#
                    .to_owned()
            )
        );
    }

    #[test]
    fn the_forms_are_a_ladder_with_an_end() {
        let mut form = Some(QuarantineForm::Readable);
        let mut forms = Vec::new();
        while let Some(current) = form {
            forms.push(current);
            form = current.next();
        }
        assert!(forms.is_sorted());
        assert_eq!(forms.len(), 4);
    }
}
