//! Handing over: what `audit export` leaves behind.

#[cfg(feature = "lake")]
mod delta;
