//! Which options have values that can be completed, and which of the values are offered.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::sync::Arc;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::line::Line;
use crate::dead_letter::short_class;
use crate::store::{EventColumn, Grouping, KnownValues};

/// The longest value that is offered: more would bury the prompt.
const LONGEST: usize = 200;

/// Where the values of an option come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Profiles,
    EventColumns,
    Groupings,
    Periods,
    /// The types before the colon of `TYPE:$.path`.
    Sides,
    Database(KnownValues),
}

/// Every option or argument whose values are known somewhere.
const OPTIONS: [(&str, Source); 15] = [
    ("profile", Source::Profiles),
    ("columns", Source::EventColumns),
    ("by", Source::Groupings),
    ("compare", Source::Periods),
    ("types", Source::Database(KnownValues::EventTypes)),
    ("start", Source::Database(KnownValues::EventTypes)),
    ("end", Source::Database(KnownValues::EventTypes)),
    ("service", Source::Database(KnownValues::Services)),
    ("topic", Source::Database(KnownValues::Topics)),
    ("topics", Source::Database(KnownValues::Topics)),
    ("accept_recreated", Source::Database(KnownValues::Topics)),
    ("to", Source::Database(KnownValues::Topics)),
    ("error", Source::Database(KnownValues::ErrorClasses)),
    ("left", Source::Sides),
    ("right", Source::Sides),
];

/// The commands whose columns are those of events.
const READ_EVENTS: [&str; 3] = ["tail", "query", "export"];

/// A command whose options complete their values.
pub(super) fn completed(command: Command, line: &Arc<Line>) -> Command {
    let name = command.get_name().to_owned();
    command
        .mut_args(|argument| match source(&name, &argument) {
            Some(source) => {
                let line = Arc::clone(line);
                argument.add(ArgValueCompleter::new(move |current: &OsStr| {
                    candidates(current, |item| values(source, &line, item))
                }))
            }
            None => argument,
        })
        .mut_subcommands(|inner| completed(inner, line))
}

fn source(command: &str, argument: &Arg) -> Option<Source> {
    let (_, source) = OPTIONS.into_iter().find(|(id, _)| argument.get_id() == id)?;
    (source != Source::EventColumns || READ_EVENTS.contains(&command)).then_some(source)
}

/// The values of a source; of many, those from `item` on.
fn values(source: Source, line: &Line, item: &str) -> Vec<String> {
    match source {
        Source::Profiles => Line::profiles(),
        Source::EventColumns => {
            EventColumn::ALL.iter().map(|column| column.name().to_owned()).collect()
        }
        Source::Groupings => {
            Grouping::NAMED.iter().map(|grouping| grouping.name().to_owned()).collect()
        }
        Source::Periods => ["previous", "yesterday"].map(str::to_owned).to_vec(),
        Source::Database(KnownValues::ErrorClasses) => {
            let classes = line.known(KnownValues::ErrorClasses, item);
            // As tables show them, which `--error` takes, too.
            let short: BTreeSet<_> = classes.iter().map(|class| short_class(class)).collect();
            let short: Vec<_> = short.into_iter().map(str::to_owned).collect();
            let long = classes.iter().filter(|class| !short.contains(class));
            short.iter().chain(long).cloned().collect()
        }
        Source::Sides => {
            let types = line.known(KnownValues::EventTypes, item);
            types.into_iter().map(|event_type| format!("{event_type}:")).collect()
        }
        Source::Database(values) => line.known(values, item),
    }
}

/// The values that go on with what is typed, in a list with the last of its items. Items that stand
/// there are not offered again.
fn candidates(
    current: &OsStr,
    values: impl FnOnce(&str) -> Vec<String>,
) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let (before, item) = match current.rfind(',') {
        Some(comma) => current.split_at(comma + 1),
        None => ("", current),
    };
    let (not, item) = match item.strip_prefix('!') {
        Some(item) => ("!", item),
        None => ("", item),
    };
    values(item)
        .into_iter()
        .filter(|value| value.starts_with(item) && is_plain(value))
        .filter(|value| !before.split(',').any(|listed| listed == value))
        .map(|value| CompletionCandidate::new(format!("{before}{not}{value}")))
        .collect()
}

/// Whether a value can stand on the line of any shell, in a list and as a glob, and is nothing but
/// itself. Names come out of records: whoever writes those must not be able to run a command here.
fn is_plain(value: &str) -> bool {
    let begins = value.starts_with(|first: char| first.is_alphanumeric() || "_./".contains(first));
    let is_plain = |other: char| other.is_alphanumeric() || "_./-:@+%".contains(other);
    begins && value.len() <= LONGEST && value.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(typed: &str, values: &[&str]) -> Vec<String> {
        let values = |_: &str| values.iter().map(|value| (*value).to_owned()).collect();
        let candidates = candidates(OsStr::new(typed), values);
        candidates.iter().map(|it| it.get_value().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_last_item_of_a_list_is_completed() {
        let types = ["OrderCreated", "OrderShipped", "PaymentDeclined"];
        assert_eq!(offered("Pay", &types), ["PaymentDeclined"]);
        assert_eq!(
            offered("OrderCreated,", &types),
            ["OrderCreated,OrderShipped", "OrderCreated,PaymentDeclined"]
        );
        assert_eq!(offered("Payment*,!OrderS", &types), ["Payment*,!OrderShipped"]);
        assert!(offered("x", &types).is_empty());
    }

    #[test]
    fn names_that_a_shell_or_a_glob_would_read_are_never_offered() {
        let hostile = [
            "$(touch pwned)",
            "`id`",
            "a;b",
            "a|b",
            "a&b",
            "a b",
            "a'b",
            "a\"b",
            "a*",
            "a?",
            "[a]",
            "a,b",
            "!a",
            "a\\b",
            "~a",
            "-rf",
            "--to",
            "a>b",
            "a(b",
            "{a,b}",
            "#a",
            "=a",
            "a\nb",
            "a\u{1b}[2J",
            "a\u{202e}b",
            "a\u{200b}b",
            "",
            "a=b",
            "^a",
        ];
        assert!(offered("", &hostile).is_empty(), "{:?}", offered("", &hostile));
        let plain = ["order.created", "/orders", "urn:orders", "Größe", "注文", "a_b-c"];
        assert_eq!(offered("", &plain), plain);
        assert!(offered("", &["x".repeat(201).as_str()]).is_empty());
    }

    #[test]
    fn every_option_of_the_list_is_one_of_some_command() {
        use clap::CommandFactory;
        fn ids(command: &Command, found: &mut Vec<String>) {
            found.extend(command.get_arguments().map(|argument| argument.get_id().to_string()));
            command.get_subcommands().for_each(|inner| ids(inner, found));
        }
        let mut found = Vec::new();
        ids(&crate::cli::Cli::command(), &mut found);
        for (id, _) in OPTIONS {
            assert!(found.iter().any(|known| known == id), "no command has {id}");
        }
    }
}
