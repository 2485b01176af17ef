//! What a replay leaves in a record: the marks that it adds, and the headers that it takes away.

use std::str;

use uuid::Uuid;

use super::{OwnedHeader, is_error_header};
use crate::event::Header;

/// The header that names the replay: `dlt_replays.replay_id`, as text with hyphens.
pub const REPLAY_ID: &str = "audit-replay-id";

/// The header that says how often the event was replayed by now, this time included: decimal
/// digits.
pub const REPLAY_ATTEMPT: &str = "audit-replay-attempt";

/// What both begin with.
const MARKS: &[u8] = b"audit-replay-";

/// The mark of an earlier replay in a record's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayMark {
    /// The replay.
    pub replay_id: Uuid,
    /// How often the event had been replayed then; at least 1.
    pub attempt: i32,
}

impl ReplayMark {
    /// The mark that a record carries; of several, the last. Whatever is no UUID is no mark; an
    /// attempt that is missing or absurd counts as the first.
    pub fn of(headers: &[Header<'_>]) -> Option<Self> {
        let last = |name: &str| {
            let value = headers.iter().rev().find(|header| header.name == name.as_bytes())?.value?;
            str::from_utf8(value).ok()
        };
        let replay_id = Uuid::try_parse(last(REPLAY_ID)?).ok()?;
        let attempt =
            last(REPLAY_ATTEMPT).and_then(|text| text.parse().ok()).filter(|attempt| *attempt >= 1);
        Some(Self { replay_id, attempt: attempt.unwrap_or(1) })
    }
}

/// The headers of a replay: those of the dead letter in their order, without what describes the
/// error and without the marks of an earlier replay, and then this one's marks.
pub fn replay_headers(stored: Vec<OwnedHeader>, mark: ReplayMark) -> Vec<OwnedHeader> {
    let added =
        [(REPLAY_ID, mark.replay_id.to_string()), (REPLAY_ATTEMPT, mark.attempt.to_string())];
    let kept = stored
        .into_iter()
        .filter(|header| !is_error_header(&header.name) && !header.name.starts_with(MARKS));
    let added = added.into_iter().map(|(name, value)| OwnedHeader {
        name: name.as_bytes().to_vec(),
        value: Some(value.into_bytes()),
    });
    kept.chain(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: ReplayMark = ReplayMark {
        replay_id: Uuid::from_u128(0x019a_a4c5_7d1e_7c3a_9b0e_3f6f_1d2c_4b5a),
        attempt: 2,
    };

    fn owned(name: &[u8], value: Option<&[u8]>) -> OwnedHeader {
        OwnedHeader { name: name.to_vec(), value: value.map(<[u8]>::to_vec) }
    }

    #[test]
    fn only_what_describes_the_error_and_earlier_replays_is_taken_away() {
        let stored = vec![
            owned(b"traceparent", Some(b"00-1")),
            owned(b"kafka_dlt-original-topic", Some(b"orders.events")),
            owned(b"retry_topic-attempts", Some(&[0, 0, 0, 3])),
            owned(b"note", None),
            owned(b"\xff", Some(b"")),
            owned(b"audit-replay-id", Some(b"old")),
            owned(b"audit-replay-attempt", Some(b"1")),
            owned(b"__connect.errors.topic", Some(b"orders.events")),
            owned(b"__streams.errors.message", Some(b"no")),
            owned(b"dead-letter-reason", Some(b"no")),
            owned(b"x-original-offset", Some(&[0, 0, 0, 0, 0, 0, 0, 41])),
            owned(b"x-original-timestamp-type", Some(b"CreateTime")),
            owned(b"x-exception-stacktrace", Some(b"at demo.Sink")),
            owned(b"contentType", Some(b"application/json")),
            owned(b"dead-letter-owner", Some(b"billing")),
            owned(b"note", Some(b"again")),
            owned(b"Kafka_dlt-original-topic", Some(b"another name")),
        ];
        let expected = vec![
            owned(b"traceparent", Some(b"00-1")),
            owned(b"note", None),
            owned(b"\xff", Some(b"")),
            owned(b"contentType", Some(b"application/json")),
            owned(b"dead-letter-owner", Some(b"billing")),
            owned(b"note", Some(b"again")),
            owned(b"Kafka_dlt-original-topic", Some(b"another name")),
            owned(b"audit-replay-id", Some(b"019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a")),
            owned(b"audit-replay-attempt", Some(b"2")),
        ];
        assert_eq!(replay_headers(stored, MARK), expected);
    }

    #[test]
    fn a_mark_is_read_back_and_what_is_none_is_ignored() {
        let sent = replay_headers(Vec::new(), MARK);
        let read = |headers: &[OwnedHeader]| {
            let headers: Vec<_> = headers
                .iter()
                .map(|header| Header { name: &header.name, value: header.value.as_deref() })
                .collect();
            ReplayMark::of(&headers)
        };
        assert_eq!(read(&sent), Some(MARK));
        assert_eq!(read(&sent[..1]), Some(ReplayMark { attempt: 1, ..MARK }));
        assert_eq!(read(&sent[1..]), None);
        for attempt in ["0", "-1", "x", "99999999999", "\u{ff}"] {
            let headers =
                [sent[0].clone(), owned(b"audit-replay-attempt", Some(attempt.as_bytes()))];
            assert_eq!(read(&headers), Some(ReplayMark { attempt: 1, ..MARK }), "{attempt}");
        }
        for id in [Some(&b"no UUID"[..]), Some(b"\xff"), None] {
            assert_eq!(read(&[owned(b"audit-replay-id", id)]), None);
        }
    }
}
