//! Every record of fixtures/ becomes the row that its file says.

use chrono::NaiveDateTime;

use super::json::compact;
use super::{Decoder, Header, Reason, Record, Unpacked};
use crate::dead_letter;
use crate::registry::{Schemas, Unpacker};
use crate::time::UnixMicros;

#[path = "../../tests/it/support/fixtures.rs"]
mod fixtures;

use fixtures::{CLUSTER_ID, CreatedAt, EventId, Fixture};

const NOW: &str = "2026-11-22T12:00:00";

/// Calls `check` with the record of a fixture.
fn with_record<T>(fixture: &Fixture, check: impl FnOnce(&Record<'_>) -> T) -> T {
    let source = &fixture.record;
    let headers: Vec<_> = source
        .headers
        .iter()
        .map(|(name, value)| Header {
            name: &name.0,
            value: value.as_ref().map(|value| value.0.as_slice()),
        })
        .collect();
    check(&Record {
        cluster_id: CLUSTER_ID,
        topic: &source.topic,
        partition: source.partition.unwrap_or_else(|| panic!("{}: no partition", fixture.name)),
        offset: source.offset.unwrap_or_else(|| panic!("{}: no offset", fixture.name)),
        timestamp_ms: source.timestamp_ms,
        key: source.key.as_ref().map(|key| key.0.as_slice()),
        value: source.value.as_ref().map(|value| value.0.as_slice()),
        headers: &headers,
    })
}

/// What the schemas beside a record make of it.
fn unpacked(fixture: &Fixture, record: &Record<'_>) -> Unpacked {
    let Some(schemas) = &fixture.schemas else { return Unpacked::default() };
    let unpacked = Unpacker::new(&Schemas::given(schemas)).unpack(record);
    unpacked.unwrap_or_else(|missing| panic!("{}: {missing:?}", fixture.name))
}

fn microseconds(time: &str) -> i64 {
    let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S%.f");
    time.unwrap_or_else(|error| panic!("{error}")).and_utc().timestamp_micros()
}

#[test]
fn every_fixture_becomes_the_row_that_its_file_says() {
    let all = fixtures::all();
    assert!(all.len() >= 60, "only {} fixtures were found", all.len());
    let decoder = Decoder::default();
    let mut wrong = Vec::new();
    for fixture in &all {
        let row = &fixture.row;
        let (EventId::Given(event_id) | EventId::Of { coordinates: event_id }) = &row.event_id;
        let (CreatedAt::Given(created_at) | CreatedAt::Clock { now: created_at }) = &row.created_at;
        let expected = format!(
            "{}\n{event_id}\n{}\n{:?}\n{:?}\n{}\n{}\n{}\n{:?}\n{}",
            row.format,
            row.event_type,
            row.aggregate_id,
            row.source_service,
            row.is_dlt,
            compact(row.payload.get()),
            microseconds(created_at),
            row.correlation_id,
            compact(row.attributes.get()),
        );
        let found = with_record(fixture, |record| {
            let unpacked = unpacked(fixture, record);
            let decoded = decoder.decode(record, &unpacked, UnixMicros(microseconds(NOW)));
            let event = decoded.event;
            format!(
                "{}\n{}\n{}\n{:?}\n{:?}\n{}\n{}\n{}\n{:?}\n{}",
                decoded.format,
                event.event_id,
                event.event_type,
                event.aggregate_id.map(|id| id.to_string()),
                event.source_service.as_deref(),
                event.is_dlt,
                compact(&event.payload),
                event.created_at.0,
                event.correlation_id.map(|id| id.to_string()),
                compact(&event.attributes),
            )
        });
        if found != expected {
            wrong.push(format!(
                "{}: {}\n--- the file says\n{expected}\n--- it became\n{found}\n",
                fixture.name, fixture.about
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} fixtures:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn every_fixture_of_a_dead_letter_tells_its_origin_and_error() {
    let mut count = 0;
    for fixture in fixtures::all() {
        let expected = fixture.dead_letter.as_ref();
        assert_eq!(
            fixture.row.is_dlt,
            expected.is_some(),
            "{}: is_dlt and dead_letter belong together",
            fixture.name
        );
        let Some(expected) = expected else {
            continue;
        };
        count += 1;
        with_record(&fixture, |record| {
            let letter = dead_letter::origin(record);
            let found = serde_json::json!({
                "family": letter.family.map(|family| family.to_string()),
                "origin_topic": letter.origin_topic,
                "origin_source": format!("{:?}", letter.origin_source).to_lowercase(),
                "origin_partition": letter.origin_partition,
                "origin_offset": letter.origin_offset,
                "origin_timestamp_ms": letter.origin_timestamp_ms,
                "consumer_group": letter.consumer_group,
                "exception_class": letter.exception_class,
                "exception_message": letter.exception_message,
                "stack_trace": letter.stack_trace,
                "attempts": letter.attempts,
            });
            assert_eq!(&found, expected, "{}", fixture.name);
            let headers =
                dead_letter::headers_from_json(&dead_letter::headers_json(record.headers));
            let headers = headers.unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
            let as_sent: Vec<_> = record
                .headers
                .iter()
                .map(|header| (header.name.to_vec(), header.value.map(<[u8]>::to_vec)))
                .collect();
            let read_back: Vec<_> =
                headers.into_iter().map(|header| (header.name, header.value)).collect();
            assert_eq!(read_back, as_sent, "{}", fixture.name);
        });
    }
    assert!(count >= 10, "only {count} fixtures of dead letters");
}

#[test]
fn every_reason_that_a_small_record_can_have_has_a_fixture() {
    let fixtures = fixtures::all();
    for reason in Reason::ALL {
        // The one needs 200 MB, the other a database that refuses what the scan accepted.
        if matches!(reason, Reason::TooLarge | Reason::RefusedByDatabase) {
            continue;
        }
        let start = format!("{{\"reason\":\"{reason}\"");
        assert!(
            fixtures.iter().any(|fixture| compact(fixture.row.payload.get()).starts_with(&start)),
            "no fixture is quarantined as {reason}"
        );
    }
}

#[test]
fn every_reason_is_documented() {
    let documentation = include_str!("../../docs/quarantine.md");
    for reason in Reason::ALL {
        assert!(
            documentation.contains(&format!("\n| `{reason}` | ")),
            "docs/quarantine.md does not know {reason}"
        );
    }
}
