//! The selectors, the same in every command that reads events.

use chrono::{SubsecRound, TimeDelta, Utc};
use clap::Args;

use super::list_item::ListItems;
use super::shell_words::{in_a_shell, quoted};
use crate::cli::ui::{Failure, Ui};
use crate::filter::{Clock, Error, GlobList, Identifier, Selection, TimeRange, Zone, rfc3339};

/// Which events. The same selector repeated is OR, and so are the items of a list; different ones
/// are AND. Globs know `*` and `?`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Selectors (repeated, or a list A,B: or; different ones: and)")]
pub(crate) struct SelectorArgs {
    /// Event type: OrderCreated, 'Order*,Payment*' ('\,' is a comma), all but '!Payment*'
    #[arg(long = "type", value_name = "GLOB")]
    types: Vec<ListItems>,
    /// Service that published the event, or '!GLOB'
    #[arg(long, value_name = "GLOB")]
    service: Vec<ListItems>,
    /// Aggregate, such as an order: a UUID, its beginning, or an id of another kind
    #[arg(long, value_name = "ID")]
    aggregate: Vec<ListItems>,
    /// Correlation id, or its beginning
    #[arg(long, value_name = "ID")]
    correlation: Vec<ListItems>,
    /// Event id, or its beginning
    #[arg(long, value_name = "ID")]
    event_id: Vec<ListItems>,
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
    pub(crate) since: Option<String>,
    /// Happened before (exclusive)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// Happened on that day: '2026-11-22', 'today', 'yesterday'
    #[arg(long, value_name = "DATE")]
    date: Vec<ListItems>,
    /// Recorded by the audit at or after
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    recorded_since: Option<String>,
    /// Recorded by the audit before (exclusive)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    recorded_until: Option<String>,
    /// Zone of times without an offset, such as Europe/Berlin or +02:00
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true)]
    pub(crate) tz: String,
    /// SQL/JSON path predicate on the payload: '$.total_amount.double() > 100' (of a number that is
    /// text; else without .double()), '$.currency == "EUR"'
    #[arg(long = "where", value_name = "PREDICATE")]
    predicates: Vec<String>,
    /// Dead letters with this exception class or message, such as '*Timeout*', or '!GLOB'
    #[arg(long, value_name = "GLOB")]
    error: Vec<ListItems>,
    /// Kafka topic the event was read from, or '!GLOB'
    #[arg(long, value_name = "GLOB")]
    topic: Vec<ListItems>,
}

fn zone(text: &str) -> Result<Zone, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("--tz: {error}")))
}

impl SelectorArgs {
    /// Whether a time is asked for, that of recording included.
    pub(crate) fn has_times(&self) -> bool {
        let times = [&self.since, &self.until, &self.recorded_since, &self.recorded_until];
        times.iter().any(|time| time.is_some()) || !self.date.is_empty()
    }

    /// The present, and the zone of times without an offset.
    pub(crate) fn clock(&self) -> Result<Clock, Failure> {
        // PostgreSQL knows no less than a microsecond.
        Ok(Clock { now: Utc::now().trunc_subsecs(6), zone: zone(&self.tz)? })
    }

    /// The selection, times resolved against the present, which is echoed on stderr.
    pub(crate) fn selection(&self, ui: Ui) -> Result<Selection, Failure> {
        self.selection_at(&self.clock()?, ui)
    }

