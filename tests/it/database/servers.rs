//! Connection strings that `psql` takes: several servers, services, and every parameter.

use std::process::Output;
use std::sync::OnceLock;

use sandbox::{Peculiarities, Postgres, Sandbox};
use tempfile::TempDir;

use crate::support::{Audit, Database};

/// Two servers with a database of the same name. The second one holds one event, and its sessions
/// only read.
struct Two {
    first: &'static Postgres,
    second: Postgres,
    folder: TempDir,
}

const NAME: &str = "several_servers";

fn two() -> &'static Two {
    static TWO: OnceLock<Two> = OnceLock::new();
    TWO.get_or_init(|| {
        let first = Sandbox::shared().postgres();
        let second = Sandbox::shared().another_postgres("second", Peculiarities::default());
        let second = second.unwrap_or_else(|error| panic!("{error}"));
        for server in [first, &second] {
            let created = server.create_database(NAME);
            assert!(created.is_ok(), "{created:?}");
            let audit = Audit { database_url: server.url(NAME), brokers: String::new() };
            audit.succeed(&["migrate"]);
        }
        Database::open(&second.url(NAME)).execute(&format!(
            "INSERT INTO event_logs (event_id, event_type, payload) VALUES (gen_random_uuid(), 'Made', '{{}}'); \
             ALTER DATABASE {NAME} SET default_transaction_read_only = on"
        ));
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        Two { first, second, folder }
    })
}

impl Two {
    /// Both, the second one first; before them a port where nobody listens.
    fn hosts(&self) -> String {
        let (first, second) = (self.first.port(), self.second.port());
        format!("{0}127.0.0.1:1,127.0.0.1:{second},127.0.0.1:{first}/{NAME}", self.scheme())
    }

    /// What stands before the hosts.
    fn scheme(&self) -> String {
        let url = self.first.url(NAME);
        let end = url.find('@').map_or("postgresql://".len(), |place| place + 1);
        url[..end].to_owned()
    }

    fn count(&self, url: &str, variables: &[(&str, &str)]) -> Output {
        let audit = Audit { database_url: url.to_owned(), brokers: String::new() };
        let mut command = audit.command(&["query", "--count"]);
        command.env("HOME", self.folder.path()).envs(variables.iter().copied());
        command.output().unwrap_or_else(|error| panic!("{error}"))
    }

    /// How many events the server has that was chosen, and what was said on stderr.
    fn chosen(&self, url: &str, variables: &[(&str, &str)]) -> (String, String) {
        let output = self.count(url, variables);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        (text(&output.stdout), text(&output.stderr))
    }
}

const OF_FIRST: &str = "0";
const OF_SECOND: &str = "1";

#[test]
fn of_several_servers_the_first_is_taken_that_can_do_what_is_asked_for() {
    let two = two();
    let chosen = |target: &str| {
        let (count, said) =
            two.chosen(&format!("{}?target_session_attrs={target}", two.hosts()), &[]);
        assert_eq!(said, "", "{target}");
        count
    };
    assert_eq!(chosen("any"), OF_SECOND);
    assert_eq!(chosen("read-write"), OF_FIRST);
    assert_eq!(chosen("read-only"), OF_SECOND);
    assert_eq!(chosen("primary"), OF_SECOND);
    // There is no standby, so that any server will do.
    assert_eq!(chosen("prefer-standby"), OF_SECOND);
    let (_, said) = two.chosen(&two.hosts(), &[("PGTARGETSESSIONATTRS", "standby")]);
    assert!(said.contains("127.0.0.1:1/several_servers: "), "{said}");
    let not_these = said.matches("and target_session_attrs=standby").count();
    assert_eq!(not_these, 2, "{said}");
    assert!(said.contains("is a primary whose sessions only read"), "{said}");
    assert!(said.lines().nth(1).is_some_and(|hint| hint.contains("name all servers")), "{said}");
}

#[test]
fn whichever_server_comes_first_by_chance_the_right_one_is_found() {
    let two = two();
    for _ in 0..6 {
        let url =
            format!("{}?target_session_attrs=read-write&load_balance_hosts=random", two.hosts());
        assert_eq!(two.chosen(&url, &[]), (OF_FIRST.to_owned(), String::new()));
    }
}

#[test]
fn variables_and_services_name_servers_as_libpq_has_them() {
    let two = two();
    let (first, second) = (two.first.port().to_string(), two.second.port().to_string());
    let scheme = two.scheme();
    let user = scheme.split_once("://").map_or("", |(_, user)| user.trim_end_matches('@'));
    let ports = format!("{second},{first}");
    let variables = [
        ("AUDIT_DATABASE_URL", ""),
        ("PGHOST", "no-such-host.invalid,127.0.0.1"),
        ("PGHOSTADDR", "127.0.0.1,127.0.0.1"),
        ("PGPORT", ports.as_str()),
        ("PGDATABASE", NAME),
        ("PGUSER", user),
        ("PGCONNECT_TIMEOUT", "5"),
    ];
    assert_eq!(two.chosen("", &variables), (OF_SECOND.to_owned(), String::new()));
    let writes = [&variables[..], &[("PGTARGETSESSIONATTRS", "read-write")]].concat();
    assert_eq!(two.chosen("", &writes), (OF_FIRST.to_owned(), String::new()));
    // What PGOPTIONS asks for holds in the session.
    let reads = [&writes[..], &[("PGOPTIONS", "-c default_transaction_read_only=on")]].concat();
    assert!(two.chosen("", &reads).1.contains("target_session_attrs=read-write"));

    let file = two.folder.path().join("services.conf");
    let text = format!("[audit]\nhost=127.0.0.1\nport={first}\ndbname={NAME}\nuser={user}\n");
    let written = std::fs::write(&file, text);
    assert!(written.is_ok(), "{written:?}");
    let file = file.display().to_string();
    let service = [("PGSERVICEFILE", file.as_str()), ("PGPORT", "1")];
    assert_eq!(two.chosen("postgresql:///?service=audit", &service).0, OF_FIRST);
    assert_eq!(two.chosen("", &[&service[..], &[("PGSERVICE", "audit")]].concat()).0, OF_FIRST);
    let (_, said) = two.chosen("service=other", &service);
    assert!(said.contains("there is no service 'other' in ") && said.contains(&file), "{said}");
}

#[test]
fn parameters_that_change_nothing_are_taken_and_those_that_are_ignored_are_told_once() {
    let two = two();
    let silent = "gssencmode=prefer&client_encoding=UTF8&sslcompression=0&passfile=%2Fnowhere&keepalives=1\
                  &keepalives_idle=30&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=20000\
                  &load_balance_hosts=disable&sslmode=allow&connect_timeout=5&options=-c%20work_mem%3D8MB";
    let url = |parameters: &str| format!("{}?{parameters}", two.first.url(NAME));
    assert_eq!(two.chosen(&url(silent), &[]), (OF_FIRST.to_owned(), String::new()));
    let told = "fallback_application_name=mine&krbsrvname=postgres&sslcompression=1";
    let (count, said) = two.chosen(&url(told), &[]);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!((count.as_str(), lines.len()), (OF_FIRST, 3), "{said}");
    assert!(lines[0].starts_with("fallback_application_name=mine is ignored: "), "{said}");
    for (parameter, reason) in [
        ("requirepeer=postgres", "requirepeer=postgres can't be heeded: "),
        ("sslcrl=x", "sslcrl=x can't be heeded: "),
        ("gssencmode=require", "gssencmode=require can't be heeded: "),
        ("sslmod=require", "there is no parameter 'sslmod'; did you mean sslmode?"),
    ] {
        let output = two.count(&url(parameter), &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}
