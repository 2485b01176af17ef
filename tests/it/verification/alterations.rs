//! Alterations of the record, as many as a superuser can think of.

use super::random::Random;

/// An alteration, as statements.
#[derive(Debug)]
pub(super) struct Alteration {
    pub(super) statements: String,
    /// Whether it is nothing that a checkpoint says something of: what is merely missing is
    /// incomplete then.
    pub(super) is_beside: bool,
}

fn altered(statements: impl Into<String>) -> Alteration {
    Alteration { statements: statements.into(), is_beside: false }
}

fn beside(statements: impl Into<String>) -> Alteration {
    Alteration { is_beside: true, ..altered(statements) }
}

/// The ids, numbers and so on of one line of a table, by chance.
fn any(random: &mut Random, columns: &str, from: &str) -> String {
    let number = random.next() >> 33;
    format!(
        "(SELECT {columns} FROM {from} ORDER BY {columns} OFFSET (SELECT {number} % count(*) FROM {from}) LIMIT 1)"
    )
}

/// What a column is set to: always something else than it was, as far as one can tell.
const EVENT_COLUMNS: [&str; 21] = [
    "id = id + 1000000",
    "event_id = gen_random_uuid()",
    "event_type = event_type || 'x'",
    "event_type = upper(event_type) || '1'",
    "aggregate_id = gen_random_uuid()",
    "aggregate_id = CASE WHEN aggregate_id IS NULL THEN gen_random_uuid() END",
    "source_service = coalesce(source_service, '') || ' '",
    "source_service = CASE WHEN source_service IS NULL THEN '' END",
    "is_dlt = NOT is_dlt",
    "is_dlt = NULL",
    "payload = jsonb_build_array(payload)",
    "payload = '{\"amount\": 0.000000000000000000001}'",
    "payload = (payload #>> '{}')::jsonb || '{\"note\": null}'",
    "created_at = created_at + interval '1 microsecond'",
    "created_at = created_at - interval '1 day'",
    "created_at = 'infinity'",
    "partition_id = 1 + partition_id % 5",
    "kafka_offset = kafka_offset + 1",
    "kafka_offset = NULL, partition_id = NULL",
    "correlation_id = CASE WHEN correlation_id IS NULL THEN gen_random_uuid() END",
    "attributes = coalesce(attributes, '{}') || '{\"key\": \"forged\"}'",
];

const DEAD_LETTER_COLUMNS: [&str; 17] = [
    "event_log_id = event_log_id + 5000000",
    "key = coalesce(key, '') || '\\x00'",
    "key = CASE WHEN key IS NULL THEN ''::bytea END",
    "value = coalesce(value, '') || 'x'",
    "headers = headers || '[{\"name\": \"x\", \"value_base64\": \"\"}]'",
    "origin_topic = coalesce(origin_topic, '') || '2'",
    "origin_source = CASE origin_source WHEN 'header' THEN 'suffix' ELSE 'header' END",
    "origin_partition = coalesce(origin_partition, 0) + 1",
    "origin_offset = coalesce(origin_offset, 0) + 1",
    "origin_timestamp = coalesce(origin_timestamp, now()) + interval '1 microsecond'",
    "consumer_group = coalesce(consumer_group, '') || 'x'",
    "exception_class = coalesce(exception_class, '') || 'x'",
    "exception_message = CASE WHEN exception_message = '' THEN NULL ELSE '' END",
    "stack_trace = coalesce(stack_trace, '') || E'\\n'",
    "attempts = coalesce(attempts, 0) + 1",
    "replay_id = gen_random_uuid()",
    "replay_attempt = coalesce(replay_attempt, 0) + 1",
];

const BATCH_COLUMNS: [&str; 10] = [
    "recorded_at = recorded_at + interval '1 microsecond'",
    "recorded_at = recorded_at - interval '1 day'",
    "ingester = ingester || '2'",
    "row_root = sha256(row_root)",
    "record_root = sha256(coalesce(record_root, ''))",
    "record_root = CASE WHEN record_root IS NULL THEN sha256('') END",
    "min_created_at = min_created_at - interval '1 microsecond'",
    "max_created_at = max_created_at + interval '1 microsecond'",
    "min_created_at = NULL, max_created_at = NULL",
    "counted = NOT counted",
];

