//! Failures on demand. Everything is decided by a seed and by what the order says (its customer and
//! its amount), never by a fresh id or a clock: the same seed gives the same failures, and a
//! restart decides as before.

use std::fmt::Display;

use clap::Args;
use deadpool_postgres::Transaction;
use uuid::Uuid;

use crate::event::Event;
use crate::failure::Failure;

/// The options of the faults on demand.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Faults on demand")]
pub struct Faults {
    /// Decides customers, amounts, outcomes and faults: the same seed gives the same ones (ids are
    /// fresh)
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Share of the consumed events that fail until they are in the dead-letter topic, and succeed
    /// when they arrive again, from a replay or as a duplicate
    #[arg(long, default_value = "0", value_name = "0..1", value_parser = share)]
    pub fail_rate: f64,
    /// Share of the stories in which this service publishes an event that the other can never
    /// process (its currency is XXX): it is dead-lettered, and again after each replay
    #[arg(long, default_value = "0", value_name = "0..1", value_parser = share)]
    pub poison_rate: f64,
    /// Share of the events that are published twice
    #[arg(long, default_value = "0", value_name = "0..1", value_parser = share)]
    pub duplicate_rate: f64,
}

/// The currency of poison: ISO 4217's code for "no currency", which nobody can be paid in.
pub const NO_CURRENCY: &str = "XXX";

impl Faults {
    /// Whether this service poisons its first event of a story. Both services may have the same
    /// seed, so the name of the service is part of the draw: they poison different stories.
    #[must_use]
    pub fn poisons(&self, service: &str, story: &str) -> bool {
        chance(self.seed, &format!("poison {service}"), story) < self.poison_rate
    }

    /// Whether the event in this row of the outbox is published twice.
    #[must_use]
    pub fn duplicates(&self, outbox_id: i64) -> bool {
        chance(self.seed, "duplicate", &outbox_id.to_string()) < self.duplicate_rate
    }

    /// Whether a transient failure strikes this event now: the seed chose it, and it has not been
    /// dead-lettered yet. The memory is the table `dead_lettered_events`, so that it outlives a
    /// restart.
    ///
    /// # Errors
    /// What the database says.
    pub async fn strike(
        &self,
        transaction: &Transaction<'_>,
        event: &Event,
        story: &str,
    ) -> Result<bool, Failure> {
        if chance(self.seed, &event.event_type, story) >= self.fail_rate {
            return Ok(false);
        }
        let row = transaction
            .query_one(
                "SELECT NOT EXISTS (SELECT FROM dead_lettered_events WHERE event_id = $1)",
                &[&event.event_id],
            )
            .await?;
        Ok(row.get(0))
    }
}

/// What the faults and outcomes of an order are decided by: it says the same in both services, and
/// after a restart.
#[must_use]
pub fn story(customer_id: Uuid, amount: impl Display) -> String {
    format!("{customer_id}/{amount}")
}

/// A number in 0..1 that depends on its arguments alone, evenly spread: the first bits of their
/// SHA-1, through a name-based UUID.
#[must_use]
pub fn chance(seed: u64, what: &str, key: &str) -> f64 {
    let (high, _) =
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{seed}/{what}/{key}").as_bytes()).as_u64_pair();
    // 32 bits fit a double exactly; the version's bits come after them.
    f64::from((high >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
}

/// Reads a share.
///
/// # Errors
/// What is expected, if the text is no number from 0 to 1.
pub fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a number from 0 to 1 is expected, such as 0.05".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_depends_on_each_argument_and_on_nothing_else() {
        let first = chance(1, "poison", "a");
        assert_eq!(first.to_bits(), chance(1, "poison", "a").to_bits());
        for other in [chance(2, "poison", "a"), chance(1, "decline", "a"), chance(1, "poison", "b")]
        {
            assert_ne!(first.to_bits(), other.to_bits());
        }
    }

    #[test]
    fn chance_is_evenly_spread() {
        let below = (0..10_000).filter(|key| chance(7, "x", &key.to_string()) < 0.2).count();
        assert!((1_880..2_120).contains(&below), "{below} of 10,000 were below 0.2");
    }

    #[test]
    fn a_share_outside_of_0_to_1_is_refused() {
        assert!(share("0.25").is_ok() && share("0").is_ok() && share("1").is_ok());
        assert!(
            share("1.1").is_err()
                && share("-0.1").is_err()
                && share("NaN").is_err()
                && share("x").is_err()
        );
    }
}
