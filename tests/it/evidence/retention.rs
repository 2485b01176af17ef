//! `audit retention`: what goes, what stays, and what is said of it.

use std::path::Path;
use std::process::Output;

use sandbox::{Proxy, Sandbox, Scope};
use serde_json::Value;
use tempfile::TempDir;

use crate::replay::World;
use crate::support::{Audit, Database};

/// How many ids a leaf holds.
const LEAF_SIZE: i64 = 2_097_152;

/// A full leaf with 20 dead letters, of which two were replayed, and 30 events; and 5 events in the
/// next leaf.
struct Old<'s> {
    world: World<'s>,
    folder: TempDir,
}

impl<'s> Old<'s> {
    fn new(scope: &'s Scope<'s>) -> Self {
        let world = World::new(scope, 2);
        world.dead_letters(0..20);
        world.events(100..130);
        world.ingest();
        world.replay_all(&["--limit", "2"]);
        world.ingest();
        let old = Self { world, folder: TempDir::new().unwrap() };
        old.go_to_leaf(1);
        old.world.events(200..205);
        old.world.ingest();
        old.audit().succeed(&["maintain"]);
        old
    }

    fn audit(&self) -> &Audit {
        &self.world.audit
    }

    fn database(&self) -> &Database {
        &self.world.database
    }

    /// Goes on with the first id of a leaf.
    fn go_to_leaf(&self, number: i64) {
        let id = number * LEAF_SIZE;
        self.database().execute(&format!("SELECT ensure_event_log_leaf({id})"));
        self.database().execute(&format!("SELECT setval('event_logs_id_seq', {id})"));
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Hands over what is new.
    fn hand_over(&self, name: &str) -> Output {
        self.hand_over_with(name, &[])
    }

    fn hand_over_with(&self, name: &str, more: &[&str]) -> Output {
        let bookmark = self.path("warehouse.bookmark");
        let arguments = ["export", &self.path(name), "--incremental", &bookmark];
        self.audit().run(&[&arguments, more].concat())
    }

    fn retire(&self, arguments: &[&str]) -> Output {
        self.audit().run(&[&["retention", "--before", "now"], arguments].concat())
    }

    /// The leaves that have rows.
    fn leaves(&self) -> Vec<Vec<String>> {
        self.database().rows("SELECT DISTINCT tableoid::regclass::text FROM event_logs ORDER BY 1")
    }

    /// The lines that `verify` prints of one check.
    fn verify(&self, check: &str) -> (Option<i32>, Vec<Value>) {
        let output = self.audit().run(&["verify", "-o", "json", "--wait", "0"]);
        let lines: Vec<Value> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let of_check = lines.into_iter().filter(|line| line["check"] == check);
        (output.status.code(), of_check.collect())
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, said: &str) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
    assert!(stderr(output).contains(said), "'{said}' is not in: {}", stderr(output));
}

#[test]
fn only_what_was_handed_over_goes_and_everything_tells_of_it() {
    let scope = Sandbox::shared().scope("retention");
    let old = Old::new(&scope);
    let (audit, database) = (old.audit(), old.database());
    assert!(old.hand_over("early.csv").status.success());
    std::fs::copy(old.path("warehouse.bookmark"), old.path("late.bookmark")).unwrap();
    old.world.events(300..310);
    old.world.ingest();
    old.go_to_leaf(2);
    audit.succeed(&["maintain"]);
    let bookmark = old.path("warehouse.bookmark");

    // The second leaf has ten events that nobody was handed.
    let output = old.retire(&["--after", &bookmark, "--dry-run", "-o", "json"]);
    assert_ends(&output, 4, "1 leaf to be dropped, with 52 rows");
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&plan[0]["leaf"], &plan[0]["action"]),
        (&"event_logs_000000".into(), &"drop".into())
    );
    assert_eq!((&plan[0]["rows"], &plan[0]["last_id"]), (&52.into(), &(LEAF_SIZE - 1).into()));
    assert_eq!(
        (&plan[1]["leaf"], &plan[1]["action"]),
        (&"event_logs_000001".into(), &"keep".into())
    );
    assert!(plan[1]["why"].as_str().is_some_and(|why| why.contains("was not handed over to")));
    assert_eq!(old.leaves().len(), 2, "a dry run drops nothing");

    let counted = audit.succeed(&["stats", "--by", "type,dlt,topic", "-o", "csv"]);
    let batches = database.number("SELECT count(*) FROM ingest_batches");
    let output = old.retire(&["--after", &bookmark, "--yes"]);
    assert_ends(&output, 4, "1 leaf dropped, with 52 rows; 18 raw dead letters removed");
    assert_eq!(old.leaves(), [["event_logs_000001"]]);
    assert_eq!(database.number("SELECT count(*) FROM ingest_batches"), batches);
    assert_eq!(
        database.number("SELECT count(*) FROM dead_letters JOIN dlt_replays USING (event_log_id)"),
        database.number("SELECT count(*) FROM dead_letters"),
        "what was replayed stays"
    );
    let enabled = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'append_only' AND tgrelid = 'dead_letters'::regclass";
    assert_eq!(database.value(enabled), "A");

    let output = audit.run(&["stats", "--by", "type,dlt,topic", "-o", "csv"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), counted);
    assert_ends(&output, 0, "52 rows of events from 2026-11-22T10:00:00.000000Z");
    assert!(stderr(&output).contains("were retired and are counted nevertheless"));
    assert_ends(&audit.run(&["query", "--limit", "100"]), 0, "were retired and are no longer here");
    let output = audit.run(&["query", "--limit", "100", "--since", "2030-01-01"]);
    assert!(!stderr(&output).contains("retired"), "{}", stderr(&output));
    assert_ends(&audit.run(&["show", "1"]), 3, "row 1 was retired with event_logs_000000 at 20");
    let gone = "01900000-0000-7000-8000-000000000001";
    assert_ends(&audit.run(&["show", gone]), 3, "no longer here");
    assert_ends(&audit.run(&["trace", gone]), 3, "no longer here");
    assert_ends(&audit.run(&["tail", "--from-batch", "1", "--no-follow"]), 0, "no longer here");
    assert_eq!(old.world.states().concat(), "sent 2");
    let status = audit.succeed(&["status"]);
    assert!(status.contains("52 of the rows, in 1 leaf, last on "), "{status}");

    let (code, rows) = old.verify("rows");
    assert_eq!(code, Some(0), "{rows:?}");
    assert!(rows[0]["detail"].as_str().is_some_and(|detail| detail.contains("52 retired")));
    let (_, leaves) = old.verify("leaves");
    assert!(leaves[0]["detail"].as_str().is_some_and(|detail| detail.contains("1 retired")));

    // Whoever has not read them yet is told, and goes on only where that is wanted.
    assert_ends(&old.hand_over("next.csv"), 0, "10 rows written");
    std::fs::remove_file(&bookmark).unwrap();
    assert_ends(&old.hand_over("new.csv"), 0, "is new, and lacks what was retired: 52 rows of");
    let state = std::fs::read_to_string(old.path("late.bookmark")).unwrap();
    let mut state: Value = serde_json::from_str(&state).unwrap();
    state["batch_no"] = 0.into();
    std::fs::write(&bookmark, state.to_string()).unwrap();
    assert_ends(&old.hand_over("lost.csv"), 4, "retired before they were handed over: 52 rows of");
    assert!(!Path::new(&old.path("lost.csv")).exists());
    assert_ends(&old.hand_over_with("lost.csv", &["--skip-retired"]), 0, "15 rows written");
}

