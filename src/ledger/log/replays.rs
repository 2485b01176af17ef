//! The leaves of replays beside the replays that are known.

use std::collections::HashMap;

use uuid::Uuid;

use crate::count_text::counted_with;
use crate::evidence::leaf::{LeafKind, ReplayOutcomeLeaf, ReplayRequestLeaf};
use crate::ledger::{Finding, Findings};
use crate::time::PostgresMicros;

/// A line of `dlt_replays`, as its leaves have to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayClaim {
    /// What was asked for.
    pub request: ReplayRequestLeaf,
    /// What came of it; `None` where that is not known yet.
    pub outcome: Option<ReplayOutcomeLeaf>,
}

/// The replays whose leaves have not come yet.
#[derive(Debug, Default)]
pub(super) struct Replays {
    requests: HashMap<Uuid, ReplayRequestLeaf>,
    outcomes: HashMap<Uuid, ReplayOutcomeLeaf>,
}

impl Replays {
    pub(super) fn add(&mut self, claim: ReplayClaim) {
        let id = claim.request.replay_id;
        self.requests.insert(id, claim.request);
        if let Some(outcome) = claim.outcome {
            self.outcomes.insert(id, outcome);
        }
    }

    /// Takes a leaf. What is wrong with it is the text.
    pub(super) fn leaf(&mut self, kind: LeafKind, body: &[u8]) -> Option<String> {
        let (id, fits) = match kind {
            LeafKind::ReplayRequest => match ReplayRequestLeaf::decode(body) {
                Ok(leaf) => (
                    leaf.replay_id,
                    self.requests.remove(&leaf.replay_id).map(|known| known == leaf),
                ),
                Err(error) => return Some(error.to_string()),
            },
            LeafKind::ReplayOutcome => match ReplayOutcomeLeaf::decode(body) {
                Ok(leaf) => (
                    leaf.replay_id,
                    self.outcomes.remove(&leaf.replay_id).map(|known| known == leaf),
                ),
                Err(error) => return Some(error.to_string()),
            },
            _ => return None,
        };
        match fits {
            Some(true) => None,
            Some(false) => Some(format!("dlt_replays tells something else of the replay {id}")),
            None => Some(format!("dlt_replays does not have the replay {id}, or not so")),
        }
    }

    /// Ends behind the last leaf: what was asked for or resolved since the log began has a leaf.
    pub(super) fn finish(self, begun_at: Option<PostgresMicros>, findings: &mut Findings) {
        let Some(begun_at) = begun_at else { return };
        let requests = self.requests.values().filter(|leaf| leaf.requested_at >= begun_at).count();
        let outcomes = self.outcomes.values().filter(|leaf| leaf.resolved_at >= begun_at).count();
        for (count, noun) in [(requests, "request"), (outcomes, "outcome")] {
            if count > 0 {
                let text = format!("{} not in the log", counted_with(count, noun, ["is", "are"]));
                findings.push(Finding::altered("dlt_replays", text));
            }
        }
    }
}
