//! How many rows are quarantined for want of a schema.

use tokio_postgres::types::Type;

use crate::event::{QUARANTINED, Reason};
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// How many rows are quarantined for want of a schema, by the reason that they have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LackingSchemas {
    /// No registry was given when they were recorded.
    pub without_registry: i64,
    /// The registry did not know their schema.
    pub unknown: i64,
    /// Their schema could not be read.
    pub invalid: i64,
}

impl LackingSchemas {
    /// All of them.
    pub fn all(self) -> i64 {
        self.without_registry + self.unknown + self.invalid
    }
}

/// Counts them among the rows that are quarantined, which the index on `event_type` finds: reads
/// each of these.
///
/// # Errors
/// `Error::Query`.
pub async fn lacking_schemas(session: &Session) -> Result<LackingSchemas, Error> {
    let [registry, unknown, invalid] =
        [Reason::SchemaRegistry, Reason::UnknownSchema, Reason::SchemaInvalid].map(Reason::as_str);
    session
        .row(
            "counting what is quarantined for want of a schema",
            "SELECT count(*) FILTER (WHERE reason = $2), count(*) FILTER (WHERE reason = $3),
                    count(*) FILTER (WHERE reason = $4)
               FROM (SELECT payload->>'reason' AS reason FROM event_logs WHERE event_type = $1) AS quarantined",
            &[
                (&QUARANTINED, Type::VARCHAR),
                (&registry, Type::TEXT),
                (&unknown, Type::TEXT),
                (&invalid, Type::TEXT),
            ],
            |row| {
                Ok(LackingSchemas {
                    without_registry: row.try_get(0)?,
                    unknown: row.try_get(1)?,
                    invalid: row.try_get(2)?,
                })
            },
        )
        .await
}
