//! The outbox: events wait in the service's own database until the relay has published them.

use chrono::{DateTime, Timelike, Utc};
use deadpool_postgres::{Pool, Transaction};
use uuid::Uuid;

use crate::event::{Event, NewEvent};
use crate::failure::Failure;

/// Writes an event in the transaction of the change it tells of, so that both become true or
/// neither.
///
/// # Errors
/// What the database says.
pub async fn append(transaction: &Transaction<'_>, event: &NewEvent) -> Result<(), Failure> {
    transaction
        .execute(
            "INSERT INTO outbox (event_id, event_type, aggregate_id, correlation_id, causation_id, occurred_at, payload)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &Uuid::now_v7(),
                &event.event_type,
                &event.aggregate_id,
                &event.correlation_id,
                &event.causation_id,
                &now_in_microseconds(),
                &event.payload,
            ],
        )
        .await?;
    Ok(())
}

/// The oldest events that are not published yet, with their ids in the outbox, in the order to
/// publish them.
pub(crate) async fn unpublished(
    transaction: &Transaction<'_>,
    source_service: &str,
    limit: i64,
) -> Result<Vec<(i64, Event)>, tokio_postgres::Error> {
    let rows = transaction
        .query(
            "SELECT id, event_id, event_type, aggregate_id, correlation_id, causation_id, occurred_at, payload
             FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT $1",
            &[&limit],
        )
        .await?;
    let event = |row: &tokio_postgres::Row| Event {
        event_id: row.get("event_id"),
        event_type: row.get("event_type"),
        aggregate_id: row.get("aggregate_id"),
        source_service: source_service.to_owned(),
        occurred_at: row.get("occurred_at"),
        correlation_id: row.get("correlation_id"),
        causation_id: row.get("causation_id"),
        payload: row.get("payload"),
    };
    Ok(rows.iter().map(|row| (row.get("id"), event(row))).collect())
}

/// Marks events as published.
pub(crate) async fn mark_published(
    transaction: &Transaction<'_>,
    ids: &[i64],
) -> Result<(), tokio_postgres::Error> {
    transaction
        .execute("UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY($1)", &[&ids])
        .await?;
    Ok(())
}

/// The id of the newest event; 0 if there is none.
pub(crate) async fn last_id(pool: &Pool) -> Result<i64, Failure> {
    let client = pool.get().await?;
    Ok(client.query_one("SELECT coalesce(max(id), 0) FROM outbox", &[]).await?.get(0))
}

/// Whether every event up to this id is published.
pub(crate) async fn is_published_to(pool: &Pool, id: i64) -> Result<bool, Failure> {
    let client = pool.get().await?;
    let query = "SELECT NOT EXISTS (SELECT FROM outbox WHERE published_at IS NULL AND id <= $1)";
    Ok(client.query_one(query, &[&id]).await?.get(0))
}

/// The database keeps microseconds: cut here, so that what is published does not depend on who
/// rounds.
fn now_in_microseconds() -> DateTime<Utc> {
    let now = Utc::now();
    now.with_nanosecond(now.nanosecond() / 1_000 * 1_000).unwrap_or(now)
}
