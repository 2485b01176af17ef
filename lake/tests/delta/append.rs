//! Rows come into a table once, whoever else writes.

use lake::delta::{Creation, Error, Location, Outcome, Progress, Table};

use crate::rows::{DAY, WRITER, columns, create, file, folder, ids, table};

const APP: &str = "app-1";

fn progress(from: Option<i64>, to: i64) -> Progress<'static> {
    Progress { app_id: APP, from, to }
}

#[test]
fn a_table_is_found_again_with_its_rows_and_its_writers_place() {
    let directory = tempfile::tempdir().unwrap();
    let location = folder(&directory.path().join("lake"));
    assert!(Table::open(&location, WRITER).unwrap().is_none());

    let mut made = table(&location);
    assert_eq!((made.version(), made.applied(APP).unwrap()), (0, None));
    let files =
        [file(&made, Some(DAY), &[1, 2, 3]), file(&made, None, &[4]), file(&made, Some(DAY + 1), &[5])];
    assert_eq!(made.append(&files, &progress(None, 7)).unwrap(), Outcome::Committed(1));
    assert_eq!(made.applied(APP).unwrap(), Some(7));

    let found = Table::open(&location, WRITER).unwrap().unwrap();
    assert_eq!((found.version(), found.applied(APP).unwrap()), (1, Some(7)));
    assert_eq!(found.applied("other").unwrap(), None);
    assert_eq!(found.property("test.selection"), Some("all"));
    assert_eq!(found.property("test.other"), None);
    assert!(found.holds(&columns()));
    assert!(!found.holds(&columns()[1..]));
    assert_eq!(ids(&directory.path().join("lake")), [1, 2, 3, 4, 5]);
    if let Ok(keep) = std::env::var("LAKE_KEEP") {
        println!("{}", directory.keep().join(keep).display());
    }
}
