//! Each reason to send a dead letter, or not to.

use super::*;

fn letter(row_id: i64) -> ReplayCandidate {
    ReplayCandidate {
        row_id,
        created_at: PostgresMicros(row_id * 10),
        topic: Some("orders.events-dlt".to_owned()),
        is_stored: true,
        byte_size: 100,
        consumer_group: None,
        error: Some("java.lang.IllegalStateException".to_owned()),
        origin_topic: Some("orders.events".to_owned()),
        origin_source: OriginSource::Header,
        origin_partition: Some(2),
        attempts: 0,
        previous: PreviousReplay::None,
    }
}

fn rules() -> ReplayRules {
    ReplayRules { max_replays: 3, ..ReplayRules::default() }
}

/// What the plan says about one letter: its action and why.
fn said(candidate: &ReplayCandidate, rules: &ReplayRules) -> (PlannedAction, Option<String>) {
    let plan = Plan::new(std::slice::from_ref(candidate), rules);
    assert_eq!(plan.groups.len(), 1);
    assert_eq!(plan.steps.len(), plan.count(PlannedAction::Replay));
    (plan.groups[0].action, plan.groups[0].why.clone())
}

fn obstacle(candidate: &ReplayCandidate, rules: &ReplayRules) -> (PlannedAction, String) {
    let (action, why) = said(candidate, rules);
    (action, why.unwrap_or_default())
}

#[test]
fn a_dead_letter_goes_back_to_where_its_headers_say_it_came_from() {
    let plan = Plan::new(&[letter(1), letter(2)], &rules());
    let step = |row_id| ReplayStep {
        row_id,
        byte_size: 100,
        target: Arc::from("orders.events"),
        partition: None,
        attempt: 1,
    };
    assert_eq!(plan.steps, [step(1), step(2)]);
    let group = &plan.groups[0];
    assert_eq!((plan.groups.len(), group.records, group.oldest.0, group.newest.0), (1, 2, 10, 20));
    assert_eq!((group.from.as_deref(), group.why.as_deref()), (Some("orders.events-dlt"), None));
}

#[test]
fn an_origin_that_only_the_name_suggests_is_said_to_be_so() {
    let letter = ReplayCandidate { origin_source: OriginSource::Suffix, ..letter(1) };
    assert_eq!(
        said(&letter, &rules()),
        (PlannedAction::Replay, Some("origin known by the topic's name alone".to_owned()))
    );
}

#[test]
fn to_sends_to_another_topic_whatever_the_origin_is() {
    let rules = ReplayRules { to: Some("orders.repair".to_owned()), ..rules() };
    for origin_topic in
        [None, Some("orders.events".to_owned()), Some("orders.events-dlt".to_owned())]
    {
        let letter = ReplayCandidate { origin_topic, ..letter(1) };
        assert_eq!(said(&letter, &rules), (PlannedAction::Replay, Some("--to".to_owned())));
        assert_eq!(Plan::new(&[letter], &rules).steps[0].target.as_ref(), "orders.repair");
    }
    let rules = ReplayRules { to: Some("orders.events-dlt".to_owned()), ..rules };
    assert_eq!(obstacle(&letter(1), &rules).0, PlannedAction::NotReplayable);
}

