//! The order of rows, and where to begin.

use super::cursor::{Cursor, Order};

/// The order of rows, and where to begin.
#[derive(Debug, Clone, Copy)]
pub enum RowOrder {
    /// By `(created_at, id)`.
    CreatedAt(Order),
    /// By `(created_at, id)`, going on behind a cursor.
    After(Cursor),
    /// By id.
    Id,
    /// By id from behind `after` (exclusive) up to `last` (inclusive): the rest of a batch.
    IdRange {
        /// The id behind which the range begins.
        after: i64,
        /// The last id of the range.
        last: i64,
    },
    /// By id, descending: the last rows that batches up to this one recorded.
    LastOfBatches(i64),
}

impl RowOrder {
    /// What stands behind ORDER BY, of a row called `event`.
    pub(in crate::store) fn sql(self) -> &'static str {
        match self {
            Self::CreatedAt(Order::Newest) | Self::After(Cursor { order: Order::Newest, .. }) => {
                "event.created_at DESC, event.id DESC"
            }
            Self::CreatedAt(Order::Oldest) | Self::After(Cursor { order: Order::Oldest, .. }) => {
                "event.created_at, event.id"
            }
            Self::Id | Self::IdRange { .. } => "event.id",
            Self::LastOfBatches(_) => "event.id DESC",
        }
    }
}