const REPLAY_COLUMNS: [&str; 9] = [
    "replay_id = gen_random_uuid()",
    "attempt = attempt + 7",
    "requested_by = requested_by || 'x'",
    "database_role = database_role || 'x'",
    "requested_at = requested_at + interval '1 microsecond'",
    "reason = coalesce(reason, '') || 'x'",
    "target_topic = target_topic || 'x'",
    "target_partition = coalesce(target_partition, 0) + 1",
    "new_offset = new_offset + 1, new_partition = coalesce(new_partition, 0) + 1",
];

/// The next alteration by chance.
pub(super) fn next(random: &mut Random) -> Alteration {
    match random.below(16) {
        0..=2 => row(random),
        3 => dead_letter(random),
        4 => order(random),
        5 | 6 => missing_rows(random),
        7 => batch(random),
        8 | 9 => moved_batches(random),
        10 => ranges(random),
        11 => partitions(random),
        12 | 13 => log(random),
        14 => replays(random),
        _ => head(random),
    }
}

fn row(random: &mut Random) -> Alteration {
    let (change, id) = (random.one_of(&EVENT_COLUMNS), any(random, "id", "event_logs"));
    altered(format!("UPDATE event_logs SET {change} WHERE id = {id}"))
}

fn dead_letter(random: &mut Random) -> Alteration {
    let id = any(random, "event_log_id", "dead_letters");
    match random.below(DEAD_LETTER_COLUMNS.len() + 4) {
        0 => altered(format!("DELETE FROM dead_letters WHERE event_log_id = {id}")),
        1 => {
            let other = any(random, "id", "event_logs WHERE NOT is_dlt");
            altered(format!(
                "INSERT INTO dead_letters SELECT (jsonb_populate_record(letter, jsonb_build_object('event_log_id', {other}))).*
                   FROM dead_letters letter WHERE event_log_id = {id}"
            ))
        }
        2 => {
            let other = any(random, "event_log_id", "dead_letters");
            altered(format!(
                "CREATE TEMP TABLE two ON COMMIT DROP AS SELECT {id} AS one, {other} AS other;
                 UPDATE dead_letters SET event_log_id = -event_log_id FROM two WHERE event_log_id IN (one, other);
                 UPDATE dead_letters SET event_log_id = CASE -event_log_id WHEN one THEN other ELSE one END FROM two WHERE event_log_id < 0"
            ))
        }
        3 => altered("DELETE FROM dead_letters"),
        number => {
            let change = DEAD_LETTER_COLUMNS[number - 4];
            altered(format!("UPDATE dead_letters SET {change} WHERE event_log_id = {id}"))
        }
    }
}

/// Rows change their places: in a batch, or among batches.
fn order(random: &mut Random) -> Alteration {
    let one = any(random, "id", "event_logs");
    let other = match random.below(2) {
        0 => any(random, "id", "event_logs"),
        _ => "(SELECT one + 1)".to_owned(),
    };
    altered(format!(
        "CREATE TEMP TABLE first ON COMMIT DROP AS SELECT {one} AS one;
         CREATE TEMP TABLE two ON COMMIT DROP AS SELECT one, coalesce({other}, one) AS other FROM first;
         UPDATE event_logs SET id = 1000000 + id FROM two WHERE id IN (one, other);
         UPDATE event_logs SET id = CASE id - 1000000 WHEN one THEN other ELSE one END FROM two WHERE id >= 1000000"
    ))
}

