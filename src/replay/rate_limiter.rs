//! Limits how many records are sent in a second.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How many records' intents are committed at once, at most.
const MAX_CHUNK: usize = 250;

/// How often a second a replay with a rate commits intents, at most.
const CHUNKS_A_SECOND: u32 = 10;

/// Holds records back, so that no more than a number of them leave in a second.
pub(super) struct RateLimiter {
    /// Records a second; `None` is as fast as can be.
    rate: Option<u32>,
    /// When the next chunk may leave.
    next: Instant,
}

impl RateLimiter {
    pub(super) fn new(rate: Option<u32>) -> Self {
        Self { rate, next: Instant::now() }
    }

    /// How many records go together: a tenth of a second's, so that they leave evenly.
    pub(super) fn chunk_length(&self) -> usize {
        self.rate.map_or(MAX_CHUNK, |rate| ((rate / CHUNKS_A_SECOND) as usize).clamp(1, MAX_CHUNK))
    }

    /// Waits until this number of records may be sent.
    pub(super) async fn wait_for(&mut self, records: usize) {
        let Some(rate) = self.rate else { return };
        sleep_until(self.next).await;
        // Doesn't make up for lost time: the rate is a limit.
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
        let mut limiter = RateLimiter::new(Some(200));
        assert_eq!(limiter.chunk_length(), 20);
        for _ in 0..6 {
            limiter.wait_for(20).await;
        }
        // The first chunk leaves at once.
        let elapsed = began.elapsed();
        assert!(elapsed >= Duration::from_millis(490), "{elapsed:?}");
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    }

    #[test]
    fn chunks_are_never_empty_and_never_large() {
        assert_eq!(RateLimiter::new(Some(1)).chunk_length(), 1);
        assert_eq!(RateLimiter::new(Some(1_000_000)).chunk_length(), MAX_CHUNK);
        assert_eq!(RateLimiter::new(None).chunk_length(), MAX_CHUNK);
    }
}
