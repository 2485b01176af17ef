//! The pager, Ctrl-C, and readers that go away: who has the terminal, and what the server goes on
//! with.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use sandbox::Sandbox;

use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Running, Terminal, wait_until};

/// Ctrl-C.
const INTERRUPT: &str = "\u{3}";

/// A server notices within about a second that a client has gone; a busy machine may take longer.
const NOTICED: Duration = Duration::from_secs(20);

fn with_pager(audit: &Audit, pager: &str, arguments: &[&str]) -> Terminal {
    let mut command = audit.command(arguments);
    // What takes long on a busy machine would show it.
    command.arg("--no-progress").env("PAGER", pager).env("NO_COLOR", "1");
    Terminal::start(command, 120)
}

/// What comes of it on a terminal with a pager; it has to end well.
fn paged(audit: &Audit, pager: &str, arguments: &[&str]) -> String {
    let (status, screen) = with_pager(audit, pager, arguments).end();
    assert!(status.success(), "PAGER='{pager}' {arguments:?}: {status}\n{screen}");
    screen.replace("\r\n", "\n")
}

/// As a shell sees it.
fn is_interrupted(status: ExitStatus) -> bool {
    status.signal() == Some(2) || status.code() == Some(130)
}

#[test]
fn what_people_read_goes_through_their_pager_and_nothing_else_does() {
    let scope = Sandbox::shared().scope("pager");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 60, "2026-11-22"));
    let pager = "sed s/^/paged:/";
    for command in [&["query"][..], &["show", "1"], &["trace", "1"], &["stats"]] {
        let screen = paged(&audit, pager, command);
        let lines: Vec<_> = screen.lines().collect();
        let paged_lines = lines.iter().filter(|line| line.starts_with("paged:")).count();
        // What `query` and `trace` say besides their result, and only that, is not part of it.
        let is_beside = |line: &str| line.contains("--after") || line.starts_with("silent for ");
        let beside = lines.iter().filter(|line| is_beside(line)).count();
        assert_eq!(paged_lines + beside, lines.len(), "{screen}");
        assert!(paged_lines > 1, "{screen}");
        for (pager, more) in [(pager, &["--no-pager"][..]), ("cat", &[]), ("", &[]), (" ", &[])] {
            let screen = paged(&audit, pager, &[command, more].concat());
            assert!(
                !screen.contains("paged:") && screen.contains("OrderCreated"),
                "{command:?}: {screen}"
            );
        }
    }
    assert!(paged(&audit, "X=1 sed s/^/paged:/", &["query"]).starts_with("paged:"));
    assert!(!paged(&audit, pager, &["query", "-o", "json"]).contains("paged:"));
    assert!(!paged(&audit, pager, &["show", "1", "-o", "json"]).contains("paged:"));
    // A pager that is not there swallows nothing; one that stops early is none of our business.
    assert!(paged(&audit, "no-such-pager -x", &["query", "-n", "1"]).contains("OrderCreated"));
    assert_eq!(paged(&audit, "head -n 1", &["query", "-n", "100"]).lines().count(), 1);
    assert_eq!(paged(&audit, "true", &["query", "-n", "100"]), "");
    // Nothing to look at needs no pager.
    assert!(
        !paged(&audit, pager, &["query", "--type", "OrderCreated", "--dlt"]).contains("paged:")
    );
    let piped = audit.command(&["query"]).env("PAGER", pager).output();
    let piped = piped.unwrap_or_else(|error| panic!("{error}"));
    assert!(!String::from_utf8_lossy(&piped.stdout).contains("paged:"));
}

/// A pager that is interrupted and goes on until Enter is pressed, as `less` goes on until q is.
const PATIENT_PAGER: &str = "\
trap 'echo pager-interrupted' INT
while IFS= read -r line; do echo \"paged:$line\"; done
echo pager-waits
until read -r answer < /dev/tty; do :; done
echo pager-ends";

