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
use std::sync::Arc;

use audit::event::{Decoder, Record, RecordSchema, SchemaType, Unpacked, UnpackedValue};
use audit::evidence::Hash;
use audit::evidence::canonical::{TimestampType, write_record};
use audit::evidence::tree::{leaf_hash, root_of};
use audit::ingest::write_event;
use audit::registry::avro::AvroSchema;
use audit::registry::protobuf::ProtobufSchema;
use audit::store::write::copy_buffer::CopyBuffer;
use audit::store::write::row_root::row_root;
use audit::time::UnixMicros;
use criterion::{Criterion, Throughput};

use support::avro_events::{AvroEvent, SCHEMA, avro_events};
use support::events::{NativeEvent, native_event, prepared_time};
use support::protobuf_events::{ProtobufEvent, protobuf_events};

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
    let avro = avro_events(&clean);
    let bytes: usize = avro.iter().map(|event| event.value.len()).sum();
    println!("{RECORDS} records of {} bytes on average in Avro", bytes / avro.len());
    let schema = AvroSchema::parse(SCHEMA, &[]).expect("a schema");
    group.bench_function("avro", |bencher| {
        bencher.iter(|| encode_avro(black_box(&avro), black_box(&schema)));
    });
    let protobuf = protobuf_events(&clean);
    let bytes: usize = protobuf.iter().map(|event| event.value.len()).sum();
    println!("{RECORDS} records of {} bytes on average in Protobuf", bytes / protobuf.len());
    let schema = ProtobufSchema::parse(support::protobuf_events::SCHEMA, &[]).expect("a schema");
    group.bench_function("protobuf", |bencher| {
        bencher.iter(|| encode_protobuf(black_box(&protobuf), black_box(&schema)));
    });
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

/// The same of records in Avro, from the bytes behind the schema's id on.
fn encode_avro(batch: &[AvroEvent], schema: &AvroSchema) -> CopyBuffer {
    let decoder = Decoder::new(None);
    let subject: Arc<str> = "orders.events-value".into();
    let mut rows = CopyBuffer::with_capacity(batch.len() * 1_200);
    for (offset, event) in (0_i64..).zip(batch) {
        let record = record_of(offset, &event.key, &event.value);
        let read = schema.read(&event.value).expect("a value");
        let schema = RecordSchema {
            id: Some(7),
            schema_type: Some(SchemaType::Avro),
            subject: Some(Arc::clone(&subject)),
            name: read.name,
        };
        let value = UnpackedValue { schema, json: Ok(read.json), unknown_fields: Vec::new() };
        let unpacked = Unpacked { value: Some(value), key: None };
        let event = decoder.decode(&record, &unpacked, UnixMicros(1_795_341_600_000_000)).event;
        write_event(&mut rows, &event, 1, offset);
    }
    rows
}

/// The same of records in Protobuf, from the bytes behind the schema's id on.
fn encode_protobuf(batch: &[ProtobufEvent], schema: &ProtobufSchema) -> CopyBuffer {
    let decoder = Decoder::new(None);
    let subject: Arc<str> = "orders.events-value".into();
    let mut rows = CopyBuffer::with_capacity(batch.len() * 1_200);
    for (offset, event) in (0_i64..).zip(batch) {
        let record = record_of(offset, &event.key, &event.value);
        let read = schema.read(&event.value).expect("a value");
        let schema = RecordSchema {
            id: Some(7),
            schema_type: Some(SchemaType::Protobuf),
            subject: Some(Arc::clone(&subject)),
            name: Some(read.name),
        };
        let unknown_fields = read.unknown_fields;
        let value = UnpackedValue { schema, json: Ok(read.json), unknown_fields };
        let unpacked = Unpacked { value: Some(value), key: None };
        let event = decoder.decode(&record, &unpacked, UnixMicros(1_795_341_600_000_000)).event;
        write_event(&mut rows, &event, 1, offset);
    }
    rows
}
