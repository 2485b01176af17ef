//! Why an event could not be processed, which decides what is done with it.

use std::any::type_name;
use std::error::Error;
use std::fmt;

use deadpool_postgres::PoolError;

/// Why an event could not be processed this time.
#[derive(Debug)]
pub enum Failure {
    /// Something the event needs did not answer: tried again a few times, then dead-lettered.
    Transient(Report),
    /// The event itself can't be processed: dead-lettered at once.
    Unprocessable(Report),
    /// The service's own database or the schema registry is out of reach, asks for another try, or
    /// refuses for a reason that is not the event's, such as a missing privilege. Tried again until
    /// it works: an outage must not empty a topic into its dead-letter topic.
    Outage(Report),
}

/// A failure as the dead letter's headers tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The error's type with its path: what Java calls the class name.
    pub class: &'static str,
    /// What the error says.
    pub message: String,
    /// The type and the words of the error behind it, where there is one.
    pub cause: Option<(&'static str, String)>,
}

impl Report {
    fn of<E: Error>(error: &E) -> Self {
        Self { class: type_name::<E>(), message: error.to_string(), cause: None }
    }
}

impl Failure {
    /// A failure that another attempt may heal.
    pub fn transient<E: Error>(error: &E) -> Self {
        Self::Transient(Report::of(error))
    }

    /// A failure that no attempt can heal.
    pub fn unprocessable<E: Error>(error: &E) -> Self {
        Self::Unprocessable(Report::of(error))
    }

    /// A failure of something without which no event can be processed.
    pub(crate) fn outage<E: Error>(error: &E) -> Self {
        Self::Outage(Report::of(error))
    }

    /// Adds the error behind this failure.
    #[must_use]
    pub fn because<E: Error>(mut self, cause: &E) -> Self {
        let (Self::Transient(report) | Self::Unprocessable(report) | Self::Outage(report)) =
            &mut self;
        report.cause = Some((type_name::<E>(), cause.to_string()));
        self
    }

    /// What the dead letter's headers tell.
    #[must_use]
    pub fn report(&self) -> &Report {
        let (Self::Transient(report) | Self::Unprocessable(report) | Self::Outage(report)) = self;
        report
    }

    /// Whether another attempt, a few times, is worth it.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient(_))
    }

    /// Whether to wait until the database, or the schema registry, works.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Outage(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report();
        formatter.write_str(&report.message)?;
        report.cause.as_ref().map_or(Ok(()), |(_, cause)| write!(formatter, ": {cause}"))
    }
}

impl Error for Failure {}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let mut report = Report::of(&error);
        if let Some(database) = error.as_db_error() {
            report.message =
                format!("{} (SQLSTATE {})", database.message(), database.code().code());
        }
        if is_about_the_data(&error) { Self::Unprocessable(report) } else { Self::Outage(report) }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            other => Self::Outage(Report::of(&other)),
        }
    }
}

/// Whether the database refused what it was given: an exception in the data (class 22), a broken
/// constraint (23), a limit of the server (54).
fn is_about_the_data(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| matches!(state.code().get(..2), Some("22" | "23" | "54")))
}
