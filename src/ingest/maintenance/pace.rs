//! How fast rows are recorded.

use std::time::Instant;

use crate::store::{self, Session, recorded_rows};

/// With fewer rows a second the database has time for other work, and rows can as well enter a leaf
/// with all of its indexes.
const QUIET: i64 = 5_000;

/// What was recorded when it was last looked at.
pub(super) struct Pace {
    at: Instant,
    rows: i64,
}

impl Pace {
    /// Begins to look.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(super) async fn begin(session: &Session) -> Result<Self, store::Error> {
        Ok(Self { at: Instant::now(), rows: recorded_rows(session).await? })
    }

    /// How many rows are recorded now, and whether few came since it was last looked at.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(super) async fn look(&mut self, session: &Session) -> Result<(i64, bool), store::Error> {
        let rows = recorded_rows(session).await?;
        let seconds = self.at.elapsed().as_secs().max(1).cast_signed();
        let is_quiet = rows - self.rows <= QUIET.saturating_mul(seconds);
        *self = Self { at: Instant::now(), rows };
        Ok((rows, is_quiet))
    }
}
