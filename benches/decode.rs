//! Decoding, row encoding and hashing on one core: what the ingester does with a record between
//! Kafka and COPY.
//!
//! `cargo bench --bench decode`; see docs/benchmarks.md.

mod support {
    pub(crate) mod avro_events;
    pub(crate) mod events;
    pub(crate) mod protobuf_events;
}

use std::hint::black_box;

use audit::event::{Decoder, Record, Unpacked};
use audit::evidence::Hash;
use audit::evidence::canonical::{TimestampType, write_record};
use audit::evidence::tree::{leaf_hash, root_of};
use audit::ingest::write_event;
use audit::registry::{Schemas, Unpacker};
use audit::store::write::copy_buffer::CopyBuffer;
use audit::store::write::row_root::row_root;
use audit::time::UnixMicros;
use criterion::{Criterion, Throughput};
use record_file::{RegisteredSchema, SubjectVersion};

use support::avro_events::{self, avro_events};
use support::events::{NativeEvent, native_event, prepared_time};
use support::protobuf_events::{self, protobuf_events};

const RECORDS: u64 = 10_000;

fn main() {
    let clean: Vec<NativeEvent> = (0..RECORDS)
        .map(|number| native_event(number, RECORDS / 8, prepared_time(number)))
        .collect();
    let bytes: usize = clean.iter().map(|event| event.value.len()).sum();
    println!("{RECORDS} records of {} bytes on average", bytes / clean.len());
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("decode and encode");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("native", |bencher| bencher.iter(|| encode(black_box(&clean))));
    let avro = avro_events(&clean).into_iter().map(|event| (event.key, event.value));
    let protobuf = protobuf_events(&clean).into_iter().map(|event| (event.key, event.value));
    for (name, schema_type, schema, events) in [
        ("avro", "AVRO", avro_events::SCHEMA, avro.collect()),
        ("protobuf", "PROTOBUF", protobuf_events::SCHEMA, protobuf.collect()),
    ] {
        let records = behind_schema(events);
        let bytes: usize = records.iter().map(|(_, value)| value.len()).sum();
        println!(
            "{RECORDS} records of {} bytes on average in {schema_type}",
            bytes / records.len()
        );
        let schemas = registered(schema_type, schema);
        group.bench_function(name, |bencher| {
            bencher.iter(|| encode_unpacked(black_box(&records), black_box(&schemas)));
        });
    }
    // Each of these is quarantined: what PostgreSQL would refuse is found before COPY.
    for (name, poison) in [
        (
            "one truncated",
            "{\"event_id\":\"0190b5a4-0000-7000-8000-000000000000\",\"event_type\":\"OrderCreated\",\"pay",
        ),
        ("one with a NUL", "{\"event_type\":\"OrderCreated\",\"payload\":{\"text\":\"\\u0000\"}}"),
    ] {
        let mut batch: Vec<NativeEvent> = (0..RECORDS)
            .map(|number| native_event(number, RECORDS / 8, prepared_time(number)))
            .collect();
        poison.clone_into(&mut batch[RECORDS as usize / 2].value);
        group.bench_function(name, |bencher| bencher.iter(|| encode(black_box(&batch))));
    }
    group.finish();
    let mut group = criterion.benchmark_group("evidence");
    group.throughput(Throughput::Elements(RECORDS));
    let (rows, no_letters) = (encode(&clean), CopyBuffer::default());
    let hash_rows = || row_root(black_box(&rows), &no_letters, &[]);
    group.bench_function("rows", |bencher| bencher.iter(hash_rows));
    group.bench_function("records", |bencher| bencher.iter(|| record_root(black_box(&clean))));
    group.finish();
    criterion.final_summary();
}

/// The root over the records of a batch.
fn record_root(batch: &[NativeEvent]) -> Hash {
    let mut bytes = Vec::new();
    let leaves = (0_i64..).zip(batch).map(|(offset, event)| {
        bytes.clear();
        write_record(&mut bytes, &record(offset, event), TimestampType::Create);
        leaf_hash(&bytes)
    });
    root_of(leaves)
}

fn record(offset: i64, event: &NativeEvent) -> Record<'_> {
    record_of(offset, &event.key, event.value.as_bytes())
}

fn record_of<'a>(offset: i64, key: &'a str, value: &'a [u8]) -> Record<'a> {
    Record {
        cluster_id: "MkU3OEVBNTcwNTJENDM2Qk",
        topic: "orders.events",
        partition: 0,
        offset,
        timestamp_ms: Some(1_795_341_600_000),
        key: Some(key.as_bytes()),
        value: Some(value),
        headers: &[],
    }
}

/// Makes the rows of a batch, as one lane of the ingester does.
fn encode(batch: &[NativeEvent]) -> CopyBuffer {
    let decoder = Decoder::new(None);
    let mut rows = CopyBuffer::with_capacity(batch.len() * 800);
    for (offset, event) in (0_i64..).zip(batch) {
        let record = record(offset, event);
        let event =
            decoder.decode(&record, Unpacked::nothing(), UnixMicros(1_795_341_600_000_000)).event;
        write_event(&mut rows, &event, 1, offset);
    }
    rows
}

const SCHEMA_ID: u32 = 7;

/// Records in Confluent's wire format, of what follows the schema's id.
fn behind_schema(events: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let header = |data: Vec<u8>| [&[0], &SCHEMA_ID.to_be_bytes()[..], &data].concat();
    events.into_iter().map(|(key, data)| (key, header(data))).collect()
}

/// A schema as a registry has it.
fn registered(schema_type: &str, schema: &str) -> Schemas {
    Schemas::given(&[RegisteredSchema {
        id: SCHEMA_ID,
        versions: vec![SubjectVersion { subject: "orders.events-value".to_owned(), version: 1 }],
        schema_type: Some(schema_type.to_owned()),
        schema: schema.to_owned(),
        references: Vec::new(),
    }])
}

/// The same of records that a schema describes.
fn encode_unpacked(batch: &[(String, Vec<u8>)], schemas: &Schemas) -> CopyBuffer {
    let decoder = Decoder::new(None);
    let mut unpacker = Unpacker::new(schemas);
    let mut rows = CopyBuffer::with_capacity(batch.len() * 1_200);
    for (offset, (key, value)) in (0_i64..).zip(batch) {
        let record = record_of(offset, key, value);
        let unpacked = unpacker.unpack(&record).expect("the schema is there");
        let event = decoder.decode(&record, &unpacked, UnixMicros(1_795_341_600_000_000)).event;
        write_event(&mut rows, &event, 1, offset);
    }
    rows
}
