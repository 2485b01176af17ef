//! Asks a schema registry.

use std::error::Error as _;
use std::time::Duration;

use reqwest::{Certificate, Response, StatusCode, Url, header, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use super::settings::Settings;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a whole answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How large an answer may be.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How much of what a registry says about an error is read, and then told.
const MOST_BYTES_OF_ERROR: usize = 64 * 1024;
const MOST_CHARACTERS_TOLD: usize = 200;
const MOST_REDIRECTS: usize = 5;
/// How long a registry may ask to be left alone.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);
const ACCEPTED: &str = "application/vnd.schemaregistry.v1+json";

/// The error codes of a subject, a version or a schema that is not there.
const UNKNOWN: std::ops::RangeInclusive<i64> = 40401..=40403;

/// Asks one registry.
#[derive(Debug)]
pub(in crate::registry) struct Client {
    http: reqwest::Client,
    settings: Settings,
}

/// What a registry says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::registry) enum Answer<T> {
    Found(T),
    /// It does not know the subject, the version or the schema.
    Unknown,
    /// It does not know the question.
    NotThere {
        url: String,
        status: StatusCode,
    },
    /// The answer is larger than any schema.
    TooLarge,
}

/// A schema as the registry has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::registry) struct SchemaAnswer {
    pub(in crate::registry) schema: String,
    pub(in crate::registry) schema_type: Option<String>,
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub(in crate::registry) references: Vec<Reference>,
}

/// Another schema that one refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub(in crate::registry) struct Reference {
    /// What the schema calls it.
    pub(in crate::registry) name: String,
    pub(in crate::registry) subject: String,
    pub(in crate::registry) version: i64,
}

/// Where a schema is registered.
#[derive(Debug, Deserialize)]
pub(in crate::registry) struct SubjectVersion {
    pub(in crate::registry) subject: String,
}

/// What a registry says about an error.
#[derive(Debug, Default, Deserialize)]
struct ErrorAnswer {
    error_code: Option<i64>,
    message: Option<String>,
}

