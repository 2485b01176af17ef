//! The databases and topics of audit and of the two services.

use sandbox::{Error, Progress, Sandbox};

const DATABASES: [&str; 3] = ["audit_db", "order_db", "payment_db"];
/// The topics of the two services, and of their dead letters.
pub(crate) const TOPICS: [&str; 4] =
    ["orders.events", "payments.events", "orders.events-dlt", "payments.events-dlt"];
/// The topic of the shop, the third service of the demo.
pub(crate) const SHOP_TOPIC: &str = "shop.events";
/// The topic that checkpoints of the log of evidence go to.
pub(crate) const CHECKPOINT_TOPIC: &str = "audit.checkpoints";
const PARTITIONS: i32 = 4;

/// Starts the servers, and creates what the services need on them.
pub(crate) fn start(with_registry: bool) -> Result<Sandbox, Error> {
    let progress = Progress::for_stderr();
    let sandbox = if with_registry {
        Sandbox::start_with_registry(&progress)?
    } else {
        Sandbox::start_with(&progress)?
    };
    for database in DATABASES {
        unless_exists(sandbox.postgres().create_database(database))?;
    }
    for topic in TOPICS {
        create_topic(&sandbox, topic)?;
    }
    Ok(sandbox)
}

/// Creates a topic on the sandbox's Kafka.
pub(crate) fn create_topic(sandbox: &Sandbox, topic: &str) -> Result<(), Error> {
    unless_exists(sandbox.kafka().create_topic(topic, PARTITIONS, &[]))
}

/// Creates a topic where no topic has that name.
pub(crate) fn ensure_topic(brokers: &str, topic: &str) -> Result<(), Error> {
    unless_exists(sandbox::create_topic(brokers, topic, PARTITIONS, &[]))
}

/// Servers that the user gave may have them from the last time.
fn unless_exists(created: Result<(), Error>) -> Result<(), Error> {
    match created {
        Err(Error::Exists { .. }) => Ok(()),
        other => other,
    }
}

/// The environment variables that point audit and the services to the servers.
pub(crate) fn variables(sandbox: &Sandbox, with_registry: bool) -> Vec<(&'static str, String)> {
    let registry =
        with_registry.then(|| ("AUDIT_SCHEMA_REGISTRY", sandbox.registry().url().to_string()));
    let servers = [
        ("AUDIT_DATABASE_URL", sandbox.postgres().url("audit_db")),
        ("AUDIT_BROKERS", sandbox.kafka().brokers().to_string()),
        ("KAFKA_BROKERS", sandbox.kafka().brokers().to_string()),
        ("ORDER_DATABASE_URL", sandbox.postgres().url("order_db")),
        ("PAYMENT_DATABASE_URL", sandbox.postgres().url("payment_db")),
    ];
    servers.into_iter().chain(registry).collect()
}