fn missing_rows(random: &mut Random) -> Alteration {
    let id = any(random, "id", "event_logs");
    let batch = any(random, "batch_no", "ingest_batches WHERE row_count > 1");
    match random.below(7) {
        0 => altered(format!("DELETE FROM event_logs WHERE id = {id}")),
        // The last row of a batch, and the batch becomes shorter.
        1 => altered(format!(
            "CREATE TEMP TABLE short ON COMMIT DROP AS SELECT * FROM ingest_batches WHERE batch_no = {batch};
             DELETE FROM event_logs USING short WHERE id = last_id;
             UPDATE ingest_batches SET last_id = short.last_id - 1, row_count = short.row_count - 1 FROM short
              WHERE ingest_batches.batch_no = short.batch_no"
        )),
        // The first.
        2 => altered(format!(
            "CREATE TEMP TABLE short ON COMMIT DROP AS SELECT * FROM ingest_batches WHERE batch_no = {batch};
             DELETE FROM event_logs USING short WHERE id = first_id;
             UPDATE ingest_batches SET first_id = short.first_id + 1, row_count = short.row_count - 1 FROM short
              WHERE ingest_batches.batch_no = short.batch_no"
        )),
        // All rows of a range, which becomes one that Kafka had deleted.
        3 => {
            let range = any(random, "partition_id, first_offset", "ingest_batch_ranges WHERE row_count > 0");
            altered(format!(
                "CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT * FROM ingest_batch_ranges WHERE (partition_id, first_offset) = {range};
                 DELETE FROM event_logs row_ USING gone WHERE row_.partition_id = gone.partition_id
                    AND row_.kafka_offset >= gone.first_offset AND row_.kafka_offset < gone.next_offset;
                 UPDATE ingest_batch_ranges range SET kind = 'lost', row_count = 0 FROM gone
                  WHERE (range.partition_id, range.first_offset) = (gone.partition_id, gone.first_offset)"
            ))
        }
        // A row that nobody recorded.
        4 => altered(format!(
            "INSERT INTO event_logs (id, event_id, event_type, payload, created_at, partition_id, kafka_offset, is_dlt)
             SELECT 1000000 + id, event_id, event_type, payload, created_at, partition_id, kafka_offset, is_dlt FROM event_logs WHERE id = {id}"
        )),
        // The newest row, and the batch that it was alone in or was the last of.
        5 => altered(
            "DELETE FROM event_logs WHERE id = (SELECT max(id) FROM event_logs);
             UPDATE ingest_batches SET last_id = last_id - 1, row_count = row_count - 1
              WHERE row_count > 1 AND last_id = (SELECT max(last_id) FROM ingest_batches)",
        ),
        _ => altered(format!("DELETE FROM event_logs WHERE id BETWEEN {id} AND {id} + 9")),
    }
}

fn batch(random: &mut Random) -> Alteration {
    let (change, batch) =
        (random.one_of(&BATCH_COLUMNS), any(random, "batch_no", "ingest_batches"));
    altered(format!("UPDATE ingest_batches SET {change} WHERE batch_no = {batch}"))
}

/// Takes a batch out of the ledger, and its rows.
const TAKE_OUT: &str = "
    DELETE FROM dead_letters USING gone WHERE event_log_id BETWEEN first_id AND last_id;
    DELETE FROM event_logs USING gone WHERE id BETWEEN first_id AND last_id;
    DELETE FROM ingest_batch_ranges USING gone WHERE ingest_batch_ranges.batch_no = gone.batch_no;
    DELETE FROM ingest_batches USING gone WHERE ingest_batches.batch_no = gone.batch_no;";

