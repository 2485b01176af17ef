//! How fast records are sent.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The most records whose intents are committed at once.
const MOST: usize = 250;

/// How often a second a paced replay commits intents, at most.
const CHUNKS_A_SECOND: u32 = 10;

/// Lets so many records a second through.
pub(super) struct Pace {
    /// Records a second; `None` is as fast as can be.
    rate: Option<u32>,
    next: Instant,
}

impl Pace {
    pub(super) fn new(rate: Option<u32>) -> Self {
        Self { rate, next: Instant::now() }
    }

    /// How many records go together: a tenth of a second's, so that they leave evenly.
    pub(super) fn chunk(&self) -> usize {
        self.rate.map_or(MOST, |rate| ((rate / CHUNKS_A_SECOND) as usize).clamp(1, MOST))
    }

    /// Waits until so many records may be sent.
    pub(super) async fn wait_for(&mut self, records: usize) {
        let Some(rate) = self.rate else { return };
        sleep_until(self.next).await;
        // Time that was lost is not made up for: the rate is a limit.
        self.next = self.next.max(Instant::now() - Duration::from_secs(1) / CHUNKS_A_SECOND)
            + Duration::from_secs_f64(records as f64 / f64::from(rate.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rate_is_kept_to() {
        let began = Instant::now();
        let mut pace = Pace::new(Some(200));
        assert_eq!(pace.chunk(), 20);
        for _ in 0..6 {
            pace.wait_for(20).await;
        }
        // The first chunk leaves at once.
        let elapsed = began.elapsed();
        assert!(elapsed >= Duration::from_millis(490), "{elapsed:?}");
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    }

    #[test]
    fn chunks_are_never_empty_and_never_large() {
        assert_eq!(Pace::new(Some(1)).chunk(), 1);
        assert_eq!(Pace::new(Some(1_000_000)).chunk(), MOST);
        assert_eq!(Pace::new(None).chunk(), MOST);
    }
}
