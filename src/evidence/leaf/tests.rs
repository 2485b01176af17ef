use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn time() -> impl Strategy<Value = PostgresMicros> {
    prop_oneof![
        8 => -211_813_488_000_000_000..(i64::MAX - 946_684_800_000_000),
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
    ]
    .prop_map(PostgresMicros)
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

prop_compose! {
    fn installation()(installation in uuid(), first_batch_no: i64, begun_at in time()) -> InstallationLeaf {
        InstallationLeaf { installation, first_batch_no, begun_at }
    }
}

prop_compose! {
    fn request()(
        replay_id in uuid(), event_log_id: i64, attempt: i32, requested_by: String, database_role: String,
        requested_at in time(), reason: Option<String>, target_topic: String, target_partition: Option<i32>,
    ) -> ReplayRequestLeaf {
        ReplayRequestLeaf {
            replay_id, event_log_id, attempt, requested_by, database_role, requested_at, reason,
            target_topic, target_partition,
        }
    }
}

prop_compose! {
    fn outcome()(
        replay_id in uuid(), state: String, new_partition: Option<i32>, new_offset: Option<i64>,
        error: Option<String>, resolved_at in time(),
    ) -> ReplayOutcomeLeaf {
        ReplayOutcomeLeaf { replay_id, state, new_partition, new_offset, error, resolved_at }
    }
}

prop_compose! {
    fn retirement()(
        name: String, first_id: i64, next_id: i64, rows: i64, min_created_at in proptest::option::of(time()),
        max_created_at in proptest::option::of(time()), retired_at in time(), retired_by: String,
        database_role: String, condition: String,
    ) -> RetirementLeaf {
        RetirementLeaf {
            name, first_id, next_id, rows, min_created_at, max_created_at, retired_at, retired_by,
            database_role, condition,
        }
    }
}

prop_compose! {
    fn restart()(
        installation in uuid(), number: i32, old_origin: String, old_size: i64, old_root: Option<Hash>,
        last_checkpoint: Option<String>, reason: String, restarted_by: String, database_role: String,
        restarted_at in time(),
    ) -> RestartLeaf {
        RestartLeaf {
            installation, number, old_origin, old_size, old_root, last_checkpoint, reason,
            restarted_by, database_role, restarted_at,
        }
    }
}

/// Reads back what was written, and nothing that is not exactly that: a body in the database is
/// whatever its owner made of it.
macro_rules! reads_back {
    ($name:ident, $leaf:ident, $type:ty) => {
        proptest! {
            #[test]
            fn $name(leaf in $leaf(), place: prop::sample::Index, change in 1..=255_u8) {
                let bytes = leaf.encode()?;
                prop_assert_eq!(<$type>::decode(&bytes)?, leaf);
                for length in 0..bytes.len() {
                    prop_assert_eq!(<$type>::decode(&bytes[..length]), Err(MalformedLeaf));
                }
                let longer = [&bytes[..], &[0]].concat();
                prop_assert_eq!(<$type>::decode(&longer), Err(MalformedLeaf));
                let mut changed = bytes.clone();
                changed[place.index(bytes.len())] ^= change;
                if let Ok(read) = <$type>::decode(&changed) {
                    prop_assert_eq!(read.encode()?, changed);
                }
            }
        }
    };
}

reads_back!(the_leaf_of_an_installation_is_read_back, installation, InstallationLeaf);
reads_back!(the_leaf_of_a_request_is_read_back, request, ReplayRequestLeaf);
reads_back!(the_leaf_of_an_outcome_is_read_back, outcome, ReplayOutcomeLeaf);
reads_back!(the_leaf_of_a_retirement_is_read_back, retirement, RetirementLeaf);
reads_back!(the_leaf_of_a_restart_is_read_back, restart, RestartLeaf);

#[test]
fn a_leaf_of_another_kind_is_refused() {
    let leaf = InstallationLeaf {
        installation: Uuid::from_u128(7),
        first_batch_no: 1,
        begun_at: PostgresMicros(0),
    };
    let mut bytes = leaf.encode().unwrap();
    bytes[0] = LeafKind::Restart as u8;
    assert_eq!(InstallationLeaf::decode(&bytes), Err(MalformedLeaf));
}

#[test]
fn an_outcome_is_the_bytes_that_the_documentation_tells() {
    let leaf = ReplayOutcomeLeaf {
        replay_id: Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
        state: "sent".to_owned(),
        new_partition: Some(2),
        new_offset: Some(300),
        error: None,
        resolved_at: PostgresMicros(-946_684_799_999_999),
    };
    let expected = concat!(
        "05",
        "0006",
        "00000010",
        "0102030405060708090a0b0c0d0e0f10",
        "00000004",
        "73656e74",
        "00000004",
        "00000002",
        "00000008",
        "000000000000012c",
        "ffffffff",
        "00000008",
        "0000000000000001",
    );
    let written: String = leaf.encode().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, expected);
}
