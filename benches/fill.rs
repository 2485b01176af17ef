//! Fills an audit database with varied events, as the ingester does but without Kafka: records are
//! decoded, encoded, and written in batches of 10,000 rows through COPY, with their fence and
//! ledger. For measuring the commands that read.
//!
//! ```sh
//! audit migrate
//! cargo run --release --example fill -- 10000000
//! ```
//!
//! The database is that of `AUDIT_DATABASE_URL`. Rows are added to what is there; the same
//! number gives the same stories. 10,000,000 rows take a few minutes and about 9 GB. Their times
//! end now: one row every 0.25 s, so that ten million rows are four weeks.
//!
//! Leaves that are full are sealed at the end; the last one stays light.
//!
//! What varies: 2,000 orders are under way at any time, each a story of three to eight events of
//! three services. A few types and services are rare (one row in a thousand, in a hundred thousand,
//! in a million). 0.5 % are dead letters with the headers of Spring Kafka, half of them with a
//! message of their own; 0.05 % are quarantined, 0.2 % are second deliveries, 1 % happened up to a
//! day before they were recorded.

use std::error::Error;
use std::time::Instant;

use audit::event::{Decoder, Header, Record, TopicPartition, Unpacked};
use audit::ingest::{write_dead_letter, write_event};
use audit::store::write::copy_buffer::CopyBuffer;
use audit::store::write::row_root::row_root;
use audit::store::{
    self, Batch, Claim, CountingStep, OffsetRange, RangeKind, Roots, SealStep, Sealing, Session,
    Settings, TopicIdPartition, Writer, Written,
};
use audit::time::UnixMicros;
use uuid::Uuid;

const BATCH_ROWS: usize = 10_000;
const PARTITIONS: i32 = 6;
const STORIES_AT_ONCE: usize = 2_000;
const MICROSECONDS_A_ROW: i64 = 250_000;
const CLUSTER_ID: &str = "fill";
const TOPICS: [&str; 4] =
    ["orders.events", "payments.events", "orders.events-dlt", "payments.events-dlt"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: usize =
        std::env::args().nth(1).ok_or("say how many rows: fill 10000000")?.parse()?;
    let url = std::env::var("AUDIT_DATABASE_URL")?;
    let settings = Settings::resolve(Some(&url), None, |name| std::env::var(name).ok())?;
    let mut session = Session::open(&settings, "audit fill").await?;
    let claims = store::claim(&mut session, CLUSTER_ID, &partitions(), "fill").await?;
    let mut writer = Writer::connect(&settings, "audit fill").await?;
    let mut generator = Generator::new(claims, count);
    let began = Instant::now();
    let mut written = 0;
    while written < count {
        let rows = BATCH_ROWS.min(count - written);
        let ids = writer.reserve_ids(rows).await?;
        let GeneratedBatch { mut events, dead_letters, dead_letter_rows, ranges } =
            generator.batch(rows, ids.first_id);
        events.fill_in_ids(ids.first_id..);
        let row_root = row_root(&events, &dead_letters, &dead_letter_rows)?;
        let roots = std::future::ready(Ok(Roots { row_root, record_root: None }));
        let batch = Batch {
            events: Some((&events, &ids)),
            counts: None,
            dead_letters: &dead_letters,
            ranges: &ranges,
            ingester: "fill",
        };
        match writer.write(&batch, roots).await? {
            Written::Committed(_) => {}
            other => return Err(format!("another process is at work: {other:?}").into()),
        }
        written += rows;
        if written % 500_000 == 0 || written == count {
            let seconds = began.elapsed().as_secs_f64();
            eprintln!("{written} rows, {:.0} rows/s", written as f64 / seconds);
        }
    }
    for step in [CountingStep::Fill, CountingStep::FindDuplicates, CountingStep::Merge] {
        while store::count_piece(&session, step, 1_000_000).await?.is_some_and(|rows| rows > 0) {}
    }
    store::summarize_leaves(&session, 0).await?;
    let sealing = Sealing { current: false, thorough: false };
    while matches!(store::seal_step(&session, sealing).await?, SealStep::Did(_)) {}
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute("VACUUM (ANALYZE) event_logs, ingest_batches, dead_letters, event_counts, duplicate_deliveries").await?;
    Ok(())
}

fn partitions() -> Vec<TopicIdPartition> {
    let keys =
        TOPICS.iter().flat_map(|topic| (0..PARTITIONS).map(move |partition| (topic, partition)));
    keys.map(|(topic, partition)| TopicIdPartition {
        name: TopicPartition::new(*topic, partition),
        topic_id: None,
    })
    .collect()
}

