//! What the payment service does with the events of orders.

use serde::Deserialize;
use serde_json::json;
use simkit::faults::{self, NO_CURRENCY};
use simkit::{
    Amount, Event, Failure, Faults, Handler, NewEvent, Pool, Transaction, database, outbox,
};
use uuid::Uuid;

/// The name of the service, in its events and as its consumer group.
pub(crate) const SERVICE: &str = "payment-service";

/// The currencies that somebody can be paid in.
const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "CHF"];

/// The handler of order events.
pub(crate) struct Payments {
    /// Share of the orders whose payment is declined.
    pub(crate) decline_rate: f64,
    /// Failures on demand.
    pub(crate) faults: Faults,
}

/// What the payment service reads of an order's event.
#[derive(Debug, Deserialize)]
struct Order {
    customer_id: Uuid,
    total_amount: Amount,
    currency: String,
    /// `OrderConfirmed`: whether the order is shipped, so that the money is taken now.
    #[serde(default)]
    ship: bool,
    /// `OrderShipped`: whether the customer refused the delivery, so that the money goes back.
    #[serde(default)]
    refused: bool,
}

/// The provider that moves the money did not answer: what `--fail-rate` injects.
#[derive(Debug, thiserror::Error)]
#[error("the payment provider did not answer")]
struct ProviderUnavailable;

/// Nobody can be paid in this currency.
#[derive(Debug, thiserror::Error)]
#[error("currency {0:?} is not supported")]
struct UnsupportedCurrency(String);

/// The order has no payment in the state that the step starts from.
#[derive(Debug, thiserror::Error)]
#[error("order {order_id} has no payment that is {expected}")]
struct NoSuchPayment {
    order_id: Uuid,
    expected: &'static str,
}

/// What an order's event asks of its payment.
enum Step {
    /// Authorize it, or decline.
    Decide,
    /// Take the money.
    Capture,
    /// Give it back.
    Refund,
}

impl Step {
    fn after(event_type: &str, order: &Order) -> Option<Self> {
        match event_type {
            "OrderCreated" => Some(Self::Decide),
            "OrderConfirmed" if order.ship => Some(Self::Capture),
            "OrderShipped" if order.refused => Some(Self::Refund),
            _ => None,
        }
    }
}

impl Handler for Payments {
    fn handles(&self, event_type: &str) -> bool {
        matches!(event_type, "OrderCreated" | "OrderConfirmed" | "OrderShipped")
    }

    async fn handle(&self, transaction: &Transaction<'_>, event: &Event) -> Result<(), Failure> {
        let order: Order = event.payload_as()?;
        let Some(step) = Step::after(&event.event_type, &order) else { return Ok(()) };
        if !CURRENCIES.contains(&order.currency.as_str()) {
            return Err(Failure::unprocessable(&UnsupportedCurrency(order.currency)));
        }
        let story = faults::story(order.customer_id, order.total_amount);
        if self.faults.strike(transaction, event, &story).await? {
            let cause =
                std::io::Error::new(std::io::ErrorKind::TimedOut, "injected by --fail-rate");
            return Err(Failure::transient(&ProviderUnavailable).because(&cause));
        }
        let order_id = event.aggregate_id;
        let mut payload = json!({
            "order_id": order_id,
            "customer_id": order.customer_id,
            "amount": order.total_amount,
            "currency": order.currency,
        });
        let (payment_id, event_type) = match step {
            Step::Decide => {
                let declined =
                    faults::chance(self.faults.seed, "decline", &story) < self.decline_rate;
                if self.faults.poisons(SERVICE, &story) {
                    payload["currency"] = json!(NO_CURRENCY);
                }
                if declined {
                    payload["reason"] = json!("insufficient_funds");
                }
                let (status, event_type) = if declined {
                    ("DECLINED", "PaymentDeclined")
                } else {
                    ("AUTHORIZED", "PaymentAuthorized")
                };
                (insert(transaction, order_id, order.total_amount, status).await?, event_type)
            }
            Step::Capture => {
                (advance(transaction, order_id, "AUTHORIZED", "CAPTURED").await?, "PaymentCaptured")
            }
            Step::Refund => {
                payload["reason"] = json!("delivery_refused");
                (advance(transaction, order_id, "CAPTURED", "REFUNDED").await?, "PaymentRefunded")
            }
        };
        let told = NewEvent {
            event_type,
            aggregate_id: payment_id,
            correlation_id: event.correlation_id,
            causation_id: Some(event.event_id),
            payload,
        };
        outbox::append(transaction, &told).await
    }
}

/// Makes the one payment of an order.
async fn insert(
    transaction: &Transaction<'_>,
    order_id: Uuid,
    amount: Amount,
    status: &str,
) -> Result<Uuid, Failure> {
    let id = Uuid::now_v7();
    transaction
        .execute(
            "INSERT INTO payments (id, order_id, amount, status) VALUES ($1, $2, $3::text::numeric, $4)",
            &[&id, &order_id, &amount.to_string(), &status],
        )
        .await?;
    Ok(id)
}

/// Takes the order's payment from one state to the next.
async fn advance(
    transaction: &Transaction<'_>,
    order_id: Uuid,
    from: &'static str,
    to: &'static str,
) -> Result<Uuid, Failure> {
    let row = transaction
        .query_opt(
            "UPDATE payments SET status = $3 WHERE order_id = $1 AND status = $2 RETURNING id",
            &[&order_id, &from, &to],
        )
        .await?;
    let missing = || Failure::unprocessable(&NoSuchPayment { order_id, expected: from });
    Ok(row.ok_or_else(missing)?.get(0))
}

/// How many payments are in which state.
pub(crate) async fn summary(pool: &Pool) -> Result<String, Failure> {
    let query = "SELECT lower(status), count(*) FROM payments GROUP BY status
                 ORDER BY array_position(ARRAY['AUTHORIZED', 'DECLINED', 'CAPTURED', 'REFUNDED'], status::text)";
    database::states(pool, "payments", query).await
}
