//! What the tests share: the program, a terminal, the database and its rows, certificates, a
//! producer, and the oracle.

mod audit;
mod authority;
mod capture;
mod database;
#[expect(dead_code, reason = "some members are read by the decoders' own test alone")]
pub(crate) mod fixtures;
mod follower;
mod group_reader;
mod hostile;
mod oracle;
mod producer;
mod programs;
mod pty;
pub(crate) mod rows;
mod views;

pub(crate) use audit::{Audit, Running, wait_until};
pub(crate) use authority::Authority;
pub(crate) use capture::{Captured, CapturedHeader, capture};
pub(crate) use database::Database;
pub(crate) use follower::Follower;
pub(crate) use group_reader::GroupReader;
pub(crate) use hostile::Hostile;
pub(crate) use oracle::{Oracle, counts};
pub(crate) use producer::Producer;
pub(crate) use programs::programs;
pub(crate) use pty::Terminal;
pub(crate) use views::views_show_the_ids_that_the_program_shows;
