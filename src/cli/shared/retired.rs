//! What is said of events that were retired.

use crate::cli::ui::{Failure, Ui};
use crate::count_text::counted;
use crate::filter::{Selection, TimeRange};
use crate::store;
use crate::store::{RetiredTotals, Session};
use crate::time::{PostgresMicros, Timestamp, timestamp_text};

/// What retired events are to a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retired {
    /// They are not in it.
    Missing,
    /// They are counted, by whole hours.
    Counted,
}

/// Says how many events were retired, where some may be among those that are asked for.
pub(crate) async fn tell_retired(
    session: &Session,
    selection: &Selection,
    retired: Retired,
    ui: Ui,
) -> Result<(), Failure> {
    if let Some(totals) = store::retired_totals(session).await?
        && may_hold(&totals, selection)
    {
        ui.status(&words(&totals, retired));
    }
    Ok(())
}

/// A hint for where nothing has an id: it may have been retired.
pub(crate) async fn retired_hint(session: &Session) -> Result<Option<String>, Failure> {
    let totals = store::retired_totals(session).await?;
    Ok(totals.map(|totals| words(&totals, Retired::Missing)))
}

/// Whether events of these times are asked for.
fn may_hold(totals: &RetiredTotals, selection: &Selection) -> bool {
    let (Some(first), Some(last)) = (totals.first_at, totals.last_at) else { return false };
    let overlaps = |range: &TimeRange| {
        range.since.is_none_or(|since| PostgresMicros::from(since) <= last)
            && range.until.is_none_or(|until| PostgresMicros::from(until) > first)
    };
    overlaps(&selection.created)
        && (selection.days.is_empty() || selection.days.iter().any(overlaps))
        && selection.recorded.since.is_none_or(|since| since <= totals.retired_at)
}

fn words(totals: &RetiredTotals, retired: Retired) -> String {
    let rows = counted(totals.rows, "row");
    let time = |time: PostgresMicros| timestamp_text(Timestamp::without_zone(time));
    let span = match (totals.first_at, totals.last_at) {
        (Some(first), Some(last)) => format!(" of events from {} to {}", time(first), time(last)),
        _ => String::new(),
    };
    let fate = match retired {
        Retired::Missing => "no longer here",
        Retired::Counted => "counted nevertheless, by whole hours of UTC",
    };
    let verb = if totals.rows == 1 { "was retired and is" } else { "were retired and are" };
    format!("{rows}{span} {verb} {fate}: audit status")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn totals(first: i64, last: i64) -> RetiredTotals {
        let time = |second| Some(DateTime::from_timestamp(second, 0).unwrap().into());
        RetiredTotals {
            leaves: 1,
            rows: 2,
            first_at: time(first),
            last_at: time(last),
            retired_at: DateTime::from_timestamp(1_000, 0).unwrap(),
        }
    }

    fn range(since: Option<i64>, until: Option<i64>) -> TimeRange {
        let instant = |second| DateTime::from_timestamp(second, 0).unwrap();
        TimeRange { since: since.map(instant), until: until.map(instant) }
    }

    #[test]
    fn retired_events_are_told_of_where_their_times_are_asked_for() {
        let totals = totals(100, 200);
        let created =
            |since, until| Selection { created: range(since, until), ..Selection::default() };
        assert!(may_hold(&totals, &created(None, None)));
        assert!(may_hold(&totals, &created(Some(200), None)));
        assert!(!may_hold(&totals, &created(Some(201), None)));
        assert!(may_hold(&totals, &created(None, Some(101))));
        assert!(!may_hold(&totals, &created(None, Some(100))));
        let days = vec![range(Some(0), Some(50)), range(Some(150), Some(160))];
        assert!(may_hold(&totals, &Selection { days, ..Selection::default() }));
        let recorded = range(Some(1_001), None);
        assert!(!may_hold(&totals, &Selection { recorded, ..Selection::default() }));
    }
}