#[test]
fn what_is_retired_is_entered_into_the_log_and_a_lie_about_it_is_found() {
    let scope = Sandbox::shared().scope("retention_log");
    let old = Old::new(&scope);
    let database = old.database();
    let output = old.retire(&["--even-if-not-exported", "--yes"]);
    assert_ends(&output, 0, "1 leaf dropped, with 52 rows");
    let bodies = "SELECT count(*), bool_and(hash = sha256('\\x00' || body)), bool_and(position('; even if not exported'::bytea IN body) > 0)
                    FROM evidence_leaves WHERE kind = 6";
    assert_eq!(database.rows(bodies), [["1", "t", "t"]]);
    assert_eq!(old.verify("finding"), (Some(0), Vec::new()));
    for (damage, mended, finding) in [
        (
            "UPDATE event_log_leaves SET retired_rows = 51 WHERE first_id = 0",
            "UPDATE event_log_leaves SET retired_rows = 52 WHERE first_id = 0",
            "event_log_leaves tells other facts of it than the evidence log",
        ),
        (
            "UPDATE event_log_leaves SET retired_at = now(), retired_rows = 5 WHERE first_id = 2097152",
            "UPDATE event_log_leaves SET retired_at = NULL, retired_rows = NULL WHERE first_id = 2097152",
            "the evidence log does not tell it",
        ),
    ] {
        database.execute(damage);
        let (code, findings) = old.verify("finding");
        assert_eq!(code, Some(5), "{damage}");
        let is_said =
            |line: &Value| line["detail"].as_str().is_some_and(|text| text.contains(finding));
        assert!(findings.iter().any(is_said), "{damage}: {findings:?}");
        database.execute(mended);
        assert_eq!(old.verify("finding"), (Some(0), Vec::new()));
    }
}

