//! Values as text: control characters escaped, widths measured, colours, JSON laid out.

pub(super) mod cell;
pub(super) mod escape;
pub(super) mod kind;
pub(super) mod moment;
pub mod palette;
pub(super) mod pretty;
pub(super) mod width;
pub(super) mod wrap;
