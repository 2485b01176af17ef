//! PostgreSQL: which one is installed, a server of one's own, and its standbys.

mod installed;
mod own;
mod server;
mod standby;

pub use own::Peculiarities;
pub use server::{GIVEN_POSTGRES, Postgres};
