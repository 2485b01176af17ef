//! Output: rows of cells in, one renderer for each format. Knows rows and `Write`, never a store.

mod cell;
mod column;
mod csv;
mod escape;
mod json;
mod lines;
mod mermaid;
pub mod palette;
mod pretty;
mod render;
mod renderer;
mod report;
mod style;
mod table;
mod width;

pub use cell::short_uuid;
pub use column::{Column, Emphasis};
pub use escape::escape_controls;
pub use mermaid::{SequenceMessage, write_mermaid};
pub use pretty::{Change, json_changes, pretty_json};
pub use render::{render, renderer};
pub use renderer::Renderer;
pub use report::{Section, render_report};
pub use style::{Format, Style};
