//! From what was typed to a command, or to an error that says what is wrong, and where.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command};

/// Reads what was typed. Errors show how the command itself is used, whatever the environment
/// holds, and name the variable where it is one that is wrong.
///
/// # Errors
/// Help and version, too, which clap has among its errors.
pub(super) fn parse(
    program: impl Fn() -> Command,
    arguments: &[OsString],
) -> Result<ArgMatches, clap::Error> {
    let error = match program().try_get_matches_from(arguments) {
        Ok(matches) => return Ok(matches),
        Err(error) if !error.use_stderr() => return Err(error),
        Err(error) => error,
    };
    let mut program = program();
    program.build();
    // A variable that is empty is one that is not set, as everywhere.
    if let Ok(matches) = without_empty(program.clone()).try_get_matches_from(arguments) {
        return Ok(matches);
    }
    // The variables count as typed in clap's usage: they are left out to see what was typed.
    match as_typed(program.clone()).try_get_matches_from(arguments) {
        Err(typed) => Err(typed),
        Ok(_) => Err(of_variable(error, &program)),
    }
}

/// A command that heeds no empty variables.
fn without_empty(command: Command) -> Command {
    let is_empty = |argument: &Arg| {
        argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|argument| match is_empty(&argument) {
            true => argument.env(None::<&str>),
            false => argument,
        })
        .mut_subcommands(without_empty)
}

/// A command that heeds no variables, shows the same usage in errors as in its help, and takes a
/// negative number for the value that it is, not for an option.
fn as_typed(mut command: Command) -> Command {
    let usage = command.render_usage().ansi().to_string();
    let (_title, usage) = usage.split_once(' ').unwrap_or_default();
    command
        .override_usage(usage.to_owned())
        .mut_args(|argument| match argument.get_action().takes_values() {
            true => argument.env(None::<&str>).allow_negative_numbers(true),
            false => argument,
        })
        .mut_subcommands(as_typed)
}

/// The same error, which comes from a variable, with the variable's name.
fn of_variable(mut error: clap::Error, program: &Command) -> clap::Error {
    let commands = std::iter::once(program).chain(program.get_subcommands());
    let mut arguments = commands.flat_map(Command::get_arguments);
    let variable = |argument: &Arg| Some(argument.get_env()?.to_string_lossy().into_owned());
    if error.kind() == ErrorKind::InvalidUtf8 {
        let is_text = |name: &String| std::env::var_os(name).is_none_or(|it| it.to_str().is_some());
        return match arguments.filter_map(variable).find(|name| !is_text(name)) {
            Some(name) => clap::Error::raw(error.kind(), format!("{name} is not UTF-8\n")),
            None => error,
        };
    }
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let found = arguments.find(|argument| argument.to_string() == *shown).and_then(variable);
    if let Some(name) = found {
        error.insert(ContextKind::InvalidArg, ContextValue::String(name));
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// The program as it is where every variable is set: `PATH` stands for them.
    fn with_variables() -> Command {
        fn set(command: Command) -> Command {
            let command = command.mut_args(|argument| match argument.get_env() {
                Some(_) => argument.env("PATH"),
                None => argument,
            });
            command.mut_subcommands(set)
        }
        set(Cli::command())
    }

    fn commands() -> Vec<Command> {
        fn add(command: &Command, found: &mut Vec<Command>) {
            found.push(command.clone());
            command.get_subcommands().for_each(|inner| add(inner, found));
        }
        let mut program = Cli::command().disable_help_subcommand(true);
        program.build();
        let mut found = Vec::new();
        add(&program, &mut found);
        found
    }

    /// Ways to use a command wrongly: an unknown option, each argument that is needed left out,
    /// each option without its value, each two that exclude each other.
    fn wrong_usages(command: &Command) -> Vec<Vec<String>> {
        let value = |argument: &Arg| match argument.get_value_parser().possible_values() {
            Some(mut words) => words.next().map_or_else(String::new, |w| w.get_name().to_owned()),
            None => "1".to_owned(),
        };
        let typed = |argument: &Arg| {
            let mut words = vec![format!("--{}", argument.get_long().unwrap_or("X"))];
            if argument.get_action().takes_values() {
                words.push(value(argument));
            }
            words
        };
        let needed: Vec<_> =
            command.get_positionals().filter(|argument| argument.is_required_set()).collect();
        let needed: Vec<_> = needed.into_iter().map(value).collect();
        let mut wrong = vec![vec!["--no-such-option".to_owned()]];
        if !needed.is_empty() || command.has_subcommands() {
            wrong.push(Vec::new());
        }
        for option in command.get_opts().filter(|option| option.get_long().is_some()) {
            wrong.push([needed.clone(), typed(option)[..1].to_vec()].concat());
            for other in command.get_arg_conflicts_with(option) {
                wrong.push([needed.clone(), typed(option), typed(other)].concat());
            }
        }
        wrong
    }

    #[test]
    fn errors_of_every_command_show_how_the_command_itself_is_used() {
        let mut seen = 0;
        for mut command in commands() {
            let usage = command.render_usage().to_string();
            let needed = command.get_opts().filter(|option| option.is_required_set()).count();
            assert_eq!(usage.matches("--").count(), needed, "{usage}");
            let words = command.get_bin_name().unwrap_or("audit").to_owned();
            for more in wrong_usages(&command) {
                let line: Vec<OsString> = words.split(' ').map(OsString::from).collect();
                let line = [line, more.iter().map(OsString::from).collect()].concat();
                let Err(error) = parse(with_variables, &line) else { continue };
                let error = error.to_string();
                if let Some(shown) = error.lines().find(|line| line.starts_with("Usage:")) {
                    assert_eq!(shown, usage, "{line:?}: {error}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 25, "only {seen} errors showed a usage");
    }

    #[test]
    fn an_error_names_the_variable_where_nothing_wrong_was_typed() {
        let told = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            parse(with_variables, &words).map_err(|error| error.to_string())
        };
        // No format is called like the folders of PATH.
        let error = told(&["audit", "query"]).expect_err("PATH is no format");
        assert!(error.contains("for 'PATH'") && error.contains("possible values"), "{error}");
        let error = told(&["audit", "query", "-o", "tabel"]).expect_err("there is no such format");
        assert!(error.contains("'tabel' for '--output <FORMAT>'"), "{error}");
        assert!(told(&["audit", "query", "-o", "table"]).is_ok());
    }
}
