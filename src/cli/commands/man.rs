//! `audit man`: the manual pages.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command, ValueHint};
use clap_mangen::Man;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure};

/// Write the manual pages into a directory, or the main one to stdout
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit man | man -l -
  audit man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Directory for one page for each command
    #[arg(value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
}

impl Run for ManArgs {
    fn heeds_settings(&self) -> bool {
        false
    }

    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let pages = manual((context.program)())?;
        let Some(directory) = &self.directory else {
            // The program's own page comes first.
            let main = pages.first().map(|(_, page)| page.as_bytes()).unwrap_or_default();
            let mut stdout = context.ui.stdout();
            stdout.write_all(main)?;
            stdout.flush()?;
            return Ok(Exit::Done);
        };
        let failed = |error: std::io::Error| {
            Failure::new(format!("writing into {}: {error}", directory.display()))
        };
        std::fs::create_dir_all(directory).map_err(failed)?;
        for (name, page) in pages {
            std::fs::write(directory.join(name), page).map_err(failed)?;
        }
        Ok(Exit::Done)
    }
}

/// The manual: a page for the program and one for each command, by their file names.
fn manual(command: Command) -> std::io::Result<Vec<(String, String)>> {
    // `audit help` is the same as --help.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    with_subcommands(&command).into_iter().map(page).collect()
}

/// The command, and all that it has below it.
fn with_subcommands(command: &Command) -> Vec<&Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(with_subcommands)).collect()
}

fn page(command: &Command) -> std::io::Result<(String, String)> {
    let man = Man::new(command.clone()).source(concat!("audit ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render(&mut page)?;
    let page = String::from_utf8_lossy(&page);
    // What stands behind the options is laid out already, and is no extra.
    let (page, extra) = page.split_once(".SH EXTRA\n").unwrap_or((&page, ""));
    let (extra, version) = extra.split_once(".SH VERSION\n").unwrap_or((extra, ""));
    let (status, examples) = extra.split_once("Examples:\n").unwrap_or((extra, ""));
    let mut text = page.to_owned();
    for (title, section, begin, end) in [
        ("EXIT STATUS", status, "", ""),
        ("EXAMPLES", examples, ".nf\n", ".fi\n"),
        ("VERSION", version, "", ""),
    ] {
        if !section.trim().is_empty() {
            text.push_str(&format!(".SH {title}\n{begin}{}\n{end}", section.trim_matches('\n')));
        }
    }
    Ok((man.get_filename(), in_ascii(&text)))
}

/// Not every `man` reads UTF-8, but roff has names for all characters.
fn in_ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            ascii.push_str(&format!("\\[u{:04X}]", u32::from(character)));
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::Cli;

    fn commands() -> Vec<Command> {
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        with_subcommands(&command).into_iter().cloned().collect()
    }

    /// The command lines of a command's examples: those of `audit`, without what they are piped
    /// from or into.
    fn examples(command: &Command) -> Vec<Vec<String>> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
        let mut found = Vec::new();
        for line in examples.replace("\\\n", " ").lines() {
            let words =
                shlex::split(line).unwrap_or_else(|| panic!("'{line}' is no line for a shell"));
            for part in words.split(|word| word == "|" || word == "&&") {
                let end = part.iter().position(|word| word.starts_with('>')).unwrap_or(part.len());
                if part.first().is_some_and(|word| word == "audit") {
                    found.push(part[..end].to_vec());
                }
            }
        }
        found
    }

    #[test]
    fn every_command_has_examples_and_takes_them() {
        for command in commands() {
            let examples = examples(&command);
            assert!(!examples.is_empty(), "{} has no examples", command.get_name());
            for example in examples {
                let parsed = Cli::command()
                    .try_get_matches_from(&example)
                    .and_then(|matches| Cli::from_arg_matches(&matches));
                let is_help = parsed.as_ref().is_err_and(|error| error.exit_code() == 0);
                assert!(
                    parsed.is_ok() || is_help,
                    "{example:?}: {}",
                    parsed.err().unwrap_or_else(|| unreachable!())
                );
                let is_own = command.get_name() == "audit"
                    || example.iter().any(|word| word == command.get_name());
                assert!(is_own, "{example:?} in the help of {}", command.get_name());
            }
        }
    }

    #[test]
    fn each_command_has_a_page_that_names_its_options_and_shows_its_examples() {
        let pages = manual(Cli::command()).expect("writing to memory");
        let commands = commands();
        assert_eq!(pages.len(), commands.len());
        for (command, (name, page)) in commands.iter().zip(&pages) {
            let words = command.get_bin_name().unwrap_or("audit");
            assert_eq!(*name, format!("{}.1", words.replace(' ', "-")));
            assert!(page.is_ascii(), "{name}");
            let plain = page.replace("\\-", "-");
            for option in command.get_arguments() {
                for spelling in option
                    .get_long()
                    .map(|long| format!("--{long}"))
                    .into_iter()
                    .chain(option.get_short().map(|short| format!("-{short}")))
                {
                    assert!(
                        plain.contains(&format!("\\fB{spelling}\\fR")),
                        "{name} does not name {spelling}"
                    );
                }
            }
            let (_, shown) = plain.split_once(".SH EXAMPLES\n.nf\n").unwrap_or_default();
            let (shown, _) = shown.split_once(".fi\n").unwrap_or_default();
            assert!(shown.lines().any(|line| line.contains("audit ")), "{name}: {shown}");
        }
        assert!(pages[0].1.contains(".SH EXIT STATUS\nExit codes: 0 done"));
    }
}
