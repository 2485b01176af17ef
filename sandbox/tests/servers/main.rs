//! The sandbox against its real servers: they start, survive what tests do to them, and leave
//! nothing behind.

mod bootstrap;
mod left_over;
mod proxy;

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use sandbox::{Error, Sandbox};
use tokio_postgres::{Client, NoTls};

#[tokio::test(flavor = "multi_thread")]
async fn gives_each_scope_its_own_databases_and_topics() {
    let sandbox = Sandbox::shared();
    let (one, other) = (sandbox.scope("same name"), sandbox.scope("same name"));
    assert_ne!(one.database_url(), other.database_url());
    assert_ne!(one.topic("orders.events"), other.topic("orders.events"));
    assert!(one.topic("orders.events-dlt").ends_with(".orders.events-dlt"));

    connect(one.database_url()).await.batch_execute("CREATE TABLE seen (id INT)").await.unwrap();
    assert!(connect(other.database_url()).await.batch_execute("SELECT * FROM seen").await.is_err());
    assert!(
        connect(&one.database("second")).await.batch_execute("SELECT * FROM seen").await.is_err()
    );

    let topic = one.create_topic("orders.events", 3);
    assert_eq!(partitions(one.brokers(), &topic), 3);
    assert!(matches!(sandbox.kafka().create_topic(&topic, 3, &[]), Err(Error::Exists { .. })));
    sandbox.kafka().delete_topic(&topic).unwrap();
    sandbox.kafka().delete_topic(&topic).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_has_the_settings_that_the_product_expects() {
    let sandbox = Sandbox::shared();
    let scope = sandbox.scope("settings");
    let client = connect(scope.database_url()).await;
    for (setting, expected) in [
        ("timezone", "UTC"),
        ("server_encoding", "UTF8"),
        ("max_connections", "300"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
    ] {
        let row = client.query_one(&format!("SHOW {setting}"), &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), expected, "{setting}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_servers_come_back_with_their_data_on_the_same_ports() {
    let sandbox = Sandbox::start().unwrap();
    let (postgres, kafka) = (sandbox.postgres(), sandbox.kafka());
    let scope = sandbox.scope("killed");
    let (port, brokers) = (postgres.port(), kafka.brokers().to_string());
    let client = connect(scope.database_url()).await;
    client.batch_execute("CREATE TABLE kept (id INT); INSERT INTO kept VALUES (7)").await.unwrap();
    let topic = scope.create_topic("kept", 1);
    produce(&brokers, &topic, 3);

    postgres.kill().unwrap();
    kafka.kill().unwrap();
    assert!(client.batch_execute("SELECT 1").await.is_err());
    assert_eq!((postgres.process_id(), kafka.process_id()), (None, None));
    postgres.start().unwrap();
    kafka.start().unwrap();
    assert_eq!((postgres.port(), kafka.brokers()), (port, brokers.as_str()));
    let row =
        connect(scope.database_url()).await.query_one("SELECT id FROM kept", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
    assert_eq!(offsets(&brokers, &topic), (0, 3));

    postgres.restart().unwrap();
    kafka.restart().unwrap();
    kafka.delete_records(&topic, 0, 2).unwrap();
    assert_eq!(offsets(&brokers, &topic), (2, 3));
    let row =
        connect(scope.database_url()).await.query_one("SELECT id FROM kept", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
}

#[test]
fn says_why_a_server_does_not_come_up() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.postgres().stop().unwrap();
    sandbox.kafka().stop().unwrap();
    let _theirs = std::net::TcpListener::bind(("127.0.0.1", sandbox.postgres().port())).unwrap();
    let _too = std::net::TcpListener::bind(sandbox.kafka().brokers()).unwrap();
    let error = sandbox.postgres().start().unwrap_err().to_string();
    assert!(
        error.contains("PostgreSQL did not start") && error.contains("Address already in use"),
        "{error}"
    );
    let error = sandbox.kafka().start().unwrap_err().to_string();
    assert!(
        error.contains("Kafka did not start") && error.contains("Address already in use"),
        "{error}"
    );
}

/// Servers that are given are used as they are, and left as they were.
#[test]
fn uses_the_servers_that_it_is_given() {
    let sandbox = Sandbox::shared();
    let scope = sandbox.scope("given");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["up", "--registry", "--", "sh", "-c"])
        .arg("echo $AUDIT_DATABASE_URL $AUDIT_BROKERS $AUDIT_SCHEMA_REGISTRY; exit 9")
        .env(sandbox::GIVEN_POSTGRES, scope.database_url())
        .env(sandbox::GIVEN_BROKERS, scope.brokers())
        .env(sandbox::GIVEN_SCHEMA_REGISTRY, sandbox.registry().url())
        .output()
        .unwrap();
    let (database, registry) = (sandbox.postgres().url("audit_db"), sandbox.registry().url());
    let expected = format!("{database} {} {registry}\n", scope.brokers());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert_eq!(output.status.code(), Some(9));
    assert!(partitions(scope.brokers(), "payments.events-dlt") > 0);
}

#[test]
fn says_why_a_given_registry_cannot_be_used_without_its_password() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["up", "--registry", "--", "true"])
        .env(sandbox::GIVEN_SCHEMA_REGISTRY, "http://user:the-password@127.0.0.1:1")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("cannot use SANDBOX_SCHEMA_REGISTRY_URL: it does not answer"),
        "{stderr}"
    );
    assert!(!stderr.contains("the-password"), "{stderr}");
}

#[test]
fn several_that_want_the_registry_at_once_share_one() {
    let sandbox = Sandbox::shared();
    let asked = |_| std::thread::spawn(|| Sandbox::shared().registry().url().to_string());
    let urls: Vec<_> = (0..4)
        .map(asked)
        .collect::<Vec<_>>()
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert!(urls.iter().all(|url| url == sandbox.registry().url()), "{urls:?}");
    let url = sandbox.registry().url();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/apis/ccompat/v7"), "{url}");
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn produce(brokers: &str, topic: &str, count: usize) {
    let producer: ThreadedProducer<DefaultProducerContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    for _ in 0..count {
        producer.send(BaseRecord::<str, str>::to(topic).key("key").payload("value")).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

fn consumer(brokers: &str) -> BaseConsumer {
    ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap()
}

fn partitions(brokers: &str, topic: &str) -> usize {
    let metadata = consumer(brokers).fetch_metadata(Some(topic), Duration::from_secs(30)).unwrap();
    metadata.topics()[0].partitions().len()
}

fn offsets(brokers: &str, topic: &str) -> (i64, i64) {
    consumer(brokers).fetch_watermarks(topic, 0, Duration::from_secs(30)).unwrap()
}
