//! `audit show`: one event in full.

use std::fmt::Write as _;
use std::io::Write as _;

use clap::{Args, ValueEnum};
use tokio_postgres::Client;
use uuid::Uuid;

use super::args::ConnectionArgs;
use super::events::event_cell;
use super::failure::{Exit, Failure};
use super::pager::Screen;
use super::terminal::{self, ColorChoice};
use super::trace::error_text;
use crate::filter::Selection;
use crate::output::{
    self, Cell, Change, Column, Emphasis, Format, Style, Timestamp, duration_text, escape_controls,
    json_changes, pretty_json, short_uuid, timestamp_text,
};
use crate::store::{self, EventColumn, Found, Letter, Reading, Replay, StoredEvent};

/// Show one event in full
///
/// With its payload, where it came from, what caused it and what it caused, its other deliveries, and what became of it as a
/// dead letter. Exits with 3 where nothing has the id.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit show 019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a
  audit show 019aa4c5…4b5a               # an id as tables show it on a terminal
  audit show 4711                        # a row id
  audit show 4711 --diff                 # what changed since the aggregate's event before")]
pub(crate) struct ShowArgs {
    /// Event id, its beginning, its short form, or a row id
    id: String,
    /// Also show what changed in the payload since the aggregate's event before
    #[arg(long)]
    diff: bool,
    /// Format of the output
    #[arg(short, long, alias = "format", value_name = "FORMAT", default_value = "text")]
    output: ShowFormat,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: ColorChoice,
    /// Don't page the text on a terminal [env: PAGER]
    #[arg(long)]
    no_pager: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// For people
    Text,
    /// One object
    Json,
}

/// Up to so many effects are listed.
const MOST_RELATED: i64 = 1_000;

pub(crate) async fn run(args: &ShowArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let settings = connection.database()?;
    let client = store::connect(&settings, "audit show").await?;
    store::check_schema(&client, &settings).await?;
    store::begin_reading(&client, Reading::Page).await?;
    let portrait = match store::find_event(&client, &args.id).await? {
        Found::Nothing => {
            return Err(Failure::new(format!("no event has the id '{}'", args.id))
                .with_hint("`audit trace` takes the id of an aggregate or a correlation, too")
                .with_exit(Exit::NothingMatched));
        }
        Found::Ambiguous(candidates) => return Err(ambiguous(&args.id, &candidates)?),
        Found::Event { deliveries, row_id } => Portrait::read(&client, deliveries, row_id, args.diff).await?,
    };
    store::end_reading(&client).await?;
    let mut screen = Screen::open(args.output == ShowFormat::Text, args.no_pager);
    match args.output {
        ShowFormat::Text => {
            let color = args.color.wanted(terminal::stdout_is_terminal());
            screen.write_all(portrait.text(color)?.as_bytes())?;
        }
        ShowFormat::Json => screen.write_all(&portrait.json()?)?,
    }
    screen.close()?;
    Ok(Exit::Done)
}

/// Several events begin like that: names them.
pub(crate) fn ambiguous(id: &str, candidates: &[StoredEvent]) -> Result<Failure, Failure> {
    let mut lines = vec!["give more of its digits:".to_owned()];
    for candidate in candidates {
        lines.push(format!(
            "  {}  {}  {}",
            candidate.uuid(EventColumn::EventId)?.unwrap_or_default(),
            time(candidate, EventColumn::CreatedAt)?,
            escape_controls(candidate.text(EventColumn::EventType)?.unwrap_or_default()),
        ));
    }
    Ok(Failure::usage(format!("'{id}' is the beginning of several events")).with_hint(lines.join("\n")))
}

/// An event and all that is known of it.
struct Portrait {
    /// All rows of the event, in the order of their commits.
    deliveries: Vec<StoredEvent>,
    /// Which of them is shown.
    shown: usize,
    letters: Vec<Letter>,
    replays: Vec<Replay>,
    causes: Vec<StoredEvent>,
    effects: Vec<StoredEvent>,
    /// The event before, and what changed since, where that was asked for.
    changes: Option<(Option<StoredEvent>, Vec<Change>)>,
}