/// Some registries write null where there are no references.
fn null_is_nothing<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Reference>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Client {
    pub(in crate::registry) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_native()
            .user_agent(concat!("audit/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_LIMIT)
            .timeout(ANSWER_LIMIT)
            // To another host they are followed without the password.
            .redirect(redirect::Policy::limited(MOST_REDIRECTS));
        if settings.is_loopback() {
            builder = builder.no_proxy();
        }
        if let Some(path) = settings.ca_file() {
            let failed =
                |reason: String| Error::CaFile { path: path.display().to_string(), reason };
            let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
            let certificates =
                Certificate::from_pem_bundle(&pem).map_err(|error| failed(innermost(&error)))?;
            if certificates.is_empty() {
                return Err(failed("it holds no certificate".to_owned()));
            }
            for certificate in certificates {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let http = builder
            .build()
            .map_err(|error| Error::Client { url: settings.shown(), reason: innermost(&error) })?;
        Ok(Self { http, settings: settings.clone() })
    }

    /// The registry, without user and password.
    pub(in crate::registry) fn shown(&self) -> String {
        self.settings.shown()
    }

    /// A schema by its id.
    pub(in crate::registry) async fn schema(&self, id: u32) -> Result<Answer<SchemaAnswer>, Error> {
        self.get(&["schemas", "ids", &id.to_string()], "").await
    }

    /// Where a schema is registered.
    pub(in crate::registry) async fn subjects(
        &self,
        id: u32,
    ) -> Result<Vec<SubjectVersion>, Error> {
        let path = ["schemas", "ids", &id.to_string(), "versions"];
        match self.get::<serde_json::Value>(&path, "").await {
            // Not every registry knows the question, and nothing but a name depends on it.
            Ok(Answer::Found(answer)) => Ok(serde_json::from_value(answer).unwrap_or_default()),
            Ok(Answer::Unknown | Answer::NotThere { .. } | Answer::TooLarge)
            | Err(Error::Refused { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// A schema that another one refers to. One that was deleted still serves those that do.
    pub(in crate::registry) async fn referenced(
        &self,
        reference: &Reference,
    ) -> Result<Answer<SchemaAnswer>, Error> {
        let version = reference.version.to_string();
        let path = ["subjects", reference.subject.as_str(), "versions", &version];
        match self.get(&path, "").await? {
            Answer::Unknown => self.get(&path, "deleted=true").await,
            answer => Ok(answer),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &str,
    ) -> Result<Answer<T>, Error> {
        let mut url = self.settings.base().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.set_query(Some(query));
        }
        let mut request = self.http.get(url.clone()).header(header::ACCEPT, ACCEPTED);
        if let Some((user, password)) = self.settings.login() {
            request = request.basic_auth(user, password);
        }
        let asked = Asked { url, settings: &self.settings };
        let response = request.send().await.map_err(|error| asked.unreachable(&error))?;
        asked.answer(response).await
    }
}

/// What was asked for: for messages.
struct Asked<'a> {
    url: Url,
    settings: &'a Settings,
}

impl Asked<'_> {
    async fn answer<T: DeserializeOwned>(
        &self,
        mut response: Response,
    ) -> Result<Answer<T>, Error> {
        let status = response.status();
        if !status.is_success() {
            return self.problem(response).await;
        }
        let Some(body) = self.body(&mut response, MOST_BYTES).await? else {
            return Ok(Answer::TooLarge);
        };
        match serde_json::from_slice(&body) {
            Ok(found) => Ok(Answer::Found(found)),
            Err(error) if error.is_data() => {
                let reason = "the answer is JSON, but not that of a schema registry";
                Err(self.unavailable(reason.to_owned(), None))
            }
            Err(_) => {
                let reason = format!("{status}, but the answer is not JSON");
                Err(self.unavailable(reason, None))
            }
        }
    }

    async fn problem<T>(&self, mut response: Response) -> Result<Answer<T>, Error> {
        let status = response.status();
        let retry_after = retry_after(&response);
        let body = match self.body(&mut response, MOST_BYTES_OF_ERROR).await {
            Ok(body) => body.unwrap_or_default(),
            // What it said about the error does not matter as much as the error.
            Err(_) => Vec::new(),
        };
        let said: ErrorAnswer = serde_json::from_slice(&body).unwrap_or_default();
        let reason = match &said.message {
            Some(message) => format!("{status}: {}", self.told(message)),
            None => status.to_string(),
        };
        match status {
            StatusCode::NOT_FOUND
                if said.error_code.is_some_and(|code| UNKNOWN.contains(&code)) =>
            {
                Ok(Answer::Unknown)
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                Ok(Answer::NotThere { url: self.url.to_string(), status })
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Err(self.unavailable(reason, retry_after))
            }
            status if status.is_client_error() => Err(Error::Refused {
                url: self.url.to_string(),
                reason,
                needs_login: matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
            }),
            _ => Err(self.unavailable(reason, retry_after)),
        }
    }

    /// The body; `None` where it is too large.
    async fn body(&self, response: &mut Response, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if body.len() + chunk.len() > most {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        let reason = if error.is_timeout() {
            format!("no answer within {} s", ANSWER_LIMIT.as_secs())
        } else {
            self.told(&innermost(error))
        };
        self.unavailable(reason, None)
    }

    fn unavailable(&self, reason: String, retry_after: Option<Duration>) -> Error {
        Error::Unavailable { url: self.url.to_string(), reason, retry_after }
    }

    /// What the registry says, on one line that is not too long, and without the password.
    fn told(&self, message: &str) -> String {
        let password = self.settings.login().and_then(|(_, password)| password);
        let masked = match password.filter(|password| !password.is_empty()) {
            Some(password) => message.replace(password, "***"),
            None => message.to_owned(),
        };
        let one_line = masked.chars().map(|char| if char.is_control() { ' ' } else { char });
        one_line.take(MOST_CHARACTERS_TOLD).collect()
    }
}

/// What the registry asks for, within reason. A date is not heeded: clocks differ.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds =
        response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

/// The last cause of an error, which says what really happened.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = None;
    while let Some(found) = cause {
        text = Some(found.to_string());
        cause = found.source();
    }
    text.unwrap_or_else(|| error.to_string())
}
