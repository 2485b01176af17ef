//! Which batches a run is about.

use serde::{Deserialize, Serialize};

/// Which batches were handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRange {
    /// The batch behind which they begin.
    pub after: i64,
    /// The last of them.
    pub last: i64,
}
