//! PostgreSQL: which one is installed, and a server of one's own.

mod installed;
mod server;

pub use server::{GIVEN_POSTGRES, Peculiarities, Postgres};
