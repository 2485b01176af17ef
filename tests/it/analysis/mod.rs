//! What analysis says of stories.

mod reconcile;
mod reconcile_csv;
mod reconcile_seeded;
