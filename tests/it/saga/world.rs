//! The two services and an ingester beside them, on databases and topics of their own.

use std::process::Command;
use std::time::Duration;

use sandbox::{Sandbox, Scope};

use super::consistency::Books;
use crate::support::{Audit, Database, Running, programs, wait_until};

/// Longer than anything takes, even many orders on a busy machine: who waits so long has failed.
pub(super) const LIMIT: Duration = Duration::from_secs(300);

/// Faults of each kind, the same after each restart.
const FAULTS: [&str; 6] =
    ["--fail-rate", "0.02", "--poison-rate", "0.02", "--duplicate-rate", "0.05"];

pub(super) struct World<'s> {
    pub(super) audit: Audit,
    pub(super) books: Books,
    pub(super) order_db: Database,
    pub(super) payment_db: Database,
    order_url: String,
    payment_url: String,
    orders_topic: String,
    payments_topic: String,
    faults: &'static [&'static str],
    /// The schema registry, where formats need one.
    registry: Option<&'static str>,
    /// What the order service writes, and the payment service.
    formats: [&'static str; 2],
    _scope: &'s Scope<'s>,
}

impl<'s> World<'s> {
    pub(super) fn new(scope: &'s Scope<'s>) -> Self {
        let audit = Audit::migrated(scope);
        let topic = |name: &str| {
            scope.create_topic(&format!("{name}-dlt"), 4);
            scope.create_topic(name, 4)
        };
        let (order_url, payment_url) = (scope.database("order_db"), scope.database("payment_db"));
        Self {
            books: Books::open(&audit),
            audit,
            order_db: Database::open(&order_url),
            payment_db: Database::open(&payment_url),
            order_url,
            payment_url,
            orders_topic: topic("orders.events"),
            payments_topic: topic("payments.events"),
            faults: &FAULTS,
            registry: None,
            formats: ["json", "json"],
            _scope: scope,
        }
    }

    /// A world in which nothing fails by itself.
    pub(super) fn without_faults(scope: &'s Scope<'s>) -> Self {
        Self { faults: &[], ..Self::new(scope) }
    }

    /// A world whose services write formats that need a schema registry.
    pub(super) fn in_formats(scope: &'s Scope<'s>, formats: [&'static str; 2]) -> Self {
        let registry = Some(Sandbox::shared().registry().url());
        Self { registry, formats, ..Self::new(scope) }
    }

    pub(super) fn topics(&self) -> [String; 4] {
        let (orders, payments) = (&self.orders_topic, &self.payments_topic);
        [orders.clone(), payments.clone(), format!("{orders}-dlt"), format!("{payments}-dlt")]
    }

    pub(super) fn ingest(&self) -> Running {
        let topics = self.topics().join(",");
        let mut arguments = vec!["ingest", "--topics", &topics];
        arguments.extend(self.registry.iter().flat_map(|url| ["--schema-registry", url]));
        self.audit.start(&arguments)
    }

    /// Makes so many orders, and ends when every order of the database is settled.
    pub(super) fn order_sim(&self, count: i64) -> Running {
        let count = count.to_string();
        self.service(
            "order-sim",
            &self.order_url,
            &["--rate", "400", "--count", &count, "--until-settled"],
        )
    }

    /// Answers payments until it is stopped. It makes one order, and the next after a thousand
    /// seconds.
    pub(super) fn resident_order_sim(&self) -> Running {
        self.service("order-sim", &self.order_url, &["--rate", "0.001"])
    }

    pub(super) fn payment_sim(&self) -> Running {
        self.service("payment-sim", &self.payment_url, &[])
    }

    fn service(&self, name: &str, database_url: &str, options: &[&str]) -> Running {
        // Groups belong to the whole cluster: this test has its own.
        let group = format!("{}-{name}", self.orders_topic);
        let mut command = Command::new(programs().join(name));
        command
            .env("DATABASE_URL", database_url)
            .env("KAFKA_BROKERS", &self.audit.brokers)
            .env("ORDERS_TOPIC", &self.orders_topic)
            .env("PAYMENTS_TOPIC", &self.payments_topic)
            .env_remove("AUDIT_SCHEMA_REGISTRY")
            .env("SCHEMA_REGISTRY", self.registry.unwrap_or_default())
            .args(["--group", &group, "--format", self.formats[usize::from(name != "order-sim")]])
            .args(self.faults)
            .args(options);
        Running::start(&mut command)
    }

    /// Waits until nothing more will happen by itself: everything published is recorded, and every
    /// event that asks for another was answered or dead-lettered, in each of its replays.
    pub(super) fn settle(&self, what: &str) {
        let unpublished = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
        let appended = "SELECT count(*) FROM outbox";
        wait_until(&format!("nothing is open {what}"), LIMIT, || {
            let databases = [&self.order_db, &self.payment_db];
            // What is open comes last: only when everything is recorded does it tell of all that
            // can go on.
            databases.iter().all(|database| database.number(unpublished) == 0)
                && databases.iter().map(|database| database.number(appended)).sum::<i64>()
                    == self.books.number("SELECT count(*) FROM events")
                && self.books.number("SELECT count(*) FROM open_events") == 0
        });
    }
}
