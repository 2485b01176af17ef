//! What holds, and what is told of it.

use std::path::{Path, PathBuf};

use super::*;
use crate::store::connection::parameters::known_parameters::{Handling, PARAMETERS};

fn resolve(url: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::resolve(Some(url), None, |name| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    })
}

fn refusal(url: &str, variables: &[(&str, &str)]) -> String {
    resolve(url, variables).map_or_else(|error| error.to_string(), |found| format!("{found:?}"))
}

#[test]
fn the_url_wins_and_the_variables_fill_what_it_leaves_open() -> Result<(), Error> {
    let variables = [("PGPORT", "7000"), ("PGDATABASE", "ledger"), ("PGHOST", "h")];
    let target = |url| Ok::<_, Error>(resolve(url, &variables)?.target());
    assert_eq!(target("postgresql://db.example:6000")?, "db.example:6000/ledger");
    assert_eq!(target("postgresql://db.example/d")?, "db.example:7000/d");
    assert_eq!(target("")?, "h:7000/ledger");
    assert_eq!(resolve("", &[])?.target(), "localhost:5432/audit_db");
    let several = [("PGHOST", "h1,h2"), ("PGPORT", "1,2"), ("PGHOSTADDR", "10.0.0.1,10.0.0.2")];
    assert_eq!(resolve("", &several)?.target(), "h1:1,h2:2/audit_db");
    Ok(())
}

#[test]
fn every_sslmode_of_libpq_is_understood_in_both_forms() -> Result<(), Error> {
    let url = "postgresql://h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca%20of%20us.pem";
    let settings = resolve(url, &[])?;
    assert_eq!(settings.tls.mode, TlsMode::VerifyFull);
    assert_eq!(settings.tls.root_certificate, Some(PathBuf::from("/etc/ca of us.pem")));
    assert_eq!(resolve("host=h sslmode=verify-ca", &[])?.tls.mode, TlsMode::VerifyCa);
    assert_eq!(resolve("host=h sslmode=allow", &[])?.tls.mode, TlsMode::Allow);
    assert_eq!(resolve("", &[("PGSSLMODE", "require")])?.tls.mode, TlsMode::Require);
    assert!(refusal("host=h sslmode=sometimes", &[]).contains("none of disable, allow, prefer"));
    Ok(())
}

#[test]
fn what_is_wrong_is_named_as_whoever_gave_it_calls_it() {
    let url = refusal("host=h sslmode=foo", &[("PGSSLMODE", "bar")]);
    assert_eq!(
        url,
        "database URL: sslmode 'foo' is none of disable, allow, prefer, require, verify-ca, verify-full"
    );
    for (variable, value, reason) in [
        ("PGSSLMODE", "foo", "'foo' is none of disable"),
        ("PGPORT", "abc", "'abc' is no port number"),
        ("PGPORT", "1,2,3", "names 3, and host 1"),
        ("PGCONNECT_TIMEOUT", "5s", "'5s' is no whole number"),
        ("PGTARGETSESSIONATTRS", "x", "'x' is none of any, read-write"),
        ("PGSSLCERT", "/c.pem", "needs sslkey, too"),
    ] {
        let said = refusal("host=h", &[(variable, value)]);
        assert!(
            said.starts_with(&format!("database settings: {variable} {reason}")),
            "{variable}: {said}"
        );
    }
}

#[test]
fn a_password_is_never_shown() -> Result<(), Error> {
    let settings = resolve("postgresql://u:s3cret@h/d?sslpassword=s3cret", &[])?;
    assert!(!format!("{settings:?} {}", settings.target()).contains("s3cret"));
    for wrong in [
        "postgresql://u:s3cret@h:port/d",
        "postgresql://u:x@s3cret@h/d",
        "host=h password=x s3cret=y",
        "postgresql://h/d?password=x&s3cret=y",
        "password='s3cret",
        "port= password=s3cret",
    ] {
        let said = refusal(wrong, &[]);
        assert!(said.starts_with("database URL: ") && !said.contains("s3cret"), "{said}");
    }
    Ok(())
}

/// psql takes each of these texts.
#[test]
fn every_parameter_of_libpq_is_taken_told_or_refused_by_its_name() {
    let values = [
        ("hostaddr", "127.0.0.1"),
        ("port", "1"),
        ("channel_binding", "require"),
        ("connect_timeout", "5"),
        ("keepalives", "0"),
        ("keepalives_idle", "9"),
        ("keepalives_interval", "9"),
        ("keepalives_count", "9"),
        ("tcp_user_timeout", "9"),
        ("sslmode", "require"),
        ("sslnegotiation", "postgres"),
        ("sslcertmode", "allow"),
        ("sslsni", "1"),
        ("ssl_min_protocol_version", "TLSv1.2"),
        ("ssl_max_protocol_version", "TLSv1.3"),
        ("target_session_attrs", "prefer-standby"),
        ("load_balance_hosts", "random"),
    ];
    for known in PARAMETERS.iter().filter(|known| !known.name.starts_with("service")) {
        let value =
            values.iter().find(|(name, _)| *name == known.name).map_or("x", |(_, value)| value);
        let text = match known.name {
            "sslcert" => "sslcert=x sslkey=x".to_owned(),
            "sslkey" => "sslkey=x sslcert=x".to_owned(),
            name => format!("{name}={value}"),
        };
        let notices = resolve(&text, &[]).map(|settings| settings.notices().join("\n"));
        match known.handling {
            Handling::Taken => assert_eq!(notices.ok().as_deref(), Some(""), "{text}"),
            Handling::Ignored { .. } => {
                let notice = notices.unwrap_or_default();
                assert!(notice.starts_with(&format!("{text} is ignored: ")), "{text}: {notice}");
            }
            Handling::Refused { .. } => {
                let said = refusal(&text, &[]);
                assert!(said.contains(known.name) && said.contains("can't be heeded"), "{said}");
            }
        }
    }
}

