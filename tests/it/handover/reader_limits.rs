//! What readers lose when they guess, and what they cannot hold: docs/etl.md says so, and is held
//! to it here.

use sandbox::Sandbox;

use super::python::Python;
use super::seen::{Exports, Row, Seen, Times, assert_same, read, table};
use crate::support::rows::{commit, partition, record, reserve};
use crate::support::{Audit, Database};

/// The id of the row that holds a text.
fn id_of(table: &[Row], column: &str, text: &str) -> String {
    let row = table.iter().find(|row| row[column].as_deref() == Some(text));
    row.and_then(|row| row["id"].clone()).unwrap_or_else(|| panic!("no row has {text}"))
}

/// The cells in which a reader sees something else than the table holds: column, what is held, what
/// is seen.
fn differing(seen: &Seen, table: &[Row]) -> Vec<(String, Option<String>, Option<String>)> {
    let rows = seen.rows.iter().zip(table);
    let cells = rows.flat_map(|(seen, held)| {
        seen.iter()
            .filter(|(column, value)| held[*column] != **value)
            .map(|(column, value)| (column.clone(), held[column].clone(), value.clone()))
    });
    cells.collect()
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn readers_that_guess_lose_what_the_documents_say_and_nothing_else() {
    let Some(python) = Python::with("requirements.txt") else { return };
    let scope = Sandbox::shared().scope("reader_limits");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, include_str!("odd_rows.sql"));
    let table = table(&database, "true", Times::Micros);
    let exports = Exports::new(&audit);
    let csv = exports.export("all.csv", "");
    let ndjson = exports.export("all.ndjson", "");
    let parquet = exports.export("all.parquet", "");
    let folder = exports.export("rotated", "-o parquet --rotate 7");
    let zst = exports.export("rotated.csv.zst", "--rotate 7");
    let types = exports.export("types", "-o parquet --partition-by type");
    let ask = |script, orders: &[(&str, &str)]| read(&python, script, orders);

    // DuckDB: empty text in CSV becomes NULL, and a payload in JSON is no more than its doubles.
    let orders = [
        ("csv, guessed", csv.as_str()),
        ("json", &ndjson),
        ("json, guessed", &ndjson),
        ("amounts", &parquet),
    ];
    let [guessed, json, deep, amounts] = answers(ask("read_duckdb.py", &orders));
    let guessed = guessed.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        guessed.types.contains("event_id VARCHAR")
            && guessed.types.contains("created_at TIMESTAMP")
    );
    let empty = |column: &str| (column.to_owned(), text(""), None);
    assert_eq!(differing(&guessed, &table), [empty("event_type"), empty("source_service")]);
    let json = json.unwrap_or_else(|error| panic!("{error}"));
    let long = r#"{"n": 1234567890123456789012345678901234567890.10}"#;
    let payload = |held| json.cell(&id_of(&table, "payload", held), "payload");
    assert_eq!(payload(long), Some(r#"{"n":1.2345678901234568e39}"#));
    assert_eq!(payload("null"), None);
    assert!(differing(&json, &table).iter().all(|(column, ..)| column == "payload"));
    assert_fails(deep, "recursion depth");
    let amounts = amounts.unwrap_or_else(|error| panic!("{error}"));
    let plain = id_of(&table, "event_type", "Plain");
    assert_eq!(amounts.cell(&plain, "amount"), Some("12.5"));
    assert_eq!(amounts.types, "id BIGINT, amount VARCHAR");

    // Polars: t and f are texts, and numbers that are no double end it.
    let orders = [("csv, guessed", csv.as_str()), ("json, guessed", &ndjson), ("parquet", &folder)];
    let [guessed, json, with_manifest] = answers(ask("read_polars.py", &orders));
    let guessed = guessed.unwrap_or_else(|error| panic!("{error}"));
    assert!(guessed.types.contains("is_dlt String") && guessed.types.contains("created_at String"));
    assert!(
        differing(&guessed, &table)
            .iter()
            .all(|(column, ..)| ["is_dlt", "created_at"].contains(&column.as_str()))
    );
    assert_fails(json, "InvalidNumber");
    assert_fails(with_manifest, "different file extensions");

    // pyarrow: NULL becomes empty text, a payload must have one type, and folders no .zst.
    let orders =
        [("csv, guessed", csv.as_str()), ("json, guessed", &ndjson), ("csv, rotated", &zst)];
    let [guessed, json, zst] = answers(ask("read_pyarrow.py", &orders));
    let guessed = guessed.unwrap_or_else(|error| panic!("{error}"));
    let nothing = id_of(&table, "event_type", "No service");
    assert_eq!(guessed.cell(&nothing, "source_service"), Some(""));
    assert_fails(json, "changed from object to string");
    assert_fails(zst, "Is this a 'csv' file?");

    // pandas: NULL and empty text are one, whatever it is told; untold, NA and None are NULL, too.
    let orders = [
        ("csv", csv.as_str()),
        ("csv, guessed", &csv),
        ("json, guessed", &ndjson),
        ("parquet", &types),
    ];
    let [told, guessed, json, folders] = answers(ask("read_pandas.py", &orders));
    let told = told.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(differing(&told, &table), [("source_service".to_owned(), None, text(""))]);
    let guessed = guessed.unwrap_or_else(|error| panic!("{error}"));
    for event_type in ["NULL", "NA", "None"] {
        let id = id_of(&table, "event_type", event_type);
        assert_eq!(guessed.cell(&id, "event_type"), None, "{event_type}");
    }
    assert_fails(json, "too big");
    assert_fails(folders, "unify dictionaries");
}

#[test]
fn integers_with_null_beside_them_are_exact_in_pandas_with_arrows_types_alone() {
    let Some(python) = Python::with("requirements.txt") else { return };
    let scope = Sandbox::shared().scope("reader_integers");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, include_str!("far_times.sql"));
    let topic = partition(&database, "orders");
    let ids = reserve(&database, 1);
    database.execute("BEGIN");
    database.execute(&format!(
        "INSERT INTO event_logs (id, event_id, event_type, is_dlt, payload, created_at, partition_id, kafka_offset)
         VALUES ({}, gen_random_uuid(), 'Offset', false, '1', '2026-11-22', {topic}, 9007199254740993)",
        ids.start()
    ));
    commit(&database, &ids);
    let exports = Exports::new(&audit);
    let path = exports.export("all.parquet", "--columns id,kafka_offset,partition,created_at");
    let orders = [("parquet", path.as_str()), ("parquet, arrow types", &path)];
    let [plain, arrow] = answers(read(&python, "read_pandas.py", &orders));
    let cell = |seen: Result<Seen, String>| {
        let seen = seen.unwrap_or_else(|error| panic!("{error}"));
        let value = seen.cell(&ids.start().to_string(), "kafka_offset").map(str::to_owned);
        (value.unwrap_or_default(), seen.types)
    };
    let (value, types) = cell(plain);
    assert_eq!(value, "9007199254740992.0");
    assert!(types.contains("kafka_offset float64"), "{types}");
    let (value, types) = cell(arrow);
    assert_eq!(value, "9007199254740993");
    assert!(types.contains("partition int32[pyarrow]"), "{types}");
}

