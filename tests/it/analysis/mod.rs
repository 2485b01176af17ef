//! The commands that analyse stories.

mod page;
mod report;
mod stuck;
