//! DuckDB, Polars, pyarrow, pandas and PostgreSQL find the table in the files, whatever it holds.
//! What each of them has to be told stands in docs/etl.md: these tests hold it to that.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sandbox::Sandbox;

use super::python::Python;
use super::seen::{COLUMNS, Exports, Times, assert_same, odd_rows, read, table};
use crate::support::rows::record;
use crate::support::{Audit, Database};

/// The files, and how they are exported.
const FILES: [(&str, &str); 19] = [
    ("all.csv", ""),
    ("all.csv.gz", ""),
    ("all.csv.zst", ""),
    ("all.ndjson", "--payload-as text"),
    ("all.ndjson.gz", "--payload-as text"),
    ("all.ndjson.zst", "--payload-as text"),
    ("all.json", "--payload-as text"),
    ("all.json.gz", "--payload-as text"),
    ("all.json.zst", "--payload-as text"),
    ("all.parquet", ""),
    ("types.csv.gz", "--partition-by type"),
    ("dates.csv", "--partition-by date --rotate 7"),
    ("rotated.csv.gz", "--rotate 7"),
    ("rotated.csv.zst", "--rotate 7"),
    ("services.ndjson.zst", "--partition-by service --payload-as text"),
    ("types.parquet", "--partition-by type"),
    ("services.parquet", "--partition-by service --rotate 1"),
    ("dates.parquet", "--partition-by date"),
    ("rotated.parquet", "--rotate 7"),
];

/// A way to read, the file or what is read in the folder, and the types that are seen, in the order
/// of the columns; any, where they are empty.
type Case<'a> = (&'a str, &'a str, &'a str);

/// Fails unless a reader finds the odd rows in each of these files.
fn assert_reads(scope: &str, script: &str, cases: &[Case<'_>]) {
    let Some(python) = Python::with("requirements.txt") else { return };
    let scope = Sandbox::shared().scope(scope);
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &odd_rows());
    let table = table(&database, "true", Times::Micros);
    let exports = Exports::new(&audit);
    let paths: Vec<String> = cases.iter().map(|(_, path, _)| exported(&exports, path)).collect();
    let orders: Vec<_> =
        cases.iter().zip(&paths).map(|((way, ..), path)| (*way, path.as_str())).collect();
    for (seen, (way, path, kinds)) in read(&python, script, &orders).into_iter().zip(cases) {
        let what = format!("{script}, {way}, {path}");
        let seen = seen.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_same(&what, &seen.rows, &table, |column, held| {
            // For all but DuckDB the name of no value is no value, also where it is encoded.
            let is_lost = script != "read_duckdb.py"
                && ["type", "service"].contains(&column)
                && held.as_deref() == Some("__HIVE_DEFAULT_PARTITION__");
            is_lost.then_some(None)
        });
        if !kinds.is_empty() {
            let columns = COLUMNS.split(',').chain(["by"]).zip(kinds.split(" | "));
            let types = columns.map(|(column, kind)| match column {
                "by" => kind.to_owned(),
                column => format!("{column} {kind}"),
            });
            assert_eq!(seen.types, types.collect::<Vec<_>>().join(", "), "{what}");
        }
    }
}

/// Exports what a path is in, unless it is there.
fn exported(exports: &Exports<'_>, path: &str) -> String {
    let name = path.split('/').next().unwrap_or_default();
    let Some((_, options)) = FILES.iter().find(|(file, _)| *file == name) else {
        panic!("no file is called {name}")
    };
    if !Path::new(&exports.path(name)).exists() {
        exports.export(name, options);
    }
    exports.path(path)
}

#[test]
fn duckdb_finds_each_value_in_every_format() {
    let typed =
        "BIGINT | UUID | VARCHAR | UUID | VARCHAR | BOOLEAN | JSON | TIMESTAMP WITH TIME ZONE";
    assert_reads(
        "readers_duckdb",
        "read_duckdb.py",
        &[
            ("csv", "all.csv", typed),
            ("csv", "all.csv.gz", typed),
            ("csv", "all.csv.zst", typed),
            ("csv", "rotated.csv.zst/events-*", typed),
            ("csv, hive", "types.csv.gz", ""),
            ("csv, hive", "dates.csv", ""),
            ("text payloads", "all.ndjson", typed),
            ("text payloads", "all.ndjson.gz", typed),
            ("text payloads", "all.ndjson.zst", typed),
            ("text payloads", "all.json", typed),
            ("text payloads", "all.json.gz", typed),
            ("text payloads", "all.json.zst", typed),
            ("text payloads, hive", "services.ndjson.zst", ""),
            ("parquet", "all.parquet", typed),
            ("parquet", "rotated.parquet/events-*", typed),
            ("parquet, filtered", "rotated.parquet/events-*", ""),
            ("parquet, hive", "types.parquet", &format!("{typed} | type VARCHAR")),
            ("parquet, hive", "services.parquet", ""),
            ("parquet, hive, guessed", "dates.parquet", &format!("{typed} | date DATE")),
        ],
    );
}

#[test]
fn polars_finds_each_value_in_every_format() {
    let time = "Datetime(time_unit='us', time_zone='UTC')";
    let texts = &format!("Int64 | String | String | String | String | Boolean | String | {time}");
    let typed = &format!("Int64 | Binary | String | Binary | String | Boolean | String | {time}");
    assert_reads(
        "readers_polars",
        "read_polars.py",
        &[
            ("csv", "all.csv", texts),
            ("csv", "all.csv.gz", texts),
            ("csv", "all.csv.zst", texts),
            ("csv", "rotated.csv.zst/events-*", texts),
            ("csv", "dates.csv/*/events-*", texts),
            ("text payloads", "all.ndjson", texts),
            ("text payloads", "all.ndjson.gz", texts),
            ("text payloads", "all.ndjson.zst", texts),
            ("text payloads, array", "all.json", texts),
            ("text payloads, array", "all.json.gz", texts),
            ("text payloads, array", "all.json.zst", texts),
            ("parquet", "all.parquet", typed),
            ("parquet", "rotated.parquet/events-*", typed),
            ("parquet, filtered", "rotated.parquet/events-*", ""),
            ("parquet, hive", "types.parquet", &format!("{typed} | type String")),
            ("parquet, hive", "services.parquet", ""),
            ("parquet, hive", "dates.parquet", &format!("{typed} | date Date")),
        ],
    );
}

