//! `audit dlt`: what could not be processed, by origin and error.

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, OutputArgs, Run, SelectorArgs, print_rows};
use crate::cli::ui::{Exit, Failure, Ui, WidthClass};
use crate::dead_letter::short_class;
use crate::output::{Column, Emphasis, Format};
use crate::store;
use crate::store::{DeadLetterGroup, ReadMode, RowScope};
use crate::time::Timestamp;
use crate::value::Value;

/// Show dead letters in groups: by origin topic, consumer group and error
///
/// Each group has its count, when its first and its last event happened, how many of it were sent
/// back, and an example. All selectors narrow it; --dlt is implied.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit dlt
  audit dlt --since '1h ago' --error '*Unavailable*'
  audit dlt -o json | jq '.[] | select(.records > 1)'")]
pub(crate) struct DltArgs {
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// The columns of tables on a terminal of 120 columns and more.
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
/// On a narrower one; below 100 columns the last is left out.
const IN_NARROW_TABLES: [&str; 6] =
    ["origin_topic", "exception_class", "records", "replayed", "example", "example_message"];

impl Run for DltArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
        settings.output(&mut self.output.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let selection = self.selectors.dead_letters(context.ui)?;
        let mut session = context.settings.session("audit dlt").await?;
        let reading = session.read(ReadMode::All).await?;
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        let groups = if resolved.is_empty() {
            Vec::new()
        } else {
            store::dead_letter_groups(&reading, &resolved).await?
        };
        self.print(groups, context.ui)
    }
}

impl DltArgs {
    fn print(&self, groups: Vec<DeadLetterGroup>, ui: Ui) -> Result<Exit, Failure> {
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
        let is_short = self.output.format.format() == Format::Table && ui.is_on_terminal();
        let rows = groups.into_iter().map(|group| (cells(group, is_short), Emphasis::None));
        let in_tables = match ui.width() {
            WidthClass::Narrow => &IN_NARROW_TABLES[..5],
            WidthClass::Medium => &IN_NARROW_TABLES,
            WidthClass::Wide | WidthClass::Widest => &IN_TABLES[..],
        };
        let rows = rows.collect();
        print_rows(&columns, in_tables, rows, "no dead letters match", &self.output, ui)
    }
}

fn cells(group: DeadLetterGroup, is_short: bool) -> Vec<Value<'static>> {
    let class = group.exception_class.map(|class| match is_short {
        true => short_class(&class).to_owned(),
        false => class,
    });
    vec![
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
    ]
}
