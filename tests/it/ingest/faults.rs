//! Servers that go away, and connections that break at the worst moment.

use std::time::Duration;

use sandbox::{Proxy, Sandbox};

use crate::support::{Audit, Database, Follower, Oracle, Producer, Running, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

/// An ingester whose connections to PostgreSQL pass through a proxy.
fn behind(proxy: &Proxy, audit: &Audit, arguments: &[&str]) -> Running {
    let port = Sandbox::shared().postgres().port();
    let database_url =
        audit.database_url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    assert_ne!(database_url, audit.database_url);
    Audit { database_url, brokers: audit.brokers.clone() }.start(arguments)
}

fn commit_is_cut(name: &str, arrange: impl Fn(&Proxy)) {
    let scope = Sandbox::shared().scope(name);
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..1_000);
    let proxy = match Proxy::start(Sandbox::shared().postgres().port()) {
        Ok(proxy) => proxy,
        Err(error) => panic!("{error}"),
    };
    let mut ingester =
        behind(&proxy, &audit, &["ingest", "--topics", &topic, "--batch-rows", "100"]);
    let database = Database::open(&audit.database_url);
    wait_until("the first rows", LIMIT, || database.event_count() == 1_000);
    // From here on every COMMIT is a batch's.
    for round in 1..=5 {
        arrange(&proxy);
        producer.native_events(&topic, round * 1_000..(round + 1) * 1_000);
        wait_until("the connection is cut", LIMIT, || !proxy.is_waiting_to_cut());
        wait_until("it goes on", LIMIT, || database.event_count() >= (round as i64 + 1) * 1_000);
    }
    ingester.stop();
    assert!(!ingester.log().contains("joining the group again"), "{}", ingester.log());
    let oracle = Oracle::read(&database, scope.brokers(), &[&topic]);
    assert_eq!(oracle.record_count, 6_000);
    oracle.approve();
}

#[test]
fn a_commit_whose_answer_never_arrives_is_neither_lost_nor_doubled() {
    commit_is_cut("commit_reply_cut", |proxy| proxy.cut_reply_to(b"COMMIT"));
}

#[test]
fn a_commit_that_never_reaches_the_server_is_written_again() {
    commit_is_cut("commit_cut", |proxy| proxy.cut_before(b"COMMIT"));
}

#[test]
fn a_database_that_is_silent_for_a_while_costs_no_record_and_no_membership() {
    let scope = Sandbox::shared().scope("silent_database");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let producer = Producer::new(scope.brokers());
    let proxy = match Proxy::start(Sandbox::shared().postgres().port()) {
        Ok(proxy) => proxy,
        Err(error) => panic!("{error}"),
    };
    let mut ingester =
        behind(&proxy, &audit, &["ingest", "--topics", &topic, "--batch-rows", "100"]);
    let database = Database::open(&audit.database_url);
    producer.native_events(&topic, 0..1_000);
    wait_until("the first rows", LIMIT, || database.event_count() == 1_000);
    proxy.block();
    producer.native_events(&topic, 1_000..20_000);
    // Longer than the group's session: it has to go on polling.
    std::thread::sleep(Duration::from_secs(8));
    proxy.unblock();
    wait_until("everything is recorded", LIMIT, || database.event_count() == 20_000);
    assert_eq!(ingester.log().matches("assigned").count(), 1, "{}", ingester.log());
    ingester.stop();
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn both_servers_can_be_killed_under_load_and_who_follows_sees_each_row_once_in_commit_order() {
    // Servers of its own: the other tests would notice.
    let sandbox = match Sandbox::start() {
        Ok(sandbox) => sandbox,
        Err(error) => panic!("{error}"),
    };
    if sandbox.postgres().is_given() || sandbox.kafka().is_given() || sandbox.kafka().is_mock() {
        eprintln!("skipped: only servers of our own can be killed");
        return;
    }
    let scope = sandbox.scope("killed_servers");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let producer = Producer::new(scope.brokers());
    let follower = Follower::start(&audit, &["-n", "0"]);
    let mut ingester = audit.start(&["ingest", "--topics", &topic, "--batch-rows", "200"]);
    producer.native_events(&topic, 0..20_000);
    wait_until("the first rows", LIMIT, || {
        Database::open(&audit.database_url).event_count() > 1_000
    });
    assert!(sandbox.postgres().kill().is_ok());
    producer.native_events(&topic, 20_000..25_000);
    assert!(sandbox.postgres().start().is_ok());
    let database = Database::open(&audit.database_url);
    wait_until("recording goes on", LIMIT, || database.event_count() > 10_000);
    drop(database);
    // An orderly restart ends sessions in another way than a kill does.
    assert!(sandbox.postgres().restart().is_ok());
    let database = Database::open(&audit.database_url);
    assert!(sandbox.kafka().kill().is_ok());
    assert!(sandbox.kafka().start().is_ok());
    producer.native_events(&topic, 25_000..30_000);
    wait_until("everything is recorded", LIMIT, || database.event_count() == 30_000);
    ingester.stop();
    let oracle = Oracle::read(&database, scope.brokers(), &[&topic]);
    assert_eq!(oracle.record_count, 30_000);
    oracle.approve();
    let in_commit_order = database.rows(
        "SELECT id FROM event_logs JOIN ingest_batches ON id BETWEEN first_id AND last_id ORDER BY batch_no, id",
    );
    let in_commit_order: Vec<i64> =
        in_commit_order.iter().map(|row| row[0].parse().unwrap_or_default()).collect();
    assert_eq!(follower.ids(30_000), in_commit_order);
    follower.stop();
}
