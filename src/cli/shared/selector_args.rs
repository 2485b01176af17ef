//! The selectors, the same in every command that reads events.

use chrono::{SubsecRound, Utc};
use clap::Args;

use crate::cli::ui::{Failure, Ui};
use crate::filter::{Clock, Glob, Identifier, Selection, TimeRange, Zone};

/// Which events. The same selector repeated is OR, different ones are AND. Globs know `*` and `?`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Selectors (repeated: or; different ones: and)")]
pub(crate) struct SelectorArgs {
    /// Event type, such as OrderCreated or 'Payment*'
    #[arg(long = "type", value_name = "GLOB")]
    types: Vec<String>,
    /// Service that published the event
    #[arg(long, value_name = "GLOB")]
    service: Vec<String>,
    /// Aggregate, such as an order: a UUID, its beginning, or an id of another kind
    #[arg(long, value_name = "ID")]
    aggregate: Vec<String>,
    /// Correlation id, or its beginning
    #[arg(long, value_name = "ID")]
    correlation: Vec<String>,
    /// Event id, or its beginning
    #[arg(long, value_name = "ID")]
    event_id: Vec<String>,
    /// Only dead letters
    #[arg(long, conflicts_with = "no_dlt")]
    dlt: bool,
    /// No dead letters
    #[arg(long)]
    no_dlt: bool,
    /// Only records that could not become normal rows
    #[arg(long)]
    quarantined: bool,
    /// Happened at or after: '2026-11-22T10:00:00Z', '2026-11-22', 'yesterday 17:00', '2h ago',
    /// '1h30m' (ago), '-3d', or the Unix epoch
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Happened before (exclusive)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Happened on that day: '2026-11-22', 'today', 'yesterday'
    #[arg(long, value_name = "DATE")]
    date: Vec<String>,
    /// Recorded by the audit at or after
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    recorded_since: Option<String>,
    /// Recorded by the audit before (exclusive)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    recorded_until: Option<String>,
    /// Zone of times without an offset, such as Europe/Berlin or +02:00
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true)]
    pub(crate) tz: String,
    /// SQL/JSON path predicate on the payload, such as '$.total > 100'
    #[arg(long = "where", value_name = "PREDICATE")]
    predicates: Vec<String>,
    /// Dead letters with this exception class or message, such as '*Timeout*'
    #[arg(long, value_name = "GLOB")]
    error: Vec<String>,
    /// Kafka topic the event was read from
    #[arg(long, value_name = "GLOB")]
    topic: Vec<String>,
}

fn zone(text: &str) -> Result<Zone, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("--tz: {error}")))
}

impl SelectorArgs {
    /// The selection, times resolved against the present, which is echoed on stderr.
    pub(crate) fn selection(&self, ui: Ui) -> Result<Selection, Failure> {
        // PostgreSQL knows no less than a microsecond.
        let clock = Clock { now: Utc::now().trunc_subsecs(6), zone: zone(&self.tz)? };
        let time = |text: &Option<String>| text.as_deref().map(|text| clock.time(text)).transpose();
        let globs = |texts: &[String]| texts.iter().map(|text| Glob::new(text)).collect::<Vec<_>>();
        let identifiers = |texts: &[String]| {
            texts.iter().map(|text| Identifier::parse(text)).collect::<Result<Vec<_>, _>>()
        };
        let selection = Selection {
            event_types: globs(&self.types),
            services: globs(&self.service),
            aggregates: self.aggregate.clone(),
            correlations: self.correlation.clone(),
            event_ids: identifiers(&self.event_id)?,
            dead_letters: match (self.dlt, self.no_dlt) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                (false, false) => None,
            },
            quarantined: self.quarantined,
            created: TimeRange { since: time(&self.since)?, until: time(&self.until)? },
            days: self.date.iter().map(|day| clock.day(day)).collect::<Result<_, _>>()?,
            recorded: TimeRange {
                since: time(&self.recorded_since)?,
                until: time(&self.recorded_until)?,
            },
            payload_predicates: self.predicates.clone(),
            errors: globs(&self.error),
            topics: globs(&self.topic),
        };
        selection.check()?;
        for line in selection.describe_times() {
            ui.status(&line);
        }
        Ok(selection)
    }

    /// The selection, of dead letters only.
    pub(crate) fn dead_letters(&self, ui: Ui) -> Result<Selection, Failure> {
        let selection = self.selection(ui)?;
        if selection.dead_letters == Some(false) {
            return Err(Failure::usage(
                "--no-dlt leaves nothing: this command is about dead letters",
            ));
        }
        Ok(Selection { dead_letters: Some(true), ..selection })
    }
}