#[test]
fn ctrl_c_is_the_pagers_while_it_shows_a_result_and_the_shell_gets_the_terminal_after_it() {
    let scope = Sandbox::shared().scope("pager_interrupt");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    // The shell that has the terminal: it goes on when `audit` ends, whatever becomes of the pager.
    let shell = |arguments: &str| {
        let mut command = audit.command(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("trap : INT; \"$0\" {arguments}; echo \"exit $?\"")]);
        shell.arg(command.get_program()).env("PATIENT_PAGER", PATIENT_PAGER).env("NO_COLOR", "1");
        for (name, value) in command.stdin(Stdio::null()).get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.env("PAGER", "exec sh -c \"$PATIENT_PAGER\"");
        Terminal::start(shell, 120)
    };
    let mut terminal = shell("query --limit 2");
    terminal.wait_for("pager-waits");
    terminal.press(INTERRUPT);
    terminal.wait_for("pager-interrupted");
    assert!(!terminal.screen().contains("exit"), "{}", terminal.screen());
    terminal.press("\r");
    let (_, screen) = terminal.end();
    let (before, after) = screen.split_once("pager-ends").unwrap_or_default();
    assert!(
        before.contains("paged:id") && after.contains("--after") && after.contains("exit 0"),
        "{screen}"
    );

    // A result that is still being read: no more of it comes, and the pager keeps the terminal all
    // the same.
    record(&database, &events("Many", 3_000, "2026-11-23"));
    // The oldest rows come last, and these take for ever.
    slow_down(&database, "id > 5 OR pg_sleep(600) IS NOT NULL");
    database.execute(&format!(
        "ALTER DATABASE {0} SET enable_sort = off; ALTER DATABASE {0} SET enable_seqscan = off",
        database.value("SELECT quote_ident(current_database())")
    ));
    let mut terminal = shell("query --limit 100000");
    terminal.wait_for("paged:");
    terminal.press(INTERRUPT);
    terminal.wait_for("pager-interrupted");
    terminal.wait_for("pager-waits");
    assert!(!terminal.screen().contains("exit"), "{}", terminal.screen());
    terminal.press("\r");
    let (_, screen) = terminal.end();
    let (_, after) = screen.split_once("pager-ends").unwrap_or_default();
    assert!(after.contains("stopped after ") && after.contains("exit 130"), "{after}");
}

/// Puts a view with a condition of its own in the place of the events.
fn slow_down(database: &Database, condition: &str) {
    database.execute(&format!(
        "ALTER TABLE event_logs RENAME TO events_behind;
         CREATE VIEW event_logs AS SELECT * FROM events_behind WHERE {condition}"
    ));
}

#[test]
fn ctrl_c_ends_a_search_at_once_while_there_is_nothing_to_look_at() {
    let scope = Sandbox::shared().scope("interrupt");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    slow_down(&database, "pg_sleep(600) IS NOT NULL");
    for arguments in [&["query"][..], &["stats"], &["query", "-o", "json"], &["status", "--watch"]]
    {
        let mut terminal = with_pager(
            &audit,
            "exec sh -c 'echo pager-waits; cat; read answer < /dev/tty'",
            arguments,
        );
        wait_for_sessions(&database, "active", |count| count == 1);
        terminal.press(INTERRUPT);
        let (status, screen) = terminal.end();
        let is_watch = arguments[0] == "status";
        assert!(
            if is_watch { status.success() } else { is_interrupted(status) },
            "{arguments:?}: {status}"
        );
        assert!(!screen.contains("pager-waits"), "{arguments:?}: {screen}");
        wait_for_sessions(&database, "active", |count| count == 0);
    }
}

/// Waits until so many sessions of `audit` are in that state, in this database.
fn wait_for_sessions(database: &Database, state: &str, is_right: impl Fn(i64) -> bool) {
    let query = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'audit %'
            AND state = '{state}' AND query_start < clock_timestamp() - interval '200 ms'"
    );
    wait_until(&format!("sessions of audit that are {state}"), NOTICED, || {
        is_right(database.number(&query))
    });
}

/// How a command comes to its end before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Interrupted,
    Killed,
    ReaderLeaves,
}

