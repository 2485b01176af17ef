use super::*;

fn parse(text: &str) -> Result<ConfigFile, Flaw> {
    ConfigFile::parse(
        text,
        Folders { own: Path::new("/home/anna/.config/audit"), home: Some(Path::new("/home/anna")) },
    )
}

/// The flaw as it is shown: line, message and hint.
fn flaw(text: &str) -> String {
    match parse(text) {
        Ok(file) => panic!("{text} is accepted: {file:?}"),
        Err(flaw) => format!("{}: {}\n{}", flaw.line, flaw.message, flaw.hint.unwrap_or_default()),
    }
}

#[test]
fn every_key_is_read() -> Result<(), Flaw> {
    let file = parse(
        r#"
default_profile = "production"
[profiles.local]
[profiles.production]
database_url = "postgresql://audit@db.example/audit_db?sslmode=verify-full"
database_password_file = "~/.secrets/audit_db"
brokers = "kafka1.example:9092,kafka2.example:9092"
topics = ["orders.events", "orders.events-dlt"]
group = "audit-production"
tz = "Europe/Berlin"
output = "ndjson"
[profiles.production.kafka]
security.protocol = "SASL_SSL"
"sasl.username" = "audit"
sasl.password = "@/run/secrets/kafka"
ssl.ca.location = "/etc/ca.pem"
ssl.key.password = "@kafka-key"
socket.timeout.ms = 5_000
enable.ssl.certificate.verification = false
"#,
    )?;
    assert_eq!(file.default_profile.as_deref(), Some("production"));
    assert_eq!(file.profiles.len(), 2);
    assert_eq!(file.plain_secret(), None);
    let profile = &file.profiles["production"];
    assert_eq!(
        profile.database_url.as_ref().map(ToString::to_string).as_deref(),
        Some("postgresql://audit@db.example/audit_db?sslmode=verify-full")
    );
    assert_eq!(
        profile.database_password_file.as_deref(),
        Some(Path::new("/home/anna/.secrets/audit_db"))
    );
    assert_eq!(profile.brokers.as_deref(), Some("kafka1.example:9092,kafka2.example:9092"));
    assert_eq!(
        profile.topics.as_deref(),
        Some(&["orders.events".to_owned(), "orders.events-dlt".to_owned()][..])
    );
    assert_eq!(profile.group.as_deref(), Some("audit-production"));
    assert_eq!(profile.tz.as_deref(), Some("Europe/Berlin"));
    assert_eq!(profile.output, Some(OutputFormat::Ndjson));
    let settings: Vec<String> = profile
        .kafka
        .iter()
        .map(|setting| format!("{} {}", setting.name(), setting.shown()))
        .collect();
    assert_eq!(
        settings,
        [
            "security.protocol SASL_SSL",
            "sasl.username audit",
            "sasl.password @/run/secrets/kafka",
            "ssl.ca.location /etc/ca.pem",
            "ssl.key.password @/home/anna/.config/audit/kafka-key",
            "socket.timeout.ms 5000",
            "enable.ssl.certificate.verification false",
        ]
        .map(str::to_owned)
    );
    Ok(())
}

