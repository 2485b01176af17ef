//! Progress: a line on a terminal for what takes long, and nothing of it left behind.

use sandbox::Sandbox;

use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Terminal};

/// How the line is taken from the terminal.
const CLEARED: &str = "\r\u{1b}[2K";

/// What the terminal shows below the place where the line was last: it is gone.
fn after_progress(screen: &str) -> &str {
    let Some((_, after)) = screen.rsplit_once(CLEARED) else {
        panic!("nothing was drawn, or it was left there:\n{screen:?}");
    };
    after
}

#[test]
fn an_export_shows_rows_bytes_rate_and_time_left_on_a_terminal_and_nothing_in_a_pipe() {
    let scope = Sandbox::shared().scope("progress_export");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 60_000, "2026-11-22"));
    record(&database, &events("OrderShipped", 40_000, "2026-11-23"));
    database.execute("ANALYZE event_logs");
    // Whoever reads the pipe takes a second to begin, so that there is time to look.
    let exported = |options: &str| {
        let script = format!("\"$0\" export {options} | (sleep 1; cat > /dev/null)");
        let (status, screen) = Terminal::start(audit.shell(&script), 100).end();
        assert!(status.success(), "{screen}");
        screen
    };
    let screen = exported("");
    assert_eq!(after_progress(&screen), "");
    assert!(screen.contains(" of 100,000 rows, ") && screen.contains(" MiB, "), "{screen}");
    assert!(screen.contains("/s, ") && screen.contains(" s left"), "{screen}");
    let screen = exported("--limit 70000");
    assert!(screen.contains(" of 70,000 rows, "), "{screen}");
    // What is said meanwhile stands above it.
    assert!(screen.contains(&format!("{CLEARED}only the first 70000 rows")), "{screen:?}");
    assert_eq!(after_progress(&screen), "");
    // What PostgreSQL expects is an estimate.
    let screen = exported("--type OrderShipped");
    assert!(screen.contains(" of ~") && screen.contains(", ~"), "{screen}");

    for (options, variable) in [("--no-progress", ("TERM", "xterm")), ("", ("TERM", "dumb"))] {
        let script = format!("\"$0\" export {options} | (sleep 1; cat > /dev/null)");
        let mut command = audit.shell(&script);
        command.env(variable.0, variable.1);
        assert_eq!(Terminal::start(command, 100).end().1, "", "{options} {variable:?}");
    }
    let piped = audit.shell("\"$0\" export | (sleep 1; cat > /dev/null)").output();
    assert_eq!(piped.map(|output| output.stderr).unwrap_or_default(), b"");
}

/// A table that nobody can read until the transaction ends.
fn locked(database: &Database) {
    database.execute("BEGIN; LOCK TABLE event_logs");
}

#[test]
fn what_the_server_counts_is_shown_with_the_time_it_takes_and_gone_before_the_result() {
    let scope = Sandbox::shared().scope("progress_count");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let cases: [(&[&str], &str, &str); 6] = [
        (&["query", "--count"], "counting 3 rows, ", "3\r\n"),
        (&["query", "--count", "--no-dlt"], "counting some of 3 rows, ", "3\r\n"),
        (&["stats", "-o", "csv"], "counting 3 rows, ", "type,events,"),
        (&["dlt", "-o", "csv"], "reading the dead letters, ", "origin_topic,"),
        (&["status", "-o", "csv"], "asking the database and Kafka, ", "topic,"),
        (&["query", "-o", "ndjson"], "searching 3 rows, ", "{\"id\":"),
    ];
    for (arguments, shown, result) in cases {
        locked(&database);
        let terminal = Terminal::start(audit.command(arguments), 100);
        terminal.wait_for(shown);
        database.execute("COMMIT");
        let (status, screen) = terminal.end();
        assert!(status.success(), "{screen}");
        assert!(after_progress(&screen).starts_with(result), "{arguments:?}: {screen:?}");
    }
}

#[test]
fn ctrl_c_and_errors_leave_no_progress_behind() {
    let scope = Sandbox::shared().scope("progress_end");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("events.csv").display().to_string();
    let cases: [(&[&str], &str, &str); 3] = [
        (&["stats"], "counting 3 rows, ", ""),
        (&["verify", "--wait", "0"], "reading the ledger, ", ""),
        // It has an end of its own.
        (&["export", &file], " of 3 rows, ", "interrupted before the export was whole"),
    ];
    for (arguments, shown, last) in cases {
        let mut command = audit.command(arguments);
        command.env("NO_COLOR", "1");
        locked(&database);
        let mut terminal = Terminal::start(command, 100);
        terminal.wait_for(shown);
        terminal.press("\u{3}");
        let (status, screen) = terminal.end();
        database.execute("COMMIT");
        assert_eq!(status.code(), Some(130), "{arguments:?}: {screen}");
        assert!(after_progress(&screen).contains(last), "{arguments:?}: {screen:?}");
        assert!(!after_progress(&screen).contains("rows"), "{arguments:?}: {screen:?}");
    }

    locked(&database);
    let terminal = Terminal::start(audit.command(&["stats"]), 100);
    terminal.wait_for("counting 3 rows, ");
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'audit stats' AND datname = current_database();
         COMMIT",
    );
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(1), "{screen}");
    assert!(after_progress(&screen).contains("error:"), "{screen:?}");
}

#[test]
fn a_migration_that_waits_for_another_says_so() {
    let scope = Sandbox::shared().scope("progress_migrate");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    database.execute("SELECT pg_advisory_lock(x'61756469745f6d69'::bigint)");
    let terminal = Terminal::start(audit.command(&["migrate"]), 100);
    terminal.wait_for("waiting for another migration to end, ");
    database.execute("SELECT pg_advisory_unlock_all()");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    assert!(after_progress(&screen).ends_with(": up to date\r\n"), "{screen:?}");
}
