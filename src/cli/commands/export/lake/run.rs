//! One run: appends what is new in one snapshot.

use std::sync::Arc;

use lake::delta::Location;

use super::super::args::ExportArgs;
use crate::cli::shared::{Context, EventColumns, explain_names};
use crate::cli::ui::{Failure, Progress, Total};
use crate::count_text::counted;
use crate::export;
use crate::export::{Appended, LakeTable, Source, Wanted};
use crate::filter::Selection;
use crate::output::Style;
use crate::store::{self, ReadMode, RowScope, Session};

/// Why appending stopped.
pub(super) enum Interruption {
    /// The database or the store went away: it may come back.
    Lost(Failure),
    /// Nothing can go on.
    Failed(Failure),
}

impl Interruption {
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Lost(failure) | Self::Failed(failure) => failure,
        }
    }
}

impl From<Failure> for Interruption {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<store::Error> for Interruption {
    fn from(error: store::Error) -> Self {
        match error.is_transient() {
            true => Self::Lost(error.into()),
            false => Self::Failed(error.into()),
        }
    }
}

impl From<export::Error> for Interruption {
    fn from(error: export::Error) -> Self {
        match error.is_transient() {
            true => Self::Lost(error.into()),
            false => Self::Failed(error.into()),
        }
    }
}

pub(super) fn said(appended: &Appended, url: &str) -> String {
    let Appended { rows, versions, version, .. } = *appended;
    match versions {
        0 => format!("nothing new for {url}, which is at version {version}"),
        1 => format!("{} appended to {url} in version {version}", counted(rows, "row")),
        _ => format!("{} appended to {url} in {versions} versions", counted(rows, "row")),
    }
}

/// What appends.
pub(super) struct Runs<'a> {
    pub(super) args: &'a ExportArgs,
    pub(super) context: &'a Context<'a>,
    pub(super) selection: Selection,
    pub(super) columns: EventColumns,
    pub(super) location: Location,
    /// None before it was opened, and while it has to be opened again.
    pub(super) table: Option<LakeTable>,
    /// Whether the selection and the columns were held against what there is.
    pub(super) is_checked: bool,
}

impl Runs<'_> {
    /// Appends what is new in one snapshot.
    pub(super) async fn once(&mut self, session: &mut Session) -> Result<Appended, Interruption> {
        let (args, ui) = (self.args, self.context.ui);
        let settings = self.context.settings.quiet_database()?;
        let reading = session.read(ReadMode::All).await?;
        if !self.is_checked {
            self.columns.check(&reading).await?;
        }
        let wanted = Wanted {
            selection: store::resolve(&reading, &self.selection, RowScope::Existing).await?,
            columns: self.columns.of_files(true),
            dedup: args.dedup,
            limit: None,
        };
        let contents = args.contents(&reading, &wanted.columns).await?;
        let table = match &mut self.table {
            Some(table) => table,
            none => none
                .insert(LakeTable::open(self.location.clone(), &contents, &wanted.columns).await?),
        };
        let name = args.delta.as_deref().unwrap_or_default();
        args.refuse_retired(&reading, name, table.refreshed().await?, ui).await?;
        let progress = if args.follow { Progress::hidden() } else { ui.progress() };
        progress.counting("rows", Total::Unknown);
        let source = Source {
            reading: &reading,
            settings: &settings,
            wanted: Arc::new(wanted),
            style: Style::default(),
            contents,
            watch: &progress,
        };
        let appended = table.append_new(&source).await?;
        progress.clear();
        if !self.is_checked {
            self.is_checked = true;
            explain_names(&reading, &self.selection, appended.rows > 0, ui).await?;
        }
        reading.finish().await?;
        Ok(appended)
    }
}
