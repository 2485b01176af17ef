//! Which setting wins.

use sandbox::Sandbox;

use super::Configured;
use crate::support::rows::{events, record};
use crate::support::{Database, Producer};

const TWO: &str = r#"
default_profile = "by_default"

[profiles.by_default]
database_url = "postgresql://of-default/d"
brokers = "of-default:1"
output = "csv"
tz = "+01:00"
topics = ["of.default"]
group = "of-default"
kafka.client.id = "of-default"
kafka.debug = "broker"

[profiles.named]
database_url = "postgresql://of-profile/d"
brokers = "of-profile:1"
output = "ndjson"
tz = "+02:00"
topics = ["of.profile", "of.profile-dlt"]
group = "of-profile"
kafka.client.id = "of-profile"
kafka.debug = "msg"
"#;

#[test]
fn an_option_beats_a_typed_profile_which_beats_a_variable_which_beats_any_other_profile() {
    let configured = Configured::new(TWO);
    let url = ("AUDIT_DATABASE_URL", "postgresql://of-variable/d");
    let brokers = ("AUDIT_BROKERS", "of-variable:1");
    let old_brokers = ("KAFKA_BROKERS", "of-old-variable:1");
    let chosen = ("AUDIT_PROFILE", "named");
    let empty = ("AUDIT_PROFILE", "");
    let libpq = ("PGHOST", "of-libpq");
    let named = ["--profile", "named"];
    let of_named = "profile named (FOLDER/config.toml)";
    let of_default = "profile by_default (FOLDER/config.toml)";
    type Case<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)], String);
    let cases: &[Case<'_>] = &[
        (
            "database_url",
            &["--profile", "named", "--database-url", "postgresql://typed/d"],
            &[url, libpq],
            "postgresql://typed/d --database-url".to_owned(),
        ),
        ("database_url", &named, &[url, libpq], format!("postgresql://of-profile/d {of_named}")),
        (
            "database_url",
            &[],
            &[url, chosen, libpq],
            "postgresql://of-variable/d AUDIT_DATABASE_URL".to_owned(),
        ),
        ("database_url", &[], &[chosen, libpq], format!("postgresql://of-profile/d {of_named}")),
        ("database_url", &[], &[libpq], format!("postgresql://of-default/d {of_default}")),
        (
            "database_url",
            &[],
            &[empty, ("AUDIT_DATABASE_URL", "")],
            format!("postgresql://of-default/d {of_default}"),
        ),
        ("database_host", &[], &[libpq], format!("of-default {of_default}")),
        (
            "database_host",
            &[],
            &[libpq, ("AUDIT_CONFIG", "/dev/null")],
            "of-libpq PGHOST".to_owned(),
        ),
        ("database_host", &[], &[("AUDIT_CONFIG", "/dev/null")], "localhost default".to_owned()),
        (
            "brokers",
            &["--profile", "named", "--brokers", "typed:1"],
            &[brokers, old_brokers],
            "typed:1 --brokers".to_owned(),
        ),
        ("brokers", &named, &[brokers, old_brokers], format!("of-profile:1 {of_named}")),
        ("brokers", &[], &[brokers, old_brokers, chosen], "of-variable:1 AUDIT_BROKERS".to_owned()),
        ("brokers", &[], &[old_brokers, chosen], "of-old-variable:1 KAFKA_BROKERS".to_owned()),
        ("brokers", &[], &[chosen], format!("of-profile:1 {of_named}")),
        ("brokers", &[], &[], format!("of-default:1 {of_default}")),
        ("brokers", &[], &[("AUDIT_CONFIG", "/dev/null")], "- -".to_owned()),
        ("output", &named, &[("AUDIT_OUTPUT", "json")], format!("ndjson {of_named}")),
        ("output", &[], &[("AUDIT_OUTPUT", "json"), chosen], "json AUDIT_OUTPUT".to_owned()),
        ("output", &[], &[chosen], format!("ndjson {of_named}")),
        ("profile", &named, &[chosen], "named --profile".to_owned()),
        ("profile", &[], &[chosen], "named AUDIT_PROFILE".to_owned()),
        ("profile", &[], &[], "by_default default_profile (FOLDER/config.toml)".to_owned()),
        (
            "kafka.client.id",
            &["--profile", "named", "-X", "client.id=typed"],
            &[],
            "typed -X".to_owned(),
        ),
        (
            "kafka.debug",
            &["--profile", "named", "-X", "client.id=typed"],
            &[],
            format!("msg {of_named}"),
        ),
        ("topics", &[], &[], format!("of.default {of_default}")),
        ("group", &named, &[], format!("of-profile {of_named}")),
        ("tz", &[], &[("AUDIT_CONFIG", "/dev/null")], "UTC default".to_owned()),
    ];
    for (setting, arguments, variables, expected) in cases {
        assert_eq!(
            &configured.shown(setting, arguments, variables),
            expected,
            "{setting} {arguments:?} {variables:?}"
        );
    }
}

