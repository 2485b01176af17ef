//! A registry that refuses ends the ingester, and no secret gets out.

use sandbox::Sandbox;

use super::fake::{Answer, FakeRegistry};
use super::{ORDER, nowhere, order, wire};
use crate::support::{Audit, Database, Producer};

const SECRET: &str = "s3cret-w0rd";

/// A message that is cut in the middle of the password.
const LONG_MESSAGE: &str = concat!(
    "{\"message\":\"",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxx s3cret-w0rd\"}"
);

#[test]
fn a_registry_that_refuses_ends_the_ingester_and_is_named_without_the_password() {
    let scope = Sandbox::shared().scope("registry_refused");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    let producer = Producer::new(scope.brokers());
    producer.send(&topic, None, Some(b"k"), Some(&wire(1, &order(1))), &[]);
    producer.flush();
    let url = registry.url().replace("//", &format!("//anna:{SECRET}@"));
    let database = Database::open(&audit.database_url);
    for (status, body, said) in [
        (401, "", "401 Unauthorized"),
        (
            403,
            r#"{"error_code":40301,"message":"s3cret-w0rd is not enough"}"#,
            "403 Forbidden: *** is",
        ),
        (404, "<html>nothing here</html>", "404 Not Found"),
        (401, LONG_MESSAGE, "xxx ***"),
        (400, "", "400 Bad Request"),
    ] {
        registry.answer_instead(move |_| Some(Answer::of(status, body)));
        let output = audit.run(&["ingest", "--topics", &topic, "--schema-registry", &url]);
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{log}");
        let asked = format!("127.0.0.1:{}/below/here/schemas/ids/1", registry.port());
        assert!(log.contains(said) && log.contains(&asked), "{log}");
        assert!(!log.contains(&SECRET[..3]) && !log.contains("anna"), "{log}");
        assert_eq!(database.event_count(), 0);
    }
    // Base64 of anna:s3cret-w0rd.
    let login = registry.asked().iter().all(|request| {
        request
            .headers
            .get("authorization")
            .is_some_and(|it| it == "Basic YW5uYTpzM2NyZXQtdzByZA==")
    });
    assert!(login, "{:?}", registry.asked());
}

#[test]
fn the_password_follows_no_redirect_to_another_server() {
    let scope = Sandbox::shared().scope("registry_redirect");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let (registry, other) = (FakeRegistry::start(), FakeRegistry::start());
    other.register(1, "AVRO", ORDER, &["orders-value"]);
    let there = format!("http://127.0.0.1:{}", other.port());
    registry.answer_instead(move |request| {
        let headers = vec![("Location".to_owned(), format!("{there}{}", request.path))];
        Some(Answer { headers, ..Answer::of(307, "") })
    });
    let producer = Producer::new(scope.brokers());
    producer.send(&topic, None, Some(b"k"), Some(&wire(1, &order(1))), &[]);
    producer.flush();
    let url = registry.url().replace("//", &format!("//anna:{SECRET}@"));
    audit.succeed(&["ingest", "--topics", &topic, "--until-end", "--schema-registry", &url]);
    assert_eq!(
        Database::open(&audit.database_url).value("SELECT event_type FROM event_logs"),
        "OrderPlaced"
    );
    assert!(registry.asked().iter().all(|request| request.headers.contains_key("authorization")));
    assert!(!other.asked().is_empty());
    assert!(other.asked().iter().all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn a_url_that_is_none_of_a_registry_is_wrong_usage() {
    for (url, said) in [
        ("s3cret-w0rd", "--schema-registry: relative URL without a base"),
        (
            "ftp://anna:s3cret-w0rd@host",
            "--schema-registry: a schema registry is asked by http:// or https://",
        ),
        (
            "http://anna:s3cret-w0rd@host?x=1",
            "--schema-registry: the URL of a schema registry ends with its path",
        ),
    ] {
        let output = nowhere().run(&["ingest", "--schema-registry", url]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(said) && !stderr.contains(SECRET), "{stderr}");
    }
}

#[test]
fn a_registry_that_does_not_tell_subjects_costs_only_their_names() {
    let scope = Sandbox::shared().scope("registry_no_subjects");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    let answers = [(403, ""), (400, ""), (404, ""), (200, r#"{"versions":[]}"#)];
    for (number, (status, body)) in answers.into_iter().enumerate() {
        let registry = FakeRegistry::start();
        registry.register(1, "AVRO", ORDER, &["orders-value"]);
        registry.answer_instead(move |request| {
            request.path.ends_with("/versions").then(|| Answer::of(status, body))
        });
        producer.send(&topic, None, Some(b"k"), Some(&wire(1, &order(1))), &[]);
        producer.flush();
        super::ingest(&audit, &registry, &topic);
        let database = Database::open(&audit.database_url);
        let rows = database.value(
            "SELECT count(*) FROM event_logs WHERE event_type = 'OrderPlaced' AND attributes ->> 'schema_name' = 'com.acme.OrderPlaced'
                AND NOT attributes ? 'schema_subject'",
        );
        assert_eq!(rows, (number + 1).to_string(), "{status} {body}");
    }
}
