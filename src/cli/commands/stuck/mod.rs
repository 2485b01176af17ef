//! `audit stuck`: which stories began and did not end.

mod rows;

use chrono::{SubsecRound, Utc};
use clap::Args;
use indicatif::HumanCount;

use crate::analysis::{Ends, Rules, Usual};
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, Found, History, ListItems, OutputArgs, Question, Run, SelectorArgs, explain_selection,
    find_stuck, whole_number,
};
use crate::cli::ui::{Exit, Failure};
use crate::filter::{GlobList, Selection, duration, rfc3339};
use crate::output::Format;
use crate::store;
use crate::store::{ReadMode, RowScope};
use crate::time::PostgresMicros;
use rows::write_rows;

/// How many rows a table has where no limit is given.
const IN_A_TABLE: usize = 50;

/// What is judged where no time is given, in hours.
const JUDGED_HOURS: i64 = 24;

/// Show stories that began and did not end, the longest silent first
///
/// A story is all events of one correlation, or of one aggregate where they have none. Judged are
/// those whose first step happened within --since, --until and --date, else in the last 24 hours;
/// the other selectors ask for one event of it. What is usual is learned from the stories that
/// began in the 30 days before: with which types they end, and how long after each type the next
/// step happens (p99). A story is stuck that has not ended and has been silent for longer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit stuck
  audit stuck --since -7d --start OrderPlaced
  audit stuck --end OrderShipped,OrderCancelled --within 5s
  audit stuck --since '1h ago' --error '*Currency*' -o json")]
pub(crate) struct StuckArgs {
    /// Only stories that hold a step of this type
    #[arg(long, value_name = "TYPE")]
    start: Vec<ListItems>,
    /// Types that end a story, wherever they stand in it [default: learned]
    #[arg(long, value_name = "TYPE", num_args = 1..)]
    end: Vec<ListItems>,
    /// How long a story may be silent, such as 10m or 1h30m [default: learned]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    within: Option<i64>,
    /// How many rows at most [default: 50 in a table, else all]
    #[arg(short = 'n', long, value_name = "ROWS", value_parser = whole_number::<usize>(1..))]
    limit: Option<usize>,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl Run for StuckArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
        settings.output(&mut self.output.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let now = Utc::now().trunc_subsecs(6);
        let mut selection = self.selectors.selection(ui)?;
        if selection.created.is_unbounded() && selection.days.is_empty() {
            let since = now - chrono::Duration::hours(JUDGED_HOURS);
            selection.created.since = Some(since);
            ui.status(&format!(
                "stories that began in the last 24 h, since {}; --since takes others",
                rfc3339(since.trunc_subsecs(0))
            ));
        }
        let (starts, ends) = (types("--start", &self.start)?, types("--end", &self.end)?);
        let mut session = context.settings.session("audit stuck").await?;
        let reading = session.read(ReadMode::All).await?;
        let progress = ui.progress();

        let usual = match (ends.is_empty(), self.within) {
            (false, Some(_)) => Usual::default(),
            (is_learned, within) => {
                progress.doing("learning what is usual");
                let history = History::before(&selection, now);
                let learned = history.learn(&reading).await?;
                if learned.usual.stories > 0 {
                    progress.clear();
                    history.told(&learned).iter().for_each(|line| ui.status(line));
                }
                let usual = learned.usual;
                if usual.stories == 0 && is_learned {
                    return Err(history.nothing(within.is_some()));
                }
                if usual.stories == 0 {
                    ui.status(&history.nothing_known());
                }
                usual
            }
        };
        progress.doing("searching for stories that did not end");
        let rules = Rules {
            now: PostgresMicros::from(now),
            starts: &starts,
            ends: if ends.is_empty() { Ends::Learned } else { Ends::Given(&ends) },
            within: self.within,
            usual: &usual,
        };
        let question = Question {
            selection: store::resolve(&reading, &selection, RowScope::Existing).await?,
            starts: store::resolve(&reading, &of_types(&starts), RowScope::Existing).await?,
            ends: store::resolve(&reading, &of_types(&ends), RowScope::Existing).await?,
        };
        let Found { mut stuck, of, is_exact } = find_stuck(&reading, &question, &rules).await?;
        progress.clear();

        let found = stuck.len();
        let limit = match self.output.format.format() {
            Format::Table => Some(self.limit.unwrap_or(IN_A_TABLE)),
            _ => self.limit,
        };
        stuck.truncate(limit.unwrap_or(usize::MAX));
        let next_commands = write_rows(&reading, &stuck, &self.output, ui).await?;
        if stuck.len() < found {
            let shown = HumanCount(stuck.len() as u64);
            ui.status(&format!("the {shown} longest silent shown; show more with --limit"));
        }
        for globs in [&starts, &ends] {
            explain_selection(&reading, &of_types(globs), false, ui).await?;
        }
        explain_selection(&reading, &selection, of > 0, ui).await?;
        let about = if is_exact { "" } else { "about " };
        let (found, of) = (HumanCount(found as u64), HumanCount(of.unsigned_abs()));
        ui.status(&format!("{found} of {about}{of} stories are stuck"));
        for line in next_commands {
            ui.status(&line);
        }
        reading.finish().await?;
        Ok(self.output.empty.exit(stuck.is_empty()))
    }
}

/// The types of an option.
fn types(option: &str, lists: &[ListItems]) -> Result<GlobList, Failure> {
    GlobList::new(lists.iter().flat_map(ListItems::items))
        .map_err(|error| Failure::usage(format!("{option}: {error}")))
}

fn of_types(types: &GlobList) -> Selection {
    Selection { event_types: types.clone(), ..Selection::default() }
}
