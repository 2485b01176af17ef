//! The formats of a flow: those of rows, and those of pictures.

use clap::ValueEnum;

use crate::cli::ui::OutputFormat;
use crate::output::Format;

/// What `-o` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FlowFormat {
    /// On a terminal each type with what follows it, else aligned columns
    Table,
    /// One array of objects
    Json,
    /// One object a line
    Ndjson,
    /// PostgreSQL's CSV
    Csv,
    /// A graph for Graphviz
    Dot,
    /// A flowchart for a page or an issue
    Mermaid,
    /// A picture
    Svg,
}

/// What a format is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Rows(Format),
    Dot,
    Mermaid,
    Svg,
}

impl From<OutputFormat> for FlowFormat {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Table => Self::Table,
            OutputFormat::Json => Self::Json,
            OutputFormat::Ndjson => Self::Ndjson,
            OutputFormat::Csv => Self::Csv,
        }
    }
}

impl FlowFormat {
    pub(super) fn written(self) -> Written {
        match self {
            Self::Table => Written::Rows(Format::Table),
            Self::Json => Written::Rows(Format::Json),
            Self::Ndjson => Written::Rows(Format::Ndjson),
            Self::Csv => Written::Rows(Format::Csv),
            Self::Dot => Written::Dot,
            Self::Mermaid => Written::Mermaid,
            Self::Svg => Written::Svg,
        }
    }
}
