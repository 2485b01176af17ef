//! `audit status --watch`: the same again and again, in one place of the screen.

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use chrono::Utc;

use super::overview::Overview;
use crate::cli::shared::{Context, FormatArgs};
use crate::cli::ui::{Exit, Failure, Ui, interruption};
use crate::output::{Format, escape_controls};
use crate::time::timestamp_text;

/// Shows the status every `seconds` until a signal asks to stop.
pub(super) async fn run(
    seconds: u64,
    count_duplicates: bool,
    all: bool,
    args: &FormatArgs,
    context: &Context<'_>,
) -> Result<Exit, Failure> {
    let ui = context.ui;
    let database = context.settings.database()?;
    let mut interruption = pin!(interruption()?);
    loop {
        let gathered = tokio::select! {
            gathered = Overview::gather(count_duplicates, context, &database) => gathered,
            () = &mut interruption => return Ok(Exit::Done),
        };
        match gathered {
            Ok(overview) => paint(args, all, &overview, ui)?,
            // It may come back: whoever watches wants to see that.
            Err(error) if error.is_transient() => ui.status(&error.to_string()),
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = &mut interruption => return Ok(Exit::Done),
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
        }
    }
}

/// Draws it over the one before, as much as fits the screen; without a terminal it is written below
/// the one before.
fn paint(args: &FormatArgs, all: bool, overview: &Overview, ui: Ui) -> Result<(), Failure> {
    let report = overview.render(args, all, ui)?;
    let height = ui.height().filter(|_| args.format() == Format::Table);
    let Some(height) = height else {
        let mut stdout = ui.stdout();
        stdout.write_all(&report)?;
        stdout.flush()?;
        for note in &overview.notes {
            ui.status(note);
        }
        return Ok(());
    };
    let report = String::from_utf8_lossy(&report);
    let now = timestamp_text(Utc::now().into());
    let mut lines = vec![format!("{now}, Ctrl-C ends")];
    lines.extend(overview.notes.iter().map(|note| escape_controls(note).into_owned()));
    lines.extend(report.lines().map(str::to_owned));
    // The last line stays empty: a line break there would scroll.
    let room = usize::from(height).saturating_sub(1).max(2);
    if lines.len() > room {
        let hidden = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(format!("… {hidden} more lines; without --watch all are shown"));
    }
    Ok(ui.repaint(&lines)?)
}
