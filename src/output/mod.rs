//! Output: rows of cells in, one renderer for each format. Knows rows and `Write`, never a store.

mod column;
mod csv;
mod flow;
mod format;
pub mod html;
mod json;
mod lines;
mod mermaid;
mod render;
mod renderer;
mod report;
mod style;
mod table;
mod text;
mod value_forms;

pub use column::{Column, Emphasis};
pub use flow::{FlowEdge, FlowPicture, SvgTheme};
pub use format::Format;
pub use mermaid::{SequenceMessage, write_mermaid};
pub use render::{render, renderer};
pub use renderer::Renderer;
pub use report::{Section, render_report};
pub use style::{Style, TimeForm};
pub use text::cell::short_uuid;
pub use text::escape::escape_controls;
pub use text::palette;
pub use text::pretty::{Change, json_changes, pretty_json};
pub use text::wrap::{wrap_text, wrap_words};
