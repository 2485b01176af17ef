//! What an administrator can do to a row, and no trigger tells.

use std::error::Error;
use std::io::{Write, stdout};

use tokio::runtime::Builder;
use tokio_postgres::NoTls;

use super::stage::Stage;

/// The order that the tour follows: what its customer ordered.
pub(super) const EVENT: &str = "4f2a91c3-0c1d-4c51-9d0e-52a1f5a0b7de";

/// What is done to the row, and undone.
pub(super) const FORGE: &str = "payload || '{\"total_amount\": \"1.00\"}'";

/// A row as it was before it was changed.
pub(super) struct Forged {
    payload: String,
}

/// Changes the row of [`EVENT`] as a superuser, and leaves no trace in the schema.
pub(super) fn forge(stage: &Stage<'_>) -> Result<Forged, Box<dyn Error>> {
    let shown = format!("UPDATE event_logs SET payload = {FORGE}\n WHERE event_id = '{EVENT}';");
    writeln!(stdout(), "{shown}")?;
    let payload = change(stage, FORGE)?;
    Ok(Forged { payload })
}

impl Forged {
    /// Puts back what was there.
    pub(super) fn put_back(self, stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
        let literal = format!("'{}'::jsonb", self.payload.replace('\'', "''"));
        change(stage, &literal).map(drop)
    }
}

/// Changes the payload past the triggers, and returns what it was.
fn change(stage: &Stage<'_>, payload: &str) -> Result<String, Box<dyn Error>> {
    let url = stage.sandbox().postgres().url("audit_db");
    let found = "SELECT payload::text, tableoid::regclass::text, id FROM event_logs
                  WHERE event_id = $1::text::uuid ORDER BY id LIMIT 1";
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        let row = client.query_one(found, &[&EVENT]).await?;
        let (before, leaf, id): (String, String, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        client
            .batch_execute(&format!(
                "BEGIN;
                 ALTER TABLE {leaf} DISABLE TRIGGER append_only;
                 UPDATE {leaf} SET payload = {payload} WHERE id = {id};
                 ALTER TABLE {leaf} ENABLE ALWAYS TRIGGER append_only;
                 COMMIT"
            ))
            .await?;
        Ok(before)
    })
}
