//! The commands that analyse stories.

mod flow;
mod naive;
mod page;
mod random_log;
mod report;
mod stuck;
