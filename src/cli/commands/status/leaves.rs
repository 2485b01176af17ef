//! How far the leaves of `event_logs` are.

use crate::output::{Column, Emphasis, Section};
use crate::store;
use crate::store::{Leaf, LeafBuild, LeafState, Session};
use crate::time::Timestamp;

/// The leaves, and the one that is being sealed.
pub(super) struct Leaves {
    leaves: Vec<Leaf>,
    build: Option<LeafBuild>,
}

impl Leaves {
    /// Asks for them.
    pub(super) async fn read(session: &Session) -> Result<Self, store::Error> {
        let build = store::leaf_build(session).await?;
        Ok(Self { leaves: store::leaves(session).await?, build })
    }

    /// A line about those that hold ids of batches; `None` where there is one at most, and it waits
    /// for nothing.
    pub(super) fn summary(&self) -> Option<String> {
        let is_used = |leaf: &&Leaf| leaf.ids_used > 0 && leaf.state != LeafState::Retired;
        let used: Vec<&Leaf> = self.leaves.iter().filter(is_used).collect();
        let last = used.last()?;
        let sealed = used.iter().filter(|leaf| leaf.state == LeafState::Sealed).count();
        let mut text = format!("{sealed} of {} sealed", used.len());
        let waiting = self.waiting();
        if waiting.is_empty() && used.len() == 1 && self.build.is_none() {
            return None;
        }
        if !waiting.is_empty() {
            text.push_str(&format!(", {}", counted_waiting(&waiting)));
        }
        if let Some(LeafBuild { leaf, percent }) = &self.build {
            text.push_str(&format!(", {leaf} is being sealed: {percent} %"));
        }
        let percent = last.ids_used * 100 / (last.next_id - last.first_id).max(1);
        Some(format!("{text}, the last one is {percent} % full"))
    }

    /// Whether some are to be sealed, and nobody is at it.
    pub(super) fn are_left_waiting(&self) -> bool {
        self.build.is_none() && !self.waiting().is_empty()
    }

    /// All of them, for programs.
    pub(super) fn table(&self) -> Section<'_> {
        let rows = self.leaves.iter().map(|leaf| {
            let build = self.build.as_ref().filter(|build| build.leaf == leaf.name);
            let state = match (build, leaf.state) {
                (Some(_), _) => "sealing",
                (None, LeafState::Light) => "light",
                (None, LeafState::Waiting) => "waiting",
                (None, LeafState::Sealed) => "sealed",
                (None, LeafState::Retired) => "retired",
            };
            let cells = vec![
                leaf.name.as_str().into(),
                state.into(),
                leaf.first_id.into(),
                leaf.next_id.into(),
                leaf.ids_used.into(),
                leaf.closed_at.map(Timestamp::from).into(),
                leaf.sealed_at.map(Timestamp::from).into(),
                build.map(|build| build.percent).into(),
                leaf.retired_at.map(Timestamp::from).into(),
                leaf.retired_rows.into(),
            ];
            (cells, Emphasis::None)
        });
        let columns = [
            "leaf",
            "state",
            "first_id",
            "next_id",
            "ids_used",
            "closed_at",
            "sealed_at",
            "percent_built",
            "retired_at",
            "retired_rows",
        ];
        Section::table("leaves", columns.map(Column::new).to_vec(), rows.collect())
    }

    /// Those that are over, and that nobody seals now.
    fn waiting(&self) -> Vec<&Leaf> {
        let is_built =
            |leaf: &Leaf| self.build.as_ref().is_some_and(|build| build.leaf == leaf.name);
        let waits = |leaf: &&Leaf| leaf.state == LeafState::Waiting && !is_built(leaf);
        self.leaves.iter().filter(waits).collect()
    }
}

fn counted_waiting(waiting: &[&Leaf]) -> String {
    let mut text = match waiting.len() {
        1 => "1 waits".to_owned(),
        count => format!("{count} wait"),
    };
    if let Some(since) = waiting.iter().filter_map(|leaf| leaf.closed_at).min() {
        text.push_str(&format!(" since {}", since.format("%Y-%m-%d %H:%M:%S")));
    }
    text
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn leaf(number: i64, ids_used: i64, state: LeafState) -> Leaf {
        let closed = DateTime::from_timestamp(1_795_000_000 + number, 0);
        Leaf {
            name: format!("event_logs_{number:06}"),
            first_id: number * 1000,
            next_id: (number + 1) * 1000,
            ids_used,
            state,
            closed_at: closed.filter(|_| state != LeafState::Light),
            sealed_at: closed.filter(|_| state == LeafState::Sealed),
            retired_at: None,
            retired_rows: None,
        }
    }

    fn summary(leaves: Vec<Leaf>, build: Option<(&str, i64)>) -> Option<String> {
        let build = build.map(|(leaf, percent)| LeafBuild { leaf: leaf.to_owned(), percent });
        Leaves { leaves, build }.summary()
    }

    #[test]
    fn nothing_is_said_of_one_leaf_beside_the_one_that_was_made_ahead() {
        let light = LeafState::Light;
        assert_eq!(summary(Vec::new(), None), None);
        assert_eq!(summary(vec![leaf(0, 0, light)], None), None);
        assert_eq!(summary(vec![leaf(0, 371, light), leaf(1, 0, light)], None), None);
    }

    #[test]
    fn who_waits_who_is_sealed_and_how_full_the_last_one_is_is_said_in_a_line() {
        let (light, waiting, sealed) = (LeafState::Light, LeafState::Waiting, LeafState::Sealed);
        let leaves = || {
            vec![
                leaf(0, 1000, sealed),
                leaf(1, 1000, waiting),
                leaf(2, 1000, waiting),
                leaf(3, 371, light),
            ]
        };
        assert_eq!(
            summary(leaves(), None).as_deref(),
            Some("1 of 4 sealed, 2 wait since 2026-11-18 11:06:41, the last one is 37 % full")
        );
        assert_eq!(
            summary(leaves(), Some(("event_logs_000001", 58))).as_deref(),
            Some(
                "1 of 4 sealed, 1 waits since 2026-11-18 11:06:42, event_logs_000001 is being sealed: 58 %, \
                 the last one is 37 % full"
            )
        );
        assert!(Leaves { leaves: leaves(), build: None }.are_left_waiting());
        let early = vec![leaf(0, 10, sealed)];
        assert_eq!(summary(early, None), None);
    }
}
