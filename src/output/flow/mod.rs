//! Pictures of what follows what: for a terminal, for a page, for the tools that draw graphs.

mod dot;
mod graph;
mod labels;
mod mermaid;
mod svg;
mod tree;

pub use graph::{FlowEdge, FlowPicture};
pub use svg::SvgTheme;
