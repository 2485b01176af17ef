//! The one way out to a person: stdout and its pager, stderr, colour, widths, progress, the log and
//! exit codes. Every command is given a [`Ui`]; nothing else writes to stdout or stderr.

mod closed_pipe;
mod color;
mod exit;
mod failure;
mod log;
mod output_format;
mod pager;
mod progress;
mod repaint;
mod signals;
mod stdout_thread;
mod width;

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::process::ExitCode;

use clap::Args;

pub(crate) use closed_pipe::closed_pipe;
use color::ColorChoice;
pub(crate) use exit::Exit;
pub(crate) use failure::Failure;
pub(crate) use log::LogFormat;
pub(crate) use output_format::OutputFormat;
pub(crate) use pager::PagedOutput;
pub(crate) use progress::{Progress, Total};
pub(crate) use signals::{interruption, on_stop};
pub(crate) use stdout_thread::StdoutThread;

use crate::output::{Format, Style, escape_controls, palette, wrap_words};

/// How results and messages look, the same in every command.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Terminal")]
pub(crate) struct UiArgs {
    /// When to colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_short_help = true
    )]
    color: ColorChoice,
    /// Don't page what is longer than the terminal; PAGER names the pager [default: less]
    #[arg(long, global = true, hide_short_help = true)]
    no_pager: bool,
    /// Don't show on stderr how far the work is, on a terminal
    #[arg(long, global = true)]
    no_progress: bool,
}

/// Everything that a command writes goes through it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ui {
    args: UiArgs,
}

impl Ui {
    /// The way out that was asked for.
    pub(crate) fn new(args: UiArgs) -> Self {
        Self { args }
    }

    /// Whether stdout is a terminal, so that a person reads the result.
    pub(crate) fn is_on_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// The lines of stdout's terminal; `None` where it is no terminal.
    pub(crate) fn height(self) -> Option<u16> {
        width::lines()
    }

    /// How stdout is written to.
    pub(crate) fn style(self) -> Style {
        Style {
            width: width::columns(),
            color: self.args.color.is_on(&io::stdout()),
            terminal: self.is_on_terminal(),
            ..Style::default()
        }
    }

    /// stdout itself. A reader that goes away is an error of kind `BrokenPipe`, which ends a
    /// command quietly.
    pub(crate) fn stdout(self) -> BufWriter<Stdout> {
        BufWriter::new(io::stdout())
    }

    /// stdout, or a pager before it where a person reads a result of this format.
    pub(crate) fn paged(self, format: Format) -> PagedOutput {
        let is_paged = format == Format::Table && !self.args.no_pager && self.is_on_terminal();
        PagedOutput::open(is_paged)
    }

    /// stdout on a thread of its own, for results that go on for long.
    pub(crate) fn stdout_thread(self) -> Result<StdoutThread, Failure> {
        StdoutThread::start()
            .map_err(|error| Failure::new(format!("can't start a thread: {error}")))
    }

    /// Writes lines over those that were written like this before. They hold no controls of their
    /// own but colours.
    pub(crate) fn repaint(self, lines: &[String]) -> io::Result<()> {
        repaint::repaint(lines, &mut self.stdout())
    }

    /// A line about the work, on stderr. Nobody may be there to read it, which is no error. What it
    /// quotes of a record, a server or a user can't make the terminal do anything.
    pub(crate) fn status(self, line: &str) {
        let line = format!("{}\n", broken(&escape_controls(line)));
        let _ = progress::above(|| io::stderr().write_all(line.as_bytes()));
    }

    /// Shows a failure and what to do about it, and gives the exit code.
    pub(crate) fn report(self, failure: &Failure) -> ExitCode {
        if let Some((message, hint)) = failure.shown() {
            let is_coloured = self.args.color.is_on(&io::stderr());
            let led = |style, lead: &str, text: &str| {
                let text = broken(&format!("{lead} {text}"));
                let rest = text.strip_prefix(lead).unwrap_or(&text);
                format!("{}{rest}\n", palette::paint(is_coloured, style, lead))
            };
            let mut text = led(palette::ALARM, "error:", &escape_controls(message));
            if let Some(hint) = hint {
                // A hint may have several lines.
                let lines: Vec<_> = hint.split('\n').map(escape_controls).collect();
                text.push_str(&led(palette::HINT, "hint:", &lines.join("\n")));
            }
            let _ = io::stderr().write_all(text.as_bytes());
        }
        failure.exit().into()
    }

    /// Whether a person can be asked: the question goes to stderr, the answer comes from stdin.
    pub(crate) fn can_ask(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question that only `y` or `yes` answers with yes. The end of the input is a no.
    pub(crate) async fn ask(self, question: &str) -> io::Result<bool> {
        write!(io::stderr(), "{} [y/N] ", escape_controls(question))?;
        let read = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = read.await.map_err(io::Error::other)??;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Progress on stderr, where that is a terminal.
    pub(crate) fn progress(self) -> Progress {
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        if self.args.no_progress || is_dumb || !io::stderr().is_terminal() {
            return Progress::hidden();
        }
        Progress::drawn(signals::clear_at_interrupt)
    }

    /// Starts the log on stderr, above the progress where there is some.
    pub(crate) fn start_log(self, format: LogFormat) {
        log::start(format, self.args.color.is_on(&io::stderr()));
    }
}

/// What goes to stderr, broken between words where that is a terminal, which would break it within
/// them.
fn broken(text: &str) -> String {
    match io::stderr().is_terminal() {
        true => wrap_words(text, width::columns_of_stderr()).join("\n"),
        false => text.to_owned(),
    }
}