#[test]
fn without_an_origin_or_with_one_that_is_none_nothing_is_sent() {
    let unknown =
        ReplayCandidate { origin_topic: None, origin_source: OriginSource::Unknown, ..letter(1) };
    let dead =
        ReplayCandidate { origin_topic: Some("payments.events-dlt".to_owned()), ..letter(1) };
    let same = ReplayCandidate { topic: Some("orders.events".to_owned()), ..letter(1) };
    let bare = ReplayCandidate { is_stored: false, ..letter(1) };
    for (letter, words) in [
        (unknown, "neither a header nor the topic's name"),
        (dead, "a topic of dead letters itself"),
        (same, "the topic that it lies in"),
        (bare, "not stored"),
    ] {
        let (action, why) = obstacle(&letter, &rules());
        assert_eq!(action, PlannedAction::NotReplayable);
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn what_was_sent_is_sent_again_only_when_asked_and_what_came_back_never() {
    let again = ReplayRules { again: true, ..rules() };
    let sent = ReplayCandidate { previous: PreviousReplay::Sent, attempts: 1, ..letter(1) };
    assert_eq!(said(&sent, &rules()).0, PlannedAction::AlreadyReplayed);
    assert_eq!(said(&sent, &again).0, PlannedAction::Replay);
    assert_eq!(Plan::new(&[sent], &again).steps[0].attempt, 2);
    let processed =
        ReplayCandidate { previous: PreviousReplay::Processed, attempts: 1, ..letter(1) };
    let (action, why) = obstacle(&processed, &rules());
    assert_eq!(action, PlannedAction::AlreadyReplayed);
    assert!(why.starts_with("processed"), "{why}");
    assert_eq!(said(&processed, &again).0, PlannedAction::Replay);
    let returned = ReplayCandidate { previous: PreviousReplay::Returned, attempts: 1, ..letter(1) };
    assert_eq!(said(&returned, &again).0, PlannedAction::AlreadyReplayed);
    let pending = ReplayCandidate { previous: PreviousReplay::Pending, attempts: 1, ..letter(1) };
    assert_eq!(said(&pending, &again).0, PlannedAction::Pending);
}

#[test]
fn of_several_replays_one_that_came_back_counts_most_and_a_failed_one_not_at_all() {
    use ReplayState::{Failed, Pending, Processed, Returned, Sent};
    for (states, expected) in [
        (&[][..], PreviousReplay::None),
        (&[Failed], PreviousReplay::None),
        (&[Failed, Sent], PreviousReplay::Sent),
        (&[Processed, Sent], PreviousReplay::Processed),
        (&[Sent, Pending], PreviousReplay::Pending),
        (&[Returned, Pending, Processed], PreviousReplay::Returned),
    ] {
        assert_eq!(PreviousReplay::of(states), expected, "{states:?}");
    }
}

#[test]
fn an_event_that_came_back_too_often_is_parked() {
    let came_back = |attempts| ReplayCandidate { attempts, ..letter(1) };
    assert_eq!(said(&came_back(2), &rules()).0, PlannedAction::Replay);
    let (action, why) = obstacle(&came_back(3), &rules());
    assert_eq!(action, PlannedAction::Parked);
    assert!(why.starts_with("replayed 3 times"), "{why}");
    assert_eq!(
        said(&came_back(3), &ReplayRules { max_replays: 4, ..rules() }).0,
        PlannedAction::Replay
    );
}

#[test]
fn a_target_that_does_not_exist_is_said_where_kafka_was_asked() {
    let known = |topic: &str| ReplayRules {
        partitions: Some(HashMap::from([(topic.to_owned(), 2)])),
        ..rules()
    };
    assert_eq!(said(&letter(1), &known("orders.events")).0, PlannedAction::Replay);
    assert_eq!(
        obstacle(&letter(1), &known("payments.events")).1,
        "the target topic does not exist"
    );
}

#[test]
fn the_same_partition_is_that_of_the_origin_if_it_is_known_and_exists() {
    let rules = ReplayRules { same_partition: true, ..rules() };
    assert_eq!(Plan::new(&[letter(1)], &rules).steps[0].partition, Some(2));
    let unknown = ReplayCandidate { origin_partition: None, ..letter(1) };
    assert_eq!(said(&unknown, &rules).0, PlannedAction::NotReplayable);
    let rules =
        ReplayRules { partitions: Some(HashMap::from([("orders.events".to_owned(), 2)])), ..rules };
    assert!(obstacle(&letter(1), &rules).1.contains("no partition 2"));
}

#[test]
fn a_limit_leaves_the_rest_for_later_and_says_so() {
    let plan =
        Plan::new(&[letter(1), letter(2), letter(3)], &ReplayRules { limit: Some(2), ..rules() });
    assert_eq!(plan.steps.iter().map(|step| step.row_id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((plan.count(PlannedAction::Replay), plan.count(PlannedAction::Later)), (2, 1));
}

#[test]
fn groups_tell_what_differs_and_add_up_to_all_that_was_selected() {
    let other_error = ReplayCandidate { error: None, ..letter(2) };
    let other_group =
        ReplayCandidate { consumer_group: Some("payment-service".to_owned()), ..letter(6) };
    let other_topic =
        ReplayCandidate { origin_topic: Some("payments.events".to_owned()), ..letter(3) };
    let sent = ReplayCandidate { previous: PreviousReplay::Sent, ..letter(4) };
    let letters = [letter(1), other_error, other_topic, sent, letter(5), other_group];
    let plan = Plan::new(&letters, &rules());
    assert_eq!(plan.groups.iter().map(|group| group.records).sum::<usize>(), 6);
    assert_eq!(plan.groups.len(), 5);
    let counts: Vec<_> = PlannedAction::ALL.iter().map(|action| plan.count(*action)).collect();
    assert_eq!(counts, [5, 0, 1, 0, 0, 0]);
    assert_eq!(plan.range(), Some((PostgresMicros(10), PostgresMicros(60))));
    assert_eq!(Plan::default().range(), None);
}
