//! What processes use, as Linux tells it under /proc. Elsewhere it is not known.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// How often a running program is looked at: what it uses in its last moment is missed.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// /proc counts processor time in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a program used from its start to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) started_at: SystemTime,
    pub(crate) wall: Duration,
    /// Processor time in seconds.
    pub(crate) cpu_s: Option<f64>,
    /// The most memory that was resident (`VmHWM`), in MiB.
    pub(crate) peak_mib: Option<f64>,
}

/// Runs a program to its end, which has to be a good one. Its output goes to the file `log`.
pub(crate) fn run(command: &mut Command, log: &Path) -> Result<Usage, Box<dyn Error>> {
    let output = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let (started_at, began) = (SystemTime::now(), Instant::now());
    let mut child =
        command.spawn().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let mut usage = Usage { started_at, wall: Duration::ZERO, cpu_s: None, peak_mib: None };
    loop {
        usage.cpu_s = times(child.id()).map(|times| times.own_s).or(usage.cpu_s);
        usage.peak_mib = peak_mib(child.id()).or(usage.peak_mib);
        if let Some(status) = child.try_wait()? {
            usage.wall = began.elapsed();
            return if status.success() {
                Ok(usage)
            } else {
                Err(format!("{:?}: {status}: {}", command.get_program(), fs::read_to_string(log)?)
                    .into())
            };
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The processor time in seconds of a server and of all its processes, those that have ended too.
pub(crate) fn server_cpu_s(server: u32) -> Option<f64> {
    loop {
        let before = times(server)?;
        let children_s: f64 = process_ids()
            .filter_map(times)
            .filter(|times| times.parent == server)
            .map(|times| times.own_s)
            .sum();
        let after = times(server)?;
        // A process that ended in the meantime is counted with the ended ones, or with the running
        // ones, or with neither.
        if before.ended_children_s == after.ended_children_s {
            return Some(after.own_s + after.ended_children_s + children_s);
        }
    }
}

fn process_ids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

struct Times {
    parent: u32,
    own_s: f64,
    ended_children_s: f64,
}

/// Source: proc(5), /proc/pid/stat. The name, in parentheses, may hold anything; the fields behind
/// it are numbers.
fn times(id: u32) -> Option<Times> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let seconds =
        |field: usize| fields.get(field)?.parse::<f64>().ok().map(|ticks| ticks / TICKS_PER_SECOND);
    Some(Times {
        parent: fields.get(1)?.parse().ok()?,
        own_s: seconds(11)? + seconds(12)?,
        ended_children_s: seconds(13)? + seconds(14)?,
    })
}

fn peak_mib(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()?;
    Some(kib / 1024.0)
}