#[test]
fn what_asks_for_what_is_so_anyway_is_not_told() -> Result<(), Error> {
    let text =
        "gssencmode=prefer sslcompression=0 client_encoding=UTF8 replication=off requirepeer=''";
    assert!(resolve(text, &[("PGGSSENCMODE", "disable")])?.notices().is_empty());
    let notices = resolve("", &[("PGAPPNAME", "mine"), ("PGCLIENTENCODING", "LATIN1")])?;
    assert_eq!(
        notices.notices(),
        [
            "PGAPPNAME=mine is ignored: sessions are named by what they do",
            "PGCLIENTENCODING=LATIN1 is ignored: this program speaks UTF-8",
        ]
    );
    Ok(())
}

#[test]
fn an_unknown_parameter_is_named_with_the_one_that_is_meant() {
    let cases = [
        (
            "postgresql://h/d?sslmod=require",
            "there is no parameter 'sslmod'; did you mean sslmode?",
        ),
        ("host=h databse=d", "there is no parameter 'databse'; "),
        ("host=h zebra=1", "there is no parameter 'zebra'; the parameters are those of libpq"),
        ("host=h keepalives=yes", "keepalives 'yes' is no whole number"),
        (
            "target_session_attrs=master",
            "none of any, read-write, read-only, primary, standby, prefer-standby",
        ),
        ("host=h sslnegotiation=direct", "sslnegotiation 'direct' needs sslmode=require"),
    ];
    for (text, reason) in cases {
        assert!(refusal(text, &[]).contains(reason), "{text}: {}", refusal(text, &[]));
    }
    assert!(resolve("keepalives_retries=3", &[]).is_ok());
}

#[test]
fn a_service_fills_what_the_url_leaves_open_and_comes_before_variables()
-> Result<(), std::io::Error> {
    let folder = tempfile::tempdir()?;
    let home = folder.path().display().to_string();
    std::fs::write(
        folder.path().join(".pg_service.conf"),
        "[ours]\nhost=of-service\nport=6000\nuser=of-service\n",
    )?;
    std::fs::write(folder.path().join("other.conf"), "[ours]\nhost=of-other\n")?;
    let other = folder.path().join("other.conf").display().to_string();
    let target = |url, variables: &[(&str, &str)]| {
        let variables = [&[("HOME", home.as_str()), ("PGPORT", "7000")], variables].concat();
        refusal_or_target(url, &variables)
    };
    let of_service = "of-service:6000/d as of-service";
    assert_eq!(target("service=ours dbname=d", &[]), of_service);
    assert_eq!(target("postgresql:///d?service=ours", &[]), of_service);
    assert_eq!(target("dbname=d", &[("PGSERVICE", "ours")]), of_service);
    assert_eq!(target("postgresql://me@h/d?service=ours", &[]), "h:6000/d as me");
    let named = [("PGSERVICE", "ours"), ("PGSERVICEFILE", other.as_str()), ("PGUSER", "me")];
    assert_eq!(target("dbname=d", &named), "of-other:7000/d as me");
    assert!(target("service=theirs", &[]).contains("there is no service 'theirs' in "));
    let missing = target("service=ours", &[("PGSERVICEFILE", "/nowhere.conf")]);
    assert!(missing.contains("service file /nowhere.conf: "), "{missing}");
    Ok(())
}

fn refusal_or_target(url: &str, variables: &[(&str, &str)]) -> String {
    match resolve(url, variables) {
        Ok(settings) => {
            format!("{} as {}", settings.target(), settings.config.get_user().unwrap_or_default())
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_server_has_its_own_password_of_the_file() -> Result<(), Box<dyn std::error::Error>> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), "h2:*:*:*:second\n/run:*:*:*:socket\nlocalhost:*:*:*:local\n")?;
    let passfile = file.path().display().to_string();
    let passwords = |hosts: &str| -> Result<Vec<Option<String>>, Error> {
        let settings = resolve(&format!("host={hosts} passfile={passfile}"), &[])?;
        Ok(settings.servers.into_iter().map(|server| server.password).collect())
    };
    assert_eq!(passwords("h1,h2")?, [None, Some("second".to_owned())]);
    assert_eq!(passwords("/run,/tmp")?, [Some("socket".to_owned()), Some("local".to_owned())]);
    Ok(())
}

#[test]
fn the_usual_files_are_taken_where_they_are() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let home = folder.path().display().to_string();
    let files = folder.path().join(".postgresql");
    std::fs::create_dir(&files)?;
    for name in ["root.crt", "postgresql.crt", "postgresql.key"] {
        std::fs::write(files.join(name), "")?;
    }
    let root = |url| resolve(url, &[("HOME", &home)]).map(|settings| settings.tls.root_certificate);
    assert_eq!(root("sslmode=require")?, Some(files.join("root.crt")));
    assert_eq!(
        root("sslmode=verify-full sslrootcert=system")?.as_deref(),
        Some(Path::new("system"))
    );
    // Where encryption is only preferred, a file from another server must not forbid it.
    assert_eq!(root("sslmode=prefer")?, None);
    let shown = |url| -> Result<Option<String>, Error> {
        let parameters = resolve(url, &[("HOME", &home)])?.parameters();
        Ok(parameters.into_iter().find(|one| one.name == "sslkey").and_then(|one| one.value))
    };
    assert_eq!(shown("")?, Some(files.join("postgresql.key").display().to_string()));
    assert_eq!(shown("sslcertmode=disable")?, None);
    Ok(())
}
