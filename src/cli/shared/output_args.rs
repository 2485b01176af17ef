//! How results are written: the same options in every command.

use clap::{Args, ValueEnum};

use crate::cli::ui::failure::Exit;
use crate::cli::ui::pager::PagedOutput;
use crate::cli::ui::terminal::{self, ColorChoice};
use crate::output::{Format, Style};

/// What `-o` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Aligned columns, for people
    Table,
    /// One array of objects
    Json,
    /// One object a line
    Ndjson,
    /// PostgreSQL's CSV
    Csv,
}

impl OutputFormat {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

impl From<OutputFormat> for Format {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Table => Self::Table,
            OutputFormat::Json => Self::Json,
            OutputFormat::Ndjson => Self::Ndjson,
            OutputFormat::Csv => Self::Csv,
        }
    }
}

/// In which format, and how it looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormatArgs {
    /// Format of the output
    #[arg(
        short,
        long,
        alias = "format",
        value_name = "FORMAT",
        env = "AUDIT_OUTPUT",
        hide_env_values = true
    )]
    pub(crate) output: Option<OutputFormat>,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: ColorChoice,
    /// Don't page tables on a terminal [env: PAGER]
    #[arg(long)]
    no_pager: bool,
    /// In CSV, put an apostrophe before what a spreadsheet would take for a formula
    #[arg(long)]
    spreadsheet_safe: bool,
}

impl FormatArgs {
    /// Where the result goes: tables through a pager where a person reads.
    pub(crate) fn screen(&self, format: Format) -> PagedOutput {
        PagedOutput::open(format == Format::Table, self.no_pager)
    }

    /// The format that was asked for.
    pub(crate) fn format(&self) -> Option<Format> {
        self.output.map(Format::from)
    }

    /// The style for stdout.
    pub(crate) fn style(&self) -> Style {
        let is_terminal = terminal::stdout_is_terminal();
        Style {
            width: terminal::width(),
            color: self.color.wanted(is_terminal),
            terminal: is_terminal,
            no_header: false,
            spreadsheet_safe: self.spreadsheet_safe,
        }
    }
}

/// How to write rows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// Columns to show, by name
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,
    #[command(flatten)]
    pub(crate) empty: EmptyArgs,
}

impl OutputArgs {
    /// The format that was asked for.
    pub(crate) fn format(&self) -> Option<Format> {
        self.format.format()
    }

    /// The style for stdout.
    pub(crate) fn style(&self) -> Style {
        self.format.style()
    }

    /// Where the result goes.
    pub(crate) fn screen(&self, format: Format) -> PagedOutput {
        self.format.screen(format)
    }

    /// The exit code of a result.
    pub(crate) fn exit(&self, is_empty: bool) -> Exit {
        self.empty.exit(is_empty)
    }
}

/// What nothing means.
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
