//! How `audit` comes to a PostgreSQL that wants TLS, passwords and certificates, and what it says
//! where it may not.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;
use std::sync::OnceLock;

use sandbox::{Peculiarities, Postgres, Sandbox};
use tempfile::TempDir;

use crate::support::{Audit, Authority, Database};

const PASSWORD: &str = "s3cr3t of the auditor";

/// A server of these tests' own, and the files that its clients have.
struct Secured {
    postgres: Postgres,
    folder: TempDir,
}

/// The server for all tests here: a certificate for `localhost`, `auditor` by password and `badge`
/// by certificate, both only by TLS.
fn secured() -> &'static Secured {
    static SECURED: OnceLock<Secured> = OnceLock::new();
    SECURED.get_or_init(|| {
        let authority = Authority::new("authority");
        let stranger = Authority::new("stranger");
        let server = authority.issue("server", Some("localhost"));
        let peculiarities = Peculiarities {
            settings: &[
                "ssl=on",
                "ssl_cert_file=server.crt",
                "ssl_key_file=server.key",
                "ssl_ca_file=ca.crt",
            ],
            access: "hostnossl all plain 127.0.0.1/32 scram-sha-256\nhostssl all auditor 127.0.0.1/32 scram-sha-256\nhostssl all badge 127.0.0.1/32 cert\n",
            files: &[
                ("server.crt", &server.certificate),
                ("server.key", &server.key),
                ("ca.crt", &authority.certificate()),
            ],
        };
        let postgres = Sandbox::shared().another_postgres("secured", peculiarities);
        let postgres = postgres.unwrap_or_else(|error| panic!("{error}"));
        Database::open(&postgres.url("postgres")).execute(&format!(
            "CREATE ROLE auditor LOGIN SUPERUSER PASSWORD '{PASSWORD}'; CREATE ROLE badge LOGIN SUPERUSER; \
             CREATE ROLE plain LOGIN SUPERUSER PASSWORD '{PASSWORD}'"
        ));
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let secured = Secured { postgres, folder };
        secured.place("ca.pem", &authority.certificate(), 0o644);
        secured.place("stranger.pem", &stranger.certificate(), 0o644);
        for (name, issuer) in [("badge", &authority), ("forged", &stranger)] {
            let identity = issuer.issue("badge", None);
            secured.place(&format!("{name}.pem"), &identity.certificate, 0o644);
            secured.place(&format!("{name}.key"), &identity.key, 0o600);
            secured.place(&format!("{name}-open.key"), &identity.key, 0o644);
        }
        secured
    })
}

impl Secured {
    fn place(&self, name: &str, content: &[u8], mode: u32) {
        let path = self.folder.path().join(name);
        let placed = std::fs::write(&path, content)
            .and_then(|()| std::fs::set_permissions(&path, Permissions::from_mode(mode)));
        assert!(placed.is_ok(), "{placed:?}");
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.display().to_string()
    }

    /// A database of a test's own, with the schema.
    fn database(&self, name: &str) -> String {
        let created = self.postgres.create_database(name);
        assert!(created.is_ok(), "{created:?}");
        let audit = Audit { database_url: self.postgres.url(name), brokers: String::new() };
        audit.succeed(&["migrate"]);
        name.to_owned()
    }

    fn url(&self, user: &str, host: &str, database: &str, parameters: &str) -> String {
        format!("postgresql://{user}@{host}:{}/{database}?{parameters}", self.postgres.port())
    }

