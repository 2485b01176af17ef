//! Which leaves go, and which are held back.

use chrono::{DateTime, Utc};
use indicatif::HumanBytes;

use super::handed_over::Receiver;
use crate::cli::shared::{OutputArgs, print_rows};
use crate::cli::ui::{Exit, Failure, Ui};
use crate::count_text::counted;
use crate::output::{Column, Emphasis, Format};
use crate::store::ClosedLeaf;
use crate::time::{PostgresMicros, Timestamp};
use crate::value::Value;

/// What a leaf has to fulfil.
pub(super) struct Rules {
    /// Before which its events happened and were recorded.
    pub(super) before: DateTime<Utc>,
    /// Who has to have it.
    pub(super) handed_over: Vec<Receiver>,
}

impl Rules {
    fn is_old_enough(&self, leaf: &ClosedLeaf) -> bool {
        let limit = PostgresMicros::from(self.before);
        match leaf.max_created_at {
            Some(newest) => {
                newest < limit && leaf.recorded_at.is_none_or(|recorded| recorded < self.before)
            }
            None => leaf.closed_at < self.before,
        }
    }

    /// Why a leaf that is old enough stays nevertheless.
    fn held_back(&self, leaf: &ClosedLeaf) -> Option<String> {
        if !leaf.is_counted {
            let text = "its events are not all counted yet: a running ingester does that, or `audit maintain`";
            return Some(text.to_owned());
        }
        if leaf.has_foreign_rows && !self.handed_over.is_empty() {
            return Some("has rows outside batches, which no export hands over".to_owned());
        }
        let last = leaf.last_batch_no?;
        let behind = self.handed_over.iter().find(|to| to.batch_no < last)?;
        Some(format!(
            "batch {last} was not handed over to {}, which has batches up to {}",
            behind.name, behind.batch_no
        ))
    }
}

/// What is going to be done.
pub(super) struct Plan {
    /// Those that are old enough, and why they are held back.
    leaves: Vec<(ClosedLeaf, Option<String>)>,
    /// How many are not old enough.
    younger: usize,
}

/// Those of the table.
const IN_TABLES: [&str; 8] = ["leaf", "action", "rows", "from", "to", "batches", "bytes", "why"];

fn columns() -> [Column; 12] {
    [
        Column::new("leaf").whole(),
        Column::new("action").whole(),
        Column::new("first_id"),
        Column::new("last_id"),
        Column::new("rows"),
        Column::new("from"),
        Column::new("to"),
        Column::new("batches"),
        Column::new("last_batch_no"),
        Column::new("recorded_at"),
        Column::new("bytes"),
        Column::new("why").explains(),
    ]
}

impl Plan {
    /// Judges the leaves by the rules.
    pub(super) fn new(leaves: Vec<ClosedLeaf>, rules: &Rules) -> Self {
        let (old, younger): (Vec<_>, Vec<_>) =
            leaves.into_iter().partition(|leaf| rules.is_old_enough(leaf));
        let judged = old.into_iter().map(|leaf| {
            let why = rules.held_back(&leaf);
            (leaf, why)
        });
        Self { leaves: judged.collect(), younger: younger.len() }
    }

    /// Whether a leaf is old enough, and stays.
    pub(super) fn is_held_back(&self) -> bool {
        self.leaves.iter().any(|(_, why)| why.is_some())
    }

    /// The leaves that go.
    pub(super) fn retired(&self) -> Vec<&ClosedLeaf> {
        self.leaves.iter().filter(|(_, why)| why.is_none()).map(|(leaf, _)| leaf).collect()
    }

    /// Shows it on stdout, and its sum on stderr.
    pub(super) fn show(&self, output: &OutputArgs, ui: Ui) -> Result<Exit, Failure> {
        let is_table = output.format.format() == Format::Table;
        let rows = self.leaves.iter().map(|(leaf, why)| {
            let emphasis = if why.is_some() { Emphasis::Notice } else { Emphasis::None };
            (cells(leaf, why.as_deref(), is_table), emphasis)
        });
        let empty = match self.younger {
            0 => "no leaf of event_logs is full, and only full ones are dropped".to_owned(),
            younger => format!("none of {} is old enough", counted(younger, "full leaf")),
        };
        let exit = print_rows(&columns(), &IN_TABLES, rows.collect(), &empty, output, ui)?;
        if !self.leaves.is_empty() {
            ui.status(&self.sum());
        }
        Ok(exit)
    }

