//! `audit migrate`: creates or upgrades the schema.

use std::io::Write;

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure};
use crate::store;
use crate::store::Session;

/// Create or upgrade the schema of the audit database
///
/// Safe to run again, and safe when several run at once. Only adds: it never drops or rewrites what
/// is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit migrate                  # create or upgrade the schema
  audit migrate --status         # say which version the database has; exits 1 when it is not this program's
  audit migrate --roles          # also make the roles audit_ingester, audit_reader and audit_replayer")]
pub(crate) struct MigrateArgs {
    /// Only say which version the schema has
    #[arg(long, conflicts_with_all = ["dry_run", "roles"])]
    status: bool,
    /// Only say which migrations would be applied
    #[arg(long)]
    dry_run: bool,
    /// Also make the group roles audit_ingester, audit_reader and audit_replayer; roles belong to
    /// the whole server
    #[arg(long, conflicts_with = "dry_run")]
    roles: bool,
}

impl Run for MigrateArgs {
    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let settings = context.settings.database()?;
        // The schema is what this command is about: it may be missing, or another one.
        let mut session = Session::connect(&settings, "audit migrate").await?;
        let mut stdout = context.ui.stdout();
        let target = settings.target();
        if self.status {
            let state = store::schema_state(&session).await?;
            let found = state
                .found
                .map_or_else(|| "no schema".to_owned(), |found| format!("version {found}"));
            writeln!(stdout, "{target}: {found}, this program needs version {}", state.known)?;
            stdout.flush()?;
            return Ok(if state.found == Some(state.known) { Exit::Done } else { Exit::Failed });
        }
        if self.dry_run {
            let missing = store::pending(&session, &settings).await?;
            for migration in &missing {
                writeln!(stdout, "would apply V{}__{}", migration.version, migration.name)?;
            }
            if missing.is_empty() {
                writeln!(stdout, "{target}: nothing to apply")?;
            }
            stdout.flush()?;
            return Ok(Exit::Done);
        }
        let applied = store::migrate(&mut session, &settings).await?;
        for migration in &applied {
            writeln!(stdout, "applied V{}__{}", migration.version, migration.name)?;
        }
        if applied.is_empty() {
            writeln!(stdout, "{target}: up to date")?;
        }
        if self.roles {
            store::apply_roles(&session).await?;
            writeln!(stdout, "roles audit_ingester, audit_reader and audit_replayer are there")?;
        }
        stdout.flush()?;
        Ok(Exit::Done)
    }
}
