//! The commands that analyse stories.

mod page;
mod report;
mod flow;
mod naive;
mod random_log;
mod stuck;
