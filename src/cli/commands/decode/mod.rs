//! `audit decode`: what a record would become, and why.

mod answer;
mod report;
mod schemas;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use record_file::{Content, Entry, Record};
use regex::Regex;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run, input_name, pattern, read_input, whole_number};
use crate::cli::ui::{Exit, Failure, OutputFormat};
use crate::event;
use crate::event::Decoder;
use crate::event::Reason;
use crate::output::Format;
use crate::time::UnixMicros;
use answer::{decode, headers, received};
use report::Report;
use schemas::{SchemaArgs, SchemaSource};

/// Show what a record would become, and why: its decoder, each column, and where it comes from
///
/// A file is one value as it stands in Kafka, or holds whole records, with key and headers, in the
/// format of fixtures/ (a JSON object with the member `record`; several may follow each other, as
/// one a line). Neither Kafka nor the database is asked. A record that would be quarantined is an
/// answer, too: the exit code is 0.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit decode record.json
  printf '{\"order\": 17}' | \\
    audit decode - --topic shop.orders --key 17 --header type=OrderPlaced
  printf '{\"order\": ' | audit decode - -o ndjson | jq -r .detail")]
pub(crate) struct DecodeArgs {
    /// Files to read; - is stdin
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    schema: SchemaArgs,
    /// Also take topics for dead letters whose name matches this regular expression
    #[arg(long, value_name = "REGEX", value_parser = pattern)]
    dlt_pattern: Option<Regex>,
    /// Format of the output; all but table give one object or line for each record [default: table]
    #[arg(
        short,
        long,
        alias = "format",
        value_name = "FORMAT",
        env = "AUDIT_OUTPUT",
        hide_env_values = true,
        help_heading = "Output"
    )]
    pub(crate) output: Option<OutputFormat>,
}

/// What a bare value lacks. Of a record in a file they replace what stands there.
#[derive(Debug, Args)]
#[command(next_help_heading = "Record")]
struct RecordArgs {
    /// The topic [default for a value: orders.events]
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// The partition [default for a value: 0]
    #[arg(long, value_name = "N", value_parser = whole_number::<i32>(0..))]
    partition: Option<i32>,
    /// The offset [default for a value: 0]
    #[arg(long, value_name = "N", value_parser = whole_number::<i64>(0..))]
    offset: Option<i64>,
    /// Kafka's timestamp: RFC 3339, or seconds to nanoseconds since 1970
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    timestamp: Option<i64>,
    /// The key
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// A header (repeatable)
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The Kafka cluster's id, of which the event_id of a record without one is made
    #[arg(long, value_name = "ID", default_value = "unknown")]
    cluster_id: String,
}

fn milliseconds(text: &str) -> Result<i64, String> {
    event::row::occurred_at::read_text(text)
        .map(|moment| moment.time.0.div_euclid(1000))
        .ok_or_else(|| "write 2026-11-22T10:00:00Z, or a number such as 1795341600000".to_owned())
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl RecordArgs {
    /// The records of a file: those that it holds, or the one whose value it is.
    fn records(&self, bytes: Vec<u8>) -> Result<Vec<Entry>, record_file::Error> {
        let mut entries = if record_file::is_record_file(&bytes) {
            record_file::read_entries(&bytes)?
        } else {
            let record = Record {
                topic: "orders.events".to_owned(),
                partition: None,
                offset: None,
                timestamp_ms: None,
                key: None,
                headers: Vec::new(),
                value: Some(Content(bytes)),
            };
            vec![Entry { record, schemas: None }]
        };
        let content = |text: &String| Content(text.clone().into_bytes());
        for Entry { record, .. } in &mut entries {
            if let Some(topic) = &self.topic {
                record.topic.clone_from(topic);
            }
            if let Some(key) = &self.key {
                record.key = Some(content(key));
            }
            if !self.headers.is_empty() {
                let pairs =
                    self.headers.iter().map(|(name, value)| (content(name), Some(content(value))));
                record.headers = pairs.collect();
            }
            record.partition = self.partition.or(record.partition);
            record.offset = self.offset.or(record.offset);
            record.timestamp_ms = self.timestamp.or(record.timestamp_ms);
        }
        Ok(entries)
    }
}

impl Run for DecodeArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.output(&mut self.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let format = self.output.map_or(Format::Table, Format::from);
        let decoder = Decoder::new(self.dlt_pattern.clone());
        let schemas = self.schema.source(context.settings)?;
        let mut needs_registry = false;
        let now = UnixMicros::now();
        let mut stdout = context.ui.stdout();
        let mut report = Report::new(format, context.ui.style());
        report.begin(&mut stdout)?;
        let mut exit = Exit::Done;
        for path in &self.files {
            let name = input_name(path);
            let hint = "name a file that holds a value or records, or - for stdin";
            let records = read_input(path, hint).and_then(|bytes| {
                self.record.records(bytes).map_err(|error| Failure::new(format!("{name}: {error}")))
            });
            let records = match records {
                Ok(records) => records,
                // The other files are answered.
                Err(failure) => {
                    context.ui.report(&failure);
                    exit = Exit::Failed;
                    continue;
                }
            };
            let is_alone = records.len() == 1;
            for (index, Entry { record, schemas: beside }) in records.iter().enumerate() {
                let name =
                    if is_alone { name.clone() } else { format!("{name}, record {}", index + 1) };
                let headers = headers(record);
                let record = received(&self.record.cluster_id, record, &headers);
                let unpacked = schemas.unpack(&record, beside.as_deref()).await?;
                let answer = decode(&decoder, &record, &unpacked, now);
                needs_registry |= answer.explanation.reason == Some(Reason::SchemaRegistry);
                report.answer(&name, &answer, &mut stdout)?;
            }
        }
        report.end(&mut stdout)?;
        stdout.flush()?;
        if needs_registry && matches!(schemas, SchemaSource::Nowhere) {
            context.ui.status(
                "hint: --schema FILE or --schema-registry URL tells what a schema makes of it",
            );
        }
        Ok(exit)
    }
}
