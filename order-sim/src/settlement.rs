//! Waits until nothing more will happen to any order by itself.
//!
//! An order is settled when it is in a final state, or when an event of its story is in a
//! dead-letter topic: that one waits for a person. The order service knows the first from its own
//! database and the second from the topics; it asks no other service's database.

use std::collections::HashSet;
use std::time::Duration;

use simkit::args::ServiceArgs;
use simkit::kafka::TopicReader;
use simkit::service::ServiceError;
use simkit::{EventReader, Failure, Pool, faults, kafka};
use uuid::Uuid;

use crate::draft::Plan;

/// How often to look.
const POLL: Duration = Duration::from_millis(100);

/// The wait of `--until-settled`.
pub(crate) struct Settlement {
    brokers: String,
    dead_letter_topics: [String; 2],
}

impl Settlement {
    pub(crate) fn new(service: &ServiceArgs) -> Self {
        let topics = [&service.orders_topic, &service.payments_topic];
        Self {
            brokers: service.brokers.clone(),
            dead_letter_topics: topics.map(|topic| kafka::dead_letter_topic(topic)),
        }
    }

    /// Ends when every order in the database is settled.
    pub(crate) async fn wait(self, pool: &Pool, reader: &EventReader) -> Result<(), ServiceError> {
        let dead_letters = TopicReader::new(&self.brokers, &self.dead_letter_topics)?;
        let mut dead_lettered = HashSet::new();
        loop {
            match open_orders(pool).await {
                Ok(open) if open.is_subset(&dead_lettered) => return Ok(()),
                Err(failure) if !failure.is_outage() => return Err(failure.into()),
                Ok(_) | Err(_) => {}
            }
            let pause = tokio::time::sleep(POLL);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    value = dead_letters.next() => {
                        // What is no event belongs to no order.
                        let mut event = reader.read(value.as_deref()).await;
                        while event.as_ref().is_err_and(Failure::is_outage) {
                            tokio::time::sleep(POLL).await;
                            event = reader.read(value.as_deref()).await;
                        }
                        dead_lettered.extend(event.map(|event| event.correlation_id));
                    }
                }
            }
        }
    }
}

/// The orders to which something will still happen, unless it fails.
async fn open_orders(pool: &Pool) -> Result<HashSet<Uuid>, Failure> {
    let client = pool.get().await?;
    let rows = client
        .query(
            "SELECT id, customer_id, total_amount::text AS total_amount, status FROM orders
             WHERE status IN ('CREATED', 'CONFIRMED', 'SHIPPED')",
            &[],
        )
        .await?;
    let still_open = rows.iter().filter(|row| {
        let story = faults::story(row.get("customer_id"), row.get::<_, &str>("total_amount"));
        !Plan::of(&story).ends_in(row.get("status"))
    });
    Ok(still_open.map(|row| row.get("id")).collect())
}
