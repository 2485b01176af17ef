//! `sandbox produce`: files of sample records into topics.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use record_file::Record;

use super::services;

/// Send the records of files to Kafka, exactly as they stand there, for trying
///
/// A file holds a JSON object with the member `record`, or several one after the other, such as one
/// a line (fixtures/README.md). Bytes, nulls, the order of headers and repeated ones are kept. A
/// topic that does not exist is created.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sandbox produce fixtures/native/order_created.json
  sandbox produce fixtures/*/*.json --topic orders.events
  echo '{\"record\":{\"topic\":\"orders.events\",\"key\":\"17\",\"value\":{\"json\":{\"n\":1}}}}' | sandbox produce -")]
pub(crate) struct ProduceArgs {
    /// Files of records; - is stdin
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Kafka's bootstrap servers: host:port,host:port
    #[arg(long, value_name = "HOST:PORT", env = "AUDIT_BROKERS", hide_env_values = true)]
    brokers: String,
    /// Send all records to this topic, whatever the files say
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
}

pub(crate) fn cmd_produce(args: &ProduceArgs) -> Result<ExitCode, Box<dyn Error>> {
    let mut records = Vec::new();
    for path in &args.files {
        records.extend(read(path)?);
    }
    if let Some(topic) = &args.topic {
        records.iter_mut().for_each(|record| record.topic.clone_from(topic));
    }
    let mut counts = BTreeMap::new();
    for record in &records {
        *counts.entry(record.topic.clone()).or_insert(0) += 1;
    }
    for topic in counts.keys() {
        services::ensure_topic(&args.brokers, topic)
            .map_err(|error| format!("{error}; is Kafka up, and does --brokers name it?"))?;
    }
    let placed = sandbox::produce(&args.brokers, &records)?;
    for (topic, count) in counts {
        let mut ranges = BTreeMap::new();
        for (_, place) in records.iter().zip(&placed).filter(|(record, _)| record.topic == topic) {
            let (first, last) =
                ranges.entry(place.partition).or_insert((place.offset, place.offset));
            (*first, *last) = (place.offset.min(*first), place.offset.max(*last));
        }
        let ranges = ranges.iter().map(|(partition, (first, last))| {
            format!("partition {partition}: offsets {first} to {last}")
        });
        let ranges: Vec<_> = ranges.collect();
        let records = if count == 1 { "record" } else { "records" };
        writeln!(stdout(), "{topic}: {count} {records} ({})", ranges.join("; "))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<Vec<Record>, Box<dyn Error>> {
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|error| format!("reading {}: {error}", path.display()))?;
    record_file::read(&bytes).map_err(|error| format!("{}: {error}", path.display()).into())
}