    /// The selection, times resolved against this present.
    pub(crate) fn selection_at(&self, clock: &Clock, ui: Ui) -> Result<Selection, Failure> {
        let time = |option, text: &Option<String>| {
            text.as_deref().map(|text| clock.time(text)).transpose().map_err(wrong(option))
        };
        let globs = |option, lists: &[ListItems]| {
            GlobList::new(lists.iter().flat_map(ListItems::items)).map_err(wrong(option))
        };
        let texts = |lists: &[ListItems]| {
            lists.iter().flat_map(ListItems::items).map(str::to_owned).collect::<Vec<_>>()
        };
        let event_ids = self.event_id.iter().flat_map(ListItems::items).map(Identifier::parse);
        let days = self.date.iter().flat_map(ListItems::items).map(|day| clock.day(day));
        let selection = Selection {
            event_types: globs("--type", &self.types)?,
            services: globs("--service", &self.service)?,
            aggregates: texts(&self.aggregate),
            correlations: texts(&self.correlation),
            event_ids: event_ids.collect::<Result<_, _>>().map_err(wrong("--event-id"))?,
            dead_letters: match (self.dlt, self.no_dlt) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                (false, false) => None,
            },
            quarantined: self.quarantined,
            created: TimeRange {
                since: time("--since", &self.since)?,
                until: time("--until", &self.until)?,
            },
            days: days.collect::<Result<_, _>>().map_err(wrong("--date"))?,
            recorded: TimeRange {
                since: time("--recorded-since", &self.recorded_since)?,
                until: time("--recorded-until", &self.recorded_until)?,
            },
            payload_predicates: self.predicates.clone(),
            errors: globs("--error", &self.error)?,
            topics: globs("--topic", &self.topic)?,
        };
        selection.check().map_err(|error| Failure::usage(error.to_string()))?;
        for line in selection.describe_times() {
            ui.status(&line);
        }
        for option in selection.beginnings_after(clock.now) {
            ui.status(&format!("{option} lies in the future: it is {} now", rfc3339(clock.now)));
        }
        Ok(selection)
    }

    /// The options that say more than a time, as a shell takes them: `--type 'Order*'`.
    pub(crate) fn typed(&self) -> Vec<String> {
        let lists = [
            ("--type", &self.types),
            ("--service", &self.service),
            ("--aggregate", &self.aggregate),
            ("--correlation", &self.correlation),
            ("--event-id", &self.event_id),
            ("--error", &self.error),
            ("--topic", &self.topic),
        ];
        let of_list = |(option, lists): (&str, &Vec<ListItems>)| {
            let items = lists.iter().flat_map(ListItems::items);
            items.map(|item| format!("{option} {}", in_a_shell(item))).collect::<Vec<_>>()
        };
        let mut typed: Vec<String> = lists.into_iter().flat_map(of_list).collect();
        let flags =
            [("--dlt", self.dlt), ("--no-dlt", self.no_dlt), ("--quarantined", self.quarantined)];
        typed.extend(flags.iter().filter(|flag| flag.1).map(|flag| flag.0.to_owned()));
        typed.extend(self.predicates.iter().map(|path| format!("--where {}", quoted(path))));
        typed
    }

    /// All selectors, as a shell takes them; times as they were typed.
    pub(crate) fn typed_with_times(&self) -> Vec<String> {
        let mut typed = self.typed();
        let times = [
            ("--since", &self.since),
            ("--until", &self.until),
            ("--recorded-since", &self.recorded_since),
            ("--recorded-until", &self.recorded_until),
        ];
        let given = times.into_iter().filter_map(|(option, time)| Some((option, time.as_ref()?)));
        typed.extend(given.map(|(option, time)| format!("{option} {}", in_a_shell(time))));
        let days = self.date.iter().flat_map(ListItems::items);
        typed.extend(days.map(|day| format!("--date {}", in_a_shell(day))));
        if self.has_times() && self.tz != "UTC" {
            typed.push(format!("--tz {}", in_a_shell(&self.tz)));
        }
        typed
    }

    /// An option whose time depends on the present: `--since -1d`.
    pub(crate) fn moving_time(&self) -> Result<Option<&'static str>, Failure> {
        let now = self.clock()?;
        // Neither the same day nor the same time of day.
        let later = Clock { now: now.now + TimeDelta::hours(53), ..now };
        let times = [
            ("--since", &self.since),
            ("--until", &self.until),
            ("--recorded-since", &self.recorded_since),
            ("--recorded-until", &self.recorded_until),
        ];
        let moving_time = times.into_iter().find(|(_, text)| {
            text.as_deref().is_some_and(|text| now.time(text).ok() != later.time(text).ok())
        });
        let mut days = self.date.iter().flat_map(ListItems::items);
        let is_day_moving = days.any(|day| now.day(day).ok() != later.day(day).ok());
        Ok(moving_time.map(|(option, _)| option).or(is_day_moving.then_some("--date")))
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

/// The failure of an option's value.
fn wrong(option: &'static str) -> impl Fn(Error) -> Failure {
    move |error| Failure::usage(format!("{option}: {error}"))
}
