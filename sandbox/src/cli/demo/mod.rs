//! `sandbox demo`: from nothing to answers, with real servers and real events.

mod forgery;
mod history;
mod shop;
mod stage;
mod tour;

use std::error::Error;
use std::ffi::OsString;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use sandbox::Process;

use super::{foreground, services};
use stage::Stage;

/// Start the servers, let services emit events, and show what audit makes of them
///
/// A customer asks for order-4711, and the tour finds out where it is. On a terminal it ends in a
/// shell where the services are still at work.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// A command to run at the end instead of the shell, after `--`
    #[arg(last = true)]
    command: Vec<OsString>,
}

/// The seed decides which orders fail: the first of them is the one that the tour looks for, and a
/// replay gets it as far as its shipping.
const PAYMENT_SIM: &str = "payment-sim --database-url $PAYMENT_DATABASE_URL --format avro --seed 873 \\
  --fail-rate 0.08 --duplicate-rate 0.035 &";
const ORDERS_AT_FIRST: &str = "order-sim --database-url $ORDER_DATABASE_URL --format protobuf --seed 873 \\
  --fail-rate 0.03 --poison-rate 0.05 --count 60 --rate 30 --until-settled";
const ORDERS_GO_ON: &str = "order-sim --database-url $ORDER_DATABASE_URL --format protobuf --seed 873 \\
  --fail-rate 0.03 --poison-rate 0.05 --rate 0.5 &";
const INGEST: &str = "audit --profile demo ingest &";

const SETTLES_WITHIN: Duration = Duration::from_secs(120);
const ENDS_WITHIN: Duration = Duration::from_secs(20);

pub(crate) fn cmd_demo(args: &DemoArgs) -> Result<ExitCode, Box<dyn Error>> {
    let is_interactive = stdin().is_terminal() && stdout().is_terminal();
    tour::title(
        "Starting PostgreSQL, Kafka, a schema registry, audit, and the services that it listens to",
    )?;
    let sandbox = services::start(true)?;
    if sandbox.kafka().is_mock() {
        return Err("the demo needs Apache Kafka, and a mock is no substitute; script/bootstrap installs what is \
                    missing"
            .into());
    }
    let stage = Stage::new(&sandbox)?;
    stage.run("audit migrate")?;
    writeln!(
        stdout(),
        "Orders are Protobuf and payments Avro; AUDIT_SCHEMA_REGISTRY says where their schemas are."
    )?;
    let ingest = stage.start("ingest", INGEST)?;
    let payment_sim = stage.start("payment-sim", PAYMENT_SIM)?;
    let mut order_sim = stage.start("order-sim", ORDERS_AT_FIRST)?;
    ends_well("order-sim", order_sim.wait(SETTLES_WITHIN), &mut order_sim).map_err(|failure| {
        format!("{failure}\nand of payment-sim:\n{}", payment_sim.last_lines())
    })?;
    let order_sim = stage.start("order-sim", ORDERS_GO_ON)?;
    let shop = shop::publish(&stage)?;
    let mut background =
        [("order-sim", order_sim), ("payment-sim", payment_sim), ("audit ingest", ingest)];

    let mut failures = Vec::new();
    let mut exit = ExitCode::SUCCESS;
    match tour::show(&stage, &shop) {
        Ok(()) if !args.command.is_empty() => exit = stage.foreground(&args.command)?,
        Ok(()) if is_interactive => let_try(&stage)?,
        Ok(()) => {}
        Err(failure) => failures.push(failure.to_string()),
    }
    for (name, process) in &mut background {
        // One that ended before it was asked to has failed, whatever its exit code says.
        let failed = match process.ended() {
            Some(status) => Err(format!(
                "{name} ended by itself with {status}; its last lines:\n{}",
                process.last_lines()
            )),
            None => {
                let is_ended = process.stop(ENDS_WITHIN).is_some();
                ends_well(name, is_ended, process)
            }
        };
        failures.extend(failed.err());
    }
    if !failures.is_empty() {
        return Err(failures.join("\n").into());
    }
    writeln!(stdout(), "\nThat was the demo. Everything it started is stopped.")?;
    Ok(exit)
}

/// Opens a shell in which `audit` finds the servers, until the person leaves it.
fn let_try(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    tour::title("Your turn")?;
    writeln!(
        stdout(),
        "This shell knows the servers. The services and `audit ingest` are at work. Try:

  audit tail                    events as they happen, until Ctrl-C
  audit trace order-4711        a story, by the number that the customer has
  audit show 4f2a91c3           one event in full
  audit stuck                   which orders began and did not end
  audit replay-dlt --dry-run    what would be sent back now
  order-sim --database-url $ORDER_DATABASE_URL --count 20

`audit COMMAND --help` has more examples, which all find something here.
`exit` ends the demo, and takes the servers and this folder with it."
    )?;
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    // What the person's last command ended with says nothing about the demo.
    stage.foreground(&[shell])?;
    Ok(())
}

fn ends_well(name: &str, is_ended: bool, process: &mut Process) -> Result<(), String> {
    let how = match process.ended() {
        Some(status) if status.success() => return Ok(()),
        Some(status) if is_ended => format!("ended with {status}"),
        _ => "does not end".to_string(),
    };
    Err(format!("{name} {how}; its last lines:\n{}", process.last_lines()))
}
