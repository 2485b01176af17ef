//! Runs that are killed anywhere, alone and two at once, beside a running ingest: each row is in
//! the table once.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use sandbox::Sandbox;

use super::Ends;
use super::random::Random;
use super::table::{LakeTable, approve};
use crate::support::{Audit, Database, Producer, Running, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

/// How many rounds, if `AUDIT_TEST_DELTA_KILLS` does not say it.
const ROUNDS: u64 = 20;

/// Where kills hit.
#[derive(Debug, Default)]
struct Hits {
    before_a_file: u32,
    /// There is a file more, and no version.
    before_the_commit: u32,
    /// There is a version more, and it had not ended.
    after_a_commit: u32,
    ended_by_itself: u32,
}

/// What lies in the folder: data files, unfinished ones too, and the newest version.
fn state(folder: &Path) -> (usize, Option<u64>) {
    let days = fs::read_dir(folder).into_iter().flatten().flatten();
    let days = days.filter(|day| day.file_name().to_string_lossy().starts_with("date="));
    let files = days.filter_map(|day| fs::read_dir(day.path()).ok()).map(Iterator::count).sum();
    (files, LakeTable::find(folder).map(|table| table.version))
}

struct Rounds<'a> {
    audit: &'a Audit,
    folder: &'a Path,
    random: Random,
    hits: Hits,
    /// How long a run takes.
    whole: Duration,
}

impl Rounds<'_> {
    fn start(&self) -> Running {
        self.audit.start(&["export", "--delta", self.folder.to_str().unwrap_or_default()])
    }

    /// Runs one to its end.
    fn run(&mut self) {
        let began = Instant::now();
        self.start().succeed(LIMIT);
        self.whole = began.elapsed();
    }

    /// Starts so many at once and kills all: at any time, or in every second round when a file
    /// appears.
    fn kill(&mut self, round: u64, at_once: usize) {
        let before = state(self.folder);
        let mut runs: Vec<_> = (0..at_once).map(|_| self.start()).collect();
        if round % 2 == 1 {
            let began = Instant::now();
            while state(self.folder) == before && began.elapsed() < self.whole * 2 {
                thread::yield_now();
            }
            sleep(self.random.below(Duration::from_millis(15)));
        } else {
            sleep(self.random.below(self.whole));
        }
        for run in &mut runs {
            let has_ended = run.ended();
            run.kill();
            let after = state(self.folder);
            *match has_ended {
                true => &mut self.hits.ended_by_itself,
                false if after.1 > before.1 => &mut self.hits.after_a_commit,
                false if after.0 > before.0 => &mut self.hits.before_the_commit,
                false => &mut self.hits.before_a_file,
            } += 1;
            sleep(self.random.below(Duration::from_millis(15)));
        }
        // Whenever somebody looks, no row is there twice.
        let Some(table) = LakeTable::find(self.folder) else { return };
        let ids = table.ids();
        assert!(ids.windows(2).all(|two| two[0] < two[1]), "a row is there twice");
    }
}

/// Kills runs beside an ingester that always has something to do.
fn each_row_once(name: &str, at_once: usize) {
    let rounds = std::env::var("AUDIT_TEST_DELTA_KILLS").ok().and_then(|text| text.parse().ok());
    let rounds = rounds.unwrap_or(ROUNDS);
    let scope = Sandbox::shared().scope(name);
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let database = Database::open(&audit.database_url);
    let arguments = ["ingest", "--topics", &topic, "--batch-rows", "30", "--batch-wait", "20"];
    let mut ingester = audit.start(&arguments);
    let is_over = AtomicBool::new(false);
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let mut of_all = Rounds {
        audit: &audit,
        folder: folder.path(),
        random: Random::new(),
        hits: Hits::default(),
        whole: Duration::from_secs(1),
    };
    thread::scope(|threads| {
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
        for round in 0..rounds {
            if round % 10 == 3 {
                of_all.run();
            }
            of_all.kill(round, at_once);
        }
    });
    ingester.stop();
    of_all.run();
    let table = LakeTable::read(folder.path());
    eprintln!(
        "{rounds} rounds: {:?}; version {}, {} files of {} in the folder, {} rows",
        of_all.hits,
        table.version,
        table.file_count(),
        state(folder.path()).0,
        database.event_count()
    );
    approve(&table, &database);
}

#[test]
fn a_run_that_is_killed_anywhere_loses_and_doubles_nothing() {
    each_row_once("delta_kills", 1);
}

#[test]
fn two_runs_at_once_that_are_killed_anywhere_lose_and_double_nothing() {
    each_row_once("delta_two_killed", 2);
}
