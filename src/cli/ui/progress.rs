//! Progress on stderr: a line that tells a person what is being done, how far it is, and how long
//! it still takes. What is done within half a second shows nothing.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{
    HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};

use super::width;

/// What is quicker than this needs no progress, and would only flicker.
const DELAY: Duration = Duration::from_millis(500);

/// How often the line moves.
const TICK: Duration = Duration::from_millis(200);

/// How many columns the bar has.
const BAR: usize = 12;

/// The line that is drawn now. A process has one stderr, and so one line.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// So much.
    Exact(u64),
    /// About so much: an estimate, which is marked as one.
    About(u64),
    /// Nobody knows.
    Unknown,
}

/// The progress of a command. It is gone from the terminal when this is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    bytes: Arc<AtomicU64>,
    is_seen: bool,
}

impl Progress {
    /// Progress that nobody sees.
    pub(crate) fn hidden() -> Self {
        Self::new(false)
    }

    /// Progress that is drawn on stderr if it is still there after a while; `when_drawn` is called
    /// then.
    pub(super) fn drawn(when_drawn: fn()) -> Self {
        let progress = Self::new(true);
        let bar = progress.bar.clone();
        tokio::spawn(async move {
            tokio::time::sleep(DELAY).await;
            let mut drawn = lock();
            if !bar.is_finished() {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
                *drawn = Some(bar);
                drop(drawn);
                when_drawn();
            }
        });
        progress
    }

    fn new(is_seen: bool) -> Self {
        Self { bar: ProgressBar::hidden(), bytes: Arc::default(), is_seen }
    }

    /// Whether a person may see it: only then a total is worth asking for.
    pub(crate) fn is_seen(&self) -> bool {
        self.is_seen
    }

    /// Shows a line of the command's own.
    pub(crate) fn show(&self, line: impl Into<String>) {
        let line = line.into();
        self.begin(move |_| line.clone());
    }

    /// Shows what is being done, and how long the command has taken so far.
    pub(crate) fn doing(&self, what: impl Into<String>) {
        let what = what.into();
        self.begin(move |state| format!("{what}, {}", time_text(state.elapsed())));
    }

    /// Counts things up to a total from now on: how many, how many a second, and how long the rest
    /// takes.
    pub(crate) fn counting(&self, things: &'static str, total: Total) {
        if let Total::Exact(length) | Total::About(length) = total {
            self.bar.set_length(length);
        }
        self.bar.set_position(0);
        self.bar.reset_eta();
        let bytes = Arc::clone(&self.bytes);
        bytes.store(0, Relaxed);
        self.begin(move |state| {
            let count = Count {
                done: state.pos(),
                total,
                bytes: bytes.load(Relaxed),
                a_second: state.per_sec(),
                elapsed: state.elapsed(),
                left: state.eta(),
            };
            count.line(things)
        });
    }

    /// So much of what is counted is done.
    pub(crate) fn set(&self, done: u64) {
        if self.is_seen {
            self.bar.set_position(done);
        }
    }