fn moved_batches(random: &mut Random) -> Alteration {
    let batch = any(random, "batch_no", "ingest_batches");
    let gone = format!(
        "CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT * FROM ingest_batches WHERE batch_no = {batch};"
    );
    // The ranges behind begin where those of the batch began: its offsets become holes.
    let holes = "
        CREATE TEMP TABLE before ON COMMIT DROP AS SELECT ranges.* FROM ingest_batch_ranges ranges JOIN gone USING (batch_no);
        UPDATE ingest_batch_ranges range SET first_offset = before.first_offset FROM before
         WHERE range.partition_id = before.partition_id AND range.first_offset = before.next_offset
           AND range.batch_no <> before.batch_no AND range.kind = 'stored';";
    let shift = "
        UPDATE ingest_batch_ranges range SET batch_no = range.batch_no - 1 FROM gone WHERE range.batch_no > gone.batch_no;
        UPDATE ingest_batches SET batch_no = -ingest_batches.batch_no FROM gone WHERE ingest_batches.batch_no > gone.batch_no;
        UPDATE ingest_batches SET batch_no = -batch_no - 1 WHERE batch_no < 0";
    match random.below(7) {
        0 => altered(format!("{gone}{TAKE_OUT}{shift}")),
        1 => altered(format!(
            "{gone} CREATE TEMP TABLE before ON COMMIT DROP AS SELECT ranges.* FROM ingest_batch_ranges ranges JOIN gone USING (batch_no);
             DELETE FROM ingest_batch_ranges USING gone WHERE ingest_batch_ranges.batch_no = gone.batch_no;
             {} {TAKE_OUT}{shift}",
            &holes[holes.find("UPDATE").unwrap_or(0)..]
        )),
        // Its rows and ranges stay, and its number.
        2 => altered(format!("{gone} DELETE FROM ingest_batches USING gone WHERE ingest_batches.batch_no = gone.batch_no")),
        // Two batches change their numbers.
        3 => altered(format!(
            "{gone} UPDATE ingest_batches SET batch_no = -ingest_batches.batch_no FROM gone WHERE ingest_batches.batch_no IN (gone.batch_no, gone.batch_no + 1);
             UPDATE ingest_batches SET batch_no = CASE -ingest_batches.batch_no WHEN gone.batch_no THEN gone.batch_no + 1 ELSE gone.batch_no END
               FROM gone WHERE ingest_batches.batch_no < 0;
             UPDATE ingest_batch_ranges SET batch_no = CASE ingest_batch_ranges.batch_no WHEN gone.batch_no THEN gone.batch_no + 1 ELSE gone.batch_no END
               FROM gone WHERE ingest_batch_ranges.batch_no IN (gone.batch_no, gone.batch_no + 1)"
        )),
        // Everything from a batch on is set back, as a backup from before would do it.
        4 => {
            let back = 1 + random.below(40);
            altered(format!(
                "CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT * FROM ingest_batches WHERE batch_no > (SELECT max(batch_no) - {back} FROM ingest_batches);
                 {TAKE_OUT}
                 DELETE FROM evidence_leaves WHERE leaf_index >= (SELECT min(leaf_index) FROM evidence_leaves leaf JOIN gone USING (batch_no));
                 DELETE FROM evidence_checkpoints;
                 UPDATE ledger_head SET log_size = (SELECT count(*) FROM evidence_leaves)"
            ))
        }
        // One table is restored from before.
        5 => {
            let (table, column) = *random.one_of(&[
                &("event_logs", "id"), &("ingest_batches", "batch_no"), &("ingest_batch_ranges", "batch_no"),
                &("evidence_leaves", "leaf_index"), &("dead_letters", "event_log_id"),
            ]);
            let last = any(random, column, table);
            altered(format!("DELETE FROM {table} WHERE {column} > {last}"))
        }
        _ => altered(format!(
            "{gone} UPDATE ingest_batches SET recorded_at = other.recorded_at, ingester = other.ingester || '*' FROM gone, ingest_batches other
              WHERE ingest_batches.batch_no = gone.batch_no AND other.batch_no = gone.batch_no % 40 + 1"
        )),
    }
}

