//! Where a walk through the events stands.

use std::fmt;
use std::str::FromStr;

use crate::time::PostgresMicros;

/// The order of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By `(created_at, id)`, descending.
    Newest,
    /// By `(created_at, id)`, ascending.
    Oldest,
}

/// What was there when a walk began. Rows that were recorded later are left out of it, so that a
/// walk over many pages is one consistent snapshot: a row of a batch that committed later can have
/// a lower id than rows already shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// The last batch.
    pub batch_no: i64,
    /// The highest id, for rows that no batch covers.
    pub last_id: i64,
}

/// The last row that was shown, and the walk it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The walk's order.
    pub order: Order,
    /// The row's `created_at`, microseconds since 2000-01-01.
    pub created_at: PostgresMicros,
    /// The row's id.
    pub id: i64,
    /// What the walk is bounded by.
    pub snapshot: Snapshot,
}

/// What was typed is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no cursor; take it from the line that `audit query` ends with when more rows match"
)]
pub struct CursorError(String);

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            Order::Newest => 'n',
            Order::Oldest => 'o',
        };
        let Snapshot { batch_no, last_id } = self.snapshot;
        write!(formatter, "{order}{}.{}.{batch_no}.{last_id}", self.created_at.0, self.id)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let read = || {
            let order = match text.as_bytes().first()? {
                b'n' => Order::Newest,
                b'o' => Order::Oldest,
                _ => return None,
            };
            let mut numbers = text[1..].split('.').map(|number| number.parse::<i64>().ok());
            let mut next = || numbers.next().flatten();
            let cursor = Self {
                order,
                created_at: PostgresMicros(next()?),
                id: next()?,
                snapshot: Snapshot { batch_no: next()?, last_id: next()? },
            };
            numbers.next().is_none().then_some(cursor)
        };
        read().ok_or_else(|| CursorError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_back_as_it_was_written(created_at: i64, id: i64, batch_no: i64, last_id: i64, newest: bool) {
            let order = if newest { Order::Newest } else { Order::Oldest };
            let created_at = PostgresMicros(created_at);
            let cursor = Cursor { order, created_at, id, snapshot: Snapshot { batch_no, last_id } };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn no_other_text_is_a_cursor(text in "[no]?[0-9.x-]{0,20}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_named() {
        for wrong in ["", "n", "n1.2.3", "n1.2.3.4.5", "x1.2.3.4", "n1.2.3.a"] {
            assert!(
                wrong
                    .parse::<Cursor>()
                    .is_err_and(|error| error.to_string().contains(&format!("'{wrong}'")))
            );
        }
    }
}
