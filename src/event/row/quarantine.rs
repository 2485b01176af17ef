//! The payload of a quarantined record: the reason, and the bytes as they came.

use crate::event::envelope::Problem;
use crate::event::json::{MAX_JSONB_BYTES, put_base64, put_text};
use crate::event::{Reason, Record};

/// The event type of quarantined records.
pub const QUARANTINED: &str = "audit.Quarantined";

/// How much of a detail is kept.
const MAX_DETAIL_BYTES: usize = 1_000;

/// What the other members cost, at most.
const OTHER_BYTES: u64 = 8_192;

/// Writes the payload, and tells the reason that stands in it: where even base64 is too large for
/// JSONB, sizes stand in for bytes and the reason is [`Reason::TooLarge`].
pub(in crate::event) fn payload(record: &Record<'_>, problem: &Problem) -> (Reason, String) {
    let mut budget = MAX_JSONB_BYTES - OTHER_BYTES;
    let mut fits = |bytes: Option<&[u8]>| match budget.checked_sub(base64_length(bytes)) {
        Some(left) => {
            budget = left;
            true
        }
        None => false,
    };
    let keeps_value = fits(record.value);
    let keeps_key = fits(record.key);
    let reason = if keeps_value && keeps_key { problem.reason } else { Reason::TooLarge };
    (reason, write(record, problem, reason, keeps_value, keeps_key))
}

/// Writes the payload with the sizes of value and key in place of their bytes, whatever they are.
pub(in crate::event) fn payload_of_sizes(record: &Record<'_>, problem: &Problem) -> String {
    write(record, problem, problem.reason, false, false)
}

fn write(
    record: &Record<'_>,
    problem: &Problem,
    reason: Reason,
    keeps_value: bool,
    keeps_key: bool,
) -> String {
    let kept_bytes = if keeps_value { base64_length(record.value) } else { 0 }
        + if keeps_key { base64_length(record.key) } else { 0 };
    let mut out = String::with_capacity(problem.detail.len() + kept_bytes as usize + 128);
    out.push_str("{\"reason\":\"");
    out.push_str(reason.as_str());
    out.push_str("\",\"detail\":");
    put_text(&mut out, &detail(problem));
    for (name, bytes, keeps) in
        [("value", record.value, keeps_value), ("key", record.key, keeps_key)]
    {
        out.push_str(",\"");
        out.push_str(name);
        out.push_str("_base64\":");
        match bytes.filter(|_| keeps) {
            Some(bytes) => put_base64(&mut out, bytes),
            None => out.push_str("null"),
        }
        if let Some(bytes) = bytes.filter(|_| !keeps) {
            out.push_str(&format!(",\"{name}_bytes\":{}", bytes.len()));
        }
    }
    if let Some(schema_id) = problem.schema_id {
        out.push_str(&format!(",\"schema_id\":{schema_id}"));
    }
    out.push('}');
    out
}

fn base64_length(bytes: Option<&[u8]>) -> u64 {
    bytes.map_or(0, |bytes| bytes.len().div_ceil(3) as u64 * 4)
}

/// The detail, cut at a character, without the NUL that PostgreSQL cannot store.
fn detail(problem: &Problem) -> String {
    let end = problem.detail.floor_char_boundary(MAX_DETAIL_BYTES);
    problem.detail[..end].replace('\0', "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::{MAX_DETAIL_BYTES, payload};
    use crate::event::envelope::Problem;
    use crate::event::{Reason, Record};

    fn record<'a>(value: Option<&'a [u8]>, key: Option<&'a [u8]>) -> Record<'a> {
        Record {
            cluster_id: "cluster",
            topic: "topic",
            partition: 0,
            offset: 0,
            timestamp_ms: None,
            key,
            value,
            headers: &[],
        }
    }

    #[test]
    fn value_and_key_are_kept_byte_for_byte_and_null_stays_null() {
        let (reason, json) = payload(&record(Some(b"\0\xff"), None), &Reason::InvalidUtf8.into());
        assert_eq!(reason, Reason::InvalidUtf8);
        assert_eq!(
            json,
            r#"{"reason":"invalid_utf8","detail":"the value is not valid UTF-8","value_base64":"AP8=","key_base64":null}"#
        );
    }

    #[test]
    fn a_value_whose_base64_is_too_large_leaves_its_size() {
        let value = vec![0; 202 << 20];
        let (reason, json) =
            payload(&record(Some(&value), Some(b"k")), &Reason::InvalidJson.into());
        assert_eq!(reason, Reason::TooLarge);
        assert_eq!(
            json,
            r#"{"reason":"too_large","detail":"the value is not JSON","value_base64":null,"value_bytes":211812352,"key_base64":"aw=="}"#
        );
    }

    #[test]
    fn a_long_detail_is_cut_between_characters_and_holds_no_nul() {
        let problem = Problem {
            detail: format!("\0{}", "é".repeat(MAX_DETAIL_BYTES)),
            ..Reason::InvalidJson.into()
        };
        let (_, json) = payload(&record(None, None), &problem);
        assert!(json.contains("\u{FFFD}é"));
        assert!(!json.contains("\\u0000"));
        assert!(json.len() < MAX_DETAIL_BYTES + 200);
    }
}
