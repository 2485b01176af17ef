//! The counters in the text format of Prometheus.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chrono::Utc;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeMetric, MetricEncoder, prometheus_text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::ingest::counters::{Counters, Wait};

/// What begins the name of each metric.
const PREFIX: &str = "audit";

/// All metrics of an ingester, as they stand when they are written.
#[derive(Debug)]
pub(super) struct Exposition(Registry);

impl Exposition {
    pub(super) fn new(counters: &Arc<Counters>) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let counted = [
            ("ingest_rows", "Rows committed by this process", &counters.rows),
            ("ingest_batches", "Batches committed by this process", &counters.batches),
            (
                "ingest_bytes",
                "Bytes of keys, values and headers of the records committed by this process",
                &counters.bytes,
            ),
            (
                "ingest_lost_offsets",
                "Offsets that Kafka had deleted before this process read them",
                &counters.lost,
            ),
            (
                "ingest_session_restarts",
                "Sessions that ended with a fault, after which this process joined the group again",
                &counters.restarts,
            ),
            (
                "ingest_seal_steps",
                "Steps of sealing leaves of event_logs that this process took",
                &counters.seal_steps,
            ),
            (
                "ingest_checkpoints",
                "Checkpoints of the log of evidence that this process signed",
                &counters.anchoring.signed,
            ),
            (
                "ingest_checkpoint_refusals",
                "Attempts of this process to sign a checkpoint of a log that is not what was signed before",
                &counters.anchoring.refusals,
            ),
            (
                "ingest_checkpoint_failures",
                "Attempts of this process to sign a checkpoint that failed for another reason",
                &counters.anchoring.failures,
            ),
        ];
        for (name, help, counter) in counted {
            registry.register(name, help, counter.clone());
        }
        registry.register(
            "ingest_quarantined",
            "Rows committed by this process that are quarantined, by reason",
            counters.quarantined.clone(),
        );
        registry.register(
            "ingest_batch_seconds",
            "Seconds from when a batch is taken up to be written until it is committed",
            counters.batch_seconds.clone(),
        );
        registry.register(
            "ingest_assigned_partitions",
            "Partitions that this process records",
            counters.partitions.clone(),
        );
        registry.register(
            "ingest_in_flight_bytes",
            "Bytes of keys, values and headers that were read and are being written",
            counters.in_flight_bytes.clone(),
        );
        registry.register_collector(Box::new(Standing(Arc::clone(counters))));
        Self(registry)
    }

    /// The text.
    ///
    /// # Errors
    /// As for all that is formatted; writing to memory does not fail.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// What is worked out when it is asked for.
#[derive(Debug)]
struct Standing(Arc<Counters>);

impl Collector for Standing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counters = &self.0;
        let mut waiting = gauge(
            &mut encoder,
            "ingest_waiting",
            "1 while this process waits for what the label names, else 0",
        )?;
        for wait in Wait::ALL {
            let is_waiting = i64::from(counters.is_waiting_for(wait));
            add(&mut waiting, &[("for", wait.as_str())], is_waiting)?;
        }
        let is_ready = i64::from(counters.not_ready_for().is_empty());
        single(&mut encoder, "ingest_ready", "1 where /readyz answers 200, else 0", is_ready)?;
        if let Some(at) = counters.anchoring.last_at() {
            let age = (Utc::now() - at).num_seconds().max(0);
            let help =
                "Seconds since the last checkpoint of the log of evidence was signed, by whomever";
            single(&mut encoder, "checkpoint_age_seconds", help, age)?;
        }
        self.encode_lags(&mut encoder)?;
        self.encode_database(&mut encoder)
    }
}

impl Standing {
    fn encode_lags(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let lags = self.0.lags();
        if lags.is_empty() {
            return Ok(());
        }
        let labels: Vec<_> = lags
            .iter()
            .map(|found| {
                let partition = found.partition.partition.to_string();
                [("topic", found.partition.topic.clone()), ("partition", partition)]
            })
            .collect();
        let mut family = gauge(
            encoder,
            "ingest_lag_records",
            "Offsets of the partition that nobody has recorded",
        )?;
        for (found, labels) in lags.iter().zip(&labels) {
            add(&mut family, labels, i64::try_from(found.lag).unwrap_or(i64::MAX))?;
        }
        let mut family = gauge(
            encoder,
            "ingest_behind_seconds",
            "How long this process has seen the first of those offsets wait, 0 without any",
        )?;
        for (found, labels) in lags.iter().zip(&labels) {
            let seconds = Gauge::<f64, AtomicU64>::default();
            seconds.set(found.behind.as_secs_f64());
            seconds.encode(family.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn encode_database(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(figures) = self.0.database() else { return Ok(()) };
        let mut leaves = gauge(
            encoder,
            "leaves",
            "Leaves of event_logs: light ones are not full, waiting ones lack indexes",
        )?;
        for (state, count) in [
            ("light", figures.light_leaves),
            ("waiting", figures.waiting_leaves),
            ("sealed", figures.sealed_leaves),
        ] {
            add(&mut leaves, &[("state", state)], i64::try_from(count).unwrap_or(i64::MAX))?;
        }
        let waited = figures.waiting_since.map_or(0, |since| (Utc::now() - since).num_seconds());
        single(
            encoder,
            "leaves_oldest_waiting_seconds",
            "Seconds since the first of the waiting leaves was closed, 0 without any",
            waited.max(0),
        )?;
        single(
            encoder,
            "leaf_ids_left",
            "Ids that the leaf that is written to can still give",
            figures.ids_left,
        )?;
        single(
            encoder,
            "duplicate_deliveries",
            "Rows that are known to deliver an event again",
            figures.duplicates,
        )
    }
}

/// Begins a family of gauges.
fn gauge<'e>(
    encoder: &'e mut DescriptorEncoder<'_>,
    name: &'e str,
    help: &str,
) -> Result<MetricEncoder<'e>, fmt::Error> {
    // As the registry ends the texts of its own.
    encoder.encode_descriptor(name, &format!("{help}."), None, MetricType::Gauge)
}

/// Adds a gauge with labels.
fn add<V: prometheus_client::encoding::EncodeLabelValue>(
    family: &mut MetricEncoder<'_>,
    labels: &[(&'static str, V)],
    value: i64,
) -> fmt::Result {
    ConstGauge::new(value).encode(family.encode_family(&labels)?)
}

/// Adds a gauge without labels.
fn single(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    ConstGauge::new(value).encode(gauge(encoder, name, help)?)
}
