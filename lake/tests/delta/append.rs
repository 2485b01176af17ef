//! Rows come into a table once, whoever else writes.

use std::path::Path;
use std::sync::Barrier;
use std::thread;

use lake::delta::{Error, Outcome, Progress, Table};

use crate::rows::{APP, DAY, WRITER, columns, create, data_files, file, folder, ids, table};

fn progress(from: Option<i64>, to: i64) -> Progress<'static> {
    Progress { app_id: APP, from, to }
}

#[test]
fn a_table_is_found_again_with_its_rows_and_its_writers_place() {
    let directory = tempfile::tempdir().unwrap();
    // What a URL escapes is no trouble in a folder's name.
    let folder_of = directory.path().join("a lake #1 100% été");
    let location = folder(&folder_of);
    assert!(Table::open(&location, WRITER).unwrap().is_none());

    let mut made = table(&location);
    assert_eq!((made.version(), made.applied(APP).unwrap()), (0, None));
    let files = [
        file(&made, Some(DAY), &[1, 2, 3]),
        file(&made, None, &[4]),
        file(&made, Some(DAY + 1), &[5]),
    ];
    assert_eq!(made.append(&files, &progress(None, 7)).unwrap(), Outcome::Committed(1));
    assert_eq!(made.applied(APP).unwrap(), Some(7));

    let found = Table::open(&location, WRITER).unwrap().unwrap();
    assert_eq!((found.version(), found.applied(APP).unwrap()), (1, Some(7)));
    assert_eq!(found.applied("other").unwrap(), None);
    assert_eq!(found.property("test.selection"), Some("all"));
    assert_eq!(found.property("test.other"), None);
    assert!(found.holds(&columns()));
    assert!(!found.holds(&columns()[1..]));
    assert_eq!(ids(&folder_of), [1, 2, 3, 4, 5]);
}

#[test]
fn a_folder_with_files_but_no_log_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("notes.txt"), "mine").unwrap();
    let error = Table::open(&folder(directory.path()), WRITER).unwrap_err();
    assert!(matches!(error, Error::NotATable { .. }), "{error}");
}

#[test]
fn a_log_that_is_damaged_is_an_error_and_no_new_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let location = folder(directory.path());
    table(&location);
    let log = directory.path().join("_delta_log/00000000000000000000.json");
    std::fs::write(log, "{\"protocol\"").unwrap();
    let error = Table::open(&location, WRITER).unwrap_err();
    assert!(matches!(error, Error::Store { .. }), "{error}");
    assert!(create(&location).is_none());
}

#[test]
fn of_many_that_make_a_table_at_once_one_does() {
    for _ in 0..10 {
        let directory = tempfile::tempdir().unwrap();
        let (start, location) = (Barrier::new(4), folder(directory.path()));
        let made: usize = thread::scope(|scope| {
            let runs = [(); 4].map(|()| {
                scope.spawn(|| {
                    start.wait();
                    usize::from(create(&location).is_some())
                })
            });
            runs.into_iter().map(|run| run.join().unwrap()).sum()
        });
        assert_eq!(made, 1);
        assert_eq!(Table::open(&location, WRITER).unwrap().unwrap().version(), 0);
    }
}

/// Hands over the batches up to `last`, one a commit, beside others that do the same.
fn hand_over(folder_of: &Path, last: i64) {
    let location = folder(folder_of);
    let mut table = table(&location);
    loop {
        let from = table.applied(APP).unwrap();
        let batch = from.unwrap_or(0) + 1;
        if batch > last {
            return;
        }
        let files = [file(&table, Some(DAY), &[batch * 2, batch * 2 + 1])];
        match table.append(&files, &progress(from, batch)).unwrap() {
            Outcome::Committed(_) => {}
            Outcome::Overtaken(now) => assert!(now > from),
        }
    }
}

#[test]
fn runs_side_by_side_hand_over_each_row_once() {
    const LAST: i64 = 60;
    let directory = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| hand_over(directory.path(), LAST));
        }
    });
    assert_eq!(ids(directory.path()), (2..=LAST * 2 + 1).collect::<Vec<_>>());
    let table = Table::open(&folder(directory.path()), WRITER).unwrap().unwrap();
    assert_eq!(table.version(), u64::try_from(LAST).unwrap());
    // Those who came second took their files back.
    assert_eq!(data_files(directory.path()).len(), usize::try_from(LAST).unwrap());
}

#[test]
fn a_commit_of_another_writer_costs_no_file_and_no_row() {
    let directory = tempfile::tempdir().unwrap();
    let location = folder(directory.path());
    let mut one = table(&location);
    let mut other = Table::open(&location, WRITER).unwrap().unwrap();
    let theirs = Progress { app_id: "other", from: None, to: 3 };
    let files = [file(&other, Some(DAY), &[1])];
    assert_eq!(other.append(&files, &theirs).unwrap(), Outcome::Committed(1));
    let files = [file(&one, Some(DAY), &[2])];
    assert_eq!(one.append(&files, &progress(None, 1)).unwrap(), Outcome::Committed(2));
    assert_eq!(one.applied("other").unwrap(), Some(3));
    assert_eq!(ids(directory.path()), [1, 2]);
}

#[test]
fn a_run_that_is_overtaken_is_told_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let location = folder(directory.path());
    let mut one = table(&location);
    let mut other = Table::open(&location, WRITER).unwrap().unwrap();
    let files = [file(&other, Some(DAY), &[1])];
    assert_eq!(other.append(&files, &progress(None, 1)).unwrap(), Outcome::Committed(1));
    let files = [file(&one, Some(DAY), &[1])];
    assert_eq!(one.append(&files, &progress(None, 1)).unwrap(), Outcome::Overtaken(Some(1)));
    assert_eq!(ids(directory.path()), [1]);
    assert_eq!(data_files(directory.path()).len(), 1);
}

#[test]
fn a_commit_that_does_not_move_its_writer_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut table = table(&folder(directory.path()));
    let files = [file(&table, Some(DAY), &[1])];
    table.append(&files, &progress(None, 1)).unwrap();
    let files = [file(&table, Some(DAY), &[2])];
    let error = table.append(&files, &progress(Some(1), 1)).unwrap_err();
    assert!(matches!(error, Error::Backwards { .. }), "{error}");
    assert_eq!(data_files(directory.path()).len(), 1);
}

#[test]
fn a_file_that_is_given_up_leaves_nothing() {
    use std::io::Write as _;
    let directory = tempfile::tempdir().unwrap();
    let table = table(&folder(directory.path()));
    let mut file = table.new_file(Some(DAY));
    file.write_all(&vec![7; 12 << 20]).unwrap();
    while data_files(directory.path()).is_empty() {
        thread::yield_now();
    }
    // It is taken back in the background.
    drop(file);
    while !data_files(directory.path()).is_empty() {
        thread::yield_now();
    }
}