    /// As [`Progress::set`], for what counts on another thread.
    pub(crate) fn setter(&self) -> impl Fn(u64) + Clone + Send + 'static {
        let bar = self.bar.clone();
        move |done| bar.set_position(done)
    }

    /// So many bytes were written.
    pub(crate) fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Relaxed);
    }

    /// Takes it from the terminal: what comes now belongs there.
    pub(crate) fn clear(&self) {
        let mut drawn = lock();
        if !self.bar.is_finished() {
            self.bar.finish_and_clear();
            *drawn = None;
        }
    }

    fn begin(&self, line: impl Fn(&ProgressState) -> String + Clone + Send + Sync + 'static) {
        // A template that can't be read leaves indicatif's own.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {line}") {
            let line = move |state: &ProgressState, output: &mut dyn std::fmt::Write| {
                // Beside the spinner, and without the last column: the line must not wrap.
                let room = width::columns_of_stderr().saturating_sub(3);
                let _ = line(state).chars().take(room).try_for_each(|one| output.write_char(one));
            };
            self.bar.set_style(style.with_key("line", line));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Writes to stderr without tearing the line that is drawn there.
pub(super) fn above<T>(write: impl FnOnce() -> T) -> T {
    let drawn = lock().clone();
    match drawn {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Takes the line that is drawn from the terminal, because the process ends.
pub(super) fn clear_drawn() {
    if let Some(bar) = lock().take() {
        bar.finish_and_clear();
    }
}

fn lock() -> MutexGuard<'static, Option<ProgressBar>> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far it is.
struct Count {
    done: u64,
    total: Total,
    bytes: u64,
    a_second: f64,
    elapsed: Duration,
    left: Duration,
}

impl Count {
    /// `█████░░░░░░░ 45,000 of ~100,000 rows, 12.30 MiB, 34,000/s, ~2 s left`
    fn line(&self, things: &str) -> String {
        let (total, mark) = match self.total {
            Total::Exact(total) => (total, ""),
            Total::About(total) => (total, "~"),
            Total::Unknown => (0, ""),
        };
        // More than the total: it was none.
        let is_known = self.done <= total && self.total != Total::Unknown;
        let done = HumanCount(self.done);
        let mut line = match is_known {
            true => format!("{} {done} of {mark}{} {things}", self.bar(total), HumanCount(total)),
            false => format!("{done} {things}"),
        };
        if self.bytes > 0 {
            let _ = write!(line, ", {}", HumanBytes(self.bytes));
        }
        if self.done > 0 {
            let _ = write!(line, ", {}/s", HumanCount(self.a_second as u64));
        }
        // Where nothing came yet, nobody knows how long the rest takes.
        let _ = match is_known && self.done > 0 {
            true => write!(line, ", {mark}{} left", time_text(self.left)),
            false => write!(line, ", {}", time_text(self.elapsed)),
        };
        line
    }

    fn bar(&self, total: u64) -> String {
        let full = (self.done as f64 / total.max(1) as f64 * BAR as f64) as usize;
        format!("{}{}", "█".repeat(full), "░".repeat(BAR.saturating_sub(full)))
    }
}

/// `12 s`, `34 min`, `5 h 6 min`
fn time_text(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(done: u64, total: Total) -> String {
        let count = Count {
            done,
            total,
            bytes: done * 100,
            a_second: 34_567.8,
            elapsed: Duration::from_secs(3),
            left: Duration::from_secs(754),
        };
        count.line("rows")
    }

    #[test]
    fn the_time_that_is_left_is_told_where_the_total_is_known_and_marked_where_it_is_estimated() {
        assert_eq!(
            line(45_000, Total::Exact(100_000)),
            "█████░░░░░░░ 45,000 of 100,000 rows, 4.29 MiB, 34,567/s, 12 min left"
        );
        assert_eq!(
            line(45_000, Total::About(100_000)),
            "█████░░░░░░░ 45,000 of ~100,000 rows, 4.29 MiB, 34,567/s, ~12 min left"
        );
        // What was estimated too low is no total.
        assert_eq!(line(45_000, Total::About(44_000)), "45,000 rows, 4.29 MiB, 34,567/s, 3 s");
        assert_eq!(line(0, Total::Exact(100_000)), "░░░░░░░░░░░░ 0 of 100,000 rows, 3 s");
        assert_eq!(line(0, Total::Unknown), "0 rows, 3 s");
        assert_eq!(line(45_000, Total::Unknown), "45,000 rows, 4.29 MiB, 34,567/s, 3 s");
        assert_eq!(line(0, Total::Exact(0)), "░░░░░░░░░░░░ 0 of 0 rows, 3 s");
    }

    #[test]
    fn times_have_the_two_units_that_matter() {
        let texts = [0, 119, 120, 7_199, 7_200, 90_061]
            .map(|seconds| time_text(Duration::from_secs(seconds)));
        assert_eq!(texts, ["0 s", "119 s", "2 min", "119 min", "2 h 0 min", "25 h 1 min"]);
    }
}
