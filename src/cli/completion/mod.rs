//! What a shell asks when TAB is pressed: the words that may stand there, values of the database
//! and of the configuration file among them.
//!
//! The scripts of `audit completions` call the program with `AUDIT_COMPLETE` set. It answers within
//! half a second or with nothing, and never with an error: nobody asked for one.

mod bash;
mod line;
mod unquoted;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Command;
use clap_complete::env::{CompleteEnv, EnvCompleter, Shells};

use bash::AuditBash;
use line::Line;
use unquoted::{FISH, ZSH};

/// The variable by which a shell's script asks.
const VARIABLE: &str = "AUDIT_COMPLETE";

/// The shells whose scripts ask.
const SHELLS: [&dyn EnvCompleter; 3] = [&AuditBash, &FISH, &ZSH];

/// Answers a shell that asks, and gives the exit code then.
pub(super) fn answer(program: fn() -> Command, typed: &[OsString]) -> Option<ExitCode> {
    std::env::var_os(VARIABLE).filter(|shell| !shell.is_empty())?;
    let words = typed.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    let line = Arc::new(Line::new(words));
    let completer = CompleteEnv::with_factory(|| values::completed(program(), &line))
        .var(VARIABLE)
        .bin("audit")
        .completer("audit")
        .shells(Shells(&SHELLS));
    // An error is no answer: the shell shows nothing then.
    let _ = completer.try_complete(typed.to_vec(), std::env::current_dir().ok().as_deref());
    Some(ExitCode::SUCCESS)
}

/// The script that makes a shell ask, if there is one for it.
pub(super) fn script(shell: &str) -> Option<String> {
    let shell = SHELLS.into_iter().find(|known| known.is(shell))?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "audit", "audit", "audit", &mut script).ok()?;
    String::from_utf8(script).ok()
}
