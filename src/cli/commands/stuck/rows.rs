//! Writes the stories that are stuck, and what to type next.

use std::collections::HashMap;
use std::io::Write;

use crate::analysis::StoryKey;
use crate::cli::shared::{OutputArgs, ShownColumns, StuckStory, in_a_shell};
use crate::cli::ui::{Failure, Ui};
use crate::dead_letter::{UNKNOWN_ERROR, short_class};
use crate::output;
use crate::output::{Column, Emphasis, Format};
use crate::store;
use crate::store::{DeadLetterSummary, Session, StoryIds};
use crate::time::{Timestamp, span_text};
use crate::value::Value;

/// How many stories are asked for their ids and errors at once.
const AT_ONCE: usize = 1_000;

/// The columns of tables.
const IN_TABLES: [&str; 8] = [
    "aggregate",
    "correlation",
    "last_event_type",
    "last_at",
    "silent",
    "usual",
    "events",
    "error",
];

/// Writes the stories; gives the commands that lead on from the first of them, for a person.
pub(super) async fn write_rows(
    session: &Session,
    stuck: &[StuckStory],
    args: &OutputArgs,
    ui: Ui,
) -> Result<Vec<String>, Failure> {
    let format = args.format.format();
    let style = args.format.style(ui);
    let mut output = ui.paged(format);
    let mut renderer = output::renderer(format, style);
    let mut shown = None;
    let mut next_commands = Vec::new();
    // Also without rows: CSV has its header.
    let chunks = stuck.chunks(AT_ONCE).chain(stuck.is_empty().then_some(&[][..]));
    for chunk in chunks {
        let known = Known::read(session, chunk).await?;
        let shown = match &mut shown {
            Some(shown) => shown,
            none => {
                if style.terminal && format == Format::Table {
                    next_commands =
                        chunk.first().map(|first| known.next_commands(first)).unwrap_or_default();
                }
                let columns = columns(format, known.have_aggregates(chunk));
                let is_told_twice = known.have_equal_ids(chunk);
                let in_tables =
                    IN_TABLES.iter().filter(|name| !(is_told_twice && **name == "correlation"));
                let chosen =
                    ShownColumns::new(&columns, &in_tables.copied().collect::<Vec<_>>(), args)?;
                renderer.begin(&chosen.columns, &mut output)?;
                none.insert(chosen)
            }
        };
        for story in chunk {
            let emphasis = match story.last_dead_letter {
                Some(_) => Emphasis::Alarm,
                None => Emphasis::None,
            };
            renderer.row(&shown.cells(&known.cells(story, format)), emphasis, &mut output)?;
        }
    }
    renderer.end(&mut output)?;
    output.flush()?;
    output.close()?;
    Ok(next_commands)
}

/// What a table leaves out where there is little room: of two ids, the one that says less.
fn columns(format: Format, has_aggregates: bool) -> Vec<Column> {
    let (of_aggregate, of_correlation) = if has_aggregates { (0, 4) } else { (4, 0) };
    let mut columns = vec![
        Column::new("correlation").optional(of_correlation),
        Column::new("aggregate").optional(of_aggregate),
        Column::new("began"),
        Column::new("last_event_type").category(),
        Column::new("last_at").optional(5),
        Column::new("silent_seconds"),
        Column::new("usual_seconds"),
        Column::new("events").optional(3),
        Column::new("error").shortened(short_error).explains(),
    ];
    if format == Format::Table {
        columns.extend([Column::new("silent"), Column::new("usual")]);
    }
    columns
}

/// An error with its class without the package.
fn short_error(error: &str) -> &str {
    let class = error.split_once(": ").map_or(error, |(class, _)| class);
    // A message alone has words.
    if class.contains(char::is_whitespace) {
        return error;
    }
    error.get(class.len() - short_class(class).len()..).unwrap_or(error)
}

/// What is known of stories besides their steps.
struct Known {
    ids: HashMap<i64, StoryIds>,
    letters: HashMap<i64, DeadLetterSummary>,
}

