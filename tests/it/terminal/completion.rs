//! What TAB completes, in real shells: names that are known, also where the database is away, and
//! nothing that a shell would run.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use sandbox::Sandbox;

use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Terminal};

/// An installation of `audit`, as a shell finds it.
struct Shell {
    audit: Audit,
    folder: tempfile::TempDir,
}

impl Shell {
    fn new(audit: Audit) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        Self { audit, folder }
    }

    /// A program with `audit` on its PATH, and the database in its environment.
    fn command(&self, program: &str) -> Command {
        let mut command = self.audit.command(&[]);
        let folder = std::path::Path::new(command.get_program()).parent();
        let path = format!(
            "{}:{}",
            folder.unwrap_or_else(|| panic!("the program has no folder")).display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let mut shell = Command::new(program);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        command.env_clear();
        shell.env("PATH", path).env("HOME", self.folder.path()).current_dir(self.folder.path());
        shell
    }

    /// Runs a script of bash, which has the completion; the answer is `COMPREPLY`, one a line.
    fn bash(&self, words: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
        let last = words.len() - 1;
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "source <(audit completions bash)
             COMP_WORDS=({}); COMP_CWORD={last}; COMP_LINE='{}'; COMP_POINT=${{#COMP_LINE}}
             _audit audit '{}' ''
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            quoted.join(" "),
            words.join(" "),
            words[last]
        );
        let mut command = self.command("bash");
        command.args(["--noprofile", "--norc", "-c", &script]).envs(variables.iter().copied());
        let output = command.output().unwrap_or_else(|error| panic!("bash: {error}"));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        let found = String::from_utf8_lossy(&output.stdout);
        found.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// bash as a person has it, at its prompt.
    fn prompt(&self) -> Terminal {
        let rc = self.folder.path().join("rc");
        let text =
            "PS1='> '\nbind 'set enable-bracketed-paste off'\nsource <(audit completions bash)\n";
        std::fs::write(&rc, text).unwrap_or_else(|error| panic!("{error}"));
        let mut command = self.command("bash");
        command.args(["--noprofile", "--rcfile"]).arg(&rc).arg("-i");
        let terminal = Terminal::start(command, 100);
        terminal.wait_for("> ");
        terminal
    }
}

fn nowhere() -> Audit {
    Audit { database_url: "postgresql://127.0.0.1:1/x".to_owned(), brokers: String::new() }
}

/// Events of these types, and one of a type that means harm.
fn filled(audit: &Audit) {
    let database = Database::open(&audit.database_url);
    for event_type in ["OrderCreated", "PaymentDeclined", "order.created"] {
        record(&database, &events(event_type, 2, "2026-11-22"));
    }
    let shipped = events("OrderShipped", 1, "2026-11-22").replace("order-service", "urn:order");
    record(&database, &shipped);
    for event_type in ["$(touch pwned)", "`touch pwned`", "x;touch pwned", "''; touch pwned #"] {
        record(&database, &events(&event_type.replace('\'', "''"), 1, "2026-11-22"));
    }
}

#[test]
fn bash_completes_commands_options_and_words() {
    let shell = Shell::new(nowhere());
    let completed = |words: &[&str]| shell.bash(words, &[]);
    assert_eq!(completed(&["audit", "que"]), ["query"]);
    assert_eq!(completed(&["audit", "query", "--ty"]), ["--type"]);
    assert_eq!(completed(&["audit", "query", "--order", ""]), ["newest", "oldest"]);
    assert_eq!(completed(&["audit", "query", "-o", ""]), ["table", "json", "ndjson", "csv"]);
    assert_eq!(
        completed(&["audit", "stats", "--by", "type,ho"]),
        ["type,hour", "type,hour-of-day"]
    );
    assert_eq!(completed(&["audit", "stats", "--compare", "pre"]), ["previous"]);
    assert_eq!(completed(&["audit", "query", "--columns", "id,cre"]), ["id,created_at"]);
    assert_eq!(completed(&["audit", "show", "--out"]), ["--output"]);
    assert_eq!(completed(&["audit", "replay-dlt", "--dry"]), ["--dry-run"]);
    std::fs::write(shell.folder.path().join("an event.json"), "{}")
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(completed(&["audit", "decode", "an"]), ["an\\ event.json"]);
}

#[test]
fn values_of_the_database_and_the_configuration_are_completed() {
    let scope = Sandbox::shared().scope("completed_values");
    let audit = Audit::migrated(&scope);
    filled(&audit);
    let database = Database::open(&audit.database_url);
    database.execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition) VALUES ('c', 'orders.events', 0), ('c', 'orders.events-dlt', 0);
         INSERT INTO dead_letters (event_log_id, headers, origin_topic, exception_class)
         SELECT id, '[]', 'orders.events', CASE id % 2 WHEN 0 THEN 'java.io.IOException' ELSE 'java.lang.Error' END FROM event_logs;",
    );
    let url = audit.database_url.clone();
    let shell = Shell::new(audit);
    let completed = |words: &[&str]| shell.bash(words, &[]);
    let types = ["OrderCreated", "OrderShipped", "PaymentDeclined", "order.created"];
    assert_eq!(completed(&["audit", "query", "--type", ""]), types);
    assert_eq!(completed(&["audit", "tail", "--type", "Pay"]), ["PaymentDeclined"]);
    assert_eq!(
        completed(&["audit", "query", "--type", "Order*,Pay"]),
        ["Order\\*,PaymentDeclined"]
    );
    assert_eq!(completed(&["audit", "stats", "--service", "o"]), ["order-service"]);
    assert_eq!(completed(&["audit", "reconcile", "Pay"]), ["PaymentDeclined:"]);
    assert_eq!(completed(&["audit", "reconcile", "A:$.a", "Pay"]), ["PaymentDeclined:"]);
    assert_eq!(completed(&["audit", "query", "--topic", "orders.events-"]), ["orders.events-dlt"]);
    assert_eq!(
        completed(&["audit", "replay-dlt", "--to", "orders.events-"]),
        ["orders.events-dlt"]
    );
    assert_eq!(completed(&["audit", "query", "--error", "java.i"]), ["java.io.IOException"]);
    assert_eq!(completed(&["audit", "query", "--error", "IOE"]), ["IOException"]);
    assert!(completed(&["audit", "query", "--where", ""]).is_empty());

    // The options typed so far hold, then the profile, then the environment.
    let config = shell.folder.path().join("config.toml");
    let text = format!("[profiles.local]\ndatabase_url = \"{url}\"\n[profiles.production]\n");
    std::fs::write(&config, text).unwrap_or_else(|error| panic!("{error}"));
    let config = config.display().to_string();
    let away = [("AUDIT_DATABASE_URL", "postgresql://127.0.0.1:1/x"), ("AUDIT_CONFIG", &config)];
    let completed = |words: &[&str]| shell.bash(words, &away);
    assert!(completed(&["audit", "query", "--type", "Pay"]).is_empty());
    for typed in [["--database-url", url.as_str()], ["--profile", "local"]] {
        let words = [&["audit"], &typed[..], &["query", "--type", "Pay"]].concat();
        assert_eq!(completed(&words), ["PaymentDeclined"], "{typed:?}");
    }
    assert_eq!(completed(&["audit", "query", "--profile", ""]), ["local", "production"]);
}

