//! Selected events as an object-centric event log.

use super::args::ExportArgs;
use super::uninterrupted::uninterrupted;
use crate::cli::shared::{Context, explain_selection};
use crate::cli::ui::{Exit, Failure, Progress, Total};
use crate::count_text::counted;
use crate::export::{OcelSummary, Source, Target};
use crate::filter::Selection;
use crate::store::EventColumn;

/// Writes it.
pub(super) async fn write(
    args: &ExportArgs,
    context: &Context<'_>,
    source: &Source<'_>,
    target: &Target,
    progress: &Progress,
    selection: &Selection,
) -> Result<Exit, Failure> {
    let ui = context.ui;
    let attributes = match args.columns.is_empty() {
        true => vec![EventColumn::SourceService.into()],
        false => source.wanted.columns.written().cloned().collect(),
    };
    progress.counting("events", Total::Unknown);
    let written = async { Ok(source.write_ocel(target, &attributes).await?) };
    let summary = match target.is_stream() {
        true => written.await?,
        false => uninterrupted(written).await?,
    };
    progress.clear();
    let OcelSummary { events, objects, relations, .. } = summary;
    ui.status(&format!(
        "{}, {} and {} written{}",
        counted(events, "event"),
        counted(objects, "object"),
        counted(relations, "relation"),
        target.path.as_deref().map(|path| format!(" to {}", path.display())).unwrap_or_default()
    ));
    if let Some(left_out) = summary.left_out() {
        ui.status(&left_out);
    }
    explain_selection(source.reading, selection, events > 0, ui).await?;
    Ok(args.empty.exit(events == 0))
}
