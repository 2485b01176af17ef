//! Tables on a disk and in a bucket.

mod append;
mod bucket;
mod maintain;
mod rows;
#[expect(
    dead_code,
    reason = "the tests of audit, which share it, take the store away and forbid it"
)]
mod server;
mod statistics;
