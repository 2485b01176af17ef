//! `audit migrate`: creates or upgrades the schema.

use std::io::Write;

use clap::{Args, ValueEnum};

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure};
use crate::store;
use crate::store::{Adoption, Session};

/// Create or upgrade the schema of the audit database
///
/// Safe to run again, and safe when several run at once. Only adds: it never drops or rewrites what
/// is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit migrate              # create or upgrade the schema
  audit migrate --status     # which version; exits 1 when it is not this one
  audit migrate --roles      # also the roles audit_ingester, audit_reader and
                             # audit_replayer")]
pub(crate) struct MigrateArgs {
    /// Only say which version the schema has
    #[arg(long, conflicts_with_all = ["dry_run", "roles"])]
    status: bool,
    /// Only say which migrations would be applied
    #[arg(long)]
    dry_run: bool,
    /// Say what a database is that was found somewhere else than at home: `ingest` and `replay-dlt`
    /// refuse it until then
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with_all = ["dry_run", "status"])]
    adopt_copy: Option<AdoptCopy>,
    /// Also make the group roles audit_ingester, audit_reader and audit_replayer; roles belong to
    /// the whole server
    #[arg(long, conflicts_with = "dry_run")]
    roles: bool,
}

/// What `--adopt-copy` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AdoptCopy {
    /// A copy, whose original goes on: it gets an id of its own, and so a consumer group
    NewId,
    /// The original, which was moved, restored or upgraded: it keeps its id
    Moved,
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
        match self.adopt_copy {
            Some(adopted) => {
                let adoption = match adopted {
                    AdoptCopy::NewId => Adoption::NewId,
                    AdoptCopy::Moved => Adoption::Moved,
                };
                let at_work = store::ingester_statuses(&session).await?;
                if let Some(ingester) = at_work.first() {
                    return Err(Failure::new(format!(
                        "--adopt-copy: the ingester {} is at work on {target}",
                        ingester.name
                    ))
                    .with_hint("stop every ingester of this database first: it would go on under the old id"));
                }
                let group = store::default_group(store::adopt(&session, adoption).await?);
                writeln!(stdout, "{target}: is at home here, its consumer group is {group}")?;
            }
            None => {
                for note in session.home().await?.notes(&settings) {
                    context.ui.status(&note);
                }
            }
        }
        if self.roles {
            store::apply_roles(&session).await?;
            writeln!(stdout, "roles audit_ingester, audit_reader and audit_replayer are there")?;
        }
        stdout.flush()?;
        Ok(Exit::Done)
    }
}
