//! `audit verify --checkpoint`, as it is typed.

use sandbox::Sandbox;
use tokio::runtime::Runtime;

use super::alterations;
use super::attacker::Skill;
use super::random::Random;
use super::world::World;
use crate::support::{Audit, Database, Producer, wait_until};

/// How many alterations are tried.
const ALTERATIONS: u64 = 20;

fn verify(audit: &Audit, arguments: &[String]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = audit.run(&[&["verify", "--wait", "0"], arguments.as_slice()].concat());
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.code(), text.concat())
}

#[test]
fn alterations_that_are_committed_end_verify_with_5() {
    let scope = Sandbox::shared().scope("verify_committed");
    let world = World::recorded(&scope);
    let (folder, given) = world.signed();
    let (code, text) = verify(&world.audit, &given);
    assert_eq!(code, Some(0), "{text}");
    let postgres = Sandbox::shared().postgres();
    let server = Database::open(&postgres.url("postgres"));
    let original = world.database.value("SELECT current_database()");
    let World { audit, database, .. } = world;
    drop(database);
    let runtime = Runtime::new().unwrap();
    let mut seed = 10_000;
    let mut tried = 0;
    while tried < ALTERATIONS {
        seed += 1;
        let mut random = Random::new(seed);
        let alteration = alterations::next(&mut random);
        if alteration.is_beside {
            continue;
        }
        let name = format!("altered_{}", uuid::Uuid::new_v4().simple());
        wait_until("the original has no connection", std::time::Duration::from_secs(30), || {
            server.try_execute(&format!("CREATE DATABASE {name} TEMPLATE {original}")).is_ok()
        });
        let altered = Audit { database_url: postgres.url(&name), ..audit.clone() };
        let copy = World {
            audit: altered.clone(),
            database: Database::open(&altered.database_url),
            topics: String::new(),
        };
        copy.arm(false);
        let is_other = runtime.block_on(async {
            let mut client = copy.client().await;
            let before = super::attacked::fingerprint(&client).await;
            client.batch_execute("SET session_replication_role = replica").await.unwrap();
            let mut transaction = client.transaction().await.unwrap();
            transaction.batch_execute(&alteration.statements).await.unwrap();
            Skill::Log.repair(&mut transaction).await;
            transaction.commit().await.unwrap();
            super::attacked::fingerprint(&client).await != before
        });
        copy.arm(true);
        if is_other {
            tried += 1;
            let (code, text) = verify(&altered, &given);
            assert_eq!(code, Some(5), "seed {seed}: {}\n{text}", alteration.statements);
        }
        server.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }
    drop(folder);
}

#[test]
fn a_checkpoint_has_to_be_signed_with_the_key_of_this_log() {
    let scope = Sandbox::shared().scope("verify_keys");
    let world = World::recorded(&scope);
    let (folder, given) = world.signed();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let with = |checkpoint: String, key: String| {
        let options = ["--checkpoint".to_owned(), checkpoint, "--vkey".to_owned(), key];
        verify(&world.audit, &options)
    };
    let (checkpoint, key) = (path("checkpoint"), path("vkey"));
    assert_eq!(verify(&world.audit, &["--checkpoint".to_owned(), checkpoint.clone()]).0, Some(2));
    assert_eq!(verify(&world.audit, &["--max-unanchored".to_owned(), "1h".to_owned()]).0, Some(2));
    let other = world.audit.succeed(&["evidence", "keygen", "--out", &path("other")]);
    let (code, text) = with(checkpoint.clone(), other.trim().to_owned());
    assert_eq!(code, Some(1), "another key: {text}");
    let foreign = world.audit.succeed(&[
        "evidence",
        "keygen",
        "--out",
        &path("foreign"),
        "--origin",
        "audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7",
    ]);
    let (code, text) = with(checkpoint.clone(), foreign.trim().to_owned());
    assert_eq!(code, Some(1), "the key of another log: {text}");
    let note = std::fs::read_to_string(&checkpoint).unwrap();
    for (name, text) in [
        ("shorter", note.replacen("\n2", "\n1", 1)),
        ("unsigned", note.split("\n\n").next().unwrap_or_default().to_owned()),
        ("empty", String::new()),
    ] {
        std::fs::write(path(name), text).unwrap();
        let (code, text) = with(path(name), key.clone());
        assert_eq!(code, Some(1), "{name}: {text}");
        assert!(text.contains("--checkpoint"), "{name}: {text}");
    }
    assert_eq!(with(path("nowhere"), key).0, Some(1));
    // A database of another id is not the one that was signed.
    world.database.execute("UPDATE audit_installation SET id = gen_random_uuid()");
    let (code, text) = verify(&world.audit, &given);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("and this database is audit/"), "{text}");
}

#[test]
fn what_lies_behind_the_last_checkpoint_is_counted_and_may_not_be_too_old() {
    let scope = Sandbox::shared().scope("verify_unanchored");
    let world = World::recorded(&scope);
    let (folder, given) = world.signed();
    let (code, text) = verify(&world.audit, &given);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("no batch behind the last checkpoint"), "{text}");
    let topic = world.topics.split(',').next().unwrap_or_default();
    Producer::new(scope.brokers()).native_events(topic, 1000..1010);
    world.audit.succeed(&[
        "ingest",
        "--until-end",
        "--topics",
        &world.topics,
        "--batch-rows",
        "100",
    ]);
    let at_most = |age: &str| {
        verify(
            &world.audit,
            &[given.as_slice(), &["--max-unanchored".to_owned(), age.to_owned()]].concat(),
        )
    };
    let (code, text) = at_most("1h");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("with 10 rows behind the last checkpoint, since 20"), "{text}");
    world.arm(false);
    let (code, text) = at_most("0s");
    assert_eq!(code, Some(5), "triggers are gone: {text}");
    world.arm(true);
    let (code, text) = at_most("0s");
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("--max-unanchored"), "{text}");
    // What only the last batches tell is said to lie between the checkpoints.
    drop(folder);
}
