//! The schema registry, as far as a service needs it.

use std::time::{Duration, Instant};

use schema_registry_converter::async_impl::schema_registry::{
    SrSettings, get_all_subjects, post_schema,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{RegisteredSchema, SubjectNameStrategy};

/// How long to wait for the registry at the start: as long as for the brokers.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one answer may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

const ASK_EVERY: Duration = Duration::from_millis(200);

/// The schema registry can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Its URL is none, or the client could not be made.
    #[error("the schema registry's settings were refused")]
    Settings(#[source] SRCError),
    /// It does not answer.
    #[error("no schema registry answered; is it up, and does --schema-registry name it?")]
    Unreachable(#[source] SRCError),
    /// It takes no schema.
    #[error("can't register the schema of {subject}")]
    Register {
        /// The subject.
        subject: String,
        /// Why.
        #[source]
        source: SRCError,
    },
}

/// A schema registry that has answered.
#[derive(Debug, Clone)]
pub struct Registry(SrSettings);

impl Registry {
    /// Waits until the registry at this URL answers.
    ///
    /// # Errors
    /// [`RegistryError`] if it does not within 30 s.
    pub async fn open(url: &str) -> Result<Self, RegistryError> {
        let settings = SrSettings::new_builder(url.trim_end_matches('/').to_owned())
            .set_timeout(ANSWERS_WITHIN)
            .build()
            .map_err(RegistryError::Settings)?;
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match get_all_subjects(&settings).await {
                Ok(_) => return Ok(Self(settings)),
                Err(error) if Instant::now() > deadline => {
                    return Err(RegistryError::Unreachable(error));
                }
                Err(_) => tokio::time::sleep(ASK_EVERY).await,
            }
        }
    }

    /// Registers a schema, and what it refers to, unless it is there already.
    pub(super) async fn register(
        &self,
        strategy: &SubjectNameStrategy,
    ) -> Result<RegisteredSchema, RegistryError> {
        let failed =
            |subject: &str, source| RegistryError::Register { subject: subject.to_owned(), source };
        let subject = strategy.get_subject().map_err(RegistryError::Settings)?;
        let SubjectNameStrategy::TopicNameStrategyWithSchema(_, _, schema) = strategy else {
            let source = SRCError::new("no schema is given", None, false);
            return Err(failed(&subject, source));
        };
        post_schema(&self.0, subject.clone(), schema.clone())
            .await
            .map_err(|source| failed(&subject, source))
    }

    pub(super) fn settings(&self) -> &SrSettings {
        &self.0
    }
}
