//! An order before it exists: decided by the seed and its number alone.

use simkit::faults::{self, NO_CURRENCY, chance};
use simkit::{Amount, Faults};
use uuid::Uuid;

/// The name of the service, in its events and as its consumer group.
pub(crate) const SERVICE: &str = "order-service";

/// How many customers a seed has.
const CUSTOMERS: f64 = 40.0;

/// Most orders are in the first.
const CURRENCIES: [&str; 6] = ["EUR", "EUR", "EUR", "USD", "GBP", "CHF"];

/// Amounts are from 5.00 to 500.00.
const AMOUNT_HUNDREDTHS: (f64, f64) = (500.0, 50_000.0);

/// What a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) customer_id: Uuid,
    pub(crate) total_amount: Amount,
    pub(crate) currency: &'static str,
}

impl Draft {
    /// The order of this number (from 1) under the seed of these faults.
    pub(crate) fn of(faults: &Faults, number: u64) -> Self {
        let number = number.to_string();
        let draw = |what, from: f64, to: f64| {
            (chance(faults.seed, what, &number) * (to - from) + from) as i64
        };
        let customer = draw("customer", 0.0, CUSTOMERS);
        let customer_id =
            Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/{customer}", faults.seed).as_bytes());
        let hundredths = draw("amount", AMOUNT_HUNDREDTHS.0, AMOUNT_HUNDREDTHS.1);
        let total_amount =
            Amount::from_hundredths(hundredths).expect("the bounds above are amounts");
        let currency = draw("currency", 0.0, CURRENCIES.len() as f64);
        let currency =
            usize::try_from(currency).ok().and_then(|index| CURRENCIES.get(index).copied());
        let poisoned = faults.poisons(SERVICE, &faults::story(customer_id, total_amount));
        let currency = if poisoned { NO_CURRENCY } else { currency.unwrap_or(CURRENCIES[0]) };
        Self { customer_id, total_amount, currency }
    }
}

/// What becomes of an order once it is paid. It depends on what the order says and on nothing else,
/// so that it needs no column, and a restart with another seed keeps to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It stays confirmed.
    Hold,
    /// It is shipped.
    Ship,
    /// It is shipped, the customer refuses the delivery, and the money goes back.
    ShipAndRefund,
}

impl Plan {
    /// The plan for an order of this customer and amount.
    pub(crate) fn of(story: &str) -> Self {
        match chance(0, "plan", story) {
            drawn if drawn < 0.4 => Self::Hold,
            drawn if drawn < 0.9 => Self::Ship,
            _ => Self::ShipAndRefund,
        }
    }

    /// Whether an order with this plan changes no more once it is in this state.
    pub(crate) fn ends_in(self, status: &str) -> bool {
        match status {
            "CONFIRMED" => self == Self::Hold,
            "SHIPPED" => self == Self::Ship,
            "CANCELLED" | "REFUNDED" => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(seed: u64, poison_rate: f64) -> Faults {
        Faults { seed, fail_rate: 0.0, poison_rate, duplicate_rate: 0.0 }
    }

    #[test]
    fn the_same_seed_drafts_the_same_orders_and_another_seed_others() {
        let drafts =
            |seed| (1..=50).map(|number| Draft::of(&faults(seed, 0.0), number)).collect::<Vec<_>>();
        assert_eq!(drafts(7), drafts(7));
        assert_ne!(drafts(7), drafts(8));
    }

    #[test]
    fn poison_changes_the_currency_and_nothing_else() {
        for number in 1..=50 {
            let (good, poisoned) =
                (Draft::of(&faults(7, 0.0), number), Draft::of(&faults(7, 1.0), number));
            assert_eq!(poisoned, Draft { currency: NO_CURRENCY, ..good });
        }
    }

    #[test]
    fn every_plan_occurs_and_every_order_can_end() {
        let ends = |story: &str| {
            ["CONFIRMED", "SHIPPED", "REFUNDED"].map(|status| Plan::of(story).ends_in(status))
        };
        let all: Vec<_> = (0..100).map(|number| ends(&number.to_string())).collect();
        assert!(all.contains(&[true, false, true]) && all.contains(&[false, true, true]));
        assert!(all.contains(&[false, false, true]));
    }
}
