//! The commands that analyse stories.

mod flow;
mod naive;
mod page;
pub(crate) mod random_log;
mod reconcile;
mod reconcile_csv;
mod reconcile_seeded;
mod report;
mod stuck;
