//! Where a proof goes.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::ui::{Failure, Ui};
use crate::export::WholeFile;

/// Where a proof goes.
#[derive(Debug, Args)]
pub(super) struct OutputFileArgs {
    /// Write the proof to this file, which appears whole [default: stdout]
    #[arg(short = 'o', long = "out", value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

impl OutputFileArgs {
    /// Whether it goes to stdout.
    pub(super) fn is_stdout(&self) -> bool {
        self.out.is_none()
    }

    /// Writes it.
    pub(super) fn write(&self, json: &str, ui: Ui) -> Result<(), Failure> {
        let Some(path) = &self.out else {
            let mut stdout = ui.stdout();
            stdout.write_all(json.as_bytes())?;
            stdout.flush()?;
            return Ok(());
        };
        let mut file = WholeFile::create(path)?;
        let written = file.write_all(json.as_bytes()).and_then(|()| file.flush());
        written.map_err(|error| Failure::from(error).in_file(path))?;
        Ok(file.finish()?)
    }
}
