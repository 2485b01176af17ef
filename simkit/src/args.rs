//! The options that both services have.

use clap::Args;

/// Where a service finds its database and Kafka.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub struct ServiceArgs {
    /// The service's own database: postgresql://user@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
    /// Kafka's brokers: host:port, separated by commas
    #[arg(long, env = "KAFKA_BROKERS", default_value = "localhost:9092", value_name = "LIST")]
    pub brokers: String,
    /// The topic of the order service's events; made if it does not exist, as is its -dlt topic
    #[arg(long, env = "ORDERS_TOPIC", default_value = "orders.events", value_name = "TOPIC")]
    pub orders_topic: String,
    /// The topic of the payment service's events; made if it does not exist, as is its -dlt topic
    #[arg(long, env = "PAYMENTS_TOPIC", default_value = "payments.events", value_name = "TOPIC")]
    pub payments_topic: String,
    /// The consumer group [default: the service's name]
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
}