#[test]
fn what_a_profile_says_about_its_server_is_for_no_other_unless_it_was_typed() {
    let configured = Configured::new(&TWO.replace(
        "[profiles.named]",
        "database_password_file = \"password\"\n[profiles.named]\ndatabase_password_file = \"password\"",
    ));
    configured.write("password", "s3cret\n", 0o600);
    let elsewhere = [("AUDIT_BROKERS", "b:1"), ("AUDIT_DATABASE_URL", "postgresql://h/d")];
    assert_eq!(configured.shown("database_password", &[], &[]), "set database_password_file");
    assert_eq!(configured.shown("database_password", &[], &elsewhere[1..]), "not set default");
    assert_eq!(configured.shown("group", &[], &elsewhere[1..]), "- -");
    assert!(configured.shown("topics", &[], &elsewhere[1..]).starts_with("of.default "));
    assert!(configured.shown("topics", &[], &elsewhere[..1]).ends_with(" default"));
    assert_eq!(configured.shown("group", &[], &elsewhere[..1]), "- -");
    let rows = configured.succeed(&["config", "show", "-o", "csv"], &elsewhere[..1]);
    assert!(!rows.contains("kafka."), "{rows}");
    // What is typed together belongs together.
    let typed = ["--profile", "named", "--brokers", "b:1", "--database-url", "postgresql://h/d"];
    assert!(configured.shown("kafka.debug", &typed, &[]).starts_with("msg "));
    assert_eq!(configured.shown("database_password", &typed, &[]), "set database_password_file");
}

#[test]
fn a_schema_registry_is_weighed_like_the_other_servers_and_its_secrets_stay_with_it() {
    let registry = "schema_registry = \"https://reg.default/path/\"\nschema_registry_user = \"anna\"\n\
                    schema_registry_password_file = \"password\"\nschema_registry_ca_file = \"ca.pem\"\n";
    let configured = Configured::new(&format!(
        "default_profile = \"own\"\n[profiles.own]\n{registry}[profiles.other]\n"
    ));
    configured.write("password", "s3cret\n", 0o600);
    let own = "profile own (FOLDER/config.toml)";
    let shown = |name: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        configured.shown(&format!("schema_registry{name}"), arguments, variables)
    };
    assert_eq!(shown("", &[], &[]), format!("https://reg.default/path {own}"));
    assert_eq!(shown("_user", &[], &[]), format!("anna {own}"));
    assert!(shown("_password_file", &[], &[]).ends_with(&format!("password {own}")));
    assert!(shown("_ca_file", &[], &[]).ends_with(&format!("ca.pem {own}")));
    assert_eq!(shown("_password", &[], &[]), "set schema_registry_password_file");
    // A variable beats the default profile, whose secrets are not for its server.
    let variable = [("AUDIT_SCHEMA_REGISTRY", "http://eve:s3cret@elsewhere")];
    assert_eq!(shown("", &[], &variable), "http://***@elsewhere AUDIT_SCHEMA_REGISTRY");
    for name in ["_user", "_password_file", "_password", "_ca_file"] {
        assert_eq!(shown(name, &[], &variable), "- -", "{name}");
    }
    // What is typed together belongs together.
    let typed = ["--profile", "own"];
    assert_eq!(shown("", &typed, &variable), format!("https://reg.default/path {own}"));
    assert_eq!(shown("_user", &typed, &variable), format!("anna {own}"));
    let password = [("AUDIT_SCHEMA_REGISTRY_PASSWORD", "s3cret")];
    assert_eq!(shown("_password", &[], &password), "set AUDIT_SCHEMA_REGISTRY_PASSWORD");
    assert!(shown("_password_file", &typed, &password).ends_with(own));
    assert_eq!(shown("", &["--profile", "other"], &[]), "- -");
    let wrong = configured.refused(&["decode", "x", "--schema-registry", "s3cret"], &[]);
    assert!(wrong.contains("--schema-registry: ") && !wrong.contains("s3cret"), "{wrong}");
}

