//! `sandbox demo`: from nothing to answers, with real servers and real events.

use std::error::Error;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Args;
use sandbox::{Process, Sandbox};

use super::{foreground, services};

/// Start both servers, let two services emit events, and show what audit makes of them
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {}

/// One command of the tour.
struct Step {
    title: &'static str,
    /// Shown on a terminal only.
    explanation: &'static str,
    arguments: &'static [&'static str],
}

const TOUR: [Step; 6] = [
    Step {
        title: "What happened last",
        explanation: "The last rows of event_logs, oldest first. Without --no-follow it goes on with new ones.",
        arguments: &["tail", "-n", "8", "--no-follow"],
    },
    Step {
        title: "One kind of event",
        explanation: "Selectors are the same in every command: --type, --service, --aggregate, --since and more.",
        arguments: &["query", "--type", "Payment*", "--limit", "5"],
    },
    Step {
        title: "Take it with you",
        explanation: "CSV as PostgreSQL writes it, for a spreadsheet or for another database.",
        arguments: &["export", "orders.csv", "--type", "Order*"],
    },
    Step {
        title: "How far the record is",
        explanation: "For each partition of Kafka: what is recorded, and what is still to come.",
        arguments: &["status"],
    },
    Step {
        title: "Is the record complete?",
        explanation: "Every offset of every partition must be a row, or a declared hole.",
        arguments: &["verify"],
    },
    Step {
        title: "What could not be processed",
        explanation: "Some payments were poisoned on purpose, and ended in a dead-letter topic. This only plans.",
        arguments: &["replay-dlt", "--dry-run"],
    },
];

const SIMULATORS_SETTLE_WITHIN: Duration = Duration::from_secs(120);
const INGEST_CATCHES_UP_WITHIN: Duration = Duration::from_secs(60);
const ENDS_WITHIN: Duration = Duration::from_secs(20);

pub(crate) fn cmd_demo(_args: &DemoArgs) -> Result<ExitCode, Box<dyn Error>> {
    let is_interactive = stdin().is_terminal() && stdout().is_terminal();
    let programs = Programs::find()?;
    title("Starting PostgreSQL, Kafka, audit and two services")?;
    let sandbox = services::start()?;
    let demo =
        Demo { folder: sandbox.folder("demo")?, sandbox: &sandbox, programs, is_interactive };
    demo.migrate()?;
    let mut ingest = demo.start("ingest", &demo.programs.audit, &["ingest"])?;
    demo.simulate()?;
    demo.wait_for_ingest(&mut ingest)?;
    let mut failures = Vec::new();
    for step in &TOUR {
        failures.extend(demo.show(step)?);
    }
    if failures.is_empty() && is_interactive {
        demo.let_try()?;
    }
    match ingest.stop(ENDS_WITHIN) {
        Some(status) if status.success() => {}
        Some(status) => {
            failures.push(format!("audit ingest ended with {status}:\n{}", ingest.last_lines()));
        }
        None => failures.push("audit ingest did not end when it was asked to".into()),
    }
    if !failures.is_empty() {
        return Err(failures.join("\n").into());
    }
    writeln!(stdout(), "\nThat was the demo. Everything it started is stopped.")?;
    Ok(ExitCode::SUCCESS)
}

/// The programs of the workspace, which lie beside this one.
struct Programs {
    folder: PathBuf,
    audit: PathBuf,
    order_sim: PathBuf,
    payment_sim: PathBuf,
}

impl Programs {
    fn find() -> Result<Programs, Box<dyn Error>> {
        let own = std::env::current_exe()?;
        let folder = own.parent().ok_or("this program is in no folder")?.to_path_buf();
        let find = |name: &str| {
            let path = folder.join(name);
            if path.is_file() {
                return Ok(path);
            }
            Err(format!(
                "there is no {name} in {}; `cargo build --workspace` makes it",
                folder.display()
            ))
        };
        Ok(Programs {
            audit: find("audit")?,
            order_sim: find("order-sim")?,
            payment_sim: find("payment-sim")?,
            folder,
        })
    }
}

struct Demo<'s> {
    sandbox: &'s Sandbox,
    programs: Programs,
    /// Where the commands run, and leave their files.
    folder: PathBuf,
    is_interactive: bool,
}

