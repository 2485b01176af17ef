//! What the payment service does with the events of orders.

use serde::Deserialize;
use serde_json::{Value, json};
use simkit::faults::{self, NO_CURRENCY};
use simkit::{Amount, Event, Failure, Faults, Handler, NewEvent, Pool, Transaction, outbox};
use uuid::Uuid;

use crate::SERVICE;

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

/// A payment after a step.
struct Payment {
    id: Uuid,
    event_type: &'static str,
    currency: String,
}

impl Handler for Payments {
    fn handles(&self, event_type: &str) -> bool {
        matches!(event_type, "OrderCreated" | "OrderConfirmed" | "OrderShipped")
    }

    async fn handle(&self, transaction: &Transaction<'_>, event: &Event) -> Result<(), Failure> {
        let order: Order = event.payload_as()?;
        if !CURRENCIES.contains(&order.currency.as_str()) {
            return Err(Failure::unprocessable(&UnsupportedCurrency(order.currency)));
        }
        let story = faults::story(order.customer_id, order.total_amount);
        if self.faults.strike(transaction, event, &story).await? {
            let cause = std::io::Error::new(std::io::ErrorKind::TimedOut, "injected by --fail-rate");
            return Err(Failure::transient(&ProviderUnavailable).because(&cause));
        }
        let order_id = event.aggregate_id;
        let payment = match event.event_type.as_str() {
            "OrderCreated" => Some(self.decide(transaction, order_id, &order, &story).await?),
            "OrderConfirmed" if order.ship => Some(capture(transaction, order_id, &order).await?),
            "OrderShipped" if order.refused => Some(refund(transaction, order_id, &order).await?),
            _ => None,
        };
        let Some(payment) = payment else { return Ok(()) };
        let payload = json!({
            "order_id": order_id,
            "customer_id": order.customer_id,
            "amount": order.total_amount,
            "currency": payment.currency,
        });
        let told = NewEvent {
            event_type: payment.event_type,
            aggregate_id: payment.id,
            correlation_id: event.correlation_id,
            causation_id: Some(event.event_id),
            payload: with_reason(payload, payment.event_type),
        };
        outbox::append(transaction, &told).await
    }
}

impl Payments {
    /// `OrderCreated`: the one payment of the order, authorized or declined.
    async fn decide(
        &self,
        transaction: &Transaction<'_>,
        order_id: Uuid,
        order: &Order,
        story: &str,
    ) -> Result<Payment, Failure> {
        let declined = faults::chance(self.faults.seed, "decline", story) < self.decline_rate;
        let (status, event_type) =
            if declined { ("DECLINED", "PaymentDeclined") } else { ("AUTHORIZED", "PaymentAuthorized") };
        let id = Uuid::now_v7();
        transaction
            .execute(
                "INSERT INTO payments (id, order_id, amount, status) VALUES ($1, $2, $3::text::numeric, $4)",
                &[&id, &order_id, &order.total_amount.to_string(), &status],
            )
            .await?;
        let poisoned = self.faults.poisons(SERVICE, story);
        let currency = if poisoned { NO_CURRENCY.to_owned() } else { order.currency.clone() };
        Ok(Payment { id, event_type, currency })
    }
}

/// `OrderConfirmed`: the money of an order that is shipped.
async fn capture(transaction: &Transaction<'_>, order_id: Uuid, order: &Order) -> Result<Payment, Failure> {
    let id = advance(transaction, order_id, "AUTHORIZED", "CAPTURED").await?;
    Ok(Payment { id, event_type: "PaymentCaptured", currency: order.currency.clone() })
}

/// `OrderShipped`: the money goes back if the customer refused the delivery.
async fn refund(transaction: &Transaction<'_>, order_id: Uuid, order: &Order) -> Result<Payment, Failure> {
    let id = advance(transaction, order_id, "CAPTURED", "REFUNDED").await?;
    Ok(Payment { id, event_type: "PaymentRefunded", currency: order.currency.clone() })
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

fn with_reason(mut payload: Value, event_type: &str) -> Value {
    match event_type {
        "PaymentDeclined" => payload["reason"] = json!("insufficient_funds"),
        "PaymentRefunded" => payload["reason"] = json!("delivery_refused"),
        _ => {}
    }
    payload
}

/// How many payments are in which state.
pub(crate) async fn summary(pool: &Pool) -> Result<String, Failure> {
    let client = pool.get().await?;
    let rows =
        client.query("SELECT lower(status), count(*) FROM payments GROUP BY 1 ORDER BY 1", &[]).await?;
    let states: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let all: i64 = states.iter().map(|(_, count)| count).sum();
    let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    Ok(format!("{all} payments: {}", states.join(", ")))
}
