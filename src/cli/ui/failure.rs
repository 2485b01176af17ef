//! Errors on their way to the user, with their hints.

use std::io;
use std::path::Path;

use super::exit::Exit;
use crate::evidence::proof::ProofError;
use crate::{anchor, export, filter, ingest, kafka, registry, replay, store};

/// An error on its way to the user: what failed, on what, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    exit: Exit,
}

impl Failure {
    /// A failure with exit code 1. The message is a lowercase fragment on one line.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit: Exit::Failed }
    }

    /// Wrong usage: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(message) }
    }

    /// The same with another exit code.
    pub(crate) fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The same with what the user can do about it.
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same, naming the file that was written.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self { message: format!("{}: {}", path.display(), self.message), ..self }
    }

    /// Whether only the reader of stdout went away.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.exit == Exit::Done
    }

    /// What failed, without the hint.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The message and the hint, where there is something to show.
    pub(super) fn shown(&self) -> Option<(&str, Option<&str>)> {
        (self.exit != Exit::Done).then_some((self.message.as_str(), self.hint.as_deref()))
    }

    /// How the program exits.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        if matches!(error, store::Error::EvidenceLacks { .. }) {
            return Self { hint: error.hint(), ..Self::new(error.to_string()) }
                .with_exit(Exit::Altered);
        }
        let exit = if matches!(
            error,
            store::Error::PayloadPredicate { .. } | store::Error::PayloadPath { .. }
        ) {
            Exit::Usage
        } else {
            Exit::Failed
        };
        Self { hint: error.hint(), exit, ..Self::new(error.to_string()) }
    }
}

impl From<kafka::Error> for Failure {
    fn from(error: kafka::Error) -> Self {
        let exit = if error.is_of_settings() { Exit::Usage } else { Exit::Failed };
        let hint = error.hint().map(str::to_owned);
        Self { hint, ..Self::new(error.to_string()) }.with_exit(exit)
    }
}

impl From<registry::Error> for Failure {
    fn from(error: registry::Error) -> Self {
        let exit = if error.is_of_settings() { Exit::Usage } else { Exit::Failed };
        let hint = error.hint().map(str::to_owned);
        Self { hint, ..Self::new(error.to_string()) }.with_exit(exit)
    }
}

/// For what is written to stdout: a reader that went away (`| head`) is no error.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new("the reader of the output went away").with_exit(Exit::Done);
        }
        Self::new(format!("writing the output: {error}"))
    }
}

impl From<ProofError> for Failure {
    fn from(error: ProofError) -> Self {
        let exit = if error.is_alteration() { Exit::Altered } else { Exit::Failed };
        Self::new(error.to_string()).with_exit(exit)
    }
}

impl From<anchor::Error> for Failure {
    fn from(error: anchor::Error) -> Self {
        let hint = error.hint();
        let exit = match &error {
            anchor::Error::Refused(_) => Exit::Altered,
            anchor::Error::Empty => Exit::NothingMatched,
            anchor::Error::OtherKey { .. } => Exit::Usage,
            anchor::Error::Kafka(error) if error.is_of_settings() => Exit::Usage,
            _ => Exit::Failed,
        };
        Self { hint, ..Self::new(error.to_string()) }.with_exit(exit)
    }
}

impl From<filter::Error> for Failure {
    fn from(error: filter::Error) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<ingest::Error> for Failure {
    fn from(error: ingest::Error) -> Self {
        let hint = error.hint();
        let exit = match &error {
            ingest::Error::Kafka(error) if error.is_of_settings() => Exit::Usage,
            ingest::Error::Registry(error) if error.is_of_settings() => Exit::Usage,
            ingest::Error::Anchor(anchor::Error::OtherKey { .. }) => Exit::Usage,
            ingest::Error::Unsigned(anchor::Error::Refused(_)) => Exit::Altered,
            ingest::Error::NotReadToEnd(_) => Exit::Incomplete,
            ingest::Error::StoppedBeforeEnd { .. } | ingest::Error::StoppedAtStart => {
                Exit::Interrupted
            }
            _ => Exit::Failed,
        };
        let failure = Self::new(error.to_string()).with_exit(exit);
        match hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

impl From<export::Error> for Failure {
    fn from(error: export::Error) -> Self {
        match error {
            export::Error::Store(error) => error.into(),
            export::Error::Output(error) => error.into(),
            error => {
                let exit = if error.is_of_usage() { Exit::Usage } else { Exit::Failed };
                Self { hint: error.hint().map(str::to_owned), ..Self::new(error.to_string()) }
                    .with_exit(exit)
            }
        }
    }
}

impl From<replay::Error> for Failure {
    fn from(error: replay::Error) -> Self {
        let failure = Self::new(error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
