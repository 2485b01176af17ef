//! What `audit export` hands over, as other programs read it.

mod delta;
mod ocel;
mod python;
mod reader_limits;
mod readers;
mod seen;
