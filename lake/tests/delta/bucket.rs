//! A table in a bucket is one in a folder, whatever the network does.

use std::thread;

use lake::delta::{Error, Location, Maintenance, Outcome, Progress, Table};
use lake::file::FileOptions;

use crate::rows::{APP, DAY, WRITER, columns, data_files, file, ids, table};
use crate::server::{KEY, SECRET, Server};

fn progress(from: Option<i64>, to: i64) -> Progress<'static> {
    Progress { app_id: APP, from, to }
}

#[test]
fn a_table_in_a_bucket_is_found_again_with_its_rows() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let location = server.location("a/table", SECRET);
    assert!(Table::open(&location, WRITER).unwrap().is_none());
    let mut made = table(&location);
    // Large enough for several parts.
    let many: Vec<i64> = (10..400_000).collect();
    let files = [file(&made, Some(DAY), &[1, 2]), file(&made, None, &many)];
    assert!(files[1].bytes() > 10 << 20, "{}", files[1].bytes());
    assert_eq!(made.append(&files, &progress(None, 7)).unwrap(), Outcome::Committed(1));
    let found = Table::open(&location, WRITER).unwrap().unwrap();
    assert_eq!((found.version(), found.applied(APP).unwrap()), (1, Some(7)));
    // The server keeps objects as files, so that they can be read without it.
    let read = ids(&directory.path().join("lake/a/table"));
    assert_eq!(read, [1, 2].into_iter().chain(many).collect::<Vec<_>>());
}

#[test]
fn runs_side_by_side_hand_over_each_row_once_into_a_bucket() {
    const LAST: i64 = 20;
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut table = table(&server.location("table", SECRET));
                while table.applied(APP).unwrap() < Some(LAST) {
                    let from = table.applied(APP).unwrap();
                    let id = from.unwrap_or(0) + 1;
                    let files = [file(&table, Some(DAY), &[id])];
                    table.append(&files, &progress(from, id)).unwrap();
                }
            });
        }
    });
    assert_eq!(ids(&directory.path().join("lake/table")), (1..=LAST).collect::<Vec<_>>());
}

#[test]
fn a_commit_whose_answer_gets_lost_counts_once() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let mut table = table(&server.location("table", SECRET));
    for (id, fault) in (1..).zip([Server::cut, Server::error, Server::refuse]) {
        fault(&server, 1);
        let files = [file(&table, Some(DAY), &[id])];
        let outcome = table.append(&files, &progress((id > 1).then_some(id - 1), id)).unwrap();
        assert_eq!(outcome, Outcome::Committed(u64::try_from(id).unwrap()));
    }
    assert_eq!(ids(&directory.path().join("lake/table")), [1, 2, 3]);
}

#[test]
fn a_commit_that_may_have_arrived_keeps_its_files() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let mut table = table(&server.location("table", SECRET));
    let files = [file(&table, Some(DAY), &[1])];
    server.refuse(100);
    let error = table.append(&files, &progress(None, 1)).unwrap_err();
    assert!(matches!(error, Error::Unknown { .. }), "{error}");
    assert_eq!(data_files(&directory.path().join("lake/table")).len(), 1);
    server.refuse(0);
    assert_eq!(table.append(&files, &progress(None, 1)).unwrap(), Outcome::Committed(1));
    assert_eq!(ids(&directory.path().join("lake/table")), [1]);
}

#[test]
fn small_files_in_a_bucket_become_one() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let mut table = table(&server.location("table", SECRET));
    for id in 1..=50 {
        let files = [file(&table, Some(DAY), &[id])];
        table.append(&files, &progress((id > 1).then_some(id - 1), id)).unwrap();
    }
    let columns = columns();
    let done = table.maintain(&Maintenance::new(&columns, "id", FileOptions::new(WRITER)));
    let done = done.unwrap();
    assert_eq!((done.from, done.into, done.checkpoint), (50, 1, true));
    assert_eq!(ids(&directory.path().join("lake/table")), (1..=50).collect::<Vec<_>>());
}

#[test]
fn no_message_shows_a_secret() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let wrong = "wrong-secret-of-the-lake";
    let location = server.location("table", wrong);
    let error = Table::open(&location, WRITER).unwrap_err();
    for text in [error.to_string(), format!("{error:?}"), format!("{location:?} {location}")] {
        assert!(!text.contains(wrong) && !text.contains('\n'), "{text}");
    }
    let url = format!("s3://{KEY}:{SECRET}@lake/table");
    let error = Location::parse(&url, &[]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    let options = [("AWS_SECRET".to_owned(), SECRET.to_owned())];
    let error = Location::parse("s3://lake/table", &options).unwrap_err();
    assert!(matches!(&error, Error::Option { key, .. } if key == "AWS_SECRET"), "{error}");
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
}

#[test]
fn a_location_is_a_folder_or_a_bucket() {
    for (target, shown) in [
        ("s3://lake/table", "s3://lake/table/"),
        ("file:///srv/a%20lake", "/srv/a lake/"),
        ("/srv/lake", "/srv/lake/"),
    ] {
        assert_eq!(Location::parse(target, &[]).unwrap().to_string(), shown);
    }
    for target in ["gs://lake/table", "http://lake/table", "s3:///table", "s3://lake/table?a=b"] {
        let error = Location::parse(target, &[]).unwrap_err();
        assert!(matches!(error, Error::Location { .. }), "{error}");
    }
}
