//! What the audit's database alone tells of orders and payments, in SQL.

use std::ops::Deref;

use crate::support::{Audit, Database};

/// Views of one session over `event_logs`.
///
/// - `steps`: which event asks for which.
/// - `events`: each event once, however often it was delivered or replayed, with its amount and
///   its order's currency.
/// - `asking`: the events that ask for another, and how many answered.
/// - `open_events`: the unanswered ones of which more will come: not each of their deliveries was
///   dead-lettered, or a replay has not come back.
const VIEWS: &str = "
CREATE TEMP VIEW steps (asks, answers) AS VALUES
    ('OrderCreated', ARRAY['PaymentAuthorized', 'PaymentDeclined']),
    ('PaymentAuthorized', ARRAY['OrderConfirmed']), ('PaymentDeclined', ARRAY['OrderCancelled']),
    ('OrderConfirmed', ARRAY['PaymentCaptured']), ('PaymentCaptured', ARRAY['OrderShipped']),
    ('OrderShipped', ARRAY['PaymentRefunded']), ('PaymentRefunded', ARRAY['OrderRefunded']);

CREATE TEMP VIEW events AS
WITH delivered AS (
    SELECT DISTINCT ON (event_id) *, coalesce(payload ->> 'total_amount', payload ->> 'amount')::numeric AS amount
      FROM event_logs WHERE NOT is_dlt ORDER BY event_id, id)
SELECT event_id, event_type, aggregate_id, correlation_id, (attributes ->> 'causation_id')::uuid AS causation_id,
       amount, created.currency, payload ->> 'currency' = 'XXX' AS is_poison,
       event_type NOT IN ('OrderConfirmed', 'OrderShipped')
           OR payload @> '{\"ship\": true}' OR payload @> '{\"refused\": true}' AS goes_on
  FROM delivered JOIN (SELECT correlation_id, payload ->> 'currency' AS currency
                         FROM delivered WHERE event_type = 'OrderCreated') created USING (correlation_id);

CREATE TEMP VIEW asking AS
WITH known AS MATERIALIZED (SELECT * FROM events),
     answer AS (SELECT causation_id AS event_id, count(*) AS answered FROM known GROUP BY causation_id)
SELECT known.*, answers, coalesce(answered, 0) AS answered
  FROM known JOIN steps ON event_type = steps.asks AND goes_on LEFT JOIN answer USING (event_id);

CREATE TEMP VIEW open_events AS
WITH unanswered AS MATERIALIZED (SELECT * FROM asking WHERE answered = 0),
     delivery AS MATERIALIZED (
         SELECT event_id, count(*) FILTER (WHERE is_dlt) AS dead, count(*) FILTER (WHERE NOT is_dlt) AS alive
           FROM event_logs GROUP BY event_id),
     under_way AS MATERIALIZED (
         SELECT event_id FROM dlt_replay_outcomes replay JOIN event_logs ON id = replay.event_log_id
          WHERE replay.state <> 'returned')
SELECT unanswered.* FROM unanswered JOIN delivery USING (event_id)
 WHERE dead < alive OR event_id IN (SELECT event_id FROM under_way);
";

/// What must hold whenever nothing is open; each query counts what does not.
const RULES: [(&str, &str); 7] = [
    ("events that are not the services'", "SELECT count(*) FROM event_logs WHERE event_id NOT IN (SELECT event_id FROM events)"),
    (
        "deliveries of one event that differ",
        "SELECT count(*) FROM (SELECT FROM event_logs GROUP BY event_id HAVING count(DISTINCT payload) > 1) AS differing",
    ),
    ("events with several effects", "SELECT count(*) FROM asking WHERE answered > 1"),
    (
        "stories in which something happened twice",
        "SELECT count(*) FROM (SELECT FROM events GROUP BY correlation_id, event_type HAVING count(*) > 1) AS twice",
    ),
    (
        "stories over several amounts, or several payments",
        "SELECT count(*) FROM (
             SELECT FROM events GROUP BY correlation_id
             HAVING count(DISTINCT amount) <> 1 OR count(amount) <> count(*)
                 OR count(DISTINCT aggregate_id) FILTER (WHERE event_type LIKE 'Payment%') > 1) AS several",
    ),
    ("unanswered events that are in no dead-letter topic", "
        SELECT count(*) FROM asking WHERE answered = 0
           AND event_id NOT IN (SELECT event_id FROM event_logs WHERE is_dlt)"),
    // Per step and currency: what was asked for is what was answered and what lies in a dead-letter
    // topic unanswered.
    (
        "steps whose totals differ",
        "SELECT count(*) FROM (
             SELECT steps.asks, currency, sum(amount) AS asked, coalesce(sum(amount) FILTER (WHERE answered = 0), 0) AS dead
               FROM asking JOIN steps ON event_type = steps.asks GROUP BY steps.asks, currency) AS asked (step, currency, asked, dead)
           LEFT JOIN (
             SELECT steps.asks, currency, sum(amount)
               FROM events JOIN steps ON event_type = ANY (answers) GROUP BY steps.asks, currency) AS answered (step, currency, answered)
             USING (step, currency)
          WHERE asked <> coalesce(answered, 0) + dead",
    ),
];

/// `orders` and `payments` as the audit tells them.
pub(super) const ORDERS: &str = "
SELECT DISTINCT ON (correlation_id) correlation_id, amount, currency, CASE event_type WHEN 'OrderCreated' THEN 'CREATED'
       WHEN 'OrderConfirmed' THEN 'CONFIRMED' WHEN 'OrderCancelled' THEN 'CANCELLED' WHEN 'OrderShipped' THEN 'SHIPPED'
       WHEN 'OrderRefunded' THEN 'REFUNDED' END
  FROM events WHERE event_type LIKE 'Order%'
 ORDER BY correlation_id, array_position(ARRAY['OrderRefunded', 'OrderShipped', 'OrderCancelled', 'OrderConfirmed'], event_type::text)";
pub(super) const PAYMENTS: &str = "
SELECT DISTINCT ON (correlation_id) correlation_id, aggregate_id, amount, upper(substr(event_type, 8))
  FROM events WHERE event_type LIKE 'Payment%'
 ORDER BY correlation_id, array_position(ARRAY['PaymentRefunded', 'PaymentCaptured'], event_type::text)";

/// The audit's database, with the views.
pub(super) struct Books(Database);

impl Books {
    pub(super) fn open(audit: &Audit) -> Self {
        let database = Database::open(&audit.database_url);
        database.execute(VIEWS);
        Self(database)
    }

    /// Panics unless everything adds up.
    pub(super) fn add_up(&self) {
        let complaints: Vec<_> = RULES
            .into_iter()
            .map(|(what, query)| (what, self.number(query)))
            .filter(|(_, count)| *count != 0)
            .map(|(what, count)| format!("{what}: {count}"))
            .collect();
        assert!(complaints.is_empty(), "{}", complaints.join("; "));
    }
}

impl Deref for Books {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.0
    }
}
