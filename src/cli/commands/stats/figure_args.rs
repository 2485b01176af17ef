//! `--sum PATH` and its like: figures in the order in which they were typed.

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::store::{Figure, FigureKind, PayloadPath};

/// The figures that were asked for.
#[derive(Debug, Default)]
pub(super) struct FigureArgs(Vec<Figure>);

impl FigureArgs {
    /// The figures, each once.
    pub(super) fn figures(&self) -> &[Figure] {
        &self.0
    }
}

/// The option that asks for a figure.
pub(super) fn option(kind: FigureKind) -> &'static str {
    match kind {
        FigureKind::Sum => "--sum",
        FigureKind::Average => "--avg",
        FigureKind::Lowest => "--min",
        FigureKind::Highest => "--max",
        FigureKind::Median => "--p50",
        FigureKind::Percentile95 => "--p95",
    }
}

fn help(kind: FigureKind) -> &'static str {
    match kind {
        FigureKind::Sum => "Add up the numbers at a JSON path of the payload, digit by digit",
        FigureKind::Average => "Their mean, to six decimals, or as many as the numbers have",
        FigureKind::Lowest => "The lowest of them",
        FigureKind::Highest => "The highest of them",
        FigureKind::Median => "Their median",
        FigureKind::Percentile95 => "Their 95th percentile",
    }
}

impl Args for FigureArgs {
    fn augment_args(command: Command) -> Command {
        FigureKind::ALL.into_iter().fold(command, |command, kind| {
            command.arg(
                Arg::new(kind.name())
                    .long(kind.name())
                    .value_name("PATH")
                    .action(ArgAction::Append)
                    .help_heading("Figures (of decimal numbers, or of text that is one)")
                    .help(help(kind)),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FigureArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut typed = Vec::new();
        for kind in FigureKind::ALL {
            let paths = matches.get_many::<String>(kind.name()).unwrap_or_default();
            for (place, text) in matches.indices_of(kind.name()).unwrap_or_default().zip(paths) {
                let path = PayloadPath::new(text.trim()).ok_or_else(|| {
                    let message = format!(
                        "{}: '{text}' is no JSON path; one begins with $, such as '$.amount'\n",
                        option(kind)
                    );
                    Error::raw(ErrorKind::ValueValidation, message)
                })?;
                typed.push((place, Figure { kind, path }));
            }
        }
        typed.sort_by_key(|(place, _)| *place);
        let mut figures = Vec::new();
        for (_, figure) in typed {
            if !figures.contains(&figure) {
                figures.push(figure);
            }
        }
        Ok(Self(figures))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Vec<String>, String> {
        let command = FigureArgs::augment_args(Command::new("stats").no_binary_name(true));
        let read = command
            .try_get_matches_from(words)
            .and_then(|matches| FigureArgs::from_arg_matches(&matches));
        let names = |args: FigureArgs| args.figures().iter().map(Figure::name).collect();
        read.map(names).map_err(|error| error.to_string())
    }

    #[test]
    fn figures_stand_as_they_were_typed_each_once() {
        let words =
            ["--p95", "$.a", "--sum", "$.a[0,1]", "--min=$.b", "--sum", "$.a", "--p95", "$.a"];
        let expected = ["p95($.a)", "sum($.a[0,1])", "min($.b)", "sum($.a)"];
        assert_eq!(read(&words), Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_is_no_path_is_named() {
        let error = read(&["--avg", "amount"]).expect_err("no path");
        assert!(error.contains("--avg: 'amount' is no JSON path"), "{error}");
    }
}
