//! In which form values are written: the same options in every command with rows.

use clap::{Args, ValueEnum};

use crate::output::{Style, TimeForm};

/// In which form values are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ValueArgs {
    /// In CSV, put an apostrophe before what a spreadsheet would take for a formula
    #[arg(long)]
    spreadsheet_safe: bool,
    /// How payloads and attributes stand in JSON and NDJSON: text keeps numbers that tools round or
    /// refuse, such as 1e400
    #[arg(long, value_name = "FORM", value_enum, default_value_t = PayloadForm::Json)]
    payload_as: PayloadForm,
    /// How times are written [default: sql in CSV, else rfc3339]
    #[arg(long, value_name = "FORM", value_enum)]
    timestamps: Option<TimestampForm>,
}

/// What `--payload-as` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PayloadForm {
    /// A JSON value
    Json,
    /// Text that holds the JSON
    Text,
}

/// What `--timestamps` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TimestampForm {
    /// As PostgreSQL writes them: 2026-11-22 10:00:00.12
    Sql,
    /// With T and Z: 2026-11-22T10:00:00.120000Z
    Rfc3339,
}

impl ValueArgs {
    /// The options that were typed, as a shell takes them.
    pub(crate) fn typed(&self) -> Vec<String> {
        let mut typed = Vec::new();
        if self.spreadsheet_safe {
            typed.push("--spreadsheet-safe".to_owned());
        }
        if self.payload_as == PayloadForm::Text {
            typed.push("--payload-as text".to_owned());
        }
        typed.extend(self.timestamps.map(|form| match form {
            TimestampForm::Sql => "--timestamps sql".to_owned(),
            TimestampForm::Rfc3339 => "--timestamps rfc3339".to_owned(),
        }));
        typed
    }

    /// The style with the forms that were asked for.
    pub(crate) fn style(&self, style: Style) -> Style {
        Style {
            spreadsheet_safe: self.spreadsheet_safe,
            json_as_text: self.payload_as == PayloadForm::Text,
            times: self.timestamps.map(|form| match form {
                TimestampForm::Sql => TimeForm::Sql,
                TimestampForm::Rfc3339 => TimeForm::Rfc3339,
            }),
            ..style
        }
    }
}
