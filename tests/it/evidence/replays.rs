//! Replays in the evidence log.

use sandbox::Sandbox;

use crate::replay::World;
use crate::support::{Audit, Database};

/// A field, a request's leaf and an outcome's, as docs/evidence.md has them.
const FORMS: &str = "
    CREATE FUNCTION pg_temp.field(bytes bytea) RETURNS bytea LANGUAGE sql AS
        $$ SELECT coalesce(int4send(length(bytes)) || bytes, '\\xffffffff') $$;
    CREATE FUNCTION pg_temp.field(text_ text) RETURNS bytea LANGUAGE sql AS
        $$ SELECT pg_temp.field(convert_to(text_, 'UTF8')) $$;
    CREATE FUNCTION pg_temp.field(time_ timestamptz) RETURNS bytea LANGUAGE sql AS
        $$ SELECT pg_temp.field(int8send((extract(epoch FROM time_) * 1000000)::bigint)) $$;
    CREATE VIEW pg_temp.expected AS
    SELECT replay_id, 4 AS kind,
           '\\x04'::bytea || int2send(9::int2) || pg_temp.field(uuid_send(replay_id)) || pg_temp.field(int8send(event_log_id))
           || pg_temp.field(int4send(attempt)) || pg_temp.field(requested_by) || pg_temp.field(database_role)
           || pg_temp.field(requested_at) || pg_temp.field(reason) || pg_temp.field(target_topic)
           || pg_temp.field(int4send(target_partition)) AS body
      FROM dlt_replays
    UNION ALL
    SELECT replay_id, 5,
           '\\x05'::bytea || int2send(6::int2) || pg_temp.field(uuid_send(replay_id)) || pg_temp.field(state)
           || pg_temp.field(int4send(new_partition)) || pg_temp.field(int8send(new_offset)) || pg_temp.field(error)
           || pg_temp.field(resolved_at)
      FROM dlt_replays WHERE state <> 'pending'";

/// Panics unless each replay has its leaves, and each leaf of a replay its replay.
fn assert_every_replay_is_in_the_log(database: &Database, replays: i64) {
    let request = "SELECT count(*) FROM pg_temp.expected WHERE kind = 4";
    assert_eq!(database.number(request), replays);
    let differing = "SELECT coalesce(expected.kind, leaf.kind), expected.replay_id, leaf.leaf_index
                       FROM pg_temp.expected
                       FULL JOIN (SELECT * FROM evidence_leaves WHERE kind IN (4, 5)) AS leaf
                            ON leaf.kind = expected.kind AND leaf.body = expected.body
                               AND leaf.hash = sha256('\\x00' || expected.body)
                      WHERE leaf.kind IS NULL OR expected.kind IS NULL";
    assert_eq!(database.rows(differing), Vec::<Vec<String>>::new());
    let order = "SELECT count(*) FROM pg_temp.expected AS request
                   JOIN pg_temp.expected AS outcome USING (replay_id)
                   JOIN evidence_leaves AS first ON first.body = request.body
                   JOIN evidence_leaves AS second ON second.body = outcome.body
                  WHERE request.kind = 4 AND outcome.kind = 5 AND first.leaf_index >= second.leaf_index";
    assert_eq!(database.number(order), 0, "an outcome comes before its request");
    let begin = "SELECT kind FROM evidence_leaves WHERE leaf_index = 0";
    assert_eq!(database.value(begin), "1", "the log begins with what it is of");
}

#[test]
fn each_replay_and_what_came_of_it_is_in_the_log_whoever_found_it_out() {
    let scope = Sandbox::shared().scope("evidence_replays");
    let world = World::new(&scope, 2);
    world.dead_letters(0..40);
    // One that its topic refuses.
    let small = scope.create_topic_with("small.events", 1, &[("max.message.bytes", "2000")]);
    let mut headers = world.spring_headers(&[0; 8]);
    headers[0].1 = Some(small.as_bytes());
    let large = "x".repeat(5_000);
    world.producer.send(&world.dlt, None, Some(b"large"), Some(large.as_bytes()), &headers);
    world.producer.flush();
    world.ingest();
    world.database.execute(FORMS);

    // Cut off before what came of it is written: the next replay finds that out.
    world.interrupted_replay(&["--limit", "10", "--same-partition"]);
    assert_eq!(world.states(), ["pending 10"]);
    assert_every_replay_is_in_the_log(&world.database, 10);
    let output = world.replay(&["--yes", "--reason", "the bank is back – again"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(world.states(), ["failed 1", "sent 40"]);
    assert_every_replay_is_in_the_log(&world.database, 41);
}

#[test]
fn a_replayer_begins_the_log_where_nobody_has() {
    let scope = Sandbox::shared().scope("evidence_replayer");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let topic = scope.create_topic("orders.events", 1);
    database.execute(&format!(
        "INSERT INTO event_logs (id, event_id, event_type, is_dlt, payload) VALUES (1, gen_random_uuid(), 'OrderCreated', true, '{{}}');
         INSERT INTO dead_letters (event_log_id, value, headers, origin_topic) VALUES (1, '{{}}', '[]', '{topic}')"
    ));
    audit.succeed(&["migrate", "--roles"]);
    let role = format!("operator_{}", uuid::Uuid::new_v4().simple());
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x' IN ROLE audit_replayer"));
    let Some((_, server)) = audit.database_url.split_once('@') else {
        panic!("a URL without a user")
    };
    let replayer = Audit { database_url: format!("postgres://{role}:x@{server}"), ..audit.clone() };
    let output = replayer.run(&["replay-dlt", "--yes"]);
    database.execute(FORMS);
    let roles = database.rows("SELECT database_role, state FROM dlt_replays");
    database.execute(&format!("DROP ROLE {role}"));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(roles, [[role.as_str(), "sent"]]);
    assert_every_replay_is_in_the_log(&database, 1);
}