#[test]
fn names_out_of_records_never_make_a_shell_run_anything() {
    let scope = Sandbox::shared().scope("hostile_completion");
    let audit = Audit::migrated(&scope);
    filled(&audit);
    let shell = Shell::new(audit);
    let mut terminal = shell.prompt();
    // bash takes these apart by itself.
    for (typed, whole) in [
        ("audit query --type Pay", "audit query --type PaymentDeclined "),
        ("audit query --type=Pay", "audit query --type=PaymentDeclined "),
        ("audit query --type 'Pay", "audit query --type 'PaymentDeclined' "),
        ("audit query --service urn:", "audit query --service urn:order "),
    ] {
        terminal.press(&format!("{typed}\t"));
        terminal.wait_for(whole);
        terminal.press("\u{15}");
    }
    terminal.press("audit stats --type \t\t");
    terminal.wait_for("order.created");
    // What can be a beginning of the others, then Enter: only what was typed is run.
    for typed in ["$", "\\`", "x", "'$", "\"x", "''"] {
        terminal.press(&format!("\u{15}audit query --type {typed}\t\t"));
    }
    terminal.press("\u{15}echo do''ne\r");
    terminal.wait_for("done");
    terminal.press("exit\r");
    let (_, screen) = terminal.end();
    assert!(!screen.contains("touch"), "{screen}");
    assert!(!shell.folder.path().join("pwned").exists(), "{screen}");
}

