//! `audit report`: one page about a period, for those who have no terminal.

mod coverage;
mod events;
mod facts;
mod flow;
mod letters;
mod page;
mod period;
mod question;
mod stuck;
mod timeline;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EmptyArgs, ListItems, Run, SelectorArgs, explain_selection, in_a_shell, quoted,
};
use crate::cli::ui::{Exit, Failure, interruption};
use crate::export::WholeFile;
use crate::filter::{Clock, GlobList, Selection, duration, rfc3339};
use crate::output::html::write_page;
use crate::store::ReadMode;
use facts::Facts;
use question::Question;

/// What is reported where no time is asked for.
const SINCE: &str = "-7d";

/// Write one HTML page about a period, for those who have no terminal
///
/// The page holds all of itself: it loads nothing, runs no script, prints well, and is light or
/// dark as its reader prefers. It has totals, events over time, the flow of stories, the slowest
/// steps, variants, dead letters by error, stuck stories, how far each partition is recorded, and
/// how it was made; all of it is read in one snapshot. Stories are chosen and judged as `audit
/// flow` and `audit stuck` do it. Without --since, --until, --date or a time of recording it is
/// about the last 7 days. FILE appears when it is whole, and replaces what was there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit report week.html
  audit report today.html --date today --tz Europe/Berlin
  audit report orders.html --since -1d --type 'Order*'
  audit report - --since -1d | wc -c    # to stdout")]
pub(crate) struct ReportArgs {
    /// File to write, whose name ends in .html or .htm; - is stdout
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    path: PathBuf,
    /// Types that end a story, for those that are stuck [default: learned]
    #[arg(long, value_name = "TYPE", num_args = 1..)]
    end: Vec<ListItems>,
    /// How long a story may be silent, such as 10m or 1h30m [default: learned]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    within: Option<i64>,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    empty: EmptyArgs,
}

impl Run for ReportArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        self.is_stdout().then_some(Exit::Done)
    }

    async fn run(mut self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        self.check_name()?;
        let ends = GlobList::new(self.end.iter().flat_map(ListItems::items))
            .map_err(|error| Failure::usage(format!("--end: {error}")))?;
        let clock = self.selectors.clock()?;
        let selection = self.selection(&clock, context)?;
        // Where nothing can be written, nothing is read.
        let mut file = match self.is_stdout() {
            true => None,
            false => Some(WholeFile::create(&self.path)?),
        };
        let interruption = interruption()?;
        let mut session = context.settings.session("audit report").await?;
        let reading = session.read(ReadMode::All).await?;
        let progress = ui.progress();
        let question =
            Question { selection: &selection, clock: &clock, ends: &ends, within: self.within };
        let facts = tokio::select! {
            facts = Facts::read(&reading, &question, &progress) => facts?,
            // Ending here leaves no file.
            () = interruption => {
                return Err(Failure::new("interrupted before the page was whole")
                    .with_exit(Exit::Interrupted));
            }
        };
        progress.clear();
        let command = self.command_line(&facts);
        let page = page::page(&facts, self.selectors.typed(), command);
        match &mut file {
            None => {
                let mut stdout = ui.stdout();
                write_page(&page, &mut stdout)?;
                stdout.flush()?;
            }
            Some(file) => {
                let written = write_page(&page, file).and_then(|()| file.flush());
                written.map_err(|error| Failure::from(error).in_file(&self.path))?;
            }
        }
        let is_empty = facts.counts.total.rows == 0;
        explain_selection(&reading, &selection, !is_empty, ui).await?;
        reading.finish().await?;
        if is_empty {
            ui.status("no rows match: the page says so");
        }
        for line in facts.left_out() {
            ui.status(&line);
        }
        if let Some(file) = file {
            file.finish()?;
            ui.status(&format!("report written to {}", self.path.display()));
        }
        Ok(self.empty.exit(is_empty))
    }
}

impl ReportArgs {
    fn is_stdout(&self) -> bool {
        self.path == Path::new("-")
    }

    fn check_name(&self) -> Result<(), Failure> {
        let ending = self.path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if self.is_stdout() || ["html", "htm"].contains(&ending.to_ascii_lowercase().as_str()) {
            return Ok(());
        }
        Err(Failure::usage(format!("the name {} is not that of a page", self.path.display()))
            .with_hint("name it something.html; - is stdout"))
    }

    /// The selection. It ends now, so that the same page can be made again.
    fn selection(&mut self, clock: &Clock, context: &Context<'_>) -> Result<Selection, Failure> {
        let selectors = &mut self.selectors;
        if !selectors.has_times() {
            selectors.since = Some(SINCE.to_owned());
        }
        let since = selectors.since.as_deref().and_then(|since| clock.time(since).ok());
        if selectors.until.is_none() && since.is_some_and(|since| since < clock.now) {
            selectors.until = Some("now".to_owned());
        }
        selectors.selection_at(clock, context.ui)
    }

    /// The command that makes this page again: times as they were understood, and nothing that says
    /// how to get into the database.
    fn command_line(&self, facts: &Facts) -> String {
        let mut line = format!("audit report {}", quoted(&self.path.to_string_lossy()));
        let mut add = |words: String| {
            line.push(' ');
            line.push_str(&words);
        };
        let selection = &facts.selection;
        for (since, until, range) in [
            ("--since", "--until", selection.created),
            ("--recorded-since", "--recorded-until", selection.recorded),
        ] {
            for (option, time) in [(since, range.since), (until, range.until)] {
                if let Some(time) = time {
                    add(format!("{option} {}", rfc3339(time)));
                }
            }
        }
        for day in selection.days.iter().filter_map(|day| day.since) {
            add(format!("--date {}", facts.times.day(day)));
        }
        self.selectors.typed().into_iter().for_each(&mut add);
        if self.selectors.tz != "UTC" {
            add(format!("--tz {}", quoted(&self.selectors.tz)));
        }
        for end in self.end.iter().flat_map(ListItems::items) {
            add(format!("--end {}", in_a_shell(end)));
        }
        if let Some(within) = self.within {
            add(format!("--within {}", within_text(within)));
        }
        line
    }
}

/// A duration as it can be typed.
fn within_text(microseconds: i64) -> String {
    match microseconds {
        whole if whole % 60_000_000 == 0 => format!("{}m", whole / 60_000_000),
        whole if whole % 1_000_000 == 0 => format!("{}s", whole / 1_000_000),
        rest => format!("{rest}us"),
    }
}
