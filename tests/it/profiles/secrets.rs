//! No secret gets out.

use super::Configured;
use crate::support::Audit;

#[test]
fn every_setting_is_shown_with_its_source_and_no_secret() {
    let configured = Configured::new(
        r#"
[profiles.production]
database_url = "postgresql://audit@db.example/audit_db?sslmode=verify-full"
database_password_file = "audit_db.password"
brokers = "kafka1.example:9092"
schema_registry = "https://s3cret@registry.example/path/"
schema_registry_user = "anna"
schema_registry_password_file = "kafka.password"
topics = ["orders.events", "orders.events-dlt"]

[profiles.production.kafka]
security.protocol = "SASL_SSL"
sasl.username = "audit"
sasl.password = "@kafka.password"
ssl.key.password = "s3cret"

[profiles.local]
database_url = "user=audit password=s3cret"
"#,
    );
    configured.write("audit_db.password", "s3cret\n", 0o600);
    configured.write("kafka.password", "s3cret\n", 0o600);
    configured.write(".pgpass", "*:*:*:*:s3cret\n", 0o600);
    configured.write("pgpass", "*:*:*:*:s3cret\n", 0o600);
    let password_file = configured.path("pgpass").display().to_string();
    // Not as a table: the name of the folder would decide how wide it is.
    let arguments = ["--profile", "production", "config", "show", "-o", "csv"];
    let output = configured.run(&arguments, &[("PGSSLROOTCERT", "/etc/ca.pem")]);
    insta::assert_snapshot!(configured.text(&output.stdout), @r#"
setting,value,source
profile,production,--profile
database_url,postgresql://audit@db.example/audit_db?sslmode=verify-full,profile production (FOLDER/config.toml)
database_password_file,FOLDER/audit_db.password,profile production (FOLDER/config.toml)
database_host,db.example,profile production (FOLDER/config.toml)
database_port,5432,default
database_name,audit_db,profile production (FOLDER/config.toml)
database_user,audit,profile production (FOLDER/config.toml)
database_password,set,database_password_file
database_sslmode,verify-full,profile production (FOLDER/config.toml)
database_sslrootcert,/etc/ca.pem,PGSSLROOTCERT
database_sslcert,,default
database_sslkey,,default
brokers,kafka1.example:9092,profile production (FOLDER/config.toml)
kafka.security.protocol,SASL_SSL,profile production (FOLDER/config.toml)
kafka.sasl.username,audit,profile production (FOLDER/config.toml)
kafka.sasl.password,@FOLDER/kafka.password,profile production (FOLDER/config.toml)
kafka.ssl.key.password,***,profile production (FOLDER/config.toml)
schema_registry,https://***@registry.example/path,profile production (FOLDER/config.toml)
schema_registry_user,anna,profile production (FOLDER/config.toml)
schema_registry_password,,
schema_registry_password_file,FOLDER/kafka.password,profile production (FOLDER/config.toml)
schema_registry_ca_file,,
topics,"orders.events,orders.events-dlt",profile production (FOLDER/config.toml)
group,,
tz,UTC,default
output,,
"#);
    assert_eq!(
        configured.text(&output.stderr),
        "read FOLDER/config.toml: profiles local, production\n"
    );

    let local = |setting| {
        configured.shown(
            setting,
            &["--profile", "local"],
            &[("PGHOST", "h"), ("PGPASSFILE", &password_file)],
        )
    };
    assert_eq!(local("database_url"), "user=audit password=*** profile local (FOLDER/config.toml)");
    assert_eq!(local("database_password"), "set profile local (FOLDER/config.toml)");
    assert_eq!(local("database_host"), "h PGHOST");
    assert_eq!(local("database_name"), "audit_db default");
    let from_file = configured.shown("database_password", &[], &[("PGPASSFILE", &password_file)]);
    assert_eq!(from_file, "set PGPASSFILE");
    assert_eq!(configured.shown("database_password", &[], &[]), "set ~/.pgpass");
    assert_eq!(
        configured.shown("database_password", &[], &[("PGPASSWORD", "s3cret")]),
        "set PGPASSWORD"
    );
}

#[test]
fn no_output_ever_shows_a_secret() {
    let secrets = r#"
[profiles.one]
database_url = "postgresql://audit:s3cret@127.0.0.1:9/d"
brokers = "127.0.0.1:9"
kafka = { sasl.password = "s3cret", sasl.username = "u", security.protocol = "SASL_PLAINTEXT", sasl.mechanism = "PLAIN" }
[profiles.two]
database_url = "host=127.0.0.1 port=9 password=s3cret"
[profiles.three]
database_url = "postgresql://127.0.0.1:9/d"
database_password_file = "password"
"#;
    let configured = Configured::new(secrets);
    configured.write("password", "s3cret", 0o600);
    let variables = [("PGPASSWORD", "s3cret")];
    let commands: &[&[&str]] = &[
        &["--help"],
        &["config", "--help"],
        &["query", "--help"],
        &["config", "show"],
        &["config", "show", "-o", "json"],
        &["--profile", "one", "config", "show"],
        &["--profile", "two", "config", "show"],
        &["--profile", "three", "config", "show"],
        &["--profile", "four", "config", "show"],
        &["--profile", "one", "query"],
        &["--profile", "two", "query"],
        &["--profile", "three", "query"],
        &["--profile", "one", "ingest", "--until-end", "-X", "sasl.mechanism=NONE"],
        &["--database-url", "postgresql://u:s3cret@h/d", "config", "show"],
        &["--database-url", "postgresql://u:s3cret@h:x/d", "config", "show"],
        &["--database-url", "postgresql://u:a@s3cret@h/d", "query"],
        &["-X", "sasl.password=s3cret", "config", "show"],
    ];
    let check = |arguments: &[&str]| {
        let output = configured.run(arguments, &variables);
        let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        let text = configured.text(&all);
        assert!(!text.contains("s3cret") && !text.is_empty(), "{arguments:?}: {text}");
    };
    commands.iter().for_each(|arguments| check(arguments));
    for wrong in [
        "[profiles.a]\ndatabase_url = \"postgresql://u:s3cret@h:x/d\"",
        "[profiles.a]\ndatabase_url = \"postgresql://u:s3cret@h/d",
        "[profiles.a]\ndatabase_url = postgresql://u:s3cret@h/d",
        "[profiles.a]\nbrokers = { sasl.password = \"s3cret\" }",
        "[profiles.a]\nkafka.sasl.password = [\"s3cret\"]",
        "[profiles.a]\nkafka.sasl.password = \"s3cret\"\nkafka.sasl.password = \"s3cret\"",
    ] {
        configured.write("config.toml", wrong, 0o600);
        check(&["config", "show"]);
    }
}

#[test]
fn a_file_with_a_secret_that_others_can_read_is_refused() {
    for secret in ["database_url = \"postgresql://u:s3cret@h/d\"", "kafka.ssl.key.pem = \"s3cret\""]
    {
        let text = format!("[profiles.local]\n{secret}\n");
        let configured = Configured::new(&text);
        configured.succeed(&["config", "show"], &[]);
        for mode in [0o640, 0o604, 0o644] {
            configured.write("config.toml", &text, mode);
            let stderr = configured.refused(&["query"], &[]);
            assert!(
                stderr.contains("FOLDER/config.toml: others can read it")
                    && stderr.contains("chmod 600 FOLDER"),
                "{stderr}"
            );
            assert!(!stderr.contains("s3cret"), "{stderr}");
        }
    }
    let harmless = Configured::new("");
    harmless.write(
        "config.toml",
        "[profiles.local]\ndatabase_url = \"postgresql://u@h/d\"\nkafka.sasl.password = \"@kafka\"\n",
        0o644,
    );
    harmless.succeed(&["config", "show"], &[]);
}

#[test]
fn a_secret_that_can_not_be_read_fails_config_show_behind_what_it_shows() {
    // Neither is asked.
    let audit = Audit {
        database_url: "postgresql://127.0.0.1:9/none".to_owned(),
        brokers: "127.0.0.1:9".to_owned(),
    };
    let output = audit.run(&["-X", "sasl.password=@/no/such/file", "config", "show"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("@/no/such/file"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("sasl.password"));
}
