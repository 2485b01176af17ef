//! Times that tests draw.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Numbers that look random, the same ones for the same seed (`SplitMix64`).
pub(crate) struct Random(u64);

impl Random {
    /// `AUDIT_TEST_SEED`, else another one each time; it is printed.
    pub(crate) fn new() -> Self {
        let given = std::env::var("AUDIT_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let seed = given.unwrap_or(now);
        eprintln!("AUDIT_TEST_SEED={seed}");
        Self(seed)
    }

    /// A time from zero up to this one, exclusive.
    pub(crate) fn below(&mut self, end: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let micros = u64::try_from(end.as_micros()).unwrap_or(u64::MAX).max(1);
        Duration::from_micros((mixed ^ (mixed >> 31)) % micros)
    }
}
