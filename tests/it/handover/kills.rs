//! Runs that are killed anywhere, beside a running ingest: each row is handed over once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::Int64Type;
use parquet::file::reader::{FileReader, SerializedFileReader};
use sandbox::Sandbox;

use super::delta::random::Random;
use super::folder::{Folder, data, names_in};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

/// How many rounds, if `AUDIT_TEST_EXPORT_KILLS` does not say it.
const ROUNDS: u64 = 25;

/// What a round exports into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A file of its own for each round.
    Files(&'static str),
    /// One folder, rotated and by type.
    Folder(&'static str),
    /// stdout.
    Pipe,
}

/// What a bookmark says: the last batch, and whether files are noted.
fn bookmark(folder: &Folder) -> (i64, bool) {
    let text = std::fs::read(folder.root().join("b")).unwrap_or_default();
    let state: serde_json::Value = match text.is_empty() {
        true => serde_json::Value::Null,
        false => serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{error}")),
    };
    (state["batch_no"].as_i64().unwrap_or_default(), state["pending"].is_object())
}

/// The ids in a file.
fn ids(path: &Path) -> Vec<i64> {
    if path.extension().is_some_and(|ending| ending == "parquet") {
        return parquet_ids(path);
    }
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}"));
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("id,event_type"), "{}", path.display());
    let id = |line: &str| line.split(',').next().unwrap_or_default().parse();
    lines.map(|line| id(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

fn parquet_ids(path: &Path) -> Vec<i64> {
    let reader = File::open(path).map(SerializedFileReader::new);
    let Ok(Ok(reader)) = reader else { panic!("{} can't be read", path.display()) };
    let mut ids = Vec::new();
    for number in 0..reader.num_row_groups() {
        let column = reader.get_row_group(number).and_then(|group| group.get_column_reader(0));
        let column = column.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut column = get_typed_column_reader::<Int64Type>(column);
        let read = column.read_records(usize::MAX, Some(&mut Vec::new()), None, &mut ids);
        assert!(read.is_ok(), "{}: {read:?}", path.display());
    }
    ids
}

/// Where kills hit.
#[derive(Debug, Default)]
struct Hits {
    before_the_note: u32,
    between_note_and_move: u32,
    /// While the files of a run that was killed before were written.
    while_it_ended_another: u32,
    after_the_move: u32,
    ended_by_itself: u32,
}

/// Rounds of exports, each of which is killed.
struct Rounds<'a> {
    audit: &'a Audit,
    folder: &'a Folder,
    shape: Shape,
    random: Random,
    hits: Hits,
    /// The ids in each file, when it was first seen.
    seen: BTreeMap<String, Vec<i64>>,
    /// How long a run takes.
    whole: Duration,
}

impl Rounds<'_> {
    fn start(&self, round: u64) -> Child {
        let (path, options) = match self.shape {
            Shape::Files(format) => (format!("out/{round:06}.{format}"), &[][..]),
            Shape::Folder(format) => {
                let options = &["--partition-by", "type", "--rotate", "40", "-o"];
                ("out".to_owned(), &[&options[..], &[format]].concat()[..])
            }
            Shape::Pipe => ("-".to_owned(), &["-o", "csv"][..]),
        };
        let mut command = self.audit.command(&["export", &path, "--columns", "id,event_type"]);
        command.args(options).args(["--incremental", "b"]).current_dir(self.folder.root());
        let stdout = match self.shape {
            Shape::Pipe => File::create(self.folder.path(&format!("out/{round:06}.csv"))).ok(),
            _ => None,
        };
        command.stdout(stdout.map_or_else(Stdio::null, Stdio::from)).stderr(Stdio::null());
        command.spawn().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs one to its end.
    fn run(&mut self, round: u64) {
        let began = Instant::now();
        let status = self.start(round).wait();
        assert!(status.is_ok_and(|status| status.success()), "round {round} failed");
        self.whole = began.elapsed();
        self.look();
    }

    /// Runs one and kills it: at any time, or in every second round when files are noted.
    fn kill(&mut self, round: u64) {
        let before = bookmark(self.folder);
        let mut child = self.start(round);
        let mut has_ended = || child.try_wait().is_ok_and(|status| status.is_some());
        if round.is_multiple_of(2) || self.shape == Shape::Pipe {
            sleep(self.random.below(self.whole));
        } else {
            let has_new_note = || {
                let now = bookmark(self.folder);
                now.1 && now != before
            };
            while !has_ended() && !has_new_note() {
                std::thread::yield_now();
            }
            // The files are moved within a millisecond where the disk is quick.
            if round.is_multiple_of(3) {
                sleep(self.random.below(Duration::from_millis(12)));
            }
        }
        let has_ended = has_ended();
        assert!(child.kill().is_ok() && child.wait().is_ok());
        let after = bookmark(self.folder);
        *match after {
            _ if has_ended => &mut self.hits.ended_by_itself,
            (_, true) if after == before => &mut self.hits.while_it_ended_another,
            (_, true) => &mut self.hits.between_note_and_move,
            (batch_no, _) if batch_no > before.0 => &mut self.hits.after_the_move,
            _ => &mut self.hits.before_the_note,
        } += 1;
        if self.shape == Shape::Pipe && after == before {
            // It did not end with 0 either: what came is thrown away.
            self.folder.remove(&format!("out/{round:06}.csv"));
        }
        self.look();
    }

    /// Reads what a reader sees that was not there before: no row may be there twice.
    fn look(&mut self) {
        let out = self.folder.root().join("out");
        for name in data(&names_in(&out)) {
            if !self.seen.contains_key(name) {
                self.seen.insert(name.to_owned(), ids(&out.join(name)));
            }
        }
    }

    /// Holds all that was handed over against the table.
    fn approve(&self, database: &Database) {
        let out = self.folder.root().join("out");
        let names = names_in(&out);
        let data = data(&names);
        assert_eq!(data.len(), self.seen.len(), "a file is gone");
        let mut all = Vec::new();
        for name in data {
            let found = ids(&out.join(name));
            assert_eq!(self.seen.get(name), Some(&found), "{name} had other rows before");
            all.extend(found);
        }
        let distinct: BTreeSet<i64> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len(), "a row was handed over twice");
        let rows = database.rows("SELECT id FROM event_logs");
        let table: BTreeSet<i64> = rows.iter().filter_map(|row| row[0].parse().ok()).collect();
        assert_eq!(distinct.symmetric_difference(&table).collect::<Vec<_>>(), [] as [&i64; 0]);
        let unfinished = self.folder.names().into_iter().filter(|name| name.contains(".audit-"));
        assert_eq!(unfinished.collect::<Vec<_>>(), [""; 0]);
        if self.shape != Shape::Pipe {
            self.audit.succeed(&["export", "--check", &self.folder.path("out")]);
        }
    }
}

