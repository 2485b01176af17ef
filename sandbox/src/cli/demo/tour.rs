//! The tour: one search from a customer's question to the proof, in the order of a real one.

use std::error::Error;
use std::io::{Write, stdout};
use std::time::Duration;

use super::shop::Shop;
use super::stage::Stage;

/// One step: why, and what is typed.
struct Step {
    title: &'static str,
    explanation: &'static str,
    lines: &'static [&'static str],
}

const SEARCH: [Step; 3] = [
    Step {
        title: "Where is order-4711?",
        explanation: "A customer says that it is not shipped. Its story, across all services:",
        lines: &["audit trace order-4711"],
    },
    Step {
        title: "Why?",
        explanation: "What the services gave up on, by origin and error:",
        lines: &["audit dlt"],
    },
    Step {
        title: "Send it back",
        explanation: "The provider and the warehouse answer again. Back with what they missed:",
        lines: &["audit replay-dlt --error '*Unavailable*' --reason 'they are back' --yes"],
    },
];

const OUTCOME: [Step; 6] = [
    Step {
        title: "What came of it?",
        explanation: "Processed: it was read, and caused another event.",
        lines: &["audit replay-dlt --status"],
    },
    Step {
        title: "And order-4711?",
        explanation: "On its way.",
        lines: &["audit trace order-4711"],
    },
    Step {
        title: "Did it happen to others?",
        explanation: "Counts of the last hour; --by error, service, hour and more.",
        lines: &["audit stats --since '1h ago'"],
    },
    Step {
        title: "Take it with you",
        explanation: "CSV as PostgreSQL writes it, for a spreadsheet or another database.",
        lines: &[
            "audit export orders.csv --type 'Order*' \\\n  --columns created_at,event_type,aggregate_id",
            "head -n 4 orders.csv",
        ],
    },
    Step {
        title: "How far is the record?",
        explanation: "What is recorded of each partition of Kafka, and what is still to come.",
        lines: &["audit status"],
    },
    Step {
        title: "Is it complete?",
        explanation: "Every offset of every partition must be a row, or a declared hole.",
        lines: &["audit verify"],
    },
];

/// Shows every step. Ends with the first that fails.
pub(super) fn show(stage: &Stage<'_>, shop: &Shop) -> Result<(), Box<dyn Error>> {
    let of_order = format!("--correlation {} --fail-on-empty", shop.stuck);
    stage.wait_until("the order is stuck", &format!("audit query --dlt {of_order}"))?;
    let placed = format!("audit query --aggregate order-4711 --type OrderChanged {of_order}");
    stage.wait_until("the shop's events are recorded", &placed)?;
    SEARCH.iter().try_for_each(|step| show_step(stage, step))?;

    let shipped = format!("audit query --type OrderShipped {of_order}");
    stage.wait_until("the order is shipped", &shipped)?;
    // The other replays were sent in the same second.
    std::thread::sleep(Duration::from_secs(1));
    OUTCOME.iter().try_for_each(|step| show_step(stage, step))
}

fn show_step(stage: &Stage<'_>, step: &Step) -> Result<(), Box<dyn Error>> {
    title(step.title)?;
    writeln!(stdout(), "{}", step.explanation)?;
    step.lines.iter().try_for_each(|line| stage.run(line))
}

/// Begins a part of the demo.
pub(super) fn title(text: &str) -> std::io::Result<()> {
    writeln!(stdout(), "\n== {text} ==")
}
