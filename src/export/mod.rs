//! Hands events over to other programs, as files.

pub mod ocel;
