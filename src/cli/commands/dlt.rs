//! `audit dlt`: what could not be processed, by origin and error.

use clap::Args;

use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::shared::output_args::OutputArgs;
use crate::cli::shared::result_table;
use crate::cli::shared::selector_args::SelectorArgs;
use crate::cli::ui::failure::{Exit, Failure};
use crate::cli::ui::terminal;
use crate::dead_letter::short_class;
use crate::filter::Selection;
use crate::output::{Column, Emphasis, Format};
use crate::store::{self, ReadMode, RowScope};
use crate::time::Timestamp;

/// Show dead letters in groups: by origin topic, consumer group and error
///
/// Each group has its count, when its first and its last event happened, how many of it were sent
/// back, and an example. All selectors narrow it; --dlt is implied.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit dlt
  audit dlt --since today --error '*Timeout*'
  audit dlt -o json | jq '.[] | select(.records > 100)'
  audit show EXAMPLE                 # the event of a group's example, in full")]
pub(crate) struct DltArgs {
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const IN_TABLES: [&str; 8] = [
    "origin_topic",
    "consumer_group",
    "exception_class",
    "records",
    "replayed",
    "last_at",
    "example",
    "example_message",
];

/// From this width on a terminal has room for all of these.
const WIDE_TERMINAL: u16 = 120;
/// From this one on, of these; below, of all but the last.
const MIDDLING_TERMINAL: u16 = 100;
const IN_NARROW_TABLES: [&str; 6] =
    ["origin_topic", "exception_class", "records", "replayed", "example", "example_message"];

pub(crate) async fn run(args: &DltArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let selection = of_dead_letters(args.selectors.selection()?)?;
    let mut session = connection.session("audit dlt").await?;
    let reading = session.read(ReadMode::All).await?;
    let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
    let groups = if resolved.is_empty() {
        Vec::new()
    } else {
        store::dead_letter_groups(&reading, &resolved).await?
    };
    let columns = [
        Column::new("origin_topic").category(),
        Column::new("consumer_group"),
        Column::new("exception_class"),
        Column::new("records"),
        Column::new("replayed"),
        Column::new("returned"),
        Column::new("first_at"),
        Column::new("last_at"),
        Column::new("example"),
        Column::new("example_message"),
    ];
    // A package takes the room that the class needs.
    let is_short = args.output.format().unwrap_or(Format::Table) == Format::Table
        && terminal::stdout_is_terminal();
    let rows = groups.into_iter().map(|group| {
        let class = group.exception_class.map(|class| match is_short {
            true => short_class(&class).to_owned(),
            false => class,
        });
        let cells = vec![
            group.origin_topic.into(),
            group.consumer_group.into(),
            class.into(),
            group.records.into(),
            group.replayed.into(),
            group.returned.into(),
            Timestamp::without_zone(group.first_at).into(),
            Timestamp::without_zone(group.last_at).into(),
            group.example.into(),
            group.example_message.into(),
        ];
        (cells, Emphasis::None)
    });
    let in_tables = match terminal::width() {
        Some(width) if width < MIDDLING_TERMINAL => &IN_NARROW_TABLES[..5],
        Some(width) if width < WIDE_TERMINAL => &IN_NARROW_TABLES,
        _ => &IN_TABLES[..],
    };
    result_table::show(&columns, in_tables, rows.collect(), "no dead letters match", &args.output)
}

/// The same selection, of dead letters only.
pub(crate) fn of_dead_letters(selection: Selection) -> Result<Selection, Failure> {
    if selection.dead_letters == Some(false) {
        return Err(Failure::usage("--no-dlt leaves nothing: this command is about dead letters"));
    }
    Ok(Selection { dead_letters: Some(true), ..selection })
}