impl Demo<'_> {
    fn migrate(&self) -> Result<(), Box<dyn Error>> {
        writeln!(stdout(), "$ audit migrate")?;
        let status = self.audit(&["migrate"]).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("audit migrate ended with {status}").into())
        }
    }

    /// A program in the background, which ends with the sandbox at the latest.
    fn start(
        &self,
        name: &str,
        program: &Path,
        arguments: &[&str],
    ) -> Result<Process, sandbox::Error> {
        self.sandbox.spawn(name, program, |command| {
            command.args(arguments).envs(services::variables(self.sandbox));
            without_preferences(command);
        })
    }

    fn simulate(&self) -> Result<(), Box<dyn Error>> {
        let brokers = self.sandbox.kafka().brokers();
        let order_url = self.sandbox.postgres().url("order_db");
        let payment_url = self.sandbox.postgres().url("payment_db");
        let payment = ["--database-url", &payment_url, "--brokers", brokers];
        let order = ["--database-url", &order_url, "--brokers", brokers];
        let story = "--count 60 --rate 30 --seed 7 --poison-rate 0.05 --until-settled";
        writeln!(stdout(), "$ payment-sim &\n$ order-sim {story}")?;
        let mut payment_sim = self.start("payment-sim", &self.programs.payment_sim, &payment)?;
        let order: Vec<&str> = order.into_iter().chain(story.split(' ')).collect();
        let mut order_sim = self.start("order-sim", &self.programs.order_sim, &order)?;
        ends_well(&mut order_sim, "order-sim", SIMULATORS_SETTLE_WITHIN).map_err(|failure| {
            format!("{failure}\nand of payment-sim:\n{}", payment_sim.last_lines())
        })?;
        payment_sim.stop(ENDS_WITHIN);
        Ok(ends_well(&mut payment_sim, "payment-sim", Duration::ZERO)?)
    }

    /// Ends when all that was emitted is recorded, whichever of the two ingesters records it.
    fn wait_for_ingest(&self, ingest: &mut Process) -> Result<(), Box<dyn Error>> {
        let mut until_end =
            self.start("ingest-until-end", &self.programs.audit, &["ingest", "--until-end"])?;
        ends_well(&mut until_end, "audit ingest --until-end", INGEST_CATCHES_UP_WITHIN)?;
        match ingest.ended() {
            Some(status) => {
                Err(format!("audit ingest ended with {status}:\n{}", ingest.last_lines()).into())
            }
            None => Ok(()),
        }
    }

    /// Runs one command of the tour as a person would. Says what is wrong when it doesn't end well.
    fn show(&self, step: &Step) -> Result<Option<String>, Box<dyn Error>> {
        title(step.title)?;
        if self.is_interactive {
            writeln!(stdout(), "{}", step.explanation)?;
        }
        let typed = format!(
            "audit {}",
            step.arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
        );
        writeln!(stdout(), "$ {typed}")?;
        let status = self.audit(step.arguments).status()?;
        if !status.success() {
            return Ok(Some(format!("`{typed}` ended with {status}")));
        }
        if let ["export", file, ..] = step.arguments {
            writeln!(stdout(), "$ head -n 4 {file}")?;
            let text = std::fs::read_to_string(self.folder.join(file))?;
            for line in text.lines().take(4) {
                writeln!(stdout(), "{line}")?;
            }
        }
        Ok(None)
    }

    fn audit(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.programs.audit);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .envs(services::variables(self.sandbox))
            // A pager would stop the tour.
            .env("PAGER", "cat")
            .stdin(Stdio::null());
        without_preferences(&mut command);
        command
    }

    /// Opens a shell in which `audit` finds the servers, until the person leaves it.
    fn let_try(&self) -> Result<(), Box<dyn Error>> {
        title("Your turn")?;
        writeln!(
            stdout(),
            "This shell has audit, order-sim and payment-sim on its PATH, and knows the servers. Try `audit --help`, \
             or\n`order-sim --database-url $ORDER_DATABASE_URL --brokers $AUDIT_BROKERS --count 10`. `exit` ends the \
             demo, and\ntakes the servers and this folder with it."
        )?;
        let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
        let known = std::env::var_os("PATH").unwrap_or_default();
        let folders =
            std::iter::once(self.programs.folder.clone()).chain(std::env::split_paths(&known));
        let mut command = Command::new(shell);
        command
            .current_dir(&self.folder)
            .envs(services::variables(self.sandbox))
            .env("PATH", std::env::join_paths(folders)?);
        // What the person's last command ended with says nothing about the demo.
        foreground::run(command)?;
        Ok(())
    }
}

/// The tour is the same whatever profiles and variables the person has.
fn without_preferences(command: &mut Command) {
    command.env("AUDIT_CONFIG", "/dev/null").env_remove("AUDIT_PROFILE").env_remove("AUDIT_OUTPUT");
}

fn ends_well(process: &mut Process, name: &str, within: Duration) -> Result<(), String> {
    process.wait(within);
    match process.ended() {
        Some(status) if status.success() => Ok(()),
        Some(status) => {
            Err(format!("{name} ended with {status}; its last lines:\n{}", process.last_lines()))
        }
        None => Err(format!(
            "{name} still runs after {} s; its last lines:\n{}",
            within.as_secs(),
            process.last_lines()
        )),
    }
}

/// A word as one would type it to a shell.
fn quoted(word: &str) -> String {
    if word.contains('*') { format!("'{word}'") } else { word.to_string() }
}

fn title(text: &str) -> std::io::Result<()> {
    writeln!(stdout(), "\n== {text} ==")
}
