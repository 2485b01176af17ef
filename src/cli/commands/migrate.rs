//! `audit migrate`: creates or upgrades the schema.

use clap::Args;

use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::ui::failure::{Exit, Failure};
use crate::store::{self, Session};

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

pub(crate) async fn run(args: &MigrateArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let settings = connection.database()?;
    let mut session = Session::connect(&settings, "audit migrate").await?;
    let target = settings.target();
    if args.status {
        let state = store::schema_state(&session).await?;
        let found =
            state.found.map_or_else(|| "no schema".to_owned(), |found| format!("version {found}"));
        println!("{target}: {found}, this program needs version {}", state.known);
        return Ok(if state.found == Some(state.known) { Exit::Done } else { Exit::Failed });
    }
    if args.dry_run {
        let missing = store::pending(&session, &settings).await?;
        for migration in &missing {
            println!("would apply V{}__{}", migration.version, migration.name);
        }
        if missing.is_empty() {
            println!("{target}: nothing to apply");
        }
        return Ok(Exit::Done);
    }
    let applied = store::migrate(&mut session, &settings).await?;
    for migration in &applied {
        println!("applied V{}__{}", migration.version, migration.name);
    }
    if applied.is_empty() {
        println!("{target}: up to date");
    }
    if args.roles {
        store::apply_roles(&session).await?;
        println!("roles audit_ingester, audit_reader and audit_replayer are there");
    }
    Ok(Exit::Done)
}
