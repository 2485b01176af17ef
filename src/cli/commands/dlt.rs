//! `audit dlt`: what could not be processed, by origin and error.

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, OutputArgs, Run, SelectorArgs, explain_selection, print_rows};
use crate::cli::ui::{Exit, Failure, Ui};
use crate::dead_letter::short_class;
use crate::output::{Column, Emphasis};
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

/// The columns of tables.
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
        let progress = context.ui.progress();
        progress.doing("reading the dead letters");
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        let groups = if resolved.is_empty() {
            Vec::new()
        } else {
            store::dead_letter_groups(&reading, &resolved).await?
        };
        progress.clear();
        let is_found = !groups.is_empty();
        let exit = self.print(groups, context.ui)?;
        explain_selection(&reading, &selection, is_found, context.ui).await?;
        Ok(exit)
    }
}

impl DltArgs {
    fn print(&self, groups: Vec<DeadLetterGroup>, ui: Ui) -> Result<Exit, Failure> {
        let columns = [
            Column::new("origin_topic").category().whole(),
            Column::new("consumer_group").optional(1),
            Column::new("exception_class").shortened(short_class).whole(),
            Column::new("records"),
            Column::new("replayed"),
            Column::new("returned"),
            Column::new("first_at"),
            Column::new("last_at").optional(2),
            Column::new("example"),
            Column::new("example_message").explains(),
        ];
        let rows = groups.into_iter().map(|group| (cells(group), Emphasis::None)).collect();
        print_rows(&columns, &IN_TABLES, rows, "no dead letters match", &self.output, ui)
    }
}

fn cells(group: DeadLetterGroup) -> Vec<Value<'static>> {
    vec![
        group.origin_topic.into(),
        group.consumer_group.into(),
        group.exception_class.into(),
        group.records.into(),
        group.replayed.into(),
        group.returned.into(),
        Timestamp::without_zone(group.first_at).into(),
        Timestamp::without_zone(group.last_at).into(),
        group.example.into(),
        group.example_message.into(),
    ]
}
