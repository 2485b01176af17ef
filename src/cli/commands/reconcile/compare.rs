//! Compares the sides of the chosen stories, and tells what came of it.

use crate::analysis::reconcile::{
    Amounts, Comparison, CsvKey, CsvStatement, Reconciliation, StatedAmounts, Totals,
};
use crate::analysis::{Decimal, StoryKey};
use crate::cli::ui::{Failure, Ui};
use crate::count_text::{counted, counted_with};
use crate::filter::Selection;
use crate::store;
use crate::store::{AmountSides, ResolvedSelection, Session};

/// Ids whose stories are looked for at once.
const IDS_AT_ONCE: usize = 50_000;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// A story, with one of its rows.
    Story { key: StoryKey, row_id: i64 },
    /// A key of somebody else's that is no known id.
    Key(CsvKey),
}

/// Compares one story after the other.
pub(super) struct Comparer<'a> {
    sides: &'a AmountSides,
    reconciliation: Reconciliation<Subject>,
    stated: StatedAmounts,
    left: Amounts,
    right: Amounts,
    outside: u64,
}

/// What came of it.
pub(super) struct Compared {
    pub(super) rows: Vec<Comparison<Subject>>,
    pub(super) totals: Totals,
    pub(super) left: Amounts,
    pub(super) right: Amounts,
    stated: StatedAmounts,
    outside: u64,
}

impl<'a> Comparer<'a> {
    pub(super) fn new(tolerance: Decimal, keeps_all: bool, sides: &'a AmountSides) -> Self {
        Self {
            sides,
            reconciliation: Reconciliation::new(tolerance, keeps_all),
            stated: StatedAmounts::default(),
            left: Amounts::default(),
            right: Amounts::default(),
            outside: 0,
        }
    }

    /// Looks for the stories of a statement.
    pub(super) async fn state(
        &mut self,
        session: &Session,
        statement: CsvStatement,
    ) -> Result<(), Failure> {
        let mut entries = statement.entries;
        // From the end on: what was looked up gives its memory back to what is kept of it.
        while !entries.is_empty() {
            let piece = entries.split_off(entries.len().saturating_sub(IDS_AT_ONCE));
            entries.shrink_to_fit();
            let ids: Vec<String> = piece.iter().map(|entry| entry.key.to_text()).collect();
            let types = &self.sides.left.types;
            let stories = store::stated_stories(session, &ids, types, self.sides.by).await?;
            for (entry, candidates) in piece.into_iter().zip(stories) {
                if let Some(unknown) = self.stated.add(entry, &candidates) {
                    let key = Subject::Key(unknown.key);
                    self.reconciliation.add(key, None, Some(unknown.amount));
                }
            }
        }
        Ok(())
    }

