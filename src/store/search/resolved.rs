//! A selection as one database understands it: selectors as values that exist there.

use chrono::{DateTime, Utc};

use crate::filter::{Glob, GlobList, Identifier, Selection};
use crate::store::search::walk::leaves::{Between, PassedOver};
use crate::time::PostgresMicros;

/// For which rows a selection is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowScope {
    /// Those that exist.
    Existing,
    /// Also those that are still to come, of types, services and partitions that may not exist yet.
    Future,
}

/// A selection, resolved against one database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedSelection {
    pub(in crate::store) event_types: TextFilter,
    pub(in crate::store) services: TextFilter,
    pub(in crate::store) topics: TopicFilter,
    pub(in crate::store) aggregates: Vec<Identifier>,
    pub(in crate::store) correlations: Vec<Identifier>,
    pub(in crate::store) recorded: Option<RecordedRange>,
    pub(in crate::store) errors: ErrorFilter,
    /// Whether only dead letters are meant (true), or all but dead letters (false).
    pub(in crate::store) dead_letters: Option<bool>,
    /// How many rows have the types, services and topics together.
    pub(in crate::store) cardinality: Cardinality,
    /// Where all of its rows lie, as far as that is known.
    pub(in crate::store) extent: Extent,
    /// The selectors as they were given: those without a field above need no look-up.
    pub(in crate::store) selection: Selection,
}

impl ResolvedSelection {
    /// Whether ids narrow the search to few rows.
    pub(in crate::store) fn has_ids(&self) -> bool {
        !self.aggregates.is_empty()
            || !self.correlations.is_empty()
            || !self.selection.event_ids.is_empty()
    }

    /// Whether an aggregate or a correlation is told by the beginning of its id: a light leaf is
    /// read for it.
    pub(in crate::store) fn has_beginnings_of_ids(&self) -> bool {
        self.aggregates.iter().chain(&self.correlations).any(|id| id.exact().is_none())
    }

    /// Whether payloads are looked into.
    pub fn has_predicates(&self) -> bool {
        !self.selection.payload_predicates.is_empty()
    }

    /// Whether a selector has no counterpart in the database, so that nothing can match.
    pub fn is_empty(&self) -> bool {
        self.event_types == TextFilter::Exact(Vec::new())
            || self.services == TextFilter::Exact(Vec::new())
            || self.topics == TopicFilter::Partitions(Vec::new())
            || self.errors == ErrorFilter::Ids(Vec::new())
            || (self.errors != ErrorFilter::Any && self.dead_letters == Some(false))
            || self.cardinality == Cardinality::None
            || self.recorded.is_some_and(|recorded| recorded.first_id > recorded.last_id)
    }
}

/// Where all rows of a selection lie: no row of it lies elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Extent {
    /// Between which times they happened, both inclusive; the first is the later one where there
    /// are no rows.
    pub(in crate::store) created: Option<Between>,
    /// The leaves that have none of them.
    pub(in crate::store) passed_over: PassedOver,
}

/// Which texts are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) enum TextFilter {
    /// Every text.
    #[default]
    Any,
    /// One of these.
    Exact(Vec<String>),
    /// One of these, or no text: nothing was included by name, only others excluded.
    ExactOrNull(Vec<String>),
    /// Whatever matches these patterns.
    Like(LikePatterns),
}

/// Patterns of LIKE.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct LikePatterns {
    /// One of these has to match; without one, everything does, NULL too.
    pub(in crate::store) included: Vec<String>,
    /// None of these may match.
    pub(in crate::store) excluded: Vec<String>,
}

impl From<&GlobList> for LikePatterns {
    fn from(globs: &GlobList) -> Self {
        let patterns = |globs: &[Glob]| globs.iter().map(Glob::to_like).collect();
        Self { included: patterns(&globs.included), excluded: patterns(&globs.excluded) }
    }
}

impl TextFilter {
    /// Narrows what is meant to this value.
    pub(in crate::store) fn keep_only(&mut self, value: &str) {
        match self {
            Self::Any => *self = Self::Exact(vec![value.to_owned()]),
            Self::Exact(values) => values.retain(|other| other == value),
            Self::ExactOrNull(values) => {
                values.retain(|other| other == value);
                *self = Self::Exact(std::mem::take(values));
            }
            // Which values match is not known here: the conditions on the row narrow it.
            Self::Like(_) => {}
        }
    }
}

/// Which topics are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) enum TopicFilter {
    /// Every topic.
    #[default]
    Any,
    /// Those of one of these `kafka_partitions.partition_id`.
    Partitions(Vec<i32>),
    /// One of these, or of no topic: nothing was included by name, only others excluded.
    PartitionsOrNull(Vec<i32>),
    /// Whatever matches these patterns.
    Like(LikePatterns),
}

/// Which errors of dead letters are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) enum ErrorFilter {
    /// Every error, and rows without one.
    #[default]
    Any,
    /// Those of these rows (`event_logs.id`), which are all that match.
    Ids(Vec<i64>),
    /// Whatever matches these patterns.
    Like {
        /// One of these has to match; `None` where every error does, and a row without one.
        included: Option<ErrorPatterns>,
        /// None of these may match.
        excluded: Option<ErrorPatterns>,
    },
}

/// Patterns of LIKE for the two texts of an error, of which one has to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct ErrorPatterns {
    /// For the exception's class.
    pub(in crate::store) classes: Vec<String>,
    /// For the exception's message.
    pub(in crate::store) messages: Vec<String>,
}

/// A range of recording times, and the ids of the batches recorded in it. Both are conditions,
/// because ids are not in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct RecordedRange {
    /// The lowest id of those batches.
    pub(in crate::store) first_id: i64,
    /// The highest id of those batches, inclusive.
    pub(in crate::store) last_id: i64,
    /// Between which times the events of those batches happened, both inclusive.
    pub(in crate::store) created: Option<(PostgresMicros, PostgresMicros)>,
    /// From this time on, inclusive.
    pub(in crate::store) since: Option<DateTime<Utc>>,
    /// Up to this time, exclusive.
    pub(in crate::store) until: Option<DateTime<Utc>>,
}

/// How many rows have the types, services and topics of a selection together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::store) enum Cardinality {
    /// Too many to read them all for a page, or not known.
    #[default]
    Many,
    /// Few enough that reading and sorting all of them is quicker than walking by time until a page
    /// is full.
    Few,
    /// Not one.
    None,
}