fn ranges(random: &mut Random) -> Alteration {
    let range = any(random, "partition_id, first_offset", "ingest_batch_ranges");
    let this = format!("(partition_id, first_offset) = {range}");
    match random.below(7) {
        0 => altered(format!(
            "UPDATE ingest_batch_ranges SET topic_id = gen_random_uuid() WHERE {this}"
        )),
        1 => altered(format!(
            "UPDATE ingest_batch_ranges SET topic_id = CASE WHEN topic_id IS NULL THEN gen_random_uuid() END WHERE {this}"
        )),
        2 => altered(format!(
            "UPDATE ingest_batch_ranges SET batch_no = 1 + batch_no % 40 WHERE {this}"
        )),
        3 => altered(format!(
            "UPDATE ingest_batch_ranges SET partition_id = 1 + (partition_id + 1) % 5, first_offset = first_offset + 100000, next_offset = next_offset + 100000 WHERE {this}"
        )),
        4 => altered(format!("DELETE FROM ingest_batch_ranges WHERE {this}")),
        5 => altered(format!(
            "UPDATE ingest_batch_ranges SET next_offset = next_offset + 1 WHERE {this}"
        )),
        _ => altered(format!(
            "UPDATE ingest_batch_ranges SET row_count = row_count - 1 WHERE row_count > 0 AND batch_no = (SELECT batch_no FROM ingest_batch_ranges WHERE {this}) AND kind = 'stored'"
        )),
    }
}

fn partitions(random: &mut Random) -> Alteration {
    let partition = any(random, "partition_id", "kafka_partitions");
    let this = format!("partition_id = {partition}");
    match random.below(6) {
        0 => altered(format!("UPDATE kafka_partitions SET cluster_id = cluster_id || 'x' WHERE {this}")),
        1 => altered(format!("UPDATE kafka_partitions SET topic = topic || 'x' WHERE {this}")),
        2 => altered(format!("UPDATE kafka_partitions SET incarnation = incarnation + 1 WHERE {this}")),
        // Two partitions change their names.
        3 => altered(format!(
            "CREATE TEMP TABLE two ON COMMIT DROP AS SELECT min(partition_id) AS one, max(partition_id) AS other FROM kafka_partitions
              WHERE partition_id IN ({partition}, 1 + {partition} % 5);
             CREATE TEMP TABLE names ON COMMIT DROP AS SELECT partition_id, topic, partition FROM kafka_partitions, two WHERE partition_id IN (one, other);
             UPDATE kafka_partitions SET incarnation = 77 FROM two WHERE partition_id = one;
             UPDATE kafka_partitions SET topic = names.topic, partition = names.partition FROM two, names
              WHERE kafka_partitions.partition_id = other AND names.partition_id = one;
             UPDATE kafka_partitions SET topic = names.topic, partition = names.partition, incarnation = 1 FROM two, names
              WHERE kafka_partitions.partition_id = one AND names.partition_id = other"
        )),
        4 => beside(format!("UPDATE kafka_partitions SET next_offset = next_offset + 3 WHERE {this}")),
        _ => beside(format!("UPDATE kafka_partitions SET next_offset = next_offset - 1 WHERE {this} AND next_offset > 0")),
    }
}

