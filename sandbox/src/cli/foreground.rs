//! Waiting in the foreground: for a signal, or for a command of the user's.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// Waits until somebody wants this process to end: Ctrl-C, SIGTERM, or the terminal closes.
/// `announce` says that it is ready, when a signal that follows at once is already waited for.
pub(crate) fn wait_for_end(announce: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    runtime()?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        announce()?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        Ok(())
    })
}

/// Runs a command in the foreground, and gives the exit code that a shell would. A Ctrl-C is the
/// command's to answer, which the terminal sends it; other signals that would end this process are
/// passed on to it.
pub(crate) fn run(command: Command) -> io::Result<ExitCode> {
    runtime()?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut child = tokio::process::Command::from(command).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let pass_on = |signal| {
            if let Some(id) = id {
                // It fails only when the command has just ended.
                let _ = kill(id, signal);
            }
        };
        loop {
            tokio::select! {
                status = child.wait() => {
                    let status = status?;
                    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(1);
                    return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
                }
                _ = interrupt.recv() => {}
                _ = terminate.recv() => pass_on(Signal::SIGTERM),
                _ = hang_up.recv() => pass_on(Signal::SIGHUP),
            }
        }
    })
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
