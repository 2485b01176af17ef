//! Decides upon a database that is not where it was at home.

use uuid::Uuid;

use crate::store::connection::session::Session;
use crate::store::error::Error;

/// What a database is that was found somewhere else than at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// A copy, which gets an id of its own, and with it a consumer group.
    NewId,
    /// The original, which was moved: it keeps its id.
    Moved,
}

/// Writes down that the database is at home here, and returns its id.
///
/// # Errors
/// `Error::Query`, for example where the connected user is not the owner of the tables.
pub async fn adopt(session: &Session, adoption: Adoption) -> Result<Uuid, Error> {
    let identity = match adoption {
        Adoption::NewId => "id = gen_random_uuid(), copied_from = id, ",
        Adoption::Moved => "",
    };
    let sql = format!(
        "UPDATE audit_installation
            SET {identity}system_identifier = audit_system_identifier(), database_oid = audit_database_oid()
         RETURNING id"
    );
    session.row("adopting the database", &sql, &[], |row| row.try_get(0)).await
}