/// Kills runs of each shape beside an ingester that always has something to do.
fn each_row_once(name: &str, shapes: &[Shape]) {
    let rounds = std::env::var("AUDIT_TEST_EXPORT_KILLS").ok().and_then(|text| text.parse().ok());
    let rounds = rounds.unwrap_or(ROUNDS);
    let scope = Sandbox::shared().scope(name);
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let database = Database::open(&audit.database_url);
    let arguments = ["ingest", "--topics", &topic, "--batch-rows", "30", "--batch-wait", "20"];
    let mut ingester = audit.start(&arguments);
    let is_over = AtomicBool::new(false);
    let folders: Vec<_> = shapes.iter().map(|_| Folder::new()).collect();
    let mut all: Vec<_> = std::thread::scope(|threads| {
        threads.spawn(|| {
            let producer = Producer::new(scope.brokers());
            let mut numbers: Range<usize> = 0..60;
            while !is_over.load(Relaxed) {
                producer.native_events(&topic, numbers.clone());
                numbers = numbers.end..numbers.end + 60;
                sleep(Duration::from_millis(100));
            }
        });
        let _ends = Ends(&is_over);
        wait_until("the first rows", LIMIT, || database.event_count() > 0);
        let of_shape = |(shape, folder): (&Shape, _)| {
            let mut rounds_of_shape = Rounds {
                audit: &audit,
                folder,
                shape: *shape,
                random: Random::new(),
                hits: Hits::default(),
                seen: BTreeMap::new(),
                whole: Duration::ZERO,
            };
            folder.make("out");
            rounds_of_shape.run(0);
            for round in 1..=rounds {
                match round % 10 {
                    0 => rounds_of_shape.run(round),
                    _ => rounds_of_shape.kill(round),
                }
            }
            // The place that matters most is a short one.
            let mut more = (rounds + 1..=rounds + 100).filter(|round| !round.is_multiple_of(2));
            while *shape != Shape::Pipe && rounds_of_shape.hits.between_note_and_move == 0 {
                let Some(round) = more.next() else { break };
                rounds_of_shape.kill(round);
            }
            eprintln!("{rounds} rounds: {:?}", rounds_of_shape.hits);
            rounds_of_shape
        };
        shapes.iter().zip(&folders).map(of_shape).collect()
    });
    ingester.stop();
    for shape in &mut all {
        shape.run(rounds + 101);
        shape.run(rounds + 102);
        shape.approve(&database);
        let has_note = shape.hits.between_note_and_move > 0;
        assert_eq!(has_note, shape.shape != Shape::Pipe, "{:?}", shape.hits);
    }
}

