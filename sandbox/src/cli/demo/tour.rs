//! The tour: one search from a customer's question to the proof, in the order of a real one.

use std::error::Error;
use std::io::{Write, stdout};
use std::time::Duration;

use super::forgery;
use super::history;
use super::shop::Shop;
use super::stage::Stage;

/// One step: why, and what is typed.
struct Step {
    title: &'static str,
    explanation: &'static str,
    lines: &'static [&'static str],
}

const SEARCH: [Step; 4] = [
    Step {
        title: "What is stuck?",
        explanation: "Which orders began and did not end? What is usual is learned from the days before.",
        lines: &["audit stuck"],
    },
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

const PROOF: [Step; 2] = [
    Step {
        title: "Can somebody else check that?",
        explanation: "A checkpoint sums up what is recorded, in three signed lines to keep elsewhere.",
        lines: &[
            "audit evidence keygen --out demo.key > demo.vkey",
            "audit evidence checkpoint --key demo.key --out demo.checkpoint",
            "cat demo.checkpoint",
        ],
    },
    Step {
        title: "What was ordered, for somebody without the database",
        explanation: "The proof and the verifier key are enough.",
        lines: &[
            "audit evidence prove 4f2a91c3 --checkpoint demo.checkpoint -o demo.proof",
            "audit evidence check demo.proof --vkey demo.vkey",
        ],
    },
];

/// Ends with 5 where something was changed.
const HOLD: Step = Step {
    title: "And if a superuser changes a row?",
    explanation: "Past triggers and rights, on the server itself:",
    lines: &["audit verify --checkpoint demo.checkpoint --vkey demo.vkey; test $? -eq 5"],
};

const RECORDED_WITHIN: Duration = Duration::from_secs(60);
const SHIPPED_WITHIN: Duration = Duration::from_secs(15);

/// Shows every step. Ends with the first that fails.
pub(super) fn show(stage: &Stage<'_>, shop: &Shop) -> Result<(), Box<dyn Error>> {
    let query = format!("audit query --fail-on-empty --correlation {}", shop.stuck);
    stage.wait_until(&format!("{query} --dlt"), RECORDED_WITHIN)?;
    stage.wait_until(&format!("{query} --service shop --type OrderChanged"), RECORDED_WITHIN)?;
    let recorded = "$(audit query --topic shop.events --until -24h --count)";
    let has_history = format!("test \"{recorded}\" -eq {}", history::count());
    stage.wait_until(&has_history, RECORDED_WITHIN)?;
    SEARCH.iter().try_for_each(|step| show_step(stage, step))?;

    stage.wait_until(&format!("{query} --service payment-service"), RECORDED_WITHIN)?;
    // On servers that a demo has used before, the order may end otherwise. It is shown as it is.
    let _ = stage.wait_until(&format!("{query} --type OrderShipped"), SHIPPED_WITHIN);
    // The other replays were sent in the same second.
    std::thread::sleep(Duration::from_secs(1));
    OUTCOME.iter().chain(&PROOF).try_for_each(|step| show_step(stage, step))?;
    title(HOLD.title)?;
    writeln!(stdout(), "{}", HOLD.explanation)?;
    let forged = forgery::forge(stage)?;
    let found = HOLD.lines.iter().try_for_each(|line| stage.run(line));
    writeln!(stdout(), "It is put back as it was.")?;
    forged.put_back(stage)?;
    found
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