#[test]
fn zsh_and_fish_complete_as_well_where_they_are_installed() {
    let scope = Sandbox::shared().scope("other_shells");
    let audit = Audit::migrated(&scope);
    filled(&audit);
    let shell = Shell::new(audit);
    let is_installed = |program: &str| {
        let found = Command::new(program).arg("--version").output();
        found.is_ok_and(|output| output.status.success())
    };
    if is_installed("fish") {
        let script = "audit completions fish | source; complete -C 'audit query --type Pay'";
        let output = shell.command("fish").args(["--no-config", "-c", script]).output();
        let output = output.unwrap_or_else(|error| panic!("fish: {error}"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "PaymentDeclined\n", "{output:?}");
    }
    if is_installed("zsh") {
        let rc = "fpath=($HOME/functions $fpath)\nautoload -Uz compinit\ncompinit -u\nPS1='> '\n";
        let functions = shell.folder.path().join("functions");
        let script = shell.audit.succeed(&["completions", "zsh"]);
        let written = std::fs::write(shell.folder.path().join(".zshrc"), rc)
            .and_then(|()| std::fs::create_dir(&functions))
            .and_then(|()| std::fs::write(functions.join("_audit"), script));
        written.unwrap_or_else(|error| panic!("{error}"));
        let mut command = shell.command("zsh");
        command.arg("-i").env("TERM", "dumb").env("ZDOTDIR", shell.folder.path());
        let mut terminal = Terminal::start(command, 100);
        terminal.wait_for("> ");
        terminal.press("audit query --type Pay\t");
        terminal.wait_for("PaymentDeclined");
        terminal.press("\u{15}exit\r");
        terminal.end();
    }
}

/// Asks as the scripts do.
fn asked(audit: &Audit, words: &[&str]) -> (Output, Duration) {
    let mut command = audit.command(&[&["--"], words].concat());
    command.env("AUDIT_COMPLETE", "bash");
    command.env("AUDIT_COMPLETE_WORD", (words.len() - 1).to_string());
    let began = Instant::now();
    let output = command.output().unwrap_or_else(|error| panic!("{error}"));
    (output, began.elapsed())
}

#[test]
fn a_database_that_is_away_silent_or_empty_leaves_the_prompt_alone() {
    let scope = Sandbox::shared().scope("completion_away");
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let port = silent.local_addr().map_or(0, |address| address.port());
    let without_schema = scope.database("no_schema");
    let urls = [
        format!("postgresql://s3cret:s3cret@127.0.0.1:{port}/x?connect_timeout=60"),
        "postgresql://127.0.0.1:1/x".to_owned(),
        "postgresql://me@no-such-host.invalid/x".to_owned(),
        "postgresql://me@localhost/x?sslmode=nonsense".to_owned(),
        without_schema,
    ];
    for database_url in urls {
        let audit = Audit { database_url, brokers: String::new() };
        for option in ["--type", "--service", "--topic", "--error"] {
            let (output, took) = asked(&audit, &["audit", "query", option, ""]);
            assert!(output.status.success(), "{audit:?}: {output:?}");
            assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{audit:?}: {output:?}");
            // It gives up after 0.4 s; the rest is for a machine that is busy.
            assert!(took < Duration::from_secs(5), "{audit:?}: {took:?}");
        }
    }
    let broken =
        Audit { database_url: "postgresql://127.0.0.1:1/x".to_owned(), brokers: String::new() };
    let mut command = broken.command(&["--", "audit", "query", "--profile", ""]);
    command.envs([
        ("AUDIT_COMPLETE", "bash"),
        ("AUDIT_COMPLETE_WORD", "3"),
        ("AUDIT_CONFIG", "/nowhere"),
    ]);
    let output = command.output().unwrap_or_else(|error| panic!("{error}"));
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
}