/// Says that it is over, also where a test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn csv_that_is_killed_anywhere_has_each_row_once() {
    each_row_once("kills_csv", &[Shape::Files("csv"), Shape::Folder("csv"), Shape::Pipe]);
}

#[test]
fn parquet_that_is_killed_anywhere_has_each_row_once() {
    each_row_once("kills_parquet", &[Shape::Folder("parquet"), Shape::Files("parquet")]);
}

#[test]
fn a_run_that_broke_off_while_it_gave_names_is_ended_by_the_next_one() {
    let scope = Sandbox::shared().scope("kills_note");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = Folder::new();
    record(&database, &events("A", 1, "2026-11-22"));
    let export = |options: &[&str]| {
        let mut command = audit.command(&["export", "--columns", "id,event_type"]);
        command.current_dir(folder.root()).args(["--incremental", "b"]).args(options);
        command.output().unwrap_or_else(|error| panic!("{error}"))
    };
    let parts = ["parts", "-o", "csv", "--partition-by", "type", "--rotate", "2"];
    assert!(export(&parts).status.success());
    for kind in ["A", "B", "C"] {
        record(&database, &events(kind, 3, "2026-11-22"));
    }
    // Of another file system: what is to get its name there can't get it.
    assert!(std::os::unix::fs::symlink("/proc", folder.path("parts/type=B")).is_ok());
    let output = export(&parts);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: writing ") && said.contains("type=B/events-"), "{said}");
    folder.remove("parts/type=B");
    assert_eq!(bookmark(&folder), (1, true));
    let named = |folder: &Folder| {
        let names = folder.names();
        let files = data(&names).into_iter().filter(|name| name.starts_with("parts/"));
        files.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(named(&folder).len(), 3, "the files of type A have their names");
    // As another version of the program might have noted it.
    let noted = folder.text("b").replace(
        "\"names\": [",
        "\"names\": [\"type=A/events-000000000002-000000000004-000007.csv\", \"../b.lock\",",
    );
    folder.write("b", &noted);
    folder
        .write("parts/type=A/events-000000000002-000000000004-000007.csv", "id,event_type\n2,A\n");
    record(&database, &events("A", 1, "2026-11-22"));

    // Whatever the next run is asked for, it ends that one first.
    let output = export(&["-", "-o", "ndjson"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"id\":11,\"event_type\":\"A\"}\n");
    let files = named(&folder);
    assert_eq!(files.len(), 7, "{files:?}");
    let mut all: Vec<i64> = files.iter().flat_map(|name| ids(&folder.root().join(name))).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=10).collect::<Vec<_>>());
    assert_eq!(bookmark(&folder), (5, false));
    assert!(folder.root().join("b.lock").exists());
    audit.succeed(&["export", "--check", &folder.path("parts")]);
    assert!(folder.names().iter().all(|name| !name.contains(".audit-")));
}
