//! How long a story has been silent, and what usually comes next.

use chrono::{Duration, SubsecRound, Utc};

use crate::analysis::{Next, StoryKey, Usual};
use crate::cli::ui::Failure;
use crate::filter::{TimeRange, rfc3339};
use crate::store;
use crate::store::{EventColumn, LearnFrom, ResolvedSelection, Session, StoredEvent};
use crate::time::{PostgresMicros, UnixMicros, span_text};

/// The types that the audit itself gives are no steps.
const OWN_TYPES: &str = "audit.";

/// From how long before it is learned, in days.
const DAYS: i64 = 30;

/// As `audit stuck` does: what is going on now teaches nothing.
const HOURS: i64 = 24;

/// A story is read in a moment, and so is this.
const LEARN_FROM: LearnFrom = LearnFrom { all_of: 20_000, sample: 5_000 };

/// Fewer steps tell nothing about the next.
const FEWEST_STEPS: u64 = 5;

/// A shorter silence is none.
const SHORTEST: i64 = 1_000_000;

/// How many stories are asked for a step.
const STORIES: usize = 3;

/// Says how long ago the last step of a story was, and what usually comes next, unless stories end
/// with such a step. The events are in the order of their times.
pub(super) async fn silence(
    session: &Session,
    events: &[StoredEvent],
) -> Result<Option<String>, Failure> {
    let mut last = None;
    for key in stories_of_last_rows(events)? {
        let mut stories = store::stories_of(session, &ResolvedSelection::default(), &[key]).await?;
        // A later delivery can name another story: it is no step, so that there is none.
        if let Some(story) = stories.next().await? {
            let event_type = stories.types().name(story.last().event_type).to_owned();
            last = Some((story, event_type));
            break;
        }
    }
    let Some((story, event_type)) = last else { return Ok(None) };
    let now = PostgresMicros::from(UnixMicros::now());
    if now.since(story.last().at) < SHORTEST {
        return Ok(None);
    }
    let usual = usual(session, story.first.at).await?;
    Ok(Silence { event_type: &event_type, since: story.last().at, now }.text(&usual))
}

/// The stories of the last events that may be steps, the last one first.
fn stories_of_last_rows(events: &[StoredEvent]) -> Result<Vec<StoryKey>, Failure> {
    let mut keys = Vec::new();
    for event in events.iter().rev() {
        let event_type = event.text(EventColumn::EventType)?.unwrap_or_default();
        if event.mark()?.dead_letter || event_type.starts_with(OWN_TYPES) {
            continue;
        }
        let correlation = event.uuid(EventColumn::CorrelationId)?.map(StoryKey::Correlation);
        let aggregate = event.uuid(EventColumn::AggregateId)?.map(StoryKey::Aggregate);
        let key = correlation.or(aggregate).filter(|key| !keys.contains(key));
        keys.extend(key);
        if keys.len() == STORIES {
            break;
        }
    }
    Ok(keys)
}

/// What was usual before a story began, and before the last 24 hours where there is anything.
async fn usual(session: &Session, began: PostgresMicros) -> Result<Usual, Failure> {
    let Some(began) = began.to_utc() else { return Ok(Usual::default()) };
    let day_ago = Utc::now() - Duration::hours(HOURS);
    let mut usual = Usual::default();
    for before in [began.min(day_ago), began] {
        if usual.stories == 0 {
            let since = before.checked_sub_signed(Duration::days(DAYS));
            let period = TimeRange { since, until: Some(before) };
            usual = store::learn(session, period, LEARN_FROM).await?.usual;
        }
    }
    Ok(usual)
}

/// A silence.
struct Silence<'a> {
    /// The type of the last step.
    event_type: &'a str,
    /// When that was.
    since: PostgresMicros,
    now: PostgresMicros,
}

