//! Every example of the help and of README.md, and what the demo suggests, run in its shell as it
//! stands there.

mod demo;
mod lines;

use sandbox::Sandbox;

use demo::{Demo, Outcome};
use lines::{Line, of_help, of_readme, of_suggestions};

/// What says on stderr that nothing was found.
const NOTHING: [&str; 6] = [
    "no rows match",
    "did you mean",
    "nothing is recorded",
    "no dead letter",
    "no type matches",
    "error:",
];

#[test]
fn every_example_finds_something_in_the_shell_of_the_demo() {
    let sandbox = Sandbox::shared();
    if sandbox.kafka().is_mock() || sandbox.kafka().is_given() || sandbox.postgres().is_given() {
        eprintln!("skipped: the demo needs servers of its own");
        return;
    }
    let demo = Demo::start();
    assert_the_order_is_found_and_healed(&demo);
    let suggested = of_suggestions(&demo.screen());
    assert!((4..=6).contains(&suggested.len()), "{suggested:?}");
    let mut lines = [suggested, of_help(), of_readme()].concat();
    assert!(lines.len() > 60, "only {} examples were found", lines.len());
    // What changes something comes last.
    lines.sort_by_key(Line::changes);

    let failures: Vec<_> = lines.iter().filter_map(|line| failure(&demo, line)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    demo.end();
}

/// The customer's order is stuck when the tour begins, and shipped when it ends.
fn assert_the_order_is_found_and_healed(demo: &Demo) {
    let screen = demo.screen();
    let (_, tour) = screen.split_once("$ audit trace order-4711").unwrap_or_default();
    let (stuck, _) = tour.split_once("\n== ").unwrap_or_default();
    let is_paid = |line: &str| line.contains("Payment") && !line.starts_with("silent for ");
    assert!(stuck.contains("DLT") && !stuck.lines().any(is_paid), "{screen}");
    let text = "audit trace order-4711 -o csv".to_owned();
    let now = demo.run(&Line { place: "the tour".to_owned(), text }).stdout;
    assert!(now.contains(",OrderShipped,"), "{now}");
}

/// What is wrong with an example: it fails, or finds nothing.
fn failure(demo: &Demo, line: &Line) -> Option<String> {
    if let Some(program) = line.missing_program() {
        eprintln!("skipped: there is no {program} for `{}`", line.text);
        return None;
    }
    let outcome = demo.run(line);
    let Outcome { exit, stdout, stderr } = &outcome;
    let is_told = NOTHING.iter().any(|words| stderr.contains(words));
    let is_found = match stdout.trim() {
        // A lag of 0 is an answer.
        "0" => line.text.contains("lag"),
        "[]" => false,
        "" => demo.has_written(line) || line.tells_on_stderr() && !stderr.is_empty(),
        text => !line.text.contains("-o csv") || text.lines().count() > 1,
    };
    let is_good = *exit == 0 && is_found && !is_told;
    (!is_good)
        .then(|| format!("{}: `{}`: exit code {exit}\n{stdout}\n{stderr}", line.place, line.text))
}
