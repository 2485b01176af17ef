//! Tables on a disk and in a bucket.

mod append;
mod bucket;
mod maintain;
mod rows;
mod server;
mod statistics;