#[test]
fn an_empty_file_has_no_profiles() -> Result<(), Flaw> {
    assert!(parse("")?.profiles.is_empty());
    assert!(parse("# nothing yet\n")?.profiles.is_empty());
    Ok(())
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    let cases = [
        (
            "[profiles.a]\ndatabse_url = 1",
            "2: unknown key 'databse_url' in profile 'a'\ndid you mean database_url?",
        ),
        (
            "[profiles.a]\n\nzebra = 1",
            "3: unknown key 'zebra' in profile 'a'\nthe keys are database_url, database_password_file, brokers, kafka, \
             schema_registry, schema_registry_user, schema_registry_password_file, schema_registry_ca_file, \
             topics, group, tz, output",
        ),
        (
            "default_profil = \"a\"",
            "1: unknown key 'default_profil'\ndid you mean default_profile?",
        ),
        (
            "[local]\nbrokers = \"b:1\"",
            "1: unknown table 'local'\na profile is written [profiles.local]",
        ),
        (
            "[profile.local]\nbrokers = \"b:1\"",
            "1: unknown table 'profile'\na profile is written [profiles.NAME]",
        ),
        (
            "[profiles.a]\nsasl.username = \"x\"",
            "2: unknown key 'sasl' in profile 'a'\nsettings of librdkafka are written below [profiles.a.kafka]",
        ),
        (
            "[profiles.a]\n\"\\u001b[2J\" = 1",
            "2: unknown key '\\u{1b}[2J' in profile 'a'\nthe keys are database_url, \
          database_password_file, brokers, kafka, schema_registry, schema_registry_user, \
          schema_registry_password_file, schema_registry_ca_file, topics, group, tz, output",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(flaw(text), expected, "{text}");
    }
}

#[test]
fn a_value_of_the_wrong_type_or_form_is_named_with_its_line_and_an_example() {
    let cases = [
        (
            "[profiles.a]\nbrokers = 9092",
            "2: brokers is a number, expected text\nwrite brokers = \"kafka1.example:9092,kafka2.example:9092\"",
        ),
        (
            "[profiles.a]\ntopics = \"orders\"",
            "2: topics is text, expected a list\nwrite topics = [\"orders.events\", \"payments.events\"]",
        ),
        (
            "[profiles.a]\ntopics = [\n\"a\",\n 2]",
            "4: topics is a number, expected text\nwrite topics = [\"orders.events\", \"payments.events\"]",
        ),
        ("[profiles.a]\ntopics = []", "2: topics names no topic\n"),
        ("[profiles.a]\ngroup = \"\"", "2: group is empty\n"),
        (
            "[profiles.a]\nkafka = \"x\"",
            "2: kafka is text, expected a table\nwrite kafka = { security.protocol = \"SASL_SSL\" }",
        ),
        (
            "[profiles.a.kafka]\nx.y = [1]",
            "2: kafka: x.y is a list, expected text, a whole number, true or false\n",
        ),
        (
            "[profiles.a.kafka]\ngroup.id = \"x\"",
            "2: kafka: group.id: the exactly-once protocol sets it\n",
        ),
        (
            "[profiles.a.kafka]\nbootstrap.servers = \"b:1\"",
            "2: kafka: bootstrap.servers has a key of its own\nwrite brokers = \"host:port,host:port\" in the profile \
             itself",
        ),
        ("[profiles.a.kafka]\nx.y = 1\n\"x.y\" = 2", "3: kafka: x.y is set twice\n"),
        (
            "[profiles.a.kafka]\nsasl.mechanism = \"PLAIN\"\nsasl.mechanisms = \"PLAIN\"",
            "3: kafka: sasl.mechanism and sasl.mechanisms are two names of one setting\n",
        ),
        (
            "[profiles.a.kafka]\nrequest.required.acks = 1",
            "2: kafka: request.required.acks: another name of acks, which the exactly-once protocol sets\n",
        ),
        ("profiles = 3", "1: profiles is a number, expected a table\nwrite [profiles.local]"),
        (
            "[profiles.a]\ntz = \"Berlin\"",
            "2: tz: 'Berlin' is no time zone; write 'Europe/Berlin', 'UTC' or '+02:00'\n",
        ),
        (
            "[profiles.a]\noutput = \"jsn\"",
            "2: output: there is no format 'jsn'\nthe formats are table, json, ndjson, csv",
        ),
        (
            "\ndefault_profile = \"prodction\"\n[profiles.production]",
            "2: default_profile: there is no profile 'prodction'\ndid you mean production? the profiles are production",
        ),
        (
            "default_profile = \"a\"",
            "1: default_profile: there is no profile 'a'\nthere are none; write [profiles.a]",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(flaw(text), expected, "{text}");
    }
}

#[test]
fn no_flaw_and_no_debug_output_shows_a_secret() -> Result<(), Flaw> {
    for text in [
        "[profiles.a]\ndatabase_url = \"postgresql://u:s3cret@h:port/d\"",
        "[profiles.a]\ndatabase_url = postgresql://u:s3cret@h/d",
        "[profiles.a]\ndatabase_url = \"postgresql://u:s3cret@h/d",
        "[profiles.a]\ndatabase_url = [\"postgresql://u:s3cret@h/d\"]",
        "[profiles.a.kafka]\nsasl.password = s3cret",
        "[profiles.a.kafka]\nsasl.password = [\"s3cret\"]",
        "[profiles.a.kafka]\nsasl.password = \"s3cret\"\nsasl.password = \"s3cret\"",
        "[profiles.a]\ndatabase_password_file = { s3cret = \"s3cret\" }",
    ] {
        let flaw = flaw(text);
        assert!(!flaw.contains("s3cret") && flaw.lines().count() < 3, "{flaw}");
    }
    let file = parse(
        "[profiles.a]\ndatabase_url = \"postgresql://u:s3cret@h/d\"\nkafka.sasl.password = \"s3cret\"\n",
    )?;
    assert!(!format!("{file:?}").contains("s3cret"), "{file:?}");
    assert_eq!(file.plain_secret().as_deref(), Some("database_url of profile 'a'"));
    let file = parse("[profiles.b]\nkafka.sasl.password = \"s3cret\"\n")?;
    assert_eq!(file.plain_secret().as_deref(), Some("sasl.password of profile 'b'"));
    Ok(())
}
