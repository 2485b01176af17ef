//! Which leaves a page lies in: where there are many, those at its end of time are asked first.

use tokio_postgres::Row;

use crate::store::connection::session::Session;
use crate::store::connection::statement::Statement;
use crate::store::error::Error;
use crate::store::search::resolved::{Cardinality, ErrorFilter, ResolvedSelection};
use crate::store::search::walk::cursor::{Cursor, Order};
use crate::store::search::walk::leaves::{Between, FirstLeaves, Leaves, PassedOver};
use crate::store::search::walk::row_order::RowOrder;
use crate::time::PostgresMicros;

/// So many leaves are opened at once, and are asked first where there are more.
const FEW: usize = 16;

/// Each time that they do not fill the page, so many times as many are asked.
const MORE: usize = 4;

/// The leaves that have no row of a page of the selected rows. `last_row` gives the statement that
/// reads the time and the id of the last row of a full page, leaves that are passed over excepted.
///
/// # Errors
/// `Error::Query`.
pub(super) async fn passed_over(
    session: &Session,
    selection: &ResolvedSelection,
    order: RowOrder,
    last_row: impl Fn(&PassedOver) -> Statement,
) -> Result<PassedOver, Error> {
    if !is_soon_full(selection) || matches!(order, RowOrder::Id | RowOrder::IdRange { .. }) {
        return Ok(PassedOver::default());
    }
    let leaves = Leaves::read(session).await?;
    let without = without_rows(selection, order, &leaves);
    let mut count = FEW;
    loop {
        let FirstLeaves { passed_over, is_all } = match time_order(order) {
            Some(order) => leaves.first_in_time(order, count, &without),
            None => leaves.last_by_id(count),
        };
        if is_all {
            return Ok(passed_over);
        }
        let what = "looking for the last row of a page";
        let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
        let found = last_row(&passed_over).rows(session, what, read).await?;
        if let Some((created_at, id)) = found.into_iter().next() {
            return Ok(match time_order(order) {
                Some(order) => leaves.behind_time(order, created_at, &without),
                None => leaves.below_id(id),
            });
        }
        count *= MORE;
    }
}

/// Whether reading a page twice costs little, so that it can be asked first how far it reaches.
fn is_soon_full(selection: &ResolvedSelection) -> bool {
    !selection.has_ids()
        && !selection.has_predicates()
        && selection.cardinality == Cardinality::Many
        && selection.errors == ErrorFilter::Any
}

/// The order of a walk by time.
fn time_order(order: RowOrder) -> Option<Order> {
    match order {
        RowOrder::CreatedAt(order) | RowOrder::After(Cursor { order, .. }) => Some(order),
        RowOrder::LastOfBatches(_) | RowOrder::Id | RowOrder::IdRange { .. } => None,
    }
}

/// The leaves that have no row of the selection, or none behind a cursor.
fn without_rows(selection: &ResolvedSelection, order: RowOrder, leaves: &Leaves) -> PassedOver {
    let passed_over = &selection.extent.passed_over;
    let RowOrder::After(cursor) = order else { return passed_over.clone() };
    let behind: Between = match cursor.order {
        Order::Newest => (PostgresMicros(i64::MIN), cursor.created_at),
        Order::Oldest => (cursor.created_at, PostgresMicros(i64::MAX)),
    };
    leaves.either(passed_over, &leaves.without_times(&[behind], &[]))
}
