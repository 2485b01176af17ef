//! The shop's orders of the last two weeks: what is usual is learned from them.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};
use uuid::Builder;

use super::services::SHOP_TOPIC;

/// How many orders there were, about one an hour.
const ORDERS: u32 = 300;

/// The first of them was so long ago, and the last one more than a day: what happens now teaches
/// nothing.
const FIRST_AGO_MS: i64 = 14 * DAY_MS;
const LAST_AGO_MS: i64 = DAY_MS + 2 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// The order that nobody missed until now: it was placed and created, and never paid.
const FORGOTTEN: u32 = 200;

/// What happened in an order: the type, the service, and about how many milliseconds after what was
/// before.
type Step = (&'static str, &'static str, u64);

const PLACED: Step = ("OrderPlaced", "shop", 0);
const CHANGED: Step = ("OrderChanged", "shop", 20_000);
const CREATED: Step = ("OrderCreated", "order-service", 12_000);
const AUTHORIZED: Step = ("PaymentAuthorized", "payment-service", 900);
const DECLINED: Step = ("PaymentDeclined", "payment-service", 900);
const CONFIRMED: Step = ("OrderConfirmed", "order-service", 400);
const CANCELLED: Step = ("OrderCancelled", "order-service", 400);
const CAPTURED: Step = ("PaymentCaptured", "payment-service", 1_200);
const SHIPPED: Step = ("OrderShipped", "order-service", 2_000);
const REFUNDED: [Step; 2] =
    [("PaymentRefunded", "payment-service", 3_000), ("OrderRefunded", "order-service", 500)];

/// The steps of an order.
fn steps(number: u32) -> Vec<Step> {
    let mut steps = vec![PLACED, CREATED];
    if number.is_multiple_of(3) {
        steps.insert(1, CHANGED);
    }
    match number {
        FORGOTTEN => {}
        _ if number % 9 == 4 => steps.extend([DECLINED, CANCELLED]),
        _ if number % 5 == 1 => steps.extend([AUTHORIZED, CONFIRMED]),
        _ => steps.extend([AUTHORIZED, CONFIRMED, CAPTURED, SHIPPED]),
    }
    if number % 25 == 7 {
        steps.extend(REFUNDED);
    }
    steps
}

/// How many records there are.
pub(super) fn count() -> usize {
    (0..ORDERS).map(|number| steps(number).len()).sum()
}

/// The records, as files of records: CloudEvents in structured mode, in the order of their times.
pub(super) fn records() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
    let mut records = String::new();
    for number in 0..ORDERS {
        let order = u64::from(number);
        let between = (FIRST_AGO_MS - LAST_AGO_MS) / i64::from(ORDERS);
        let mut at = now - FIRST_AGO_MS + between * i64::from(number);
        for (step, (event_type, service, after)) in steps(number).into_iter().enumerate() {
            at += (after * (50 + mixed(order * 16 + step as u64) % 100) / 100) as i64;
            let time = DateTime::from_timestamp_millis(at).unwrap_or_default();
            let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
            // Writing to a text does not fail.
            let _ = writeln!(
                records,
                r#"{{"record": {{"topic": "{SHOP_TOPIC}", "key": "order-{key}", "timestamp_ms": {at},
  "headers": [["content-type", "application/cloudevents+json"]],
  "value": {{"json": {{"specversion": "1.0", "id": "{id}", "source": "{service}", "type": "{event_type}",
    "subject": "order-{key}", "time": "{time}", "correlationid": "{correlation}",
    "datacontenttype": "application/json",
    "data": {{"total_amount": "{euros}.{cents:02}", "currency": "EUR"}}}}}}}}}}"#,
                key = 4_380 + number,
                id = uuid(order * 16 + step as u64 + 1_000_000),
                correlation = uuid(order),
                euros = 5 + mixed(order) % 500,
                cents = mixed(order) % 100,
            );
        }
    }
    records
}

/// A number that looks like chance. `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators").
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// An id of version 4, the same in every demo.
fn uuid(number: u64) -> String {
    let bytes = u128::from(mixed(number)) << 64 | u128::from(mixed(!number));
    Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid().to_string()
}
