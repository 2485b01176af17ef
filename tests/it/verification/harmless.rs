//! What may be done with a record is not taken for an alteration.

use sandbox::Sandbox;
use tokio::runtime::Runtime;

use super::random::Random;
use super::world::{World, found, pour};

/// How many transactions of ten operations each.
const ROUNDS: u64 = 200;

/// Nothing of this changes what was recorded.
const OPERATIONS: [&str; 25] = [
    "ANALYZE",
    "CLUSTER event_logs_000000 USING event_logs_000000_pkey",
    "CLUSTER ingest_batches USING ingest_batches_pkey",
    "REINDEX TABLE event_logs_000000",
    "REINDEX TABLE evidence_leaves",
    "UPDATE event_logs SET payload = payload",
    "UPDATE event_logs SET payload = payload::text::jsonb, attributes = attributes::text::jsonb WHERE id % 7 = 0",
    "UPDATE event_logs SET event_type = event_type WHERE id % 3 = 0",
    "UPDATE dead_letters SET value = value, headers = headers::text::jsonb",
    "UPDATE ingest_batches SET ingester = ingester; UPDATE ingest_batch_ranges SET kind = kind",
    "UPDATE evidence_leaves SET hash = hash WHERE leaf_index % 2 = 0",
    "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM event_logs; DELETE FROM event_logs;
     INSERT INTO event_logs SELECT * FROM kept ORDER BY md5(id::text); DROP TABLE kept",
    "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM dead_letters; DELETE FROM dead_letters;
     INSERT INTO dead_letters SELECT * FROM kept ORDER BY md5(event_log_id::text); DROP TABLE kept",
    "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM ingest_batch_ranges; DELETE FROM ingest_batch_ranges;
     INSERT INTO ingest_batch_ranges SELECT * FROM kept ORDER BY md5(first_offset::text); DROP TABLE kept",
    "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM evidence_leaves; DELETE FROM evidence_leaves;
     INSERT INTO evidence_leaves SELECT * FROM kept ORDER BY hash; DROP TABLE kept",
    "ALTER TABLE event_logs_000000 SET (fillfactor = 50)",
    "ALTER TABLE event_logs_000000 ALTER COLUMN payload SET STORAGE EXTERNAL; UPDATE event_logs SET payload = payload || '{}' WHERE jsonb_typeof(payload) = 'object'",
    "CREATE INDEX IF NOT EXISTS theirs ON event_logs (source_service)",
    "UPDATE kafka_partitions SET claimed_by = 'another', claimed_at = now(), epoch = epoch + 1",
    "UPDATE kafka_partitions SET topic_id = coalesce(topic_id, gen_random_uuid())",
    "SELECT ensure_event_log_leaf(1 << 21)",
    "SET LOCAL timezone = 'Asia/Kolkata'; SET LOCAL datestyle = 'german'; SET LOCAL intervalstyle = 'sql_standard'",
    "SET LOCAL bytea_output = 'escape'; SET LOCAL extra_float_digits = -5; SET LOCAL enable_indexscan = off",
    "SET LOCAL search_path = pg_temp; CREATE TEMP TABLE IF NOT EXISTS ingest_batches () ON COMMIT DROP",
    "GRANT SELECT ON event_logs TO PUBLIC; COMMENT ON TABLE event_logs IS 'theirs'",
];

#[test]
fn what_changes_no_value_is_no_alteration() {
    let scope = Sandbox::shared().scope("verify_harmless");
    let world = World::recorded(&scope);
    world.disarm();
    let anchors = world.anchors();
    Runtime::new().unwrap().block_on(async {
        let mut client = world.client().await;
        client
            .batch_execute("SET session_replication_role = replica; SET jit = off")
            .await
            .unwrap();
        for seed in 0..ROUNDS {
            let mut random = Random::new(seed);
            let mut transaction = client.transaction().await.unwrap();
            let mut done = Vec::new();
            for _ in 0..10 {
                let operation = random.one_of(&OPERATIONS);
                transaction.batch_execute("SET LOCAL search_path = public, pg_temp").await.unwrap();
                let result = transaction.batch_execute(operation).await;
                result.unwrap_or_else(|error| panic!("seed {seed}: {operation}: {error:?}"));
                done.push(operation);
            }
            let findings = found(&mut transaction, &anchors).await.unwrap();
            assert_eq!(findings, [], "seed {seed}: {done:?}");
            transaction.rollback().await.unwrap();
        }
    });
}

#[test]
fn what_rewrites_tables_or_moves_to_another_server_leaves_the_evidence_whole() {
    let scope = Sandbox::shared().scope("verify_rewritten");
    let world = World::recorded(&scope);
    let (folder, given) = world.signed();
    let verify = |database_url: &str| {
        let audit =
            crate::support::Audit { database_url: database_url.to_owned(), ..world.audit.clone() };
        let arguments: Vec<&str> = given.iter().map(String::as_str).collect();
        let output = audit.run(&[&["verify"], arguments.as_slice()].concat());
        let text =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.code(), text.concat())
    };
    for operation in [
        "SELECT 1",
        "VACUUM FULL",
        "VACUUM (FREEZE, ANALYZE)",
        "CLUSTER event_logs_000000 USING event_logs_000000_pkey",
        "REINDEX TABLE CONCURRENTLY event_logs_000000",
        "SELECT seal_event_log_leaf(0, true, false)",
    ] {
        world.database.execute(operation);
        let (code, text) = verify(&world.audit.database_url);
        assert_eq!(code, Some(0), "{operation}: {text}");
    }
    world.audit.succeed(&["maintain"]);
    assert_eq!(verify(&world.audit.database_url).0, Some(0), "maintained");
    // The text of a dump, poured into a database of another collation.
    let restored = scope
        .database_with("restored", "LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE' TEMPLATE template0");
    pour(&world.audit.database_url, &restored);
    let (code, text) = verify(&restored);
    assert_eq!(code, Some(0), "restored: {text}");
    drop(folder);
}
