//! A table of many small commits stays quick.

use std::path::Path;
use std::time::{Duration, Instant};

use lake::delta::{Maintained, Maintenance, Outcome, Progress, Table};
use lake::file::FileOptions;

use crate::rows::{APP, DAY, WRITER, columns, data_files, file, folder, ids, ordered_ids, table};

/// Appends one row a commit, with ids from 1 to `last`.
fn append(table: &mut Table, last: i64) {
    for id in table.applied(APP).unwrap().unwrap_or(0) + 1..=last {
        let files = [file(table, Some(DAY), &[id])];
        let progress = Progress { app_id: APP, from: (id > 1).then_some(id - 1), to: id };
        assert!(matches!(table.append(&files, &progress).unwrap(), Outcome::Committed(_)));
    }
}

fn has_checkpoint(folder: &Path, version: u64) -> bool {
    folder.join(format!("_delta_log/{version:020}.checkpoint.parquet")).exists()
}

#[test]
fn small_files_become_one_with_the_same_rows_in_the_same_order() {
    let directory = tempfile::tempdir().unwrap();
    let mut table = table(&folder(directory.path()));
    let columns = columns();
    let plan = Maintenance::new(&columns, "id", FileOptions::new(WRITER));
    append(&mut table, 49);
    assert_eq!(table.maintain(&plan).unwrap(), Maintained::default());
    append(&mut table, 50);
    let done = table.maintain(&plan).unwrap();
    assert_eq!(done, Maintained { from: 50, into: 1, checkpoint: true });
    assert_eq!(table.version(), 51);
    assert!(has_checkpoint(directory.path(), 51));
    assert_eq!(ordered_ids(directory.path()), (1..=50).collect::<Vec<_>>());
    // It goes on behind that, and nothing is left to do.
    append(&mut table, 60);
    assert_eq!(table.maintain(&plan).unwrap(), Maintained::default());
    let found = Table::open(&folder(directory.path()), WRITER).unwrap().unwrap();
    assert_eq!((found.version(), found.applied(APP).unwrap()), (61, Some(60)));
    assert_eq!(found.property("test.selection"), Some("all"));
    assert_eq!(ids(directory.path()), (1..=60).collect::<Vec<_>>());
}

#[test]
fn each_day_keeps_its_rows_and_days_with_few_files_their_files() {
    let directory = tempfile::tempdir().unwrap();
    let mut table = table(&folder(directory.path()));
    for id in 1..=50 {
        let dates = [Some(DAY), None, Some(DAY + 1)];
        let date = if id == 50 { dates[2] } else { dates[usize::try_from(id % 2).unwrap()] };
        let files = [file(&table, date, &[id])];
        let progress = Progress { app_id: APP, from: (id > 1).then_some(id - 1), to: id };
        table.append(&files, &progress).unwrap();
    }
    let columns = columns();
    let plan = Maintenance::new(&columns, "id", FileOptions::new(WRITER));
    let done = table.maintain(&plan).unwrap();
    assert_eq!(done, Maintained { from: 49, into: 2, checkpoint: true });
    assert_eq!(ids(directory.path()), (1..=50).collect::<Vec<_>>());
}

#[test]
fn another_writers_commit_ends_the_work_and_loses_no_row() {
    let directory = tempfile::tempdir().unwrap();
    let location = folder(directory.path());
    let mut table = table(&location);
    append(&mut table, 50);
    let mut other = Table::open(&location, WRITER).unwrap().unwrap();
    append(&mut other, 51);
    let columns = columns();
    let plan = Maintenance::new(&columns, "id", FileOptions::new(WRITER));
    let done = table.maintain(&plan).unwrap();
    assert_eq!((done.from, done.into), (0, 0));
    assert_eq!(table.version(), 51);
    assert_eq!(data_files(directory.path()).len(), 51);
    assert_eq!(ids(directory.path()), (1..=51).collect::<Vec<_>>());
}

/// Run by hand: `LAKE_COMMITS=10000 cargo test --test delta -- --ignored --nocapture quick`, with
/// TMPDIR in memory.
#[test]
#[ignore = "measures, and asserts nothing of the time"]
fn a_table_of_many_commits_is_quick_to_open() {
    let commits = std::env::var("LAKE_COMMITS").ok().and_then(|text| text.parse().ok());
    let commits: i64 = commits.unwrap_or(1_000);
    let directory = tempfile::tempdir().unwrap();
    let location = folder(directory.path());
    let mut table = table(&location);
    let columns = columns();
    let plan = Maintenance::new(&columns, "id", FileOptions::new(WRITER));
    let (started, mut longest) = (Instant::now(), Duration::ZERO);
    for last in 1..=commits {
        append(&mut table, last);
        let began = Instant::now();
        table.maintain(&plan).unwrap();
        longest = longest.max(began.elapsed());
    }
    println!("{commits} commits in {:?}, longest maintenance {longest:?}", started.elapsed());
    let open = |how: &str| {
        let started = Instant::now();
        let found = Table::open(&location, WRITER).unwrap().unwrap();
        let opened = started.elapsed();
        assert_eq!(found.applied(APP).unwrap(), Some(commits));
        println!("{how}: opened in {opened:?}, the writer's place known {:?}", started.elapsed());
    };
    open("with checkpoints");
    if std::env::var("LAKE_KEEP").is_ok() {
        println!("{}", directory.keep().display());
        return;
    }
    for entry in std::fs::read_dir(directory.path().join("_delta_log")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("checkpoint") {
            std::fs::remove_file(path).unwrap();
        }
    }
    open("without");
}