impl Portrait {
    async fn read(
        client: &Client,
        deliveries: Vec<StoredEvent>,
        row_id: Option<i64>,
        diff: bool,
    ) -> Result<Self, Failure> {
        let mut keyed = Vec::new();
        for delivery in deliveries {
            let batch = delivery.integer(EventColumn::BatchNo)?.unwrap_or(i64::MAX);
            keyed.push(((batch, delivery.id()?), delivery));
        }
        keyed.sort_by_key(|(key, _)| *key);
        let shown = keyed.iter().position(|((_, id), _)| Some(*id) == row_id).unwrap_or_default();
        let deliveries: Vec<_> = keyed.into_iter().map(|(_, delivery)| delivery).collect();
        let ids = deliveries.iter().map(StoredEvent::id).collect::<Result<Vec<_>, _>>()?;
        let (causes, effects) = related(client, &deliveries[shown]).await?;
        let changes = if diff {
            let before = store::event_before(client, &deliveries[shown]).await?;
            let old = before.as_ref().map(|before| before.text(EventColumn::Payload)).transpose()?.flatten();
            let new = deliveries[shown].text(EventColumn::Payload)?.unwrap_or("null");
            let changes = old.map(|old| json_changes(old, new)).unwrap_or_default();
            Some((before, changes))
        } else {
            None
        };
        Ok(Self {
            letters: store::letters(client, &ids).await?,
            replays: store::replays(client, &ids).await?,
            deliveries,
            shown,
            causes,
            effects,
            changes,
        })
    }

    fn text(&self, color: bool) -> Result<String, Failure> {
        let (dim, red, yellow, plain) =
            if color { ("\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[0m") } else { ("", "", "", "") };
        let event = &self.deliveries[self.shown];
        let mark = event.text(EventColumn::Mark)?.filter(|mark| !mark.is_empty());
        let mut text = String::new();
        let mut line = |label: &str, value: &str| {
            let striking = match label {
                "type" if mark.is_some_and(|mark| mark.starts_with("DLT")) => red,
                "type" if mark.is_some() => yellow,
                "dead letter" => red,
                _ => "",
            };
            let end = if striking.is_empty() { "" } else { plain };
            // Writing to memory can't fail.
            let _ = writeln!(text, "{dim}{label:<12}{plain} {striking}{}{end}", escape_controls(value));
        };
        let event_type = event.text(EventColumn::EventType)?.unwrap_or_default();
        line("type", &mark.map_or_else(|| event_type.to_owned(), |mark| format!("{event_type} [{mark}]")));
        line("event", &uuid(event, EventColumn::EventId)?);
        line("service", event.text(EventColumn::SourceService)?.unwrap_or("-"));
        line("aggregate", &uuid(event, EventColumn::AggregateId)?);
        line("correlation", &uuid(event, EventColumn::CorrelationId)?);
        line("happened", &time(event, EventColumn::CreatedAt)?);
        line("recorded", &recorded(event)?);
        line("row", &event.id()?.to_string());
        line("from", &origin(event)?);
        for cause in &self.causes {
            line("caused by", &relative(event, cause)?);
        }
        if let (true, Some(cause)) = (self.causes.is_empty(), event.text(EventColumn::CausationId)?) {
            line("caused by", &format!("{cause}, which is not recorded in the same correlation"));
        }
        for effect in &self.effects {
            line("led to", &relative(event, effect)?);
        }
        for (index, delivery) in self.deliveries.iter().enumerate().filter(|(index, _)| *index != self.shown)
        {
            let which = if index < self.shown { "earlier" } else { "again" };
            let mark = delivery.text(EventColumn::Mark)?.filter(|mark| !mark.is_empty());
            let mark = mark.map(|mark| format!(" [{mark}]")).unwrap_or_default();
            line(
                which,
                &format!(
                    "row {}{mark}, {}, recorded {}",
                    delivery.id()?,
                    origin(delivery)?,
                    recorded(delivery)?
                ),
            );
        }
        for letter in &self.letters {
            line("dead letter", &format!("row {}: {}", letter.event_log_id, error_text(letter)));
            line("", &letter_origin(letter));
        }
        for replay in &self.replays {
            let reason =
                replay.reason.as_deref().map(|reason| format!(", because: {reason}")).unwrap_or_default();
            line(
                "replay",
                &format!(
                    "{} of row {} to {}: {}, by {} at {}{reason}",
                    replay.attempt,
                    replay.event_log_id,
                    replay.target_topic,
                    replay.state,
                    replay.requested_by,
                    timestamp_text(Timestamp::with_zone(replay.requested_at)),
                ),
            );
        }
        for (name, column) in [("payload", EventColumn::Payload), ("attributes", EventColumn::Attributes)] {
            if let Some(json) = event.text(column)? {
                let _ = writeln!(text, "\n{dim}{name}{plain}\n{}", pretty_json(json, 2));
            }
        }
        if let Some((before, changes)) = &self.changes {
            text.push_str(&changes_text(event, before.as_ref(), changes)?);
        }
        Ok(text)
    }