fn log(random: &mut Random) -> Alteration {
    let leaf = any(random, "leaf_index", "evidence_leaves");
    match random.below(16) {
        0 => altered(format!("UPDATE evidence_leaves SET hash = sha256(hash) WHERE leaf_index = {leaf}")),
        1 => altered(format!("UPDATE evidence_leaves SET kind = 3 WHERE kind = 2 AND leaf_index BETWEEN {leaf} AND {leaf} + 3")),
        2 => altered(format!("DELETE FROM evidence_leaves WHERE leaf_index = {leaf}")),
        3 => altered("DELETE FROM evidence_leaves WHERE leaf_index = (SELECT max(leaf_index) FROM evidence_leaves)"),
        4 => altered(format!(
            "CREATE TEMP TABLE taken ON COMMIT DROP AS SELECT {leaf} AS place;
             DELETE FROM evidence_leaves USING taken WHERE leaf_index = place; UPDATE ledger_head SET log_size = log_size - 1;
             UPDATE evidence_leaves SET leaf_index = 1000000 + leaf_index FROM taken WHERE leaf_index > place;
             UPDATE evidence_leaves SET leaf_index = leaf_index - 1000001 WHERE leaf_index >= 1000000"
        )),
        5 => altered("INSERT INTO evidence_leaves SELECT log_no, leaf_index + 1, kind, batch_no, hash, body FROM evidence_leaves ORDER BY leaf_index DESC LIMIT 1;
                   UPDATE ledger_head SET log_size = log_size + 1"),
        6 => altered("UPDATE evidence_leaves SET body = overlay(body PLACING '\\x01' FROM length(body))  WHERE kind = 1; UPDATE evidence_leaves SET hash = sha256('\\x00'::bytea || body) WHERE kind = 1"),
        7 => altered("UPDATE evidence_tiles SET hash = sha256(hash)"),
        8 => altered("DELETE FROM evidence_tiles"),
        9 => altered("INSERT INTO evidence_tiles VALUES (0, 0, 1, sha256('')), (0, 1, 0, sha256(''))"),
        10 => altered("TRUNCATE evidence_leaves, evidence_tiles; UPDATE ledger_head SET log_size = 0"),
        // All of it becomes a log that was begun anew.
        11 => altered("UPDATE evidence_leaves SET log_no = 1; UPDATE evidence_tiles SET log_no = 1; UPDATE ledger_head SET log_no = 1"),
        // Rows are told to be retired.
        12 => altered(
            "DELETE FROM event_logs WHERE id <= 20;
             INSERT INTO evidence_leaves
             SELECT 0, log_size, 6, NULL, sha256('\\x00'::bytea || body), body
               FROM ledger_head, (SELECT '\\x06000a'::bytea || int4send(1) || 'x'::bytea || int4send(8) || int8send(0) || int4send(8) || int8send(21)
                    || int4send(8) || int8send(20) || int4send(-1) || int4send(-1) || int4send(8) || int8send(0) || int4send(0) || int4send(0)
                    || int4send(0) AS body) forged;
             UPDATE ledger_head SET log_size = log_size + 1",
        ),
        13 => altered("INSERT INTO evidence_adoptions SELECT 3, 0, row_root, now(), 'x' FROM ingest_batches WHERE batch_no = 3"),
        14 => altered(format!(
            "UPDATE evidence_leaves leaf SET hash = other.hash FROM evidence_leaves other
              WHERE leaf.leaf_index = {leaf} AND other.leaf_index = ({leaf} + 1) % 100"
        )),
        _ => altered("INSERT INTO evidence_checkpoints (log_no, log_size, note) VALUES (0, 5, 'no note')"),
    }
}

fn replays(random: &mut Random) -> Alteration {
    let replay = any(random, "replay_id", "dlt_replays");
    match random.below(REPLAY_COLUMNS.len() + 2) {
        0 => altered(format!("DELETE FROM dlt_replays WHERE replay_id = {replay}")),
        1 => altered(format!(
            "INSERT INTO dlt_replays (replay_id, event_log_id, attempt, requested_by, target_topic)
             SELECT gen_random_uuid(), event_log_id, 9, 'x', 'x' FROM dlt_replays WHERE replay_id = {replay}"
        )),
        number => {
            let change = REPLAY_COLUMNS[number - 2];
            altered(format!("UPDATE dlt_replays SET {change} WHERE replay_id = {replay}"))
        }
    }
}

fn head(random: &mut Random) -> Alteration {
    match random.below(8) {
        0 => beside("UPDATE ledger_head SET batch_no = batch_no + 1"),
        1 => beside("UPDATE ledger_head SET batch_no = batch_no - 1"),
        2 => beside("UPDATE ledger_head SET row_count = row_count + 1"),
        3 => beside("UPDATE ledger_head SET log_no = log_no + 1"),
        4 => beside("UPDATE ledger_head SET log_size = log_size - 1"),
        5 => beside("UPDATE ledger_head SET recorded_at = recorded_at + interval '1 microsecond'"),
        6 => altered("UPDATE audit_installation SET id = gen_random_uuid()"),
        _ => beside("DELETE FROM ledger_head"),
    }
}