impl Silence<'_> {
    fn text(&self, usual: &Usual) -> Option<String> {
        if usual.is_end(self.event_type) {
            return None;
        }
        let silent = span_text(self.now.since(self.since).unsigned_abs());
        let silent = format!("silent for {silent} since {}", self.event_type);
        let next = usual.next(self.event_type).filter(|next| next.count() >= FEWEST_STEPS);
        let Some(next) = next else { return Some(silent) };
        let [p50, p99] = [next.p50, next.p99].map(|span| span_text(span.unsigned_abs()));
        let due = PostgresMicros(self.since.0.saturating_add(next.p99));
        let time = due.to_utc().map(|time| rfc3339(time.trunc_subsecs(0))).unwrap_or_default();
        let late = self.now.since(due);
        let due = match late > 0 {
            true => format!("due since {time}, {} ago", span_text(late.unsigned_abs())),
            false => format!("due by {time}"),
        };
        Some(format!("{silent}; usually {} follows within {p50} (p99 {p99}): {due}", names(next)))
    }
}

/// What mostly follows: the fewest types that are half of it.
fn names(next: &Next) -> String {
    let (mut names, mut count) = (Vec::new(), 0);
    for followed in &next.types {
        if count * 2 >= next.count() || names.len() == 3 {
            break;
        }
        names.push(followed.name.as_str());
        count += followed.count;
    }
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::analysis::{EventTypes, Learner, Step, Story};

    /// What was learned of stories: each of types, a second apart.
    fn usual(stories: &[(usize, &[&str])]) -> Usual {
        let (mut types, mut learner) = (EventTypes::default(), Learner::default());
        for (count, names) in stories {
            let mut steps = (0..).zip(*names).map(|(second, name)| Step {
                row_id: 0,
                event_type: types.of(name),
                at: PostgresMicros(second * 1_000_000),
            });
            let story = Story {
                key: StoryKey::Correlation(Uuid::nil()),
                first: steps.next().expect("a first step"),
                rest: steps.collect(),
                last_dead_letter: None,
            };
            (0..*count).for_each(|_| learner.add(&story));
        }
        learner.finish(&types)
    }

    fn said(event_type: &str, seconds: i64, usual: &Usual) -> Option<String> {
        let since = PostgresMicros(848_656_800_120_000);
        let now = PostgresMicros(since.0 + seconds * 1_000_000);
        Silence { event_type, since, now }.text(usual)
    }

    #[test]
    fn what_usually_comes_next_is_said_and_when_it_was_due() {
        let usual = usual(&[(9, &["Created", "Paid", "Shipped"]), (1, &["Created", "Declined"])]);
        assert_eq!(
            said("Created", 7_500, &usual).as_deref(),
            Some(
                "silent for 2h05m since Created; usually Paid follows within 1.000s (p99 1.000s): \
                 due since 2026-11-22T10:00:01Z, 2h04m ago"
            )
        );
        assert_eq!(
            said("Paid", 1, &usual).as_deref(),
            Some(
                "silent for 1.000s since Paid; usually Shipped follows within 1.000s (p99 1.000s): \
                 due by 2026-11-22T10:00:01Z"
            )
        );
        let halves = self::usual(&[(5, &["Created", "Paid"]), (5, &["Created", "Declined"])]);
        assert!(
            said("Created", 9, &halves)
                .is_some_and(|text| text.contains("usually Declined follows"))
        );
        let thirds = self::usual(&[(3, &["A", "B"]), (3, &["A", "C"]), (3, &["A", "D"])]);
        assert!(said("A", 9, &thirds).is_some_and(|text| text.contains("usually B or C follows")));
    }

    #[test]
    fn nothing_is_said_where_stories_end_and_little_where_little_is_known() {
        let usual = usual(&[(4, &["Created", "Paid"])]);
        assert_eq!(said("Paid", 7_500, &usual), None);
        let unknown = Some("silent for 2h05m since Created");
        assert_eq!(said("Created", 7_500, &usual).as_deref(), unknown);
        assert_eq!(said("Created", 7_500, &Usual::default()).as_deref(), unknown);
    }
}