    fn json(&self) -> Result<Vec<u8>, Failure> {
        let mut output = b"{\"event\":".to_vec();
        output.extend(events_json(&self.deliveries[self.shown..=self.shown], false)?);
        let others: Vec<_> = self
            .deliveries
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != self.shown)
            .map(|(_, event)| event)
            .collect();
        for (name, events) in [
            ("other_deliveries", others),
            ("causes", self.causes.iter().collect()),
            ("effects", self.effects.iter().collect()),
        ] {
            let _ = std::io::Write::write_fmt(&mut output, format_args!(",\"{name}\":"));
            output.extend(events_json(events, true)?);
        }
        output.extend(b",\"dead_letters\":");
        let columns = [
            "event_log_id",
            "origin_topic",
            "origin_partition",
            "origin_offset",
            "consumer_group",
            "exception_class",
            "exception_message",
            "attempts",
        ];
        output.extend(rows_json(
            &columns,
            self.letters.iter().map(|letter| {
                vec![
                    letter.event_log_id.into(),
                    letter.origin_topic.clone().into(),
                    letter.origin_partition.into(),
                    letter.origin_offset.into(),
                    letter.consumer_group.clone().into(),
                    letter.exception_class.clone().into(),
                    letter.exception_message.clone().into(),
                    letter.attempts.into(),
                ]
            }),
        )?);
        output.extend(b",\"replays\":");
        let columns =
            ["event_log_id", "attempt", "requested_by", "requested_at", "reason", "target_topic", "state"];
        output.extend(rows_json(
            &columns,
            self.replays.iter().map(|replay| {
                vec![
                    replay.event_log_id.into(),
                    replay.attempt.into(),
                    replay.requested_by.as_str().into(),
                    Timestamp::with_zone(replay.requested_at).into(),
                    replay.reason.clone().into(),
                    replay.target_topic.as_str().into(),
                    replay.state.as_str().into(),
                ]
            }),
        )?);
        if let Some((_, changes)) = &self.changes {
            output.extend(b",\"changes\":");
            let json = |text: &Option<String>| {
                text.as_ref().map_or(Cell::Null, |text| Cell::Json(text.clone().into()))
            };
            output.extend(rows_json(
                &["path", "before", "after"],
                changes.iter().map(|change| {
                    vec![change.path.as_str().into(), json(&change.before), json(&change.after)]
                }),
            )?);
        }
        output.extend(b"}\n");
        Ok(output)
    }
}

/// What caused an event and what it caused, among the events of its correlation, or of its aggregate where it has none.
async fn related(
    client: &Client,
    event: &StoredEvent,
) -> Result<(Vec<StoredEvent>, Vec<StoredEvent>), Failure> {
    let selection = match (event.uuid(EventColumn::CorrelationId)?, event.uuid(EventColumn::AggregateId)?) {
        (Some(correlation), _) => {
            Selection { correlations: vec![correlation.to_string()], ..Selection::default() }
        }
        (None, Some(aggregate)) => {
            Selection { aggregates: vec![aggregate.to_string()], ..Selection::default() }
        }
        (None, None) => return Ok((Vec::new(), Vec::new())),
    };
    let (own, cause) = (event.uuid(EventColumn::EventId)?, event.uuid(EventColumn::CausationId)?);
    let (mut causes, mut effects): (Vec<StoredEvent>, Vec<StoredEvent>) = (Vec::new(), Vec::new());
    for other in store::events(client, &selection, MOST_RELATED).await? {
        let event_id = other.uuid(EventColumn::EventId)?;
        if event_id == own {
            continue;
        }
        if cause.is_some() && event_id == cause && causes.is_empty() {
            causes.push(other);
        } else if own.is_some() && other.uuid(EventColumn::CausationId)? == own {
            effects.push(other);
        }
    }
    Ok((causes, effects))
}

fn uuid(event: &StoredEvent, column: EventColumn) -> Result<String, Failure> {
    Ok(event.uuid(column)?.map_or_else(|| "-".to_owned(), |uuid: Uuid| uuid.to_string()))
}

fn time(event: &StoredEvent, column: EventColumn) -> Result<String, Failure> {
    Ok(event
        .integer(column)?
        .map_or_else(|| "-".to_owned(), |time| timestamp_text(Timestamp::with_zone(time))))
}

