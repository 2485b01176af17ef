//! HTML pages that stand for themselves: nothing is loaded from anywhere, no script runs. The
//! templates are files beside.

mod chart;
mod escape;
mod numbers;
mod page;
mod table;

pub use chart::{Bar, Series, TimeChart};
pub use numbers::{grouped, percent};
pub use page::{Block, Figure, Finding, Page, PageSection, Picture, Tone, write_page};
pub use table::{Cell, ColumnKind, Heading, PageTable};
