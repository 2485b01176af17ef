//! The examples as lines for a shell.

use std::process::Command;

use crate::support::Audit;

/// Programs that not every machine has, behind a pipe.
const MAYBE_MISSING: [&str; 2] = ["jq", "man"];

/// One example.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Where it stands.
    pub(super) place: String,
    /// The line, with what continues it.
    pub(super) text: String,
}

impl Line {
    /// What a shell runs: what a script changed in the shell itself is shown, too.
    pub(super) fn in_a_shell(&self) -> String {
        match self.text.starts_with("source ") {
            true => format!("{} && complete -p audit", self.text),
            false => self.text.clone(),
        }
    }

    /// Whether it goes on until it is stopped.
    pub(super) fn follows(&self) -> bool {
        let is = |words| self.text.contains(words);
        is("audit tail") && !is("--no-follow")
            || is("audit status --watch")
            || is("audit maintain --follow")
            || is("audit ingest") && !is("--until-end")
    }

    /// Whether it writes to the database or to Kafka.
    pub(super) fn changes(&self) -> bool {
        ["migrate", "ingest", "maintain", "--yes"].iter().any(|word| self.text.contains(word))
    }

    /// Whether its command has nothing for stdout.
    pub(super) fn tells_on_stderr(&self) -> bool {
        ["migrate", "ingest", "maintain", "retention", "order-sim"]
            .iter()
            .any(|word| self.text.contains(word))
    }

    pub(super) fn missing_program(&self) -> Option<&'static str> {
        MAYBE_MISSING.into_iter().find(|program| {
            let is_used = self.text.contains(&format!("| {program} "));
            let look =
                || Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
            is_used && !look().is_ok_and(|output| output.status.success())
        })
    }
}

/// The examples of every command's help.
pub(super) fn of_help() -> Vec<Line> {
    let audit = Audit { database_url: String::new(), brokers: String::new() };
    let mut lines = Vec::new();
    let mut commands = vec![Vec::new()];
    while let Some(command) = commands.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = audit.succeed(&words);
        let place = format!("audit {}", words.join(" "));
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
        assert!(!examples.is_empty(), "{place} has no examples");
        lines.extend(of_text(&place, examples.lines()));
        let (_, below) = help.split_once("\nCommands:\n").unwrap_or_default();
        let names = below.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
            let name = line.strip_prefix("  ")?.split(' ').next()?;
            (!["", "help"].contains(&name)).then(|| name.to_owned())
        });
        commands.extend(names.map(|name| [command.clone(), vec![name]].concat()));
    }
    lines
}

/// What README.md shows behind `$`, and its other lines that begin with the program's name.
pub(super) fn of_readme() -> Vec<Line> {
    let readme = include_str!("../../../README.md");
    let mut typed = Vec::new();
    let mut goes_on = false;
    for line in readme.lines() {
        let prompted =
            line.strip_prefix("$ ").or_else(|| line.starts_with("audit ").then_some(line));
        if goes_on || prompted.is_some() {
            let line = prompted.unwrap_or(line);
            typed.push(line);
            goes_on = line.ends_with('\\');
        }
    }
    of_text("README.md", typed.into_iter())
}

/// What the demo suggests to try: a command, and behind blanks what it is for.
pub(super) fn of_suggestions(screen: &str) -> Vec<Line> {
    let (_, suggestions) = screen.split_once("Try:\n\n").unwrap_or_default();
    let lines = suggestions.lines().take_while(|line| !line.is_empty());
    of_text("the demo", lines.filter_map(|line| line.trim().split("  ").next()))
}

fn of_text<'t>(place: &str, lines: impl Iterator<Item = &'t str>) -> Vec<Line> {
    let joined = lines.map(|line| format!("{line}\n")).collect::<String>().replace("\\\n", " ");
    joined
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| Line { place: place.to_owned(), text: line.to_owned() })
        .collect()
}