#[test]
fn the_server_does_not_go_on_for_a_command_that_was_ended_or_that_nobody_listens_to() {
    let scope = Sandbox::shared().scope("given_up");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    let holder = Database::open(&audit.database_url);
    holder.execute("BEGIN; LOCK TABLE event_logs IN ACCESS EXCLUSIVE MODE");
    let commands = [
        &["query", "--where", "$.n == 1"][..],
        &["stats"],
        &["export"],
        &["verify", "--wait", "0"],
    ];
    let give_up = || {
        for command in commands {
            for end in [End::Interrupted, End::Killed, End::ReaderLeaves] {
                let spawned =
                    audit.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
                let mut child = spawned.unwrap_or_else(|error| panic!("{error}"));
                wait_for_sessions(&database, "active", |count| count == 1);
                match end {
                    End::Interrupted => {
                        let sent =
                            Command::new("kill").args(["-INT", &child.id().to_string()]).status();
                        assert!(sent.is_ok_and(|status| status.success()));
                    }
                    End::Killed => assert!(child.kill().is_ok()),
                    End::ReaderLeaves => drop(child.stdout.take()),
                }
                let mut status = None;
                wait_until(&format!("the end of {command:?}, {end:?}"), NOTICED, || {
                    status = child.try_wait().ok().flatten();
                    status.is_some()
                });
                let status = status.unwrap_or_default();
                let is_right = match end {
                    End::Interrupted => is_interrupted(status),
                    End::Killed => status.signal() == Some(9),
                    // Whoever asks whether the record is complete must not take this for a yes.
                    End::ReaderLeaves if command[0] == "verify" => status.code() == Some(4),
                    End::ReaderLeaves => status.success(),
                };
                assert!(is_right, "{command:?}, {end:?}: {status}");
                wait_for_sessions(&database, "active", |count| count == 0);
            }
        }
    };
    // A statement that waits for a lock,
    give_up();
    // and one that is busy.
    holder.execute("ROLLBACK");
    slow_down(
        &database,
        "(SELECT count(*) FROM (SELECT generate_series(1, 1000000000000) AS n) AS many WHERE n = id) >= 0",
    );
    give_up();
}

#[test]
fn a_pipe_that_is_closed_is_quiet() {
    let scope = Sandbox::shared().scope("closed_pipes");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 20_000, "2026-11-22"));
    let commands = [
        "query -n 20000",
        "query -n 20000 -o ndjson",
        "export",
        "tail",
        "tail -n 20000",
        "show 1",
        "trace 1 -n 20000",
        "stats --by minute -n 1000",
        "status --watch 1",
        "completions bash",
        "man",
    ];
    for arguments in commands {
        // `tail` has nothing more to write, and notices nevertheless.
        let mut shell = Command::new("bash");
        shell.args([
            "-c",
            &format!("\"$0\" {arguments} | head -n 1; echo \"exit ${{PIPESTATUS[0]}}\""),
        ]);
        let command = audit.command(&[]);
        shell.arg(command.get_program());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let mut running = Running::start(&mut shell);
        running.succeed(Duration::from_secs(60));
        let log = running.log();
        let is_note = |line: &&str| {
            line.contains("lag is unknown")
                || line.starts_with("causes and effects were looked for")
        };
        let lines: Vec<_> = log.lines().filter(|line| !is_note(line)).collect();
        assert!(lines.len() == 2 && lines[1] == "exit 0", "{arguments}: {log}");
    }
}

#[test]
fn a_pipe_without_a_reader_is_no_error_of_any_command() {
    let scope = Sandbox::shared().scope("no_reader");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 3, "2026-11-22"));
    let commands = [
        "migrate",
        "migrate --status",
        "migrate --dry-run",
        "migrate --roles",
        "decode Cargo.toml",
        "decode Cargo.toml -o json",
        "config show",
        "completions bash",
        "man",
        "query",
        "query --count",
        "query --explain",
        "tail --no-follow",
        "show 1",
        "trace 1",
        "trace 1 -o mermaid",
        "stats",
        "export",
        "status",
        "dlt -o csv",
        "replay-dlt --dry-run -o csv",
        "replay-dlt --status -o csv",
    ];
    for arguments in commands {
        let Ok((reader, writer)) = std::io::pipe() else { panic!("no pipe") };
        drop(reader);
        let arguments: Vec<_> = arguments.split(' ').collect();
        let mut command = audit.command(&arguments);
        let output = match command.stdout(writer).stderr(Stdio::piped()).spawn() {
            Ok(child) => child.wait_with_output(),
            Err(error) => panic!("{arguments:?}: {error}"),
        };
        let output = output.unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
        assert!(!errors.contains("panicked") && !errors.contains("error:"), "{errors}");
    }
}