    /// Compares the chosen stories.
    pub(super) async fn compare(
        &mut self,
        session: &Session,
        selection: &Selection,
        resolved: &ResolvedSelection,
    ) -> Result<(), Failure> {
        if !resolved.is_empty() {
            let mut stories = store::story_amounts(session, resolved, self.sides).await?;
            while let Some(story) = stories.next().await? {
                self.left.count(&story.left);
                self.right.count(&story.right);
                let right = match self.sides.right {
                    Some(_) => story.right.sum,
                    None => self.stated.take(story.key),
                };
                let subject = Subject::Story { key: story.key, row_id: story.row_id };
                self.reconciliation.add(subject, story.left.sum, right);
            }
        }
        // Without a selector every story is chosen; those without a left side were not read.
        let are_chosen = *selection == Selection::default();
        for (key, stated) in self.stated.rest() {
            if are_chosen {
                let subject = Subject::Story { key, row_id: stated.row_id };
                self.reconciliation.add(subject, None, Some(stated.amount));
            } else {
                self.outside += 1;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Compared {
        let (rows, totals) = self.reconciliation.finish();
        let Self { stated, left, right, outside, .. } = self;
        Compared { rows, totals, left, right, stated, outside }
    }
}

impl Compared {
    /// Whether a key could mean several stories, so that it was not compared.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.stated.ambiguous().0 > 0
    }

    /// Whether something that is no number stood where one was expected.
    pub(super) fn has_no_numbers(&self) -> bool {
        self.left.not_numbers + self.right.not_numbers > 0
    }

    /// Says what was compared, and what was left out. `left` and `right` are the sides as they were
    /// typed.
    pub(super) fn tell(&self, left: &str, right: Option<&str>, limit: usize, ui: Ui) {
        if self.rows.len() > limit {
            let shown = counted(limit, "row");
            let all = self.rows.len();
            ui.status(&format!(
                "{shown} of {all} shown; show more with --limit, or all with -o csv"
            ));
        }
        let Totals { agree, differ, left_only, right_only, .. } = &self.totals;
        if self.totals.compared() == 0 {
            ui.status("no story has an amount of either side");
        } else {
            let agree = match agree {
                1 => "1 story agrees".to_owned(),
                _ => format!("{agree} stories agree"),
            };
            ui.status(&format!(
                "{agree}, {differ} differ, {left_only} left only, {right_only} right only"
            ));
            let (left, right) = (&self.totals.left, &self.totals.right);
            ui.status(&format!("sums: left {left}, right {right}, difference {}", left - right));
        }
        for (typed, amounts) in [(Some(left), &self.left), (right, &self.right)] {
            if let Some(typed) = typed {
                tell_amounts(typed, amounts, ui);
            }
        }
        self.tell_keys(ui);
    }

    fn tell_keys(&self, ui: Ui) {
        if self.stated.joined() > 0 {
            let keys = counted_with(self.stated.joined(), "key", ["means", "mean"]);
            ui.status(&format!(
                "{keys} a story that another key means, too: their amounts are summed"
            ));
        }
        if self.outside > 0 {
            let keys = counted_with(self.outside, "key", ["is", "are"]);
            ui.status(&format!("{keys} of stories that are not selected: not compared"));
        }
        let (ambiguous, first) = self.stated.ambiguous();
        if ambiguous > 0 {
            let keys = counted_with(ambiguous, "key", ["means", "mean"]);
            let mut first: Vec<_> = first.iter().map(CsvKey::to_text).collect();
            if ambiguous > first.len() as u64 {
                first.push("…".to_owned());
            }
            ui.status(&format!(
                "{keys} several stories, and nothing tells which: not compared ({}); try --by aggregate",
                first.join(", ")
            ));
        }
    }

    /// Says how many events of the sides no story holds.
    pub(super) async fn tell_without_story(
        &self,
        session: &Session,
        selection: &Selection,
        resolved: &ResolvedSelection,
        sides: &AmountSides,
        ui: Ui,
    ) -> Result<(), Failure> {
        // An id of a story chooses nothing that is without.
        let is_of_ids = !selection.aggregates.is_empty() || !selection.correlations.is_empty();
        if resolved.is_empty() || is_of_ids {
            return Ok(());
        }
        let events = store::amounts_without_story(session, resolved, sides).await?;
        if events > 0 {
            let events = counted_with(events, "event", ["belongs", "belong"]);
            let lacks = match sides.by {
                store::StoryBy::Correlation => "neither correlation nor aggregate is known",
                store::StoryBy::Aggregate => "no aggregate is known",
            };
            ui.status(&format!("{events} to no story: {lacks}"));
        }
        Ok(())
    }
}

/// Says in how many events of a side there is no number.
fn tell_amounts(typed: &str, amounts: &Amounts, ui: Ui) {
    let parts = [(amounts.missing, "nothing there in"), (amounts.not_numbers, "no number in")];
    let told: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{what} {count} of {}", counted(amounts.events, "event")))
        .collect();
    if !told.is_empty() {
        ui.status(&format!("{typed}: {}", told.join(", ")));
    }
}
