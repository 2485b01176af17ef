//! What one test has for itself on servers that it shares.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::error::Error;
use crate::kafka::Kafka;
use crate::postgres::Postgres;
use crate::process::short_id;

/// One test's own databases and topics. The names are unique, also on a server that several runs
/// share.
///
/// Its functions panic with the readable error where a server refuses: they are for tests.
#[derive(Debug)]
pub struct Scope<'s> {
    postgres: &'s Postgres,
    kafka: &'s Kafka,
    /// The test's name and some random digits, of what both servers accept in a name.
    prefix: String,
    url: OnceLock<String>,
    databases: Mutex<Vec<String>>,
    topics: Mutex<Vec<String>>,
}

impl<'s> Scope<'s> {
    pub(crate) fn new(postgres: &'s Postgres, kafka: &'s Kafka, name: &str) -> Scope<'s> {
        // PostgreSQL cuts names at 63 bytes: 30, and 1 + 12 random digits, leave room for a suffix.
        let name: String = name
            .chars()
            .map(
                |letter| {
                    if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' }
                },
            )
            .take(30)
            .collect();
        Scope {
            postgres,
            kafka,
            prefix: format!("{name}_{}", short_id()),
            url: OnceLock::new(),
            databases: Mutex::default(),
            topics: Mutex::default(),
        }
    }

    /// The URL of this scope's database, which is created, empty, when it is first asked for.
    pub fn database_url(&self) -> &str {
        self.url.get_or_init(|| self.create_database(&self.prefix))
    }

    /// Another empty database, and its URL. The suffix tells this scope's databases apart.
    pub fn database(&self, suffix: &str) -> String {
        self.create_database(&format!("{}_{suffix}", self.prefix))
    }

    /// Another database, made with options of `CREATE DATABASE`, and its URL.
    pub fn database_with(&self, suffix: &str, options: &str) -> String {
        self.create_database_with(&format!("{}_{suffix}", self.prefix), options)
    }

    /// This scope's name for a topic, such as `{prefix}.orders.events` for `orders.events`. Doesn't
    /// create it.
    pub fn topic(&self, name: &str) -> String {
        self.topic_behind("", name)
    }

    /// The same for topics whose kind is told by how their names begin:
    /// `{beginning}{prefix}.{name}`.
    pub fn topic_behind(&self, beginning: &str, name: &str) -> String {
        let topic = format!("{beginning}{}.{name}", self.prefix);
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if !topics.contains(&topic) {
            topics.push(topic.clone());
        }
        topic
    }

    /// Creates a topic, and gives its full name.
    pub fn create_topic(&self, name: &str, partitions: i32) -> String {
        self.create_topic_with(name, partitions, &[])
    }

    /// Creates a topic with a configuration of its own, and gives its full name.
    pub fn create_topic_with(
        &self,
        name: &str,
        partitions: i32,
        config: &[(&str, &str)],
    ) -> String {
        let topic = self.topic(name);
        or_panic(self.kafka.create_topic(&topic, partitions, config));
        topic
    }

    /// The brokers, as `bootstrap.servers` wants them.
    pub fn brokers(&self) -> &'s str {
        self.kafka.brokers()
    }

    fn create_database(&self, name: &str) -> String {
        self.create_database_with(name, "")
    }

    fn create_database_with(&self, name: &str, options: &str) -> String {
        or_panic(self.postgres.create_database_with(name, options));
        self.databases.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_string());
        self.postgres.url(name)
    }
}

impl Drop for Scope<'_> {
    /// On servers that outlive the sandbox, takes away what was made. Where that fails, the next
    /// user sees a left-over database or topic under a name that tells where it is from.
    fn drop(&mut self) {
        if self.postgres.is_given() {
            for name in self.databases.get_mut().unwrap_or_else(PoisonError::into_inner) {
                let _ = self.postgres.drop_database(name);
            }
        }
        if self.kafka.is_given() {
            for topic in self.topics.get_mut().unwrap_or_else(PoisonError::into_inner) {
                let _ = self.kafka.delete_topic(topic);
            }
        }
    }
}

pub(crate) fn or_panic<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("sandbox: {error}"),
    }
}
