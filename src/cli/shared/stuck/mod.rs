//! Which stories are stuck, and what is usual.

pub(super) mod found;
pub(super) mod history;