fn recorded(event: &StoredEvent) -> Result<String, Failure> {
    let Some(recorded_at) = event.integer(EventColumn::RecordedAt)? else {
        return Ok("by no batch: the ledger does not know this row".to_owned());
    };
    let later = recorded_at.saturating_sub(event.integer(EventColumn::CreatedAt)?.unwrap_or_default());
    let batch = event.integer(EventColumn::BatchNo)?.unwrap_or_default();
    Ok(format!("{} ({}), batch {batch}", time(event, EventColumn::RecordedAt)?, duration_text(later)))
}

fn origin(event: &StoredEvent) -> Result<String, Failure> {
    let partition = event.integer(EventColumn::Partition)?;
    Ok(match (event.text(EventColumn::Topic)?, partition, event.integer(EventColumn::KafkaOffset)?) {
        (Some(topic), Some(partition), Some(offset)) => {
            format!("{topic}, partition {partition}, offset {offset}")
        }
        _ => "no Kafka record stands behind it".to_owned(),
    })
}

fn relative(event: &StoredEvent, other: &StoredEvent) -> Result<String, Failure> {
    let at =
        |event: &StoredEvent| Ok::<_, Failure>(event.integer(EventColumn::CreatedAt)?.unwrap_or_default());
    let event_id = other.uuid(EventColumn::EventId)?.unwrap_or_default();
    Ok(format!(
        "{} {event_id} ({})",
        other.text(EventColumn::EventType)?.unwrap_or_default(),
        duration_text(at(other)?.saturating_sub(at(event)?))
    ))
}

fn letter_origin(letter: &Letter) -> String {
    let topic = letter.origin_topic.as_deref().unwrap_or("an unknown topic");
    let number = |what: &str, number: Option<i64>| {
        number.map(|number| format!(", {what} {number}")).unwrap_or_default()
    };
    format!(
        "first in {topic}{}{}{}",
        number("partition", letter.origin_partition.map(i64::from)),
        number("offset", letter.origin_offset),
        number("attempts", letter.attempts.map(i64::from)),
    )
}

fn changes_text(
    event: &StoredEvent,
    before: Option<&StoredEvent>,
    changes: &[Change],
) -> Result<String, Failure> {
    let Some(before) = before else {
        return Ok("\nchanges\n  this is the aggregate's first event\n".to_owned());
    };
    let mut text = String::new();
    let event_id = before.uuid(EventColumn::EventId)?.unwrap_or_default();
    let since = relative(event, before)?;
    let since = since.replace(&event_id.to_string(), &short_uuid(event_id));
    let _ = writeln!(text, "\nchanges since {}", escape_controls(&since));
    for change in changes {
        let shown = match (&change.before, &change.after) {
            (Some(before), Some(after)) => format!("~ {}: {before} → {after}", change.path),
            (None, Some(after)) => format!("+ {}: {after}", change.path),
            (before, None) => format!("- {}: {}", change.path, before.as_deref().unwrap_or("null")),
        };
        let _ = writeln!(text, "  {}", escape_controls(&shown));
    }
    if changes.is_empty() {
        text.push_str("  none\n");
    }
    Ok(text)
}

/// Events as an array of objects, or the only one as an object.
fn events_json<'a>(
    events: impl IntoIterator<Item = &'a StoredEvent>,
    array: bool,
) -> Result<Vec<u8>, Failure> {
    let columns: Vec<_> = EventColumn::ALL.iter().map(|column| Column::new(column.name())).collect();
    let mut rows = Vec::new();
    for event in events {
        let cells = EventColumn::ALL.iter().map(|column| Ok(event_cell(event.value(*column)?)));
        rows.push((cells.collect::<Result<Vec<_>, Failure>>()?, Emphasis::None));
    }
    json(if array { Format::Json } else { Format::Ndjson }, &columns, rows)
}

fn rows_json<'a>(
    names: &[&'static str],
    rows: impl Iterator<Item = Vec<Cell<'a>>>,
) -> Result<Vec<u8>, Failure> {
    let columns: Vec<_> = names.iter().map(|name| Column::new(*name)).collect();
    json(Format::Json, &columns, rows.map(|cells| (cells, Emphasis::None)).collect())
}

fn json(
    format: Format,
    columns: &[Column],
    rows: Vec<(Vec<Cell<'_>>, Emphasis)>,
) -> Result<Vec<u8>, Failure> {
    let style = Style { terminal: terminal::stdout_is_terminal(), ..Style::default() };
    let mut output = Vec::new();
    output::render(format, style, columns, rows, &mut output)?;
    output.truncate(output.trim_ascii_end().len());
    Ok(output)
}
