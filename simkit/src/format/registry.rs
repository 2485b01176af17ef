//! The schema registry, as far as a service needs it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use schema_registry_converter::async_impl::schema_registry::{
    SrSettings, get_all_subjects, post_schema,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{RegisteredSchema, SuppliedSchema};

/// How long to wait for the registry at the start: as long as for the brokers.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one answer may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

const ASK_EVERY: Duration = Duration::from_millis(200);

/// The schema registry can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The client could not be made.
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
        let mut settings = SrSettings::new_builder(url.trim_end_matches('/').to_owned());
        settings.set_timeout(ANSWERS_WITHIN);
        if is_loopback(url) {
            settings.no_proxy();
        }
        let settings = settings.build().map_err(RegistryError::Settings)?;
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

    /// Registers the schema of a topic's values, and what it refers to, unless it is there already.
    pub(super) async fn register(
        &self,
        topic: &str,
        schema: SuppliedSchema,
    ) -> Result<RegisteredSchema, RegistryError> {
        let subject = format!("{topic}-value");
        post_schema(&self.0, subject.clone(), schema)
            .await
            .map_err(|source| RegistryError::Register { subject, source })
    }

    pub(super) fn settings(&self) -> &SrSettings {
        &self.0
    }
}

/// Whether a URL names this computer, where no proxy leads.
fn is_loopback(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (_, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    // An address of IPv6 stands in brackets, and has colons of its own.
    let host = match place.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => place.split(':').next(),
    };
    let host = host.unwrap_or_default().to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn no_proxy_leads_to_this_computer_whatever_its_url_looks_like() {
        for url in [
            "http://127.0.0.1:8081",
            "http://127.1.2.3/apis/ccompat/v7",
            "https://anna:p@ss@LOCALHOST:8081/",
            "http://registry.localhost",
            "http://[::1]:8081/below",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://registry:8081",
            "http://10.0.0.1:8081",
            "http://localhost.acme.com",
            "http://localhost:80@acme.com/",
            "http://acme.com/localhost",
            "http://[fe80::1]:8081",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
