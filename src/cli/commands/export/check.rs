//! `audit export --check`: files against their manifests.

use std::path::Path;

use crate::cli::ui::{Exit, Failure, Total, Ui};
use crate::count_text::counted;
use crate::export::{self, Wrong};

/// Checks the files that manifests name.
pub(super) fn check_files(path: &Path, ui: Ui) -> Result<Exit, Failure> {
    let progress = ui.progress();
    progress.counting("bytes", Total::Unknown);
    let checked = export::check(path, |bytes| progress.set(bytes))?;
    progress.clear();
    for finding in &checked.findings {
        let wrong = match &finding.wrong {
            Wrong::Missing => "missing",
            Wrong::Altered(difference) => &format!("altered: {difference}"),
            Wrong::Unnamed => "no manifest names it",
        };
        ui.status(&format!("{}: {wrong}", finding.path.display()));
    }
    let good = format!(
        "{} as {}, with {} and {}",
        counted(checked.good, "file"),
        if checked.good == 1 { "it was written" } else { "they were written" },
        counted(checked.rows, "row"),
        counted(checked.bytes, "byte")
    );
    ui.status(&good);
    let is_altered = |wrong: &Wrong| matches!(wrong, Wrong::Altered(_) | Wrong::Unnamed);
    Ok(if checked.findings.iter().any(|finding| is_altered(&finding.wrong)) {
        Exit::Altered
    } else if checked.findings.is_empty() {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}
