//! Brokers that don't let `audit` in: it tells why, in librdkafka's own words, and what to do.

use std::process::Output;
use std::time::Duration;

use sandbox::{SASL_USER, Sandbox, Scope};

use crate::support::{Audit, wait_until};

/// What the commands are given to come to the listener that wants a password.
fn login<'a>(password: &'a str, mechanism: &'a str) -> Vec<String> {
    let settings = [
        "security.protocol=SASL_PLAINTEXT".to_owned(),
        format!("sasl.mechanism={mechanism}"),
        format!("sasl.username={}", SASL_USER.0),
        format!("sasl.password={password}"),
    ];
    settings.into_iter().flat_map(|setting| ["-X".to_owned(), setting]).collect()
}

/// The listener, and `audit` for it. `None` where Kafka is given, or a mock: that has none.
fn at_login(scope: &Scope<'_>) -> Option<Audit> {
    let brokers = Sandbox::shared().kafka().sasl_brokers();
    if brokers.is_none() {
        eprintln!("skipped: this Kafka has no listener that wants a password");
    }
    Some(Audit { brokers: brokers?.to_owned(), ..Audit::migrated(scope) })
}

fn with<'a>(command: &[&'a str], settings: &'a [String]) -> Vec<&'a str> {
    command.iter().copied().chain(settings.iter().map(String::as_str)).collect()
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].iter().map(|part| String::from_utf8_lossy(part)).collect()
}

#[test]
fn a_wrong_password_is_told_by_every_command_that_asks_kafka() {
    let scope = Sandbox::shared().scope("wrong_password");
    let Some(audit) = at_login(&scope) else { return };
    let ingest = ["ingest", "--until-end"];
    let wrong = login("no-such-s3cret", "PLAIN");
    let reason = "SASL authentication error: Authentication failed";
    for command in [&["status"][..], &["verify", "--wait", "0"]] {
        let output = audit.run(&with(command, &wrong));
        let said = said(&output);
        assert!(!said.contains("s3cret"), "{said}");
        assert!(said.contains(reason), "{command:?}: {said}");
    }
    let output = audit.run(&with(&ingest, &wrong));
    let said = said(&output);
    let lines: Vec<&str> = said.lines().collect();
    let [.., error, hint] = lines[..] else { panic!("{said}") };
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(error.starts_with("error: no Kafka broker answers at "), "{said}");
    assert!(
        error.ends_with(
            ": SASL authentication error: Authentication failed: Invalid username or password"
        ),
        "{said}"
    );
    assert!(hint.starts_with("hint: check -X sasl.username"), "{said}");
}

#[test]
fn an_ingester_that_waits_tells_each_reason_once() {
    let scope = Sandbox::shared().scope("waits_for_login");
    let Some(audit) = at_login(&scope) else { return };
    let wrong = login("no-such-s3cret", "PLAIN");
    let mut ingest = audit.start(&with(&["ingest"], &wrong));
    wait_until("the reason is told", Duration::from_secs(20), || {
        ingest.log().contains("SASL authentication error")
    });
    std::thread::sleep(Duration::from_secs(7));
    let log = ingest.log();
    assert_eq!(log.matches("waiting for Kafka").count(), 1, "{log}");
    assert!(log.contains("check -X sasl.username"), "{log}");
    ingest.stop();
}

#[test]
fn a_login_by_either_name_of_the_mechanism_is_taken() {
    let scope = Sandbox::shared().scope("login");
    let Some(audit) = at_login(&scope) else { return };
    let topic = scope.create_topic("orders.events", 1);
    let right = login(SASL_USER.1, "PLAIN");
    let ingest = ["ingest", "--until-end", "--topics", topic.as_str()];
    audit.succeed(&with(&ingest, &right));
    // The last one counts, under whichever name.
    let again =
        [&right[..], &["-X".to_owned(), "sasl.mechanisms=SCRAM-SHA-512".to_owned()]].concat();
    let output = audit.run(&with(&["status"], &again));
    let refused = "Unsupported SASL mechanism";
    assert!(said(&output).contains(refused), "{}", said(&output));
    let back = [&again[..], &["-X".to_owned(), "sasl.mechanism=PLAIN".to_owned()]].concat();
    let output = audit.run(&with(&["status"], &back));
    assert!(!said(&output).contains("SASL"), "{}", said(&output));
}

#[test]
fn a_listener_of_another_security_protocol_is_told() {
    let scope = Sandbox::shared().scope("wrong_protocol");
    if Sandbox::shared().kafka().is_mock() {
        eprintln!("skipped: a mock has one listener");
        return;
    }
    let audit = Audit::migrated(&scope);
    let encrypted = ["-X".to_owned(), "security.protocol=SSL".to_owned()];
    let output = audit.run(&with(&["status"], &encrypted));
    assert!(said(&output).contains("SSL handshake failed"), "{}", said(&output));
    if let Some(audit) = at_login(&scope) {
        let output = audit.run(&["ingest", "--until-end"]);
        let said = said(&output);
        assert!(
            said.contains("security.protocol has to be that of the brokers' listener"),
            "{said}"
        );
    }
}

#[test]
fn a_broker_with_a_scheme_is_wrong_usage() {
    let scope = Sandbox::shared().scope("schemes");
    let audit =
        Audit { brokers: "SASL_SSL://kafka.example:9092".to_owned(), ..Audit::migrated(&scope) };
    let output = audit.run(&["ingest"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("a broker begins with SASL_SSL://"), "{said}");
    assert!(said.contains("-X security.protocol=SASL_SSL"), "{said}");
}

#[test]
fn a_setting_that_librdkafka_does_not_have_is_wrong_usage() {
    let scope = Sandbox::shared().scope("wrong_setting");
    let audit = Audit::migrated(&scope);
    let commands: [&[&str]; 6] = [
        &["ingest"],
        &["status"],
        &["status", "--consumers"],
        &["verify", "--wait", "0"],
        &["replay-dlt", "--dry-run"],
        &["replay-dlt", "--yes"],
    ];
    for command in commands {
        let output = audit.run(&with(command, &["-X".to_owned(), "no.such.setting=1".to_owned()]));
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        let named = "error: -X: no.such.setting: No such configuration property";
        assert!(said.starts_with(named), "{command:?}: {said}");
    }
}