impl Known {
    async fn read(session: &Session, stuck: &[StuckStory]) -> Result<Self, Failure> {
        let letter_rows: Vec<_> = stuck.iter().filter_map(|story| story.last_dead_letter).collect();
        let first_rows = stuck.iter().map(|story| story.first_row);
        let rows: Vec<_> = first_rows.chain(letter_rows.iter().copied()).collect();
        let ids = store::story_ids(session, &rows).await?;
        let letters = store::dead_letter_summaries(session, &letter_rows).await?;
        let letters = letters.into_iter().map(|letter| (letter.event_log_id, letter)).collect();
        Ok(Self { ids, letters })
    }

    fn aggregate(&self, row: i64) -> Value<'static> {
        self.ids.get(&row).map_or(Value::Null, |ids| ids.aggregate.clone())
    }

    fn correlation(&self, row: i64) -> Value<'static> {
        self.ids.get(&row).map_or(Value::Null, |ids| ids.correlation.clone())
    }

    fn have_aggregates(&self, stuck: &[StuckStory]) -> bool {
        stuck.iter().all(|story| self.aggregate(story.first_row) != Value::Null)
    }

    /// Whether each story has the id of its aggregate.
    fn have_equal_ids(&self, stuck: &[StuckStory]) -> bool {
        let is_equal = |row| self.aggregate(row) == self.correlation(row);
        stuck.iter().all(|story| is_equal(story.first_row))
    }

    fn error(&self, story: &StuckStory) -> Option<String> {
        let letter = self.letters.get(&story.last_dead_letter?);
        let texts = letter.map(|letter| [&letter.exception_class, &letter.exception_message]);
        let told = texts.into_iter().flatten().flatten().filter(|text| !text.is_empty());
        let error = told.map(String::as_str).collect::<Vec<_>>().join(": ");
        Some(if error.is_empty() { UNKNOWN_ERROR.to_owned() } else { error })
    }

    fn cells(&self, story: &StuckStory, format: Format) -> Vec<Value<'static>> {
        let seconds = |microseconds: i64| Value::Float(microseconds as f64 / 1_000_000.0);
        let text = |microseconds: i64| span_text(microseconds.unsigned_abs());
        let time = |at| Value::from(Timestamp::without_zone(at));
        let silence = story.silence;
        let mut cells = vec![
            self.correlation(story.first_row),
            self.aggregate(story.first_row),
            time(story.began),
            story.last_type.to_string().into(),
            time(story.last_at),
            seconds(silence.silent),
            silence.usual.map_or(Value::Null, seconds),
            Value::Integer(story.steps as i64),
            self.error(story).into(),
        ];
        if format == Format::Table {
            cells.extend([text(silence.silent).into(), silence.usual.map(text).into()]);
        }
        cells
    }

    /// What to type next about a story: what happened in it, and how to send its dead letter back.
    fn next_commands(&self, story: &StuckStory) -> Vec<String> {
        let [aggregate, correlation] =
            [self.aggregate(story.first_row), self.correlation(story.first_row)];
        // Text that somebody chose says more than a UUID.
        let id = match (&aggregate, &correlation) {
            (Value::Text(_), Value::Uuid(_)) => &aggregate,
            _ => &correlation,
        };
        let typed = |id: &Value<'_>| in_a_shell(&id.to_text().unwrap_or_default());
        // Each on a line of its own, little indented: with a UUID it fits 80 columns.
        let mut commands = vec!["next:".to_owned(), format!("  audit trace {}", typed(id))];
        let letter = story.last_dead_letter.and_then(|row| self.letters.get(&row));
        if let Some(letter) = letter.filter(|letter| letter.origin_topic.is_some()) {
            let selector = match (story.key, self.aggregate(letter.event_log_id)) {
                (StoryKey::Aggregate(_), _) => format!("--aggregate {}", typed(&aggregate)),
                (_, of_letter) if of_letter == *id => format!("--aggregate {}", typed(id)),
                _ => format!("--correlation {}", typed(&correlation)),
            };
            commands.push(format!("  audit replay-dlt {selector} --dry-run"));
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_without_its_package() {
        for (error, short) in [
            (
                "java.net.SocketTimeoutException: Read timed out",
                "SocketTimeoutException: Read timed out",
            ),
            ("bank::Declined: of a.b: no", "Declined: of a.b: no"),
            ("no class: here.or there", "no class: here.or there"),
            ("org.example.Failure", "Failure"),
            ("bank.example is down", "bank.example is down"),
            ("dead letter of an unknown error", "dead letter of an unknown error"),
        ] {
            assert_eq!(short_error(error), short);
        }
    }
}
