//! The commands that analyse stories.

mod flow;
mod naive;
mod random_log;
mod stuck;
