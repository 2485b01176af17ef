//! Thousands of alterations of a small record, each in a transaction that is rolled back: all are
//! found.

use audit::ledger::Severity;
use audit::verification::Anchors;
use sandbox::Sandbox;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use super::alterations::{self, Alteration};
use super::attacker::Skill;
use super::random::Random;
use super::world::{TABLES, World, found, worst};

const ALTERATIONS: u64 = 2_000;

/// What came of an alteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It changed nothing.
    Nothing,
    /// It was found by more than the checkpoints.
    Seen,
    /// Only the checkpoints told of it.
    Hidden,
}

#[test]
fn whatever_is_altered_is_found_however_well_it_is_made_to_fit() {
    let scope = Sandbox::shared().scope("verify_attacked");
    let world = World::recorded(&scope);
    world.disarm();
    let anchors = world.anchors();
    let first = std::env::var("AUDIT_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut client = world.client().await;
        client
            .batch_execute("SET session_replication_role = replica; SET jit = off")
            .await
            .unwrap();
        let whole = found_in(&mut client, &anchors).await;
        assert_eq!(whole, [], "the record is whole before anything is altered");
        let before = fingerprint(&client).await;
        let (mut tried, mut hidden) = (0, 0);
        let mut seed = first.unwrap_or(1_u64);
        let mut missed = Vec::new();
        while tried < first.map_or(ALTERATIONS, |_| 1) && missed.len() < 10 {
            let (alteration, skill) = chosen(seed);
            match alter(&mut client, &anchors, &before, &alteration, skill).await {
                Ok(outcome) => {
                    tried += u64::from(outcome != Outcome::Nothing);
                    hidden += u64::from(outcome == Outcome::Hidden);
                }
                Err(text) => {
                    let statements = alteration.statements;
                    missed.push(format!(
                        "AUDIT_TEST_SEED={seed}, skill {skill:?}: {text}\n{statements}"
                    ));
                }
            }
            seed += 1;
        }
        assert!(missed.is_empty(), "after {tried}:\n{}", missed.join("\n\n"));
        assert_eq!(fingerprint(&client).await, before, "nothing of it stays");
        // An attacker without any skill would prove little.
        assert!(first.is_some() || hidden > ALTERATIONS / 10, "{hidden} were hidden");
    });
}

fn chosen(seed: u64) -> (Alteration, Skill) {
    let mut random = Random::new(seed);
    let alteration = alterations::next(&mut random);
    (alteration, Skill::ALL[random.below(Skill::ALL.len())])
}

/// Alters, repairs, and verifies. The error says what was not found.
async fn alter(
    client: &mut Client,
    anchors: &Anchors,
    before: &str,
    alteration: &Alteration,
    skill: Skill,
) -> Result<Outcome, String> {
    let mut transaction = client.transaction().await.unwrap();
    let altered = transaction.batch_execute(&alteration.statements).await;
    altered.map_err(|error| format!("{error:?}"))?;
    skill.repair(&mut transaction).await;
    let found = found(&mut transaction, anchors).await.map_err(|error| error.to_string())?;
    if found.is_empty() && fingerprint(transaction.client()).await == before {
        return Ok(Outcome::Nothing);
    }
    transaction.rollback().await.unwrap();
    let least = if alteration.is_beside { Severity::Incomplete } else { Severity::Altered };
    if worst(&found) < Some(least) {
        return Err(format!("found: {found:?}"));
    }
    // Who computes the log anew can make everything fit, but not what was signed.
    match found.iter().all(|finding| finding.subject.starts_with("checkpoint of ")) {
        true if skill == Skill::Log => Ok(Outcome::Hidden),
        true => Err(format!("only the checkpoints tell of it: {found:?}")),
        false => Ok(Outcome::Seen),
    }
}

async fn found_in(client: &mut Client, anchors: &Anchors) -> Vec<audit::ledger::Finding> {
    let mut transaction = client.transaction().await.unwrap();
    found(&mut transaction, anchors).await.unwrap()
}

/// What all tables hold.
pub(super) async fn fingerprint(client: &Client) -> String {
    let of_table = |table: &str| {
        format!("(SELECT md5(string_agg(line::text, '|' ORDER BY line::text)) FROM {table} line)")
    };
    let sql = format!("SELECT concat_ws(' ', {})", TABLES.map(of_table).join(", "));
    client.query_one(&sql, &[]).await.unwrap().get(0)
}