#[test]
fn a_retention_that_is_cut_off_anywhere_is_gone_on_with() {
    for (name, cut) in [
        ("count", &b"SELECT count(*) FROM ONLY"[..]),
        ("detach", b"DETACH PARTITION"),
        ("enter", b"append_evidence"),
        ("letters", b"DELETE FROM dead_letters"),
        ("enable", b"ENABLE ALWAYS TRIGGER"),
    ] {
        let scope = Sandbox::shared().scope(&format!("retention_cut_{name}"));
        let old = Old::new(&scope);
        let port = Sandbox::shared().postgres().port();
        let proxy = Proxy::start(port).unwrap();
        let database_url =
            old.audit().database_url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
        let behind = Audit { database_url, brokers: old.audit().brokers.clone() };
        proxy.cut_before(cut);
        let arguments = ["retention", "--before", "now", "--even-if-not-exported", "--yes"];
        let output = behind.run(&arguments);
        assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
        assert_ends(&old.audit().run(&arguments), 0, "");
        assert_eq!(old.leaves(), [["event_logs_000001"]], "{name}");
        assert_eq!(old.database().number("SELECT count(*) FROM dead_letters"), 2, "{name}");
        assert_eq!(old.verify("finding"), (Some(0), Vec::new()), "{name}");
        let told = old.database().number("SELECT count(*) FROM evidence_leaves WHERE kind = 6");
        assert_eq!(told, 1, "{name}");
    }
}

#[test]
fn a_reader_is_waited_for_and_named_and_whoever_may_not_drop_is_told() {
    let scope = Sandbox::shared().scope("retention_locks");
    let old = Old::new(&scope);
    let reader = Database::open(&old.audit().database_url);
    reader.execute("SET application_name = 'a long report'");
    reader.execute("BEGIN");
    reader.number("SELECT count(*) FROM event_logs");
    let output = old.retire(&["--even-if-not-exported", "--yes", "--wait", "1"]);
    assert_ends(&output, 1, "(a long report, in a transaction for ");
    assert_eq!(old.leaves().len(), 2, "nothing was dropped");
    reader.execute("COMMIT");

    old.audit().succeed(&["migrate", "--roles"]);
    let role = format!("ingester_{}", uuid::Uuid::new_v4().simple());
    let make = format!("CREATE ROLE {role} LOGIN PASSWORD 'x' IN ROLE audit_ingester");
    old.database().execute(&make);
    let Some((_, server)) = old.audit().database_url.split_once('@') else {
        panic!("a URL without a user")
    };
    let stranger =
        Audit { database_url: format!("postgres://{role}:x@{server}"), ..old.audit().clone() };
    let arguments = ["retention", "--before", "now", "--even-if-not-exported", "--yes"];
    let output = stranger.run(&arguments);
    old.database().execute(&format!("DROP ROLE {role}"));
    assert_ends(&output, 1, "may not drop partitions: event_logs belongs to ");
    assert_ends(&old.audit().run(&arguments), 0, "1 leaf dropped");
}

#[test]
fn what_is_young_is_not_dropped_and_nothing_is_dropped_unasked() {
    let scope = Sandbox::shared().scope("retention_young");
    let old = Old::new(&scope);
    let audit = old.audit();
    let young = ["retention", "--keep", "1d", "--even-if-not-exported", "--yes"];
    assert_ends(&audit.run(&young), 0, "none of 1 full leaf is old enough");
    let unasked = ["retention", "--keep", "1d", "--even-if-not-exported"];
    assert_ends(&audit.run(&unasked), 2, "nobody can be asked");
    assert_ends(&audit.run(&["retention", "--keep", "1d", "--yes"]), 2, "--even-if-not-exported");
    let selected = old.path("some.bookmark");
    let export = ["export", &old.path("some.csv"), "--type", "Order*", "--incremental", &selected];
    audit.succeed(&export);
    assert_ends(&old.retire(&["--after", &selected, "--yes"]), 2, "because of --type");
    assert_ends(&old.retire(&["--after", "/none", "--yes"]), 1, "there is no such bookmark");
    assert_eq!(old.leaves().len(), 2);
}
