//! How results are written: the same options in every command.

use clap::Args;

use super::list_item::ListItems;
use super::value_args::ValueArgs;
use crate::cli::ui::{Exit, OutputFormat, Ui};
use crate::output::{Format, Style};

/// In which format, and how it looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormatArgs {
    /// Format of the output [default: table, in a pipe, too]
    #[arg(
        short,
        long,
        alias = "format",
        value_name = "FORMAT",
        env = "AUDIT_OUTPUT",
        hide_env_values = true
    )]
    pub(crate) output: Option<OutputFormat>,
    #[command(flatten)]
    values: ValueArgs,
}

impl FormatArgs {
    /// The format that was asked for.
    pub(crate) fn asked(&self) -> Option<Format> {
        self.output.map(Format::from)
    }

    /// The format that was asked for, else a table.
    pub(crate) fn format(&self) -> Format {
        self.asked().unwrap_or(Format::Table)
    }

    /// The style for stdout.
    pub(crate) fn style(&self, ui: Ui) -> Style {
        self.values.style(ui.style())
    }
}

/// How to write rows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// Columns to show, by name
    #[arg(long, value_name = "A,B,C")]
    pub(crate) columns: Vec<ListItems>,
    #[command(flatten)]
    pub(crate) empty: EmptyArgs,
}

/// How to exit where nothing matches.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct EmptyArgs {
    /// Exit with 3 when nothing matches
    #[arg(long)]
    fail_on_empty: bool,
}

impl EmptyArgs {
    /// The exit code of a result.
    pub(crate) fn exit(&self, is_empty: bool) -> Exit {
        if is_empty && self.fail_on_empty { Exit::NothingMatched } else { Exit::Done }
    }
}