    fn sum(&self) -> String {
        let retired = self.retired();
        let rows: i64 = retired.iter().map(|leaf| leaf.rows).sum();
        let bytes: i64 = retired.iter().map(|leaf| leaf.bytes).sum();
        let mut text = format!(
            "{} to be dropped, with {} ({})",
            counted(retired.len(), "leaf"),
            counted(rows, "row"),
            HumanBytes(bytes.unsigned_abs())
        );
        let held = self.leaves.len() - retired.len();
        if held > 0 {
            text.push_str(&format!(", {held} held back"));
        }
        if self.younger > 0 {
            text.push_str(&format!(", {} not old enough", self.younger));
        }
        text
    }
}

fn cells<'a>(leaf: &'a ClosedLeaf, why: Option<&'a str>, is_table: bool) -> Vec<Value<'a>> {
    let bytes = match is_table {
        true => HumanBytes(leaf.bytes.unsigned_abs()).to_string().into(),
        false => leaf.bytes.into(),
    };
    let time = |time: Option<PostgresMicros>| time.map(Timestamp::without_zone).into();
    vec![
        leaf.name.as_str().into(),
        if why.is_some() { "keep" } else { "drop" }.into(),
        leaf.first_id.into(),
        (leaf.next_id - 1).into(),
        leaf.rows.into(),
        time(leaf.min_created_at),
        time(leaf.max_created_at),
        leaf.batches.into(),
        leaf.last_batch_no.into(),
        leaf.recorded_at.map(Timestamp::from).into(),
        bytes,
        why.into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    /// A leaf with events up to one second, recorded up to another.
    fn leaf(newest: i64, recorded: i64) -> ClosedLeaf {
        ClosedLeaf {
            name: "event_logs_000000".to_owned(),
            first_id: 0,
            next_id: 10,
            closed_at: instant(recorded),
            min_created_at: Some(instant(0).into()),
            max_created_at: Some(instant(newest).into()),
            rows: 9,
            batches: 3,
            last_batch_no: Some(7),
            recorded_at: Some(instant(recorded)),
            has_foreign_rows: false,
            is_counted: true,
            bytes: 1,
        }
    }

    fn rules(batches: &[i64]) -> Rules {
        let receiver = |batch_no: &i64| Receiver { name: "x".to_owned(), batch_no: *batch_no };
        Rules { before: instant(100), handed_over: batches.iter().map(receiver).collect() }
    }

    /// `drop`, `younger`, or why it is held back.
    fn judged(leaf: ClosedLeaf, batches: &[i64]) -> String {
        let plan = Plan::new(vec![leaf], &rules(batches));
        match plan.leaves.into_iter().next() {
            None => "younger".to_owned(),
            Some((_, None)) => "drop".to_owned(),
            Some((_, Some(why))) => why,
        }
    }

    #[test]
    fn only_what_happened_and_was_recorded_before_the_limit_goes() {
        assert_eq!(judged(leaf(99, 99), &[]), "drop");
        assert_eq!(judged(leaf(100, 99), &[]), "younger");
        assert_eq!(judged(leaf(99, 100), &[]), "younger");
        let endless = ClosedLeaf { max_created_at: Some(PostgresMicros(i64::MAX)), ..leaf(0, 0) };
        assert_eq!(judged(endless, &[]), "younger");
        let empty = |closed| ClosedLeaf {
            min_created_at: None,
            max_created_at: None,
            recorded_at: None,
            last_batch_no: None,
            ..leaf(0, closed)
        };
        assert_eq!(judged(empty(99), &[1]), "drop");
        assert_eq!(judged(empty(100), &[1]), "younger");
    }

    #[test]
    fn what_somebody_still_lacks_is_held_back() {
        assert_eq!(judged(leaf(1, 1), &[7, 8]), "drop");
        let why = "batch 7 was not handed over to x, which has batches up to 6";
        assert_eq!(judged(leaf(1, 1), &[7, 6]), why);
        let foreign = ClosedLeaf { has_foreign_rows: true, ..leaf(1, 1) };
        assert_eq!(judged(foreign.clone(), &[]), "drop");
        assert!(judged(foreign, &[7]).starts_with("has rows outside batches"));
        let uncounted = ClosedLeaf { is_counted: false, ..leaf(1, 1) };
        assert!(judged(uncounted, &[]).contains("not all counted yet"));
    }
}
