//! `audit migrate`: creates or upgrades the schema.

use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

use clap::{Args, ValueEnum};
use uuid::Uuid;

use crate::anchor;
use crate::anchor::Restart;
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run, left_to_count, maintain};
use crate::cli::ui::{Exit, Failure, Progress, Ui};
use crate::evidence::note::Origin;
use crate::host;
use crate::store;
use crate::store::{Adoption, Counting, Migration, MigrationStep, Session, Settings};

/// How often the server is asked how far a migration is.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Create or upgrade the schema of the audit database
///
/// Safe to run again, and safe when several run at once. Only adds: it never drops or rewrites what
/// is recorded. Rows that were recorded before there were counts are counted in pieces, and indexes
/// that old partitions lack are built, while ingesters go on; whoever interrupts that can go on
/// later by running it again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit migrate              # create or upgrade the schema
  audit migrate --status     # which version; exits 1 when it is not this one
  audit migrate --roles      # also the roles audit_ingester, audit_reader and
                             # audit_replayer")]
pub(crate) struct MigrateArgs {
    /// Only say which version the schema has, and how many rows are still to be counted
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
            let is_current = state.found == Some(state.known);
            if is_current && let Some(left) = left_to_count(&Counting::read(&session).await?) {
                writeln!(stdout, "{target}: {left}")?;
            }
            stdout.flush()?;
            return Ok(if is_current { Exit::Done } else { Exit::Failed });
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
        let applied = apply(&mut session, &settings, context.ui).await?;
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
                let (installation, log) = take_home(&mut session, adoption).await?;
                let group = store::default_group(installation);
                writeln!(stdout, "{target}: is at home here, its consumer group is {group}")?;
                if let Some(log) = log {
                    writeln!(
                        stdout,
                        "{target}: its log of evidence goes on as {log}, and needs a key of its own"
                    )?;
                }
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
        let session = Session::open(&settings, "audit migrate (maintaining)").await?;
        maintain(&session, context.ui).await?;
        Ok(Exit::Done)
    }
}

/// Decides upon a database that is not where it was at home. A copy that gets an id of its own
/// begins a log of its own, where its original had one: its name is returned, too.
async fn take_home(
    session: &mut Session,
    adoption: Adoption,
) -> Result<(Uuid, Option<Origin>), Failure> {
    let held = store::hold_log(session).await?;
    let head = store::log_head(&held).await?;
    let installation = store::adopt(&held, adoption).await?;
    if adoption == Adoption::Moved || head.size == 0 {
        held.commit().await?;
        return Ok((installation, None));
    }
    let last = store::last_checkpoint(&held, head.log_no).await?;
    let restart = Restart {
        last_checkpoint: last.as_ref().map(|last| last.note.as_str()),
        reason: "audit migrate --adopt-copy new-id",
        restarted_by: &host::user_at_host(),
    };
    let origin = anchor::begin_anew(held, &head, restart).await?;
    Ok((installation, Some(origin)))
}

/// Applies what is missing, and shows how far it is.
async fn apply(
    session: &mut Session,
    settings: &Settings,
    ui: Ui,
) -> Result<Vec<Migration>, Failure> {
    let progress = ui.progress();
    if !progress.is_seen() {
        return Ok(store::migrate(session, settings).await?);
    }
    progress.doing("asking for the schema");
    let backend = store::backend(session).await?;
    tokio::select! {
        applied = store::migrate(session, settings) => Ok(applied?),
        never = follow(&progress, settings, backend) => match never {},
    }
}

/// Shows for ever how far the session of this process at the server is. Without a second
/// connection that is not known.
async fn follow(progress: &Progress, settings: &Settings, backend: i32) -> Infallible {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Ok(session) = Session::connect(settings, "audit migrate (progress)").await else {
            continue;
        };
        while let (Ok(missing), Ok(step)) = (
            store::pending(&session, settings).await,
            store::migration_step(&session, backend).await,
        ) {
            progress.doing(step_text(missing.first(), &step));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// `V5__reading_together: index of event_logs (2 of 9 leaves done), scanning table 45%`
fn step_text(migration: Option<&Migration>, step: &MigrationStep) -> String {
    if step.awaited_lock.as_deref() == Some("advisory") {
        return "waiting for another migration to end".to_owned();
    }
    let Some(migration) = migration else { return "ending the migration".to_owned() };
    let name = format!("V{}__{}", migration.version, migration.name);
    match (&step.index, step.awaited_lock.as_deref()) {
        (_, Some(_)) => format!("{name}: waiting for those who use the table"),
        (None, None) => format!("applying {name}"),
        (Some(index), None) => {
            let mut text = format!("{name}: index of {}", index.table);
            if let Some((done, all @ 2..)) = index.leaves {
                text.push_str(&format!(" ({done} of {all} leaves done)"));
            }
            let phase = index.phase.strip_prefix("building index: ").unwrap_or(&index.phase);
            text.push_str(&format!(", {phase}"));
            if let Some(percent) = index.percent {
                text.push_str(&format!(" {percent}%"));
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::step_text;
    use crate::store::{IndexBuild, Migration, MigrationStep};

    #[test]
    fn a_migration_is_shown_with_what_it_is_at() {
        let migration = Migration { version: 5, name: "reading_together".to_owned() };
        let text = |step: MigrationStep| step_text(Some(&migration), &step);
        assert_eq!(text(MigrationStep::default()), "applying V5__reading_together");
        let index = IndexBuild {
            table: "event_logs_2".to_owned(),
            phase: "building index: scanning table".to_owned(),
            percent: Some(45),
            leaves: Some((2, 9)),
        };
        let building = MigrationStep { index: Some(index), awaited_lock: None };
        assert_eq!(
            text(building),
            "V5__reading_together: index of event_logs_2 (2 of 9 leaves done), scanning table 45%"
        );
        let awaiting =
            |lock: &str| text(MigrationStep { index: None, awaited_lock: Some(lock.to_owned()) });
        assert_eq!(awaiting("advisory"), "waiting for another migration to end");
        assert_eq!(
            awaiting("relation"),
            "V5__reading_together: waiting for those who use the table"
        );
        assert_eq!(step_text(None, &MigrationStep::default()), "ending the migration");
    }
}
