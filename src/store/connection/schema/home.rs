//! Where a database is, and whether it may be written to there: a copy must not record in the name
//! of its original, a standby takes no writes, and not every encoding holds every event.

use tokio_postgres::Client;

use crate::store::connection::parameters::Settings;
use crate::store::connection::query;
use crate::store::error::Error;

/// The only encoding that holds every character.
const ENCODING: &str = "UTF8";

/// What the server says of itself and of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    encoding: String,
    is_standby: bool,
    is_copy: bool,
}

impl Home {
    /// Asks the server, of whatever schema the database is. Whether it is a copy stays open.
    pub(in crate::store) async fn of_server(client: &Client) -> Result<Self, Error> {
        let sql = "SELECT current_setting('server_encoding'), pg_is_in_recovery(), false";
        Self::read(client, sql).await
    }

    async fn read(client: &Client, sql: &str) -> Result<Self, Error> {
        query::row(client, "asking where the database is", sql, &[], |row| {
            Ok(Self {
                encoding: row.try_get(0)?,
                is_standby: row.try_get(1)?,
                is_copy: row.try_get(2)?,
            })
        })
        .await
    }

    /// Whether the server is a standby, which only reads.
    pub fn is_standby(&self) -> bool {
        self.is_standby
    }

    /// Whether the database is a copy of another one, which nobody has decided upon.
    pub fn is_copy(&self) -> bool {
        self.is_copy
    }

    /// Fails where the database must not be written to, however long one waits.
    ///
    /// # Errors
    /// `Error::Encoding`, `Error::Copy`.
    pub fn check_identity(&self, settings: &Settings) -> Result<(), Error> {
        let target = settings.target();
        if self.encoding != ENCODING {
            return Err(Error::Encoding { target, encoding: self.encoding.clone() });
        }
        if self.is_copy { Err(Error::Copy { target }) } else { Ok(()) }
    }

    /// Fails where the database can't be written to now.
    ///
    /// # Errors
    /// Those of [`Home::check_identity`], and `Error::Standby`, which is transient.
    pub fn check_writable(&self, settings: &Settings) -> Result<(), Error> {
        self.check_identity(settings)?;
        if self.is_standby {
            return Err(Error::Standby { target: settings.target() });
        }
        Ok(())
    }

    /// What somebody who reads the database should know, a line each.
    pub fn notes(&self, settings: &Settings) -> Vec<String> {
        let mut notes = Vec::new();
        if let Err(error) = self.check_identity(settings) {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            notes.push(format!("{error}{hint}"));
        }
        if self.is_standby {
            notes.push(format!(
                "PostgreSQL at {} is a standby: it may be behind its primary, and doesn't see who \
                 is connected there",
                settings.target()
            ));
        }
        notes
    }
}

/// Asks where the database is, whose schema has to be this program's.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn home(client: &Client) -> Result<Home, Error> {
    let sql = "SELECT current_setting('server_encoding'), pg_is_in_recovery(), coalesce(audit_is_copy(), false)";
    Home::read(client, sql).await
}
