//! Events of a shop in the native envelope, about 370 bytes each.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

/// Each event is a function of this and of its number, so every run sends the same ones.
const SEED: u64 = 20_261_122;

const KINDS: [(&str, &str); 8] = [
    ("OrderCreated", "order-service"),
    ("OrderConfirmed", "order-service"),
    ("OrderShipped", "order-service"),
    ("OrderCancelled", "order-service"),
    ("PaymentAuthorized", "payment-service"),
    ("PaymentCaptured", "payment-service"),
    ("PaymentDeclined", "payment-service"),
    ("PaymentRefunded", "payment-service"),
];

/// One event.
#[derive(Debug)]
pub(crate) struct NativeEvent {
    /// The record's key: the order's id.
    pub(crate) key: String,
    /// The record's value.
    pub(crate) value: String,
}

/// Event `number` of one of `orders` orders. The order is drawn anew for each event, so that the
/// indexes on ids are hit at random places, as they are when many orders are under way at once.
pub(crate) fn native_event(number: u64, orders: u64, occurred_at: DateTime<Utc>) -> NativeEvent {
    let mut random = Random(SEED ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let (event_type, source_service) = KINDS[random.below(KINDS.len() as u64) as usize];
    let mut order = Random(SEED.wrapping_mul(3) ^ random.below(orders.max(1)));
    let key = uuid::Builder::from_random_bytes(order.bytes()).into_uuid().to_string();
    let event_id = event_id(&mut random, occurred_at);
    let occurred_at = occurred_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let customer = random.below(100_000);
    let (units, cents) = (random.below(1000), random.below(100));
    let currency = ["EUR", "USD", "GBP"][random.below(3) as usize];
    let value = format!(
        "{{\"event_id\":\"{event_id}\",\"event_type\":\"{event_type}\",\"aggregate_id\":\"{key}\",\
         \"source_service\":\"{source_service}\",\"occurred_at\":\"{occurred_at}\",\"correlation_id\":\"{key}\",\
         \"causation_id\":null,\"payload\":{{\"customer_id\":\"C-{customer:05}\",\
         \"total_amount\":\"{units}.{cents:02}\",\"currency\":\"{currency}\"}}}}"
    );
    NativeEvent { key, value }
}

/// When event `number` of a prepared load happened: ten in a millisecond.
pub(crate) fn prepared_time(number: u64) -> DateTime<Utc> {
    // 2026-11-22T10:00:00Z
    DateTime::from_timestamp_micros(1_795_341_600_000_000 + number as i64 * 100).unwrap_or_default()
}

/// A version 7 UUID.
fn event_id(random: &mut Random, occurred_at: DateTime<Utc>) -> Uuid {
    let bytes = random.bytes();
    let mut tail = [0; 10];
    tail.copy_from_slice(&bytes[..10]);
    uuid::Builder::from_unix_timestamp_millis(occurred_at.timestamp_millis() as u64, &tail)
        .into_uuid()
}

/// `SplitMix64`, which gives the same numbers everywhere and for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes()
    }
}
