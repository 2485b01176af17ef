//! Ids: UUIDs as they came, and UUIDs made of anything else.

use uuid::Uuid;

use crate::event::Record;
use crate::event::wrapping::carried;

/// What a `traceparent` stands behind in the properties of a span.
const SPAN_CONTEXT: &[u8] = b"traceparent=";

/// The id that stands in `aggregate_id` for an aggregate's id of any kind.
///
/// A UUID in any usual spelling stays itself; other text becomes the UUID v5 of `aggregate:{text}`
/// (namespace URL). Quotes, a struct of one field and Kafka Connect's wrapper around the id do not
/// belong to it. A selector maps what was typed in the same way, so that ids of any kind are found
/// by index.
pub fn aggregate_uuid(text: &[u8]) -> Uuid {
    let id = carried(text);
    uuid_of(&id).unwrap_or_else(|| made_aggregate(&id))
}

/// The id that stands in `correlation_id`, mapped like [`aggregate_uuid`], of `correlation:{text}`.
pub fn correlation_uuid(text: &[u8]) -> Uuid {
    let id = carried(text);
    uuid_of(&id).unwrap_or_else(|| made_correlation(&id))
}

/// The text that an aggregate's or a correlation's id was made of: the first of these that gives
/// it.
/// `None` where none does.
pub fn text_of_id<T: AsRef<str>>(
    id: Uuid,
    candidates: impl IntoIterator<Item = T>,
) -> Option<String> {
    candidates.into_iter().find_map(|text| {
        let text = String::from_utf8(carried(text.as_ref().as_bytes()).into_owned()).ok()?;
        let is_original = uuid_of(text.as_bytes()).is_none()
            && [made_aggregate(text.as_bytes()), made_correlation(text.as_bytes())].contains(&id);
        is_original.then_some(text)
    })
}

/// The UUID v5 of an aggregate's id, taken out of what was around it, that is no UUID.
pub(in crate::event) fn made_aggregate(id: &[u8]) -> Uuid {
    made_of(&[b"aggregate:", id])
}

/// The same of a correlation's id.
pub(in crate::event) fn made_correlation(id: &[u8]) -> Uuid {
    made_of(&[b"correlation:", id])
}

/// Reads a UUID in any usual spelling: with or without hyphens, in braces, as a URN, in any case.
pub(in crate::event) fn uuid_of(text: &[u8]) -> Option<Uuid> {
    Uuid::try_parse_ascii(text).ok()
}

/// The UUID v5 of an event id that is other text; unique within its source.
pub(in crate::event) fn event_uuid(source: &str, id: &[u8]) -> Uuid {
    made_of(&[b"event:", source.as_bytes(), b"/", id])
}

/// The id of a record that has none: the UUID v5 of its coordinates, so that it is the same however
/// often it is read.
pub(in crate::event) fn coordinates_uuid(record: &Record<'_>) -> Uuid {
    let Record { cluster_id, topic, partition, offset, .. } = record;
    made_of(&[format!("kafka://{cluster_id}/{topic}/{partition}/{offset}").as_bytes()])
}

/// The trace id of a W3C `traceparent`: `00-{32 hexadecimal digits}-{16}-{2}`, later versions with
/// more behind it. Debezium's column `tracingspancontext` has it in one of several lines,
/// `traceparent=…`.
pub(in crate::event) fn trace_uuid(traceparent: &[u8]) -> Option<Uuid> {
    let traceparent = traceparent
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.strip_prefix(SPAN_CONTEXT))
        .map_or(traceparent, <[u8]>::trim_ascii_end);
    let parts: Vec<&[u8]> = traceparent.split(|&byte| byte == b'-').collect();
    let (&[version, trace_id, parent_id, flags], later) = parts.split_first_chunk::<4>()?;
    let is_hexadecimal =
        |part: &[u8], length| part.len() == length && part.iter().all(u8::is_ascii_hexdigit);
    let is_valid = is_hexadecimal(version, 2)
        && is_hexadecimal(trace_id, 32)
        && is_hexadecimal(parent_id, 16)
        && is_hexadecimal(flags, 2)
        && !version.eq_ignore_ascii_case(b"ff")
        && (later.is_empty() || version != b"00");
    // All zeros is the specification's own word for "no trace".
    Uuid::try_parse_ascii(trace_id).ok().filter(|id| is_valid && !id.is_nil())
}

fn made_of(parts: &[&[u8]]) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, &parts.concat())
}

#[cfg(test)]
mod tests {
    use uuid::uuid;

    use super::{aggregate_uuid, correlation_uuid, event_uuid, trace_uuid, uuid_of};

    // The expected ids come from Python's `uuid.uuid5(uuid.NAMESPACE_URL, …)`.
    #[test]
    fn text_is_mapped_as_other_tools_map_it() {
        assert_eq!(aggregate_uuid(b"ORDER-1"), uuid!("4241dce5-48d8-5a27-8adf-31c3dbda8551"));
        assert_eq!(correlation_uuid(b"request-7"), uuid!("c7505072-6d62-5b39-a5bf-e1dbfa0ba77a"));
        assert_eq!(
            event_uuid("order-service", b"42"),
            uuid!("22968203-9842-5317-a81f-2d0cc46cf84e")
        );
    }

    #[test]
    fn every_usual_spelling_of_a_uuid_is_that_uuid() {
        for text in [
            "01939c2e-8f5a-7c3e-9d41-5a0f2b7c6d10",
            "01939C2E-8F5A-7C3E-9D41-5A0F2B7C6D10",
            "01939c2e8f5a7c3e9d415a0f2b7c6d10",
            "{01939c2e-8f5a-7c3e-9d41-5a0f2b7c6d10}",
            "urn:uuid:01939c2e-8f5a-7c3e-9d41-5a0f2b7c6d10",
        ] {
            assert_eq!(
                uuid_of(text.as_bytes()),
                Some(uuid!("01939c2e-8f5a-7c3e-9d41-5a0f2b7c6d10")),
                "{text}"
            );
        }
        assert_eq!(uuid_of(b"01939c2e-8f5a-7c3e-9d41-5a0f2b7c6d1"), None);
    }

    #[test]
    fn a_traceparent_gives_its_trace_id_only_when_it_is_valid() {
        let id = Some(uuid!("4bf92f35-77b3-4da6-a3ce-929d0e0e4736"));
        assert_eq!(trace_uuid(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), id);
        assert_eq!(
            trace_uuid(b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later"),
            id
        );
        let span = b"#Sun Nov 22 10:00:00 UTC 2026\nbaggage=a\ntraceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
        assert_eq!(trace_uuid(span), id);
        for invalid in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace_uuid(invalid.as_bytes()), None, "{invalid}");
        }
    }
}
