//! Whole rows, as binary COPY gives them: the server makes nothing of them.

use std::ops::RangeInclusive;
use std::pin::Pin;

use futures_util::stream::Fuse;
use futures_util::{StreamExt, TryStreamExt};
use tokio_postgres::{Client, CopyOutStream};

use super::copied_rows::CopiedRows;
use crate::evidence::canonical::{DEAD_LETTER_COLUMNS, EVENT_COLUMNS};
use crate::store::connection::query;
use crate::store::connection::session::{Session, SharedReading, SharedSnapshot};
use crate::store::error::Error;

const READING: &str = "reading rows";

/// About how many bytes are handed over at once.
const PIECE: usize = 256 * 1024;

/// A session that reads rows of a snapshot, beside others.
pub struct RowReader(SharedReading);

impl RowReader {
    /// Begins to read the snapshot.
    ///
    /// # Errors
    /// `Error::Query`, also where this session is of another server.
    pub(super) async fn begin(session: Session, snapshot: &SharedSnapshot) -> Result<Self, Error> {
        let shared = session.read_shared(snapshot).await?;
        // Rows lie in the order of their ids, or nearly so: nothing is to be sorted or hashed.
        let pinned = "SET LOCAL search_path = public, pg_temp; SET LOCAL jit = off; SET LOCAL enable_hashjoin = off;
                      SET LOCAL enable_sort = off; SET LOCAL max_parallel_workers_per_gather = 0";
        shared.client().batch_execute(pinned).await.map_err(Error::query(READING))?;
        Ok(Self(shared))
    }

    /// Begins to read the rows with these ids, in their order.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn copy(&self, ids: &RangeInclusive<i64>) -> Result<RowCopy, Error> {
        RowCopy::begin(self.0.client(), ids).await
    }
}

/// Rows that are being read.
pub struct RowCopy {
    /// Behind its end it must not be asked.
    stream: Pin<Box<Fuse<CopyOutStream>>>,
    has_dead_letters: bool,
}

impl RowCopy {
    /// Begins to read the rows with these ids, in their order.
    pub(super) async fn begin(client: &Client, ids: &RangeInclusive<i64>) -> Result<Self, Error> {
        let (first, last) = (ids.start(), ids.end());
        // Dead letters are few: most rows are read without a join.
        let letters = format!(
            "SELECT EXISTS (SELECT FROM dead_letters WHERE event_log_id BETWEEN '{first}'::bigint AND '{last}'::bigint)"
        );
        let has_dead_letters =
            query::row(client, READING, &letters, &[], |row| row.try_get(0)).await?;
        let copied = client.copy_out(&statement(*first, *last, has_dead_letters)).await;
        let stream = Box::pin(copied.map_err(Error::query(READING))?.fuse());
        Ok(Self { stream, has_dead_letters })
    }

    /// What makes rows of the pieces.
    pub fn rows(&self) -> CopiedRows {
        CopiedRows::new(self.has_dead_letters)
    }

    /// The next piece; `None` behind the last.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut piece = Vec::with_capacity(PIECE + PIECE / 8);
        while piece.len() < PIECE {
            match self.stream.try_next().await.map_err(Error::query(READING))? {
                Some(bytes) => piece.extend_from_slice(&bytes),
                None => break,
            }
        }
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// COPY takes no parameters: these are numbers.
fn statement(first: i64, last: i64, has_dead_letters: bool) -> String {
    let columns = EVENT_COLUMNS.join(", ");
    if !has_dead_letters {
        return format!(
            "COPY (SELECT {columns} FROM event_logs WHERE id BETWEEN '{first}'::bigint AND '{last}'::bigint ORDER BY id) TO STDOUT (FORMAT binary)"
        );
    }
    let of_letter = DEAD_LETTER_COLUMNS.map(|column| format!("letter.{column}")).join(", ");
    let of_event = EVENT_COLUMNS.map(|column| format!("event.{column}")).join(", ");
    format!(
        "COPY (SELECT {of_event}, {of_letter} FROM event_logs event
                 LEFT JOIN (SELECT * FROM dead_letters WHERE event_log_id BETWEEN '{first}'::bigint AND '{last}'::bigint) letter ON event_log_id = id
                WHERE id BETWEEN '{first}'::bigint AND '{last}'::bigint ORDER BY id) TO STDOUT (FORMAT binary)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_whole_with_their_dead_letters_where_there_are_any() {
        assert_eq!(
            statement(1, 7, false),
            "COPY (SELECT id, event_id, event_type, aggregate_id, source_service, is_dlt, payload, created_at, partition_id, \
             kafka_offset, correlation_id, attributes FROM event_logs WHERE id BETWEEN '1'::bigint AND '7'::bigint ORDER BY id) TO STDOUT (FORMAT binary)"
        );
        let joined = statement(1, 7, true);
        assert!(joined.starts_with("COPY (SELECT event.id, event.event_id, "), "{joined}");
        assert!(
            joined.contains(", event.attributes, letter.event_log_id, letter.key, "),
            "{joined}"
        );
        assert!(joined.contains("letter.replay_attempt FROM event_logs event"), "{joined}");
    }
}