#[test]
fn times_outside_the_years_1_to_9999_are_exact_in_parquet_and_texts_elsewhere() {
    let Some(python) = Python::with("requirements.txt") else { return };
    let scope = Sandbox::shared().scope("reader_times");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, include_str!("far_times.sql"));
    record(&database, include_str!("endless_times.sql"));
    let far = table(&database, "event_type = 'Far'", Times::Micros);
    let exports = Exports::new(&audit);
    let parquet = exports.export("far.parquet", "--type Far");
    let hive = exports.export("far", "-o parquet --partition-by date --type Far");
    let csv = exports.export("all.csv", "");
    let ndjson = exports.export("all.ndjson", "--payload-as text --timestamps sql");

    let texts = table(&database, "true", Times::Text);
    let as_text = "text payloads, times as text";
    for script in ["read_duckdb.py", "read_polars.py", "read_pyarrow.py", "read_pandas.py"] {
        let orders = [
            ("parquet", parquet.as_str()),
            ("parquet, hive", &hive),
            ("csv, times as text", &csv),
            (as_text, &ndjson),
        ];
        let seen = read(&python, script, &orders);
        let tables = [&far, &far, &texts, &texts];
        for ((answer, table), (way, _)) in seen.into_iter().zip(tables).zip(orders) {
            let what = format!("{script}, {way}");
            let seen = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_same(&what, &seen.rows, table, |_, _| None);
        }
    }

    // DuckDB reads all but the very last from CSV, told where it has BC; pyarrow can't guess what
    // folders without a value hold.
    let far_csv = exports.export("far.csv", "--type Far");
    let never_csv = exports.export("never.csv", "--type Never,Always");
    let never = table(&database, "event_type IN ('Never', 'Always')", Times::Micros);
    let orders = [("csv, before Christ", far_csv.as_str()), ("csv", &never_csv), ("csv", &csv)];
    let [christ, endless, all] = answers(read(&python, "read_duckdb.py", &orders));
    assert_same("BC", &christ.unwrap_or_else(|error| panic!("{error}")).rows, &far, |_, _| None);
    assert_same(
        "never",
        &endless.unwrap_or_else(|error| panic!("{error}")).rows,
        &never,
        |_, _| None,
    );
    assert_fails(all, "BC");
    let [guessed, told] = answers(read(
        &python,
        "read_pyarrow.py",
        &[("parquet, hive, guessed", &hive), ("csv", &csv)],
    ));
    assert_fails(guessed, "No non-null segments");
    assert_fails(told, "4713-01-01 00:00:00 BC");
}

#[test]
fn parquet_refuses_a_time_that_it_cannot_hold_and_names_the_row() {
    let scope = Sandbox::shared().scope("reader_refused");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, include_str!("far_times.sql"));
    record(&database, include_str!("endless_times.sql"));
    let exports = Exports::new(&audit);
    for (event_type, time) in
        [("Never", "infinity"), ("Always", "-infinity"), ("Last", "294276-12-31T23:59:59.999999Z")]
    {
        let id =
            database.value(&format!("SELECT id FROM event_logs WHERE event_type = '{event_type}'"));
        for options in [&[][..], &["--partition-by", "date"]] {
            let path = exports.path(&format!("{event_type}{}.parquet", options.len()));
            let mut arguments = vec!["export", &path, "--type", event_type, "-o", "parquet"];
            arguments.extend(options);
            let output = audit.run(&arguments);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{errors}");
            let expected = format!("row {id}: created_at is {time}, which Parquet cannot hold");
            assert!(errors.contains(&expected), "{errors}");
            assert!(!std::path::Path::new(&path).is_file());
        }
    }
}

/// Fails unless a reader failed, and said so.
fn assert_fails(answer: Result<Seen, String>, part: &str) {
    match answer {
        Ok(seen) => panic!("it was read: {}", seen.types),
        Err(error) => assert!(error.contains(part), "{error}"),
    }
}

/// As many answers as there were orders.
fn answers<const COUNT: usize>(given: Vec<Result<Seen, String>>) -> [Result<Seen, String>; COUNT] {
    let count = given.len();
    given.try_into().unwrap_or_else(|_| panic!("{count} answers"))
}