/// One order, and how far it is.
struct Story {
    order: Uuid,
    correlation: Uuid,
    step: usize,
    declined: bool,
    cents: u64,
    last_event: Option<Uuid>,
}

struct GeneratedBatch {
    events: CopyBuffer,
    dead_letters: CopyBuffer,
    /// The rows of `events` that the rows of `dead_letters` belong to.
    dead_letter_rows: Vec<usize>,
    ranges: Vec<OffsetRange>,
}

struct Generator {
    decoder: Decoder,
    claims: Vec<Claim>,
    random: Random,
    stories: Vec<Story>,
    now_us: i64,
    last_delivery: Option<(Uuid, Uuid)>,
}

/// `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// A UUID of version 7: the time, then chance.
    fn uuid(&mut self, unix_us: i64) -> Uuid {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes()[..2]);
        uuid::Builder::from_unix_timestamp_millis(unix_us.unsigned_abs() / 1000, &bytes).into_uuid()
    }
}

impl Generator {
    fn new(claims: Vec<Claim>, count: usize) -> Self {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now_us = now.as_micros() as i64 - count as i64 * MICROSECONDS_A_ROW;
        let mut random = Random(count as u64);
        let stories = (0..STORIES_AT_ONCE).map(|_| Story::new(&mut random, now_us)).collect();
        Self { decoder: Decoder::new(None), claims, random, stories, now_us, last_delivery: None }
    }

    fn batch(&mut self, count: usize, first_id: i64) -> GeneratedBatch {
        let mut events = CopyBuffer::with_capacity(count * 600);
        let mut dead_letters = CopyBuffer::default();
        let mut dead_letter_rows = Vec::new();
        let begin: Vec<i64> = self.claims.iter().map(|claim| claim.recorded.next_offset).collect();
        for id in first_id..first_id + count as i64 {
            if self.event(&mut events, &mut dead_letters) {
                dead_letter_rows.push((id - first_id) as usize);
            }
        }
        dead_letters.fill_in_ids(dead_letter_rows.iter().map(|row| first_id + *row as i64));
        let mut ranges: Vec<_> = self
            .claims
            .iter()
            .zip(begin)
            .filter(|(claim, first_offset)| claim.recorded.next_offset > *first_offset)
            .map(|(claim, first_offset)| OffsetRange {
                partition_id: claim.partition_id,
                epoch: claim.epoch,
                first_offset,
                next_offset: claim.recorded.next_offset,
                row_count: (claim.recorded.next_offset - first_offset) as i32,
                kind: RangeKind::Stored,
                identity: claim.identity(),
            })
            .collect();
        ranges.sort_by_key(|range| range.partition_id);
        GeneratedBatch { events, dead_letters, dead_letter_rows, ranges }
    }

    /// Writes one event, and tells whether it is a dead letter.
    fn event(&mut self, events: &mut CopyBuffer, dead_letters: &mut CopyBuffer) -> bool {
        self.now_us += MICROSECONDS_A_ROW;
        let random = &mut self.random;
        let place = random.below(STORIES_AT_ONCE as u64) as usize;
        let (event_type, service, ended) = self.stories[place].advance(random);
        let story = &mut self.stories[place];
        let late = if random.one_in(100) {
            random.below(86_400_000_000) as i64
        } else {
            random.below(2_000_000) as i64
        };
        let created_us = self.now_us - late;
        let is_dlt = random.one_in(200);
        let mut event_id = random.uuid(created_us);
        let mut aggregate = story.order;
        if let Some((delivered, of)) = self.last_delivery.filter(|_| random.one_in(500)) {
            (event_id, aggregate) = (delivered, of);
        }
        self.last_delivery = Some((event_id, aggregate));
        let topic = usize::from(service == "payment-service") + if is_dlt { 2 } else { 0 };
        let partition = (aggregate.as_u128() % PARTITIONS as u128) as i32;
        let claim = &mut self.claims[topic * PARTITIONS as usize + partition as usize];
        let cause =
            story.last_event.map_or_else(|| "null".to_owned(), |cause| format!("\"{cause}\""));
        let happened =
            chrono::DateTime::from_timestamp_micros(created_us).unwrap_or_default().to_rfc3339();
        let mut value = format!(
            r#"{{"event_id":"{event_id}","event_type":"{event_type}","aggregate_id":"{aggregate}","source_service":"{service}","occurred_at":"{happened}","correlation_id":"{}","causation_id":{cause},"payload":{}}}"#,
            story.correlation,
            payload(story, random),
        );
        if random.one_in(2_000) {
            value.truncate(value.len() / 2);
        }
        let key = aggregate.to_string();
        let (class, message) = error(&key, random);
        let mut headers = vec![header("content-type", b"application/json")];
        let (origin_partition, origin_offset) =
            (partition.to_be_bytes(), claim.recorded.next_offset.to_be_bytes());
        let trace = format!("{class}: {message}\n{}", STACK_FRAME.repeat(12));
        if is_dlt {
            headers.extend([
                header("kafka_dlt-original-topic", TOPICS[topic - 2].as_bytes()),
                header("kafka_dlt-original-partition", &origin_partition),
                header("kafka_dlt-original-offset", &origin_offset),
                header("kafka_dlt-original-consumer-group", b"payment-service"),
                header("kafka_dlt-exception-fqcn", class.as_bytes()),
                header("kafka_dlt-exception-message", message.as_bytes()),
                header("kafka_dlt-exception-stacktrace", trace.as_bytes()),
            ]);
        }
        let record = Record {
            cluster_id: CLUSTER_ID,
            topic: TOPICS[topic],
            partition,
            offset: claim.recorded.next_offset,
            timestamp_ms: Some(self.now_us / 1000),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: &headers,
        };
        let event =
            self.decoder.decode(&record, Unpacked::nothing(), UnixMicros(self.now_us)).event;
        write_event(events, &event, claim.partition_id, record.offset);
        if is_dlt {
            write_dead_letter(dead_letters, &record);
        }
        claim.recorded.next_offset += 1;
        story.last_event = Some(event_id);
        if ended {
            self.stories[place] = Story::new(&mut self.random, self.now_us);
        }
        is_dlt
    }
}