    /// Asks for the number of events, which is none.
    fn count(&self, url: &str, variables: &[(&str, &str)]) -> Output {
        let audit = Audit { database_url: url.to_owned(), brokers: String::new() };
        let mut command = audit.command(&["query", "--count"]);
        // Nobody's own ~/.pgpass.
        command.env("HOME", self.folder.path()).envs(variables.iter().copied());
        let output = command.output().unwrap_or_else(|error| panic!("{error}"));
        let said = [&output.stdout[..], &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&said).contains("s3cr3t"), "a secret in {output:?}");
        output
    }

    fn accepted(&self, url: &str, variables: &[(&str, &str)]) {
        let output = self.count(url, variables);
        assert_eq!(
            (output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()),
            (Some(0), "0\n"),
            "{url} {variables:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// One line says what is wrong, another what to do.
    fn refused(&self, url: &str, variables: &[(&str, &str)], reason: &str, hint: &str) {
        let output = self.count(url, variables);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines: Vec<_> = stderr.lines().collect();
        assert_eq!(output.status.code(), Some(1), "{url} {variables:?}: {stderr}");
        assert_eq!(lines.len(), 2, "{url} {variables:?}: {stderr}");
        assert!(
            lines[0].starts_with("error: ") && lines[0].contains(reason),
            "{url} {variables:?}: {stderr}"
        );
        assert!(
            lines[1].starts_with("hint: ") && lines[1].contains(hint),
            "{url} {variables:?}: {stderr}"
        );
    }
}

#[test]
fn a_server_is_checked_as_far_as_sslmode_says() {
    let secured = secured();
    let database = secured.database("sslmodes");
    let password = ("PGPASSWORD", PASSWORD);
    let (ca, stranger) = (secured.path("ca.pem"), secured.path("stranger.pem"));
    let url = |host: &str, parameters: &str| secured.url("auditor", host, &database, parameters);

    secured
        .accepted(&url("localhost", &format!("sslmode=verify-full&sslrootcert={ca}")), &[password]);
    secured
        .accepted(&url("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={ca}")), &[password]);
    secured.accepted(&url("127.0.0.1", "sslmode=require"), &[password]);
    secured.accepted(&url("127.0.0.1", ""), &[password]);
    let variables = [password, ("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", ca.as_str())];
    secured.accepted(&url("localhost", ""), &variables);
    secured.accepted(
        &url("localhost", "sslmode=verify-full&sslrootcert=system"),
        &[password, ("SSL_CERT_FILE", &ca)],
    );

    let refused = |host: &str,
                   parameters: &str,
                   variables: &[(&str, &str)],
                   reason: &str,
                   hint: &str| {
        secured.refused(&url(host, parameters), &[&[password], variables].concat(), reason, hint);
    };
    let certificate = "certificate is not accepted: ";
    let other_host = format!("{certificate}IP address mismatch");
    refused(
        "127.0.0.1",
        &format!("sslmode=verify-full&sslrootcert={ca}"),
        &[],
        &other_host,
        "for the host",
    );
    for mode in ["require", "verify-ca", "verify-full"] {
        let parameters = format!("sslmode={mode}&sslrootcert={stranger}");
        // What the system trusts is not trusted beside what is named.
        for variables in [&[][..], &[("SSL_CERT_FILE", ca.as_str())]] {
            refused("localhost", &parameters, variables, certificate, "sslrootcert");
        }
    }
    refused("localhost", "sslmode=verify-full", &[], certificate, "sslrootcert");
    refused(
        "localhost",
        "sslmode=verify-ca&sslrootcert=/nowhere.pem",
        &[],
        "sslrootcert /nowhere.pem: ",
        "files",
    );
    refused("localhost", "sslmode=disable", &[], "no pg_hba.conf entry", "sslmode");
    // And a server without TLS.
    let plain = Sandbox::shared().postgres().url("postgres");
    secured.refused(
        &format!("{plain}?sslmode=require"),
        &[],
        "does not support TLS",
        "sslmode=prefer",
    );
}

#[test]
fn a_password_comes_from_the_environment_a_file_or_the_url_and_is_never_shown() {
    let secured = secured();
    let database = secured.database("passwords");
    let url = secured.url("auditor", "localhost", &database, "sslmode=require");
    let in_url = |password: &str| {
        url.replace("auditor@", &format!("auditor:{}@", password.replace(' ', "%20")))
    };
    let line = |password: &str| {
        format!("localhost:{}:{database}:auditor:{password}\n", secured.postgres.port())
    };
    secured.place("pgpass", line(PASSWORD).as_bytes(), 0o600);
    secured.place("pgpass-wrong", line("another s3cr3t").as_bytes(), 0o600);
    secured.place("pgpass-open", line(PASSWORD).as_bytes(), 0o644);
    let file = |name: &str| secured.path(name);

    secured.accepted(&url, &[("PGPASSWORD", PASSWORD)]);
    secured.accepted(&url, &[("PGPASSFILE", &file("pgpass"))]);
    secured.accepted(&in_url(PASSWORD), &[]);

    let wrong = "password authentication failed for user \"auditor\"";
    secured.refused(&url, &[("PGPASSWORD", "another s3cr3t")], wrong, "PGPASSWORD");
    secured.refused(&url, &[("PGPASSFILE", &file("pgpass-wrong"))], wrong, "PGPASSFILE");
    secured.refused(&in_url("another s3cr3t"), &[], wrong, "password");
    secured.refused(&url, &[], "password missing", "wants a password");
}

