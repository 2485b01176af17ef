//! The commands that analyse stories.

mod stuck;
