//! The statements that read stories, as they are sent.

use super::*;
use crate::filter::{Clock, Zone};

/// Of one day and one type.
fn chosen() -> StorySelection {
    let clock = Clock { now: chrono::DateTime::UNIX_EPOCH, zone: Zone::utc() };
    let created =
        TimeRange { since: clock.time("2026-11-22").ok(), until: clock.time("2026-11-23").ok() };
    StorySelection::new(&ResolvedSelection {
        event_types: TextFilter::Exact(vec!["OrderCreated".to_owned()]),
        selection: Selection { created, ..Selection::default() },
        ..ResolvedSelection::default()
    })
}

const DELIVERIES: Deliveries = Deliveries { rest_from: 1_000 };

#[test]
fn events_of_a_range_are_read_once_and_the_index_tells_which_stories_have_others() {
    assert_eq!(chosen().walk(), Walk::Period);
    insta::assert_snapshot!(format!("{:?}", chosen().in_period(&DELIVERIES)), @"");
}

#[test]
fn events_of_chosen_stories_are_looked_for_story_by_story() {
    insta::assert_snapshot!(format!("{:?}", chosen().statement(Walk::Matches, &DELIVERIES)), @"");
}

#[test]
fn without_selectors_every_row_is_read() {
    let all = StorySelection::new(&ResolvedSelection::default());
    assert_eq!(all.walk(), Walk::All);
    insta::assert_snapshot!(format!("{:?}", all.statement(Walk::All, &DELIVERIES)), @"");
}
