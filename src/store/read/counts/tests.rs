//! The statements that count, as they are sent.

use chrono::DateTime;

use super::figure::{Figure, FigureKind};
use super::grouping::Grouping;
use super::groups::CountQuery;
use super::state::CountState;
use crate::filter::{Selection, TimeRange, ZoneShifts};
use crate::store::search::counted::Counting;
use crate::store::search::resolved::ResolvedSelection;
use crate::store::search::selected_column::PayloadPath;

const STATE: CountState = CountState {
    counting: Counting {
        filled_through: 7,
        duplicates_through: 7,
        duplicates: 0,
        uncounted_rows: 0,
        unsearched_rows: 0,
    },
    rows: 1_000,
};

fn selected(since: Option<&str>, until: Option<&str>) -> ResolvedSelection {
    let time = |text: Option<&str>| {
        let time = text.map(|text| DateTime::parse_from_rfc3339(text).expect("a time"));
        time.map(Into::into)
    };
    let created = TimeRange { since: time(since), until: time(until) };
    let selection = Selection { created, ..Selection::default() };
    ResolvedSelection { selection, ..ResolvedSelection::default() }
}

fn query<'a>(
    selection: &'a ResolvedSelection,
    by: &'a [Grouping],
    shifts: &'a ZoneShifts,
) -> CountQuery<'a> {
    CountQuery { selection, before: None, by, shifts, figures: &[], duplicates: false, limit: 50 }
}

#[test]
fn everything_by_type_reads_counts_and_what_no_count_holds() {
    let (selection, shifts) = (selected(None, None), ZoneShifts::utc());
    let statement = query(&selection, &[Grouping::Type], &shifts).statement(&STATE);
    insta::assert_snapshot!(format!("{statement:?}"), @"");
}

#[test]
fn hours_of_a_range_have_edges_that_are_counted_from_rows() {
    let selection = selected(Some("2026-11-22T09:30:00Z"), Some("2026-11-23T00:00:00Z"));
    let shifts = ZoneShifts::utc();
    let by = [Grouping::Topic, Grouping::Hour];
    let statement = query(&selection, &by, &shifts).statement(&STATE);
    insta::assert_snapshot!(format!("{statement:?}"), @"");
}

#[test]
fn figures_are_computed_of_rows_in_steps() {
    let (selection, shifts) = (selected(None, None), ZoneShifts::utc());
    let path = |text| PayloadPath::new(text).expect("a path");
    let figures = [(FigureKind::Average, "$.a"), (FigureKind::Percentile95, "$.a")]
        .map(|(kind, text)| Figure { kind, path: path(text) });
    let by = [Grouping::Payload(path("$.currency"))];
    let query = CountQuery { figures: &figures, ..query(&selection, &by, &shifts) };
    insta::assert_snapshot!(format!("{:?}", query.statement(&STATE)), @"");
}

#[test]
fn two_periods_are_read_together() {
    let selection = selected(Some("2026-11-22T00:00:00Z"), Some("2026-11-22T00:30:00Z"));
    let before = selected(Some("2026-11-21T23:30:00Z"), Some("2026-11-22T00:00:00Z"));
    let shifts = ZoneShifts::utc();
    let by = [Grouping::Correlation];
    let query = CountQuery { before: Some(&before), ..query(&selection, &by, &shifts) };
    insta::assert_snapshot!(format!("{:?}", query.statement(&STATE)), @"");
}

#[test]
fn counts_are_left_aside_where_much_is_not_counted_yet() {
    let (selection, shifts) = (selected(None, None), ZoneShifts::utc());
    let counting = Counting { uncounted_rows: 500, ..STATE.counting };
    let state = CountState { counting, ..STATE };
    let statement = query(&selection, &[Grouping::Type], &shifts).statement(&state);
    assert!(!statement.sql.contains("event_counts"), "{statement:?}");
    let by = [Grouping::Minute];
    let statement = query(&selection, &by, &shifts).statement(&STATE);
    assert!(!statement.sql.contains("event_counts"), "{statement:?}");
}
