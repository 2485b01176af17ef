//! Since when a partition holds what is not recorded yet.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many ends are kept. With more every second one is given up, and what it tells gets coarser.
const MOST: usize = 1_024;

/// The ends of a partition as they were seen growing.
#[derive(Debug, Default)]
pub(super) struct Ends(VecDeque<(Instant, i64)>);

impl Ends {
    /// Notes where the partition ends, and tells how long the first offset from `recorded` on is
    /// known to be there; zero where everything is recorded.
    pub(super) fn behind(&mut self, now: Instant, end: i64, recorded: i64) -> Duration {
        // A partition that ends earlier is another one.
        if self.0.back().is_some_and(|(_, last)| end < *last) {
            self.0.clear();
        }
        if self.0.back().is_none_or(|(_, last)| end > *last) {
            self.0.push_back((now, end));
        }
        while self.0.front().is_some_and(|(_, end)| *end <= recorded) {
            self.0.pop_front();
        }
        if self.0.len() > MOST {
            // The first stays: it tells the time.
            let mut number = 0;
            self.0.retain(|_| {
                number += 1;
                number % 2 == 1
            });
        }
        self.0.front().map_or(Duration::ZERO, |(seen, _)| now.saturating_duration_since(*seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told after each of these measurements, in seconds: when, the end, what is recorded.
    fn behind(measurements: &[(u64, i64, i64)]) -> Vec<u64> {
        let (began, mut ends) = (Instant::now(), Ends::default());
        let measure = |(second, end, recorded): &(u64, i64, i64)| {
            ends.behind(began + Duration::from_secs(*second), *end, *recorded).as_secs()
        };
        measurements.iter().map(measure).collect()
    }

    #[test]
    fn the_time_counts_from_when_the_first_unrecorded_offset_was_seen() {
        let found = behind(&[(0, 10, 10), (2, 30, 10), (4, 50, 10), (6, 50, 30), (8, 50, 49)]);
        assert_eq!(found, [0, 0, 2, 2, 4]);
        assert_eq!(behind(&[(0, 10, 3), (7, 10, 4), (9, 10, 10)]), [0, 7, 0]);
    }

    #[test]
    fn a_partition_that_was_made_again_begins_anew() {
        assert_eq!(behind(&[(0, 100, 50), (5, 100, 50), (6, 3, 0), (8, 4, 0)]), [0, 5, 0, 2]);
    }

    #[test]
    fn a_long_lag_is_told_from_its_beginning_and_takes_bounded_memory() {
        let (began, mut ends) = (Instant::now(), Ends::default());
        for second in 0..100_000 {
            let now = began + Duration::from_secs(second);
            assert_eq!(ends.behind(now, second.cast_signed() + 1, 0).as_secs(), second);
            assert!(ends.0.len() <= MOST);
        }
    }
}