#[test]
fn pyarrow_finds_each_value_in_every_format_but_an_array_of_json() {
    let moment = "timestamp[us, tz=UTC]";
    let texts = &format!("int64 | string | string | string | string | bool | string | {moment}");
    let uuid = "extension<arrow.uuid>";
    let typed = &format!(
        "int64 | {uuid} | string | {uuid} | string | bool | extension<arrow.json> | {moment}"
    );
    let uuid = "fixed_size_binary[16]";
    let bytes = &format!("int64 | {uuid} | string | {uuid} | string | bool | string | {moment}");
    assert_reads(
        "readers_pyarrow",
        "read_pyarrow.py",
        &[
            ("csv", "all.csv", texts),
            ("csv", "all.csv.gz", texts),
            ("csv", "all.csv.zst", texts),
            ("csv, rotated", "rotated.csv.gz", texts),
            ("csv, hive", "types.csv.gz", &format!("{texts} | type string")),
            ("csv, hive", "dates.csv", ""),
            ("text payloads", "all.ndjson", texts),
            ("text payloads", "all.ndjson.gz", texts),
            ("text payloads", "all.ndjson.zst", texts),
            ("parquet", "all.parquet", typed),
            ("parquet, rotated", "rotated.parquet", bytes),
            ("parquet, filtered", "rotated.parquet", bytes),
            ("parquet, hive", "types.parquet", &format!("{bytes} | type string")),
            ("parquet, hive", "services.parquet", ""),
            ("parquet, hive", "dates.parquet", &format!("{bytes} | date date32[day]")),
        ],
    );
}

#[test]
fn pandas_finds_each_value_in_every_format() {
    let moment = "datetime64[us, UTC]";
    let texts = &format!("int64 | str | str | str | str | object | str | {moment}");
    let typed = &format!("int64 | object | str | object | str | object | object | {moment}");
    let uuid = "extension<arrow.uuid>[pyarrow]";
    let arrow = &format!(
        "int64[pyarrow] | {uuid} | string[pyarrow] | {uuid} | string[pyarrow] | bool[pyarrow] | \
         extension<arrow.json>[pyarrow] | timestamp[us, tz=UTC][pyarrow]"
    );
    assert_reads(
        "readers_pandas",
        "read_pandas.py",
        &[
            ("csv, by pyarrow", "all.csv", texts),
            ("csv, by pyarrow", "all.csv.gz", texts),
            ("csv, by pyarrow", "all.csv.zst", texts),
            ("text payloads", "all.ndjson", texts),
            ("text payloads", "all.ndjson.gz", texts),
            ("text payloads", "all.ndjson.zst", texts),
            ("text payloads, array", "all.json", texts),
            ("text payloads, array", "all.json.gz", texts),
            ("text payloads, array", "all.json.zst", texts),
            ("parquet", "all.parquet", typed),
            ("parquet, arrow types", "all.parquet", arrow),
            ("parquet", "rotated.parquet", typed),
            ("parquet, hive", "types.parquet", &format!("{typed} | type str")),
            ("parquet, hive", "services.parquet", ""),
            ("parquet, hive", "dates.parquet", &format!("{typed} | date object")),
        ],
    );
}

#[test]
fn copy_loads_folders_of_compressed_csv_back() {
    let scope = Sandbox::shared().scope("readers_copy");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &odd_rows());
    record(&database, include_str!("far_times.sql"));
    record(&database, include_str!("endless_times.sql"));
    let exports = Exports::new(&audit);
    for (name, options) in [
        ("types.csv.gz", "--partition-by type"),
        ("dates.csv.zst", "--partition-by date --rotate 7"),
    ] {
        let folder = exports.export(name, options);
        database.execute("DROP TABLE IF EXISTS loaded; CREATE TABLE loaded (LIKE event_logs)");
        for path in files_in(Path::new(&folder)) {
            let content = decompressed(&path);
            let copy = format!("COPY loaded ({COLUMNS}) FROM STDIN (FORMAT csv, HEADER MATCH)");
            database.copy_in(&copy, &content);
        }
        let differing = database.number(&format!(
            "SELECT count(*) FROM (SELECT {COLUMNS} FROM event_logs EXCEPT SELECT {COLUMNS} FROM loaded) AS differing"
        ));
        let counts = database
            .rows("SELECT (SELECT count(*) FROM loaded), count(*), count(*) > 50 FROM event_logs");
        assert_eq!(differing, 0, "{name}");
        assert!(counts[0][0] == counts[0][1] && counts[0][2] == "t", "{name}: {counts:?}");
    }
}

/// The files in the folders of a folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries(folder).map(|entry| entry.path()).filter(|path| path.is_dir());
    folders.flat_map(|folder| entries(&folder)).map(|entry| entry.path()).collect()
}

fn decompressed(path: &Path) -> Vec<u8> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut content = Vec::new();
    let read = match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => MultiGzDecoder::new(file).read_to_end(&mut content),
        Some("zst") => zstd::Decoder::new(file).and_then(|mut file| file.read_to_end(&mut content)),
        _ => panic!("{} is not compressed", path.display()),
    };
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    content
}
