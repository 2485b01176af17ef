//! Which id makes events one story.

/// What makes events one story.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StoryBy {
    /// The correlation, else the aggregate.
    #[default]
    Correlation,
    /// The aggregate, whatever the correlation.
    Aggregate,
}

impl StoryBy {
    /// The SQL of both parts of an event's key.
    pub(in crate::store) fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::Correlation => (
                "event.correlation_id",
                "CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END",
            ),
            Self::Aggregate => ("NULL::uuid", "event.aggregate_id"),
        }
    }

    /// The condition that an event belongs to a story.
    pub(super) fn has_key(self) -> &'static str {
        match self {
            Self::Correlation => {
                "(event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)"
            }
            Self::Aggregate => "event.aggregate_id IS NOT NULL",
        }
    }

    /// The condition that an event belongs to no story.
    pub(super) fn has_no_key(self) -> &'static str {
        match self {
            Self::Correlation => "event.aggregate_id IS NULL AND event.correlation_id IS NULL",
            Self::Aggregate => "event.aggregate_id IS NULL",
        }
    }

    /// The ways from a candidate to its events: the key of these, which of the two ids the
    /// candidate needs for it, and the condition.
    pub(super) fn branches(
        self,
    ) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        let of_correlation = (
            "candidate.correlation, NULL::uuid AS aggregate",
            "correlation",
            "event.correlation_id = candidate.correlation",
        );
        let of_aggregate = (
            "NULL::uuid AS correlation, candidate.aggregate",
            "aggregate",
            match self {
                Self::Correlation => {
                    "event.aggregate_id = candidate.aggregate AND event.correlation_id IS NULL"
                }
                Self::Aggregate => "event.aggregate_id = candidate.aggregate",
            },
        );
        let is_asked = self == Self::Correlation;
        is_asked.then_some(of_correlation).into_iter().chain([of_aggregate])
    }
}