#[test]
fn a_profile_leads_every_command_to_its_servers() {
    let scope = Sandbox::shared().scope("profiles");
    let (url, brokers) = (scope.database_url(), scope.brokers());
    let (topic, other) =
        (scope.create_topic("orders.events", 1), scope.create_topic("other.events", 1));
    let configured = Configured::new(&format!(
        "default_profile = \"away\"
         [profiles.away]
         database_url = \"postgresql://127.0.0.1:9/nowhere\"
         brokers = \"127.0.0.1:9\"
         [profiles.here]
         database_url = \"{url}\"
         brokers = \"{brokers}\"
         topics = [\"{topic}\"]
         output = \"csv\"
         tz = \"+02:00\"
         kafka.client.id = \"@client\""
    ));
    configured.write("client", "of-the-file\n", 0o644);
    let producer = Producer::new(brokers);
    producer.native_events(&topic, 0..3);
    let here = |arguments: &[&str]| {
        configured.succeed(
            &[&["--profile", "here"], arguments].concat(),
            &[("AUDIT_BROKERS", "127.0.0.1:9")],
        )
    };
    here(&["migrate"]);
    here(&["ingest", "--until-end"]);
    let database = Database::open(url);
    assert_eq!(database.event_count(), 3);
    // The second topic is asked for beside the profile's own by no one, until it is typed.
    producer.native_events(&other, 0..2);
    here(&["ingest", "--until-end"]);
    assert_eq!(database.event_count(), 3);
    here(&["ingest", "--until-end", "--topics", &other]);
    assert_eq!(database.event_count(), 5);
    assert!(here(&["verify"]).starts_with("check,subject,result,detail\n"));
    assert!(here(&["status"]).starts_with("topic,partition,"));

    // The events are of 10:00 UTC: noon in the profile's zone.
    let count =
        |arguments: &[&str]| here(&[&["query", "--count", "-o", "table"], arguments].concat());
    assert_eq!(count(&["--since", "2026-11-22 12:00", "--until", "2026-11-22 12:01"]).trim(), "5");
    assert_eq!(count(&["--since", "2026-11-22 12:00", "--tz", "UTC"]).trim(), "0");
    record(&database, &events("Late", 1, "2026-11-22 23:30:00"));
    assert_eq!(
        here(&["query", "--date", "2026-11-23", "--columns", "event_type"]),
        "event_type\nLate\n"
    );
    assert_eq!(
        here(&["export", "--date", "2026-11-23", "--columns", "event_type"]),
        "event_type\nLate\n"
    );

    // A variable leads away from a profile that holds by default.
    let counted = configured.succeed(&["query", "--count"], &[("AUDIT_DATABASE_URL", url)]);
    assert_eq!(counted.trim(), "6");
    let counted =
        configured.succeed(&["query", "--count", "--database-url", url, "--profile", "away"], &[]);
    assert_eq!(counted.trim(), "6");
    let away = configured.run(&["query"], &[]);
    assert_eq!(away.status.code(), Some(1));
    assert!(configured.text(&away.stderr).contains("127.0.0.1:9/nowhere"));
}

#[test]
fn two_names_of_a_kafka_setting_are_one_setting() {
    let configured = Configured::new(
        "[profiles.a]\nbrokers = \"of-profile:1\"\nkafka.sasl.mechanism = \"PLAIN\"\nkafka.linger.ms = 7\n",
    );
    let profile = ["--profile", "a"];
    let other_name = [&profile[..], &["-X", "sasl.mechanisms=SCRAM-SHA-512"]].concat();
    let json =
        configured.succeed(&[&other_name[..], &["config", "show", "-o", "json"]].concat(), &[]);
    assert!(!json.contains("kafka.sasl.mechanism\""), "{json}");
    assert_eq!(configured.shown("kafka.sasl.mechanisms", &other_name, &[]), "SCRAM-SHA-512 -X");

    // -X names the brokers under both names, as --brokers does, which wins over it, and says so.
    for name in ["bootstrap.servers", "metadata.broker.list"] {
        let setting = format!("{name}=of-setting:1");
        let typed = [&profile[..], &["-X", &setting]].concat();
        assert_eq!(
            configured.shown("brokers", &typed, &[("AUDIT_BROKERS", "of-variable:1")]),
            "of-setting:1 -X"
        );
        let both = [&typed[..], &["--brokers", "typed:1"]].concat();
        assert_eq!(configured.shown("brokers", &both, &[]), "typed:1 --brokers");
        let output = configured.run(&[&both[..], &["config", "show"]].concat(), &[]);
        let notice = format!("-X {name} is ignored: --brokers names the brokers");
        assert!(
            configured.text(&output.stderr).contains(&notice),
            "{}",
            configured.text(&output.stderr)
        );
    }
    for name in ["request.required.acks", "topic.acks", "delivery.timeout.ms"] {
        let refused = configured.refused(&["status", "-X", &format!("{name}=1")], &[]);
        assert!(refused.contains(&format!("{name}: another name of ")), "{refused}");
    }
}