fn payload(story: &Story, random: &mut Random) -> String {
    format!(
        r#"{{"order_id":"{}","customer_id":"c-{:05}","total_amount":"{}.{:02}","currency":"{}","items":[{{"sku":"A-{}","quantity":{}}}],"channel":"{}","note":"{:016x}{:016x}"}}"#,
        story.order,
        random.below(50_000),
        story.cents / 100,
        story.cents % 100,
        ["EUR", "USD", "CHF"][random.below(3) as usize],
        random.below(2_000),
        1 + random.below(5),
        ["web", "app", "store"][random.below(3) as usize],
        random.next(),
        random.next(),
    )
}

const STACK_FRAME: &str = "\tat org.springframework.kafka.listener.KafkaMessageListenerContainer$ListenerConsumer.doInvokeOnMessage\
                           (KafkaMessageListenerContainer.java:2873)\n";

/// Why an event became a dead letter: four classes, two of them with messages that name the order.
fn error(order: &str, random: &mut Random) -> (&'static str, String) {
    match random.below(4) {
        0 => ("java.net.SocketTimeoutException", "Read timed out".to_owned()),
        1 => (
            "org.springframework.dao.DuplicateKeyException",
            format!("duplicate key value violates unique constraint: order {order}"),
        ),
        2 => {
            ("com.fasterxml.jackson.core.JsonParseException", "Unexpected end-of-input".to_owned())
        }
        _ => ("java.lang.IllegalStateException", format!("order {order} is already confirmed")),
    }
}

fn header<'a>(name: &'a str, value: &'a [u8]) -> Header<'a> {
    Header { name: name.as_bytes(), value: Some(value) }
}

impl Story {
    fn new(random: &mut Random, now_us: i64) -> Self {
        Self {
            order: random.uuid(now_us),
            correlation: random.uuid(now_us),
            step: 0,
            declined: random.one_in(8),
            cents: 100 + random.below(100_000),
            last_event: None,
        }
    }

    /// The next event's type and service, and whether the story ends with it.
    fn advance(&mut self, random: &mut Random) -> (&'static str, &'static str, bool) {
        if random.one_in(1_000) {
            return ("AddressCorrected", "customer-service", false);
        }
        if random.one_in(100_000) {
            return ("FraudSuspected", "fraud-service", false);
        }
        if random.one_in(1_000_000) {
            return ("LegalHoldPlaced", "compliance-service", false);
        }
        self.step += 1;
        match (self.step, self.declined) {
            (1, _) => ("OrderCreated", "order-service", false),
            (2, true) => ("PaymentDeclined", "payment-service", false),
            (3, true) => ("OrderCancelled", "order-service", true),
            (2, false) => ("PaymentAuthorized", "payment-service", false),
            (3, false) => ("OrderConfirmed", "order-service", random.one_in(3)),
            (4, false) => ("PaymentCaptured", "payment-service", false),
            (5, false) => ("OrderShipped", "order-service", !random.one_in(10)),
            (6, false) => ("PaymentRefunded", "payment-service", false),
            _ => ("OrderRefunded", "order-service", true),
        }
    }
}
