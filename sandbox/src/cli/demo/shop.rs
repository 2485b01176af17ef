//! The shop: a third service, whose orders have numbers that customers know. It hands them over to
//! the order service under one correlation id.

use std::error::Error;
use std::fs;

use sandbox::produce;
use tokio::runtime::Builder;
use tokio_postgres::{NoTls, Row};

use super::history;
use super::services::{self, SHOP_TOPIC};
use super::stage::Stage;

/// The order that the tour looks for: the first that the payment service gave up on, and which a
/// replay heals.
const STUCK: &str = "status = 'CREATED' AND currency <> 'XXX'";

/// An order that went well.
const SHIPPED: &str = "status = 'SHIPPED'";

/// What the shop published of the orders.
pub(super) struct Shop {
    /// The correlation of order-4711.
    pub(super) stuck: String,
}

/// Publishes two orders of the shop for two that the order service has, and those of the days
/// before; leaves the first record of the stuck one in a file.
pub(super) fn publish(stage: &Stage<'_>) -> Result<Shop, Box<dyn Error>> {
    let url = stage.sandbox().postgres().url("order_db");
    let well = order(&url, SHIPPED)?.records(
        "order-4710",
        ["b1d07c5e-8f3a-4c92-9e64-0a7d2f518c36", "e92f4a10-37bc-4d58-a1f6-6c80b3d9e275"],
    );
    let order = order(&url, STUCK)?;
    let stuck = order.records(
        "order-4711",
        ["4f2a91c3-0c1d-4c51-9d0e-52a1f5a0b7de", "8d3e57b0-6a2f-4e0b-a4c7-1b9c2f6e3d42"],
    );
    fs::write(stage.folder().join("record.json"), &stuck[0])?;
    services::create_topic(stage.sandbox(), SHOP_TOPIC)?;
    services::create_topic(stage.sandbox(), services::CHECKPOINT_TOPIC)?;
    let orders = well.concat() + &stuck.concat() + &history::records();
    let records = record_file::read(orders.as_bytes())?;
    produce(stage.sandbox().kafka().brokers(), &records)?;
    Ok(Shop { stuck: order.id })
}

/// An order of the order service, as text, and when the shop had it.
struct Order {
    id: String,
    customer_id: String,
    total_amount: String,
    currency: String,
    placed: String,
    changed: String,
    /// Milliseconds since 1970.
    placed_ms: i64,
}

impl Order {
    fn read(row: &Row) -> Result<Order, tokio_postgres::Error> {
        Ok(Order {
            id: row.try_get(0)?,
            customer_id: row.try_get(1)?,
            total_amount: row.try_get(2)?,
            currency: row.try_get(3)?,
            placed: row.try_get(4)?,
            changed: row.try_get(5)?,
            placed_ms: row.try_get(6)?,
        })
    }

    /// What the shop published about it, as files of records: CloudEvents in structured mode.
    fn records(&self, number: &str, ids: [&str; 2]) -> [String; 2] {
        let record = |event_type: &str, id: &str, time: &str, ms: i64, delivery: &str| {
            format!(
                r#"{{"record": {{
  "topic": "{SHOP_TOPIC}",
  "key": "{number}",
  "timestamp_ms": {ms},
  "headers": [["content-type", "application/cloudevents+json"]],
  "value": {{"json": {{
    "specversion": "1.0",
    "id": "{id}",
    "source": "shop",
    "type": "{event_type}",
    "subject": "{number}",
    "time": "{time}",
    "correlationid": "{}",
    "datacontenttype": "application/json",
    "data": {{
      "customer_id": "{}",
      "total_amount": "{}",
      "currency": "{}",
      "delivery": "{delivery}"
    }}
  }}}}
}}}}
"#,
                self.id, self.customer_id, self.total_amount, self.currency
            )
        };
        let changed_ms = self.placed_ms + 25_000;
        [
            record("OrderPlaced", ids[0], &self.placed, self.placed_ms, "standard"),
            record("OrderChanged", ids[1], &self.changed, changed_ms, "express"),
        ]
    }
}

/// The first order of which the condition holds. The shop had it 40 s before, and changed it 15 s
/// before it handed it over.
fn order(url: &str, condition: &str) -> Result<Order, Box<dyn Error>> {
    let query = format!(
        r#"SELECT id::text, customer_id::text, total_amount::text, currency,
                  to_char(at - interval '40 s', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  to_char(at - interval '15 s', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  (extract(epoch FROM at - interval '40 s') * 1000)::bigint
             FROM orders, LATERAL (SELECT created_at::timestamptz AT TIME ZONE 'UTC') AS utc (at)
            WHERE {condition} ORDER BY created_at LIMIT 1"#
    );
    let row = Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        client.query_one(&query, &[]).await
    })?;
    Ok(Order::read(&row)?)
}