#[test]
fn a_password_file_that_cannot_be_used_is_told_and_gone_on_without() {
    let secured = secured();
    let database = secured.database("password_files");
    let url = secured.url("auditor", "localhost", &database, "sslmode=require");
    let line = format!("*:*:*:*:{PASSWORD}\n");
    secured.place("passfile", line.as_bytes(), 0o600);
    secured.place("passfile-open", line.as_bytes(), 0o640);
    let (usable, open) = (secured.path("passfile"), secured.path("passfile-open"));
    let lines = |url: &str, variables: &[(&str, &str)]| {
        let output = secured.count(url, variables);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), stderr.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    for (file, reason) in [
        (open.as_str(), "others can read it; run `chmod 600` on it"),
        ("/dev/null", "it is not a plain file"),
    ] {
        let warning = format!("warning: password file {file} is not used: {reason}");
        // The password is elsewhere, so that the file isn't needed.
        let (code, said) = lines(&url, &[("PGPASSFILE", file), ("PGPASSWORD", PASSWORD)]);
        assert_eq!((code, said.as_slice()), (Some(0), &[][..]), "{file}");
        let (code, said) = lines(&url, &[("PGPASSFILE", file)]);
        assert_eq!((code, &said[0]), (Some(1), &warning), "{said:?}");
        assert!(said[1].contains("password missing"), "{said:?}");
        // The server of all tests wants no password.
        let plain = Sandbox::shared().postgres().url("postgres");
        let (_, said) = lines(&plain, &[("PGPASSFILE", file)]);
        assert_eq!(said[0], warning);
        assert!(!said[1].contains("password"), "{said:?}");
    }
    let (code, said) = lines(&url, &[("PGPASSFILE", "/nowhere/pgpass")]);
    assert_eq!((code, said.len()), (Some(1), 2), "{said:?}");
    secured.accepted(&format!("{url}&passfile={usable}"), &[("PGPASSFILE", "/nowhere/pgpass")]);
}

/// `auditor` may come in by TLS alone, `plain` only without.
#[test]
fn encryption_that_is_only_preferred_gives_way_where_the_server_turns_it_away() {
    let secured = secured();
    let database = secured.database("preferences");
    let password = [("PGPASSWORD", PASSWORD)];
    let url = |parameters: &str| secured.url("auditor", "127.0.0.1", &database, parameters);
    secured.accepted(&url("sslmode=allow"), &password);
    secured.refused(
        &url("sslmode=allow"),
        &[("PGPASSWORD", "wrong")],
        "password authentication failed",
        "PGPASSWORD",
    );
    for parameters in [
        "sslmode=require&ssl_min_protocol_version=TLSv1.3",
        "sslmode=require&ssl_max_protocol_version=TLSv1.2",
        "sslmode=require&sslsni=0&channel_binding=require",
    ] {
        secured.accepted(&url(parameters), &password);
    }
    secured.refused(
        &url("sslmode=disable&channel_binding=require"),
        &password,
        "no pg_hba.conf entry",
        "sslmode",
    );
    let plain_only = secured.url("plain", "127.0.0.1", &database, "sslmode=prefer");
    secured.accepted(&plain_only, &password);
    let required = plain_only.replace("prefer", "require");
    secured.refused(&required, &password, "no pg_hba.conf entry", "check the user");
}

#[test]
fn a_client_shows_its_certificate_where_the_server_asks_for_it() {
    let secured = secured();
    let database = secured.database("client_certificates");
    let url = |name: &str, key: &str| {
        let (certificate, key) = (secured.path(name), secured.path(key));
        let parameters = format!("sslmode=require&sslcert={certificate}&sslkey={key}");
        secured.url("badge", "localhost", &database, &parameters)
    };
    let plain = secured.url("badge", "localhost", &database, "sslmode=require");
    secured.accepted(&url("badge.pem", "badge.key"), &[]);
    let (certificate, key) = (secured.path("badge.pem"), secured.path("badge.key"));
    secured.accepted(&plain, &[("PGSSLCERT", &certificate), ("PGSSLKEY", &key)]);

    secured.refused(&plain, &[], "valid client certificate", "sslcert");
    // The server hangs up, sometimes before it can be heard why.
    secured.refused(&url("forged.pem", "forged.key"), &[], "can't connect", "does not accept");
    secured.refused(&url("badge.pem", "forged.key"), &[], "sslkey", "files");
    secured.refused(&url("badge.pem", "badge-open.key"), &[], "others can read it", "files");
    secured.refused(&url("nothing.pem", "badge.key"), &[], "sslcert", "files");
    let alone = secured.count(&plain, &[("PGSSLCERT", &certificate)]);
    assert!(
        String::from_utf8_lossy(&alone.stderr).contains("PGSSLCERT needs sslkey, too"),
        "{alone:?}"
    );
}

#[test]
fn a_hint_fits_what_is_wrong() {
    let secured = secured();
    let nobody = "postgresql://auditor@127.0.0.1:1/audit_db";
    secured.refused(nobody, &[], "Connection refused", "that the server runs");
    secured.refused(
        "postgresql://auditor@no-such-host.invalid/d",
        &[],
        "can't connect",
        "that the server runs",
    );
    let missing = secured.url("auditor", "localhost", "no_such_database", "sslmode=require");
    let password = [("PGPASSWORD", PASSWORD)];
    secured.refused(
        &missing,
        &password,
        "database \"no_such_database\" does not exist",
        "create it",
    );
    let nobody_known = secured.url("nobody", "localhost", "postgres", "sslmode=require");
    secured.refused(&nobody_known, &[], "no pg_hba.conf entry", "check the user");
}
