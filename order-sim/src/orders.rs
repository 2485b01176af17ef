//! Makes orders, and carries them on as the events of their payments arrive.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use simkit::service::ServiceError;
use simkit::{
    Amount, Event, Failure, Faults, Handler, NewEvent, Pool, Transaction, database, faults, outbox,
};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::draft::{Draft, Plan};

/// Makes orders at a rate.
pub(crate) struct Maker {
    pool: Pool,
    wake_relay: Arc<Notify>,
    faults: Faults,
    made: u64,
}

impl Maker {
    pub(crate) fn new(pool: Pool, wake_relay: Arc<Notify>, faults: Faults) -> Self {
        Self { pool, wake_relay, faults, made: 0 }
    }

    /// How many orders it has made.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// Makes so many orders, or goes on for ever. The numbers go on where the database's orders
    /// end, so a second run continues the seed's sequence instead of repeating it.
    pub(crate) async fn make(
        &mut self,
        count: Option<u64>,
        interval: Duration,
    ) -> Result<(), ServiceError> {
        let first = self.orders_in_database().await? + 1;
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while count.is_none_or(|count| self.made < count) {
            ticks.tick().await;
            let draft = Draft::of(&self.faults, first + self.made);
            let id = Uuid::now_v7();
            while let Err(failure) = self.insert(id, &draft).await {
                if !failure.is_outage() {
                    return Err(failure.into());
                }
                tracing::warn!(%failure, "the database can't be used, trying again");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            self.made += 1;
            self.wake_relay.notify_one();
        }
        Ok(())
    }

    async fn orders_in_database(&self) -> Result<u64, Failure> {
        let client = self.pool.get().await?;
        let count: i64 = client.query_one("SELECT count(*) FROM orders", &[]).await?.get(0);
        Ok(count.unsigned_abs())
    }

    /// The order and its event, in one transaction. Again with the same id after a connection that
    /// broke during COMMIT: no second order.
    async fn insert(&self, id: Uuid, draft: &Draft) -> Result<(), Failure> {
        let Draft { customer_id, total_amount, currency } = draft;
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        let inserted = transaction
            .execute(
                "INSERT INTO orders (id, customer_id, total_amount, currency, status)
                 VALUES ($1, $2, $3::text::numeric, $4, 'CREATED') ON CONFLICT DO NOTHING",
                &[&id, &customer_id, &total_amount.to_string(), &currency],
            )
            .await?;
        if inserted == 0 {
            return Ok(());
        }
        let created = NewEvent {
            event_type: "OrderCreated",
            aggregate_id: id,
            correlation_id: id,
            causation_id: None,
            payload: json!({"customer_id": customer_id, "total_amount": total_amount, "currency": currency}),
        };
        outbox::append(&transaction, &created).await?;
        Ok(transaction.commit().await?)
    }
}

/// The handler of payment events.
pub(crate) struct Orders {
    /// Failures on demand.
    pub(crate) faults: Faults,
}

/// One step of the saga: a payment's event takes an order from one state to the next, and the order
/// tells of it.
struct Step {
    from: &'static str,
    to: &'static str,
    tells: &'static str,
}

impl Step {
    fn after(event_type: &str) -> Option<Self> {
        let (from, to, tells) = match event_type {
            "PaymentAuthorized" => ("CREATED", "CONFIRMED", "OrderConfirmed"),
            "PaymentDeclined" => ("CREATED", "CANCELLED", "OrderCancelled"),
            "PaymentCaptured" => ("CONFIRMED", "SHIPPED", "OrderShipped"),
            "PaymentRefunded" => ("SHIPPED", "REFUNDED", "OrderRefunded"),
            _ => return None,
        };
        Some(Self { from, to, tells })
    }
}

/// What the order service reads of a payment's event.
#[derive(Debug, Deserialize)]
struct Payment {
    order_id: Uuid,
    amount: Amount,
    currency: String,
}

/// The warehouse that holds or releases the goods did not answer: what `--fail-rate` injects.
#[derive(Debug, thiserror::Error)]
#[error("the warehouse did not answer")]
struct WarehouseUnavailable;

/// The payment belongs to no order.
#[derive(Debug, thiserror::Error)]
#[error("there is no order {0}")]
struct UnknownOrder(Uuid);

/// The payment is not the one that the order asks for.
#[derive(Debug, thiserror::Error)]
#[error("order {order_id} is over {ordered}, and its payment over {paid}")]
struct PaymentDoesNotMatch {
    order_id: Uuid,
    ordered: String,
    paid: String,
}

/// The order is in another state than the one that the step starts from.
#[derive(Debug, thiserror::Error)]
#[error("order {order_id} is {status}, and {event_type} needs one that is {expected}")]
struct UnexpectedStatus {
    order_id: Uuid,
    status: String,
    event_type: String,
    expected: &'static str,
}

impl Handler for Orders {
    fn handles(&self, event_type: &str) -> bool {
        Step::after(event_type).is_some()
    }

    async fn handle(&self, transaction: &Transaction<'_>, event: &Event) -> Result<(), Failure> {
        let Some(step) = Step::after(&event.event_type) else { return Ok(()) };
        let payment: Payment = event.payload_as()?;
        let order_id = payment.order_id;
        let row = transaction
            .query_opt(
                "SELECT customer_id, total_amount::text, currency, status FROM orders WHERE id = $1 FOR UPDATE",
                &[&order_id],
            )
            .await?
            .ok_or_else(|| Failure::unprocessable(&UnknownOrder(order_id)))?;
        let (customer_id, currency, status): (Uuid, String, String) =
            (row.get(0), row.get(2), row.get(3));
        let ordered = format!("{} {currency}", row.get::<_, String>(1));
        let paid = format!("{} {}", payment.amount, payment.currency);
        if ordered != paid {
            return Err(Failure::unprocessable(&PaymentDoesNotMatch { order_id, ordered, paid }));
        }
        let story = faults::story(customer_id, payment.amount);
        if self.faults.strike(transaction, event, &story).await? {
            let cause =
                std::io::Error::new(std::io::ErrorKind::TimedOut, "injected by --fail-rate");
            return Err(Failure::transient(&WarehouseUnavailable).because(&cause));
        }
        if status != step.from {
            let event_type = event.event_type.clone();
            let unexpected = UnexpectedStatus { order_id, status, event_type, expected: step.from };
            return Err(Failure::unprocessable(&unexpected));
        }
        transaction
            .execute("UPDATE orders SET status = $2 WHERE id = $1", &[&order_id, &step.to])
            .await?;
        let mut payload = json!({"customer_id": customer_id, "total_amount": payment.amount, "currency": currency});
        match (step.to, Plan::of(&story)) {
            ("CONFIRMED", plan) => payload["ship"] = json!(plan != Plan::Hold),
            ("SHIPPED", plan) => payload["refused"] = json!(plan == Plan::ShipAndRefund),
            _ => {}
        }
        let told = NewEvent {
            event_type: step.tells,
            aggregate_id: order_id,
            correlation_id: event.correlation_id,
            causation_id: Some(event.event_id),
            payload,
        };
        outbox::append(transaction, &told).await
    }
}

/// How many orders are in which state.
pub(crate) async fn summary(pool: &Pool) -> Result<String, Failure> {
    let query = "SELECT lower(status), count(*) FROM orders GROUP BY status
                 ORDER BY array_position(ARRAY['CREATED', 'CONFIRMED', 'CANCELLED', 'SHIPPED', 'REFUNDED'], status::text)";
    database::states(pool, "orders", query).await
}
