//! The command line as a whole.

use clap::{CommandFactory, Parser};

use super::Cli;

/// The long help of the program and of each command, as a terminal of 80 columns shows it.
#[test]
fn the_whole_help_is_as_it_was_agreed() {
    fn write(command: &mut clap::Command, text: &mut String) {
        let name = command.get_bin_name().unwrap_or("audit").to_owned();
        let help = command.render_long_help().to_string();
        text.push_str(&format!("$ {name} --help\n{}\n\n", help.trim_end()));
        for inner in command.get_subcommands_mut() {
            write(inner, text);
        }
    }
    let mut command = Cli::command().term_width(80).disable_help_subcommand(true);
    command.build();
    let mut text = String::new();
    write(&mut command, &mut text);
    insta::assert_snapshot!(text);
}

/// What stands behind the options is laid out by hand: wrapped, an example is no command any more.
#[test]
fn no_line_of_an_example_is_wider_than_a_terminal_of_80_columns() {
    fn check(command: &clap::Command) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in help.lines() {
            let width = unicode_width::UnicodeWidthStr::width(line);
            assert!(width <= 80, "{}: {width} columns: {line}", command.get_name());
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

#[test]
fn the_help_lists_every_value_that_an_option_takes() {
    fn check(command: &mut clap::Command) {
        let help = command.render_long_help().to_string();
        for argument in command.get_arguments() {
            let values = argument.get_value_parser().possible_values().into_iter().flatten();
            for value in values.filter(|_| argument.get_action().takes_values()) {
                let is_listed = help.contains(&format!("- {}: ", value.get_name()))
                    || help.contains(value.get_name()) && value.get_help().is_none();
                let name = command.get_name();
                assert!(is_listed, "{name}: {} of {argument} is not listed", value.get_name());
            }
            assert!(!argument.is_hide_default_value_set(), "{argument} hides its default");
        }
        command.get_subcommands_mut().for_each(check);
    }
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    check(&mut program);
}

#[test]
fn colour_and_pager_are_decided_for_every_command() {
    fn check(command: &clap::Command) {
        for option in ["color", "no_pager"] {
            let is_known = command.get_arguments().any(|argument| argument.get_id() == option);
            assert!(is_known, "{} does not take --{option}", command.get_name());
        }
        command.get_subcommands().for_each(check);
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    check(&command);
}

#[test]
fn blanks_around_the_items_of_a_list_do_not_count() {
    let lists = [
        ("ingest", "--topics", "a, b", "a,b"),
        ("ingest", "--accept-recreated", "a, b", "a,b"),
        ("verify", "--topics", " a ,b", "a,b"),
        ("query", "--columns", "id, topic", "id,topic"),
        ("export", "--columns", "id ,topic", "id,topic"),
        ("stats", "--by", "type, hour", "type,hour"),
    ];
    for (command, option, blanks, plain) in lists {
        let parsed =
            |list: &str| format!("{:?}", Cli::try_parse_from(["audit", command, option, list]));
        assert!(parsed(plain).starts_with("Ok"), "{}", parsed(plain));
        assert_eq!(parsed(blanks), parsed(plain), "audit {command} {option}");
        let empty = Cli::try_parse_from(["audit", command, option, "a, ,b"]);
        assert!(empty.is_err(), "audit {command} {option}");
    }
    // Every list there is stands above.
    let program = Cli::command();
    let with_commas = program.get_subcommands().flat_map(|command| {
        let lists =
            command.get_arguments().filter(|argument| argument.get_value_delimiter().is_some());
        lists.map(|argument| {
            let option = argument.get_long().unwrap_or(argument.get_id().as_str());
            (command.get_name(), format!("--{option}"))
        })
    });
    for (command, option) in with_commas {
        let mut same = lists.iter().filter(|(_, known, ..)| *known == option);
        assert!(same.next().is_some(), "audit {command} {option} is a list that is not tried");
    }
}
