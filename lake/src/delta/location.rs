//! Where a table is.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path as FolderPath;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use delta_kernel::KernelError;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use object_store::ClientConfigKey;
use object_store::ObjectStore;
use object_store::RetryConfig;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use url::Url;

use super::error::may_pass;
use super::{Error, runtime};

/// How often the store is asked again where it does not answer, and how long in all.
const RETRIES: usize = 6;
const RETRY_FOR: Duration = Duration::from_secs(60);

/// The options whose values no message may show.
const SECRET_KEYS: [&str; 3] =
    ["aws_secret_access_key", "aws_session_token", "aws_sse_customer_key_base64"];

/// Where a table is: a folder, or a prefix in a bucket.
#[derive(Clone)]
pub struct Location {
    /// Ends with a slash.
    pub(super) url: Url,
    /// What is below the store's root: the URL's path.
    pub(super) root: Path,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) executor: Arc<TokioMultiThreadExecutor>,
    /// Texts that no message may show.
    secrets: Arc<[String]>,
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Location").field(&self.url.as_str()).finish()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.url.scheme() == "file"
            && let Ok(folder) = self.url.to_file_path()
        {
            return write!(formatter, "{}", folder.display());
        }
        formatter.write_str(self.url.as_str())
    }
}

impl Location {
    /// Reads `target`, the path of a folder, `file://…` or `s3://bucket/prefix`. A bucket is
    /// reached by the environment's `AWS_*` variables (region, keys, endpoint and so on) and by
    /// `options`, pairs of the same names in any case, which win. Nothing is read or made yet.
    ///
    /// # Errors
    ///
    /// A target of another kind, an option that the store does not have, or settings that it
    /// refuses.
    pub fn parse(target: &str, options: &[(String, String)]) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Location {
            location: without_userinfo(target),
            reason: reason.to_owned(),
        };
        let Some((scheme, _)) = target.split_once("://") else {
            let folder = std::path::absolute(target)
                .map_err(|error| refuse(&format!("not a folder's path: {error}")))?;
            return Self::folder(&folder, options);
        };
        let url = Url::parse(target).map_err(|error| refuse(&error.to_string()))?;
        match scheme.to_ascii_lowercase().as_str() {
            "file" => {
                let folder = url
                    .to_file_path()
                    .map_err(|()| refuse("not a folder of this machine: write file:///folder"))?;
                Self::folder(&folder, options)
            }
            "s3" | "s3a" => Self::bucket(url, options),
            _ => Err(refuse("a table is in a folder, file://… or s3://…")),
        }
    }

    fn folder(folder: &FolderPath, options: &[(String, String)]) -> Result<Self, Error> {
        if let Some((key, _)) = options.first() {
            return Err(Error::Option {
                key: key.clone(),
                reason: "a folder has no storage options".to_owned(),
            });
        }
        let url = Url::from_directory_path(folder).map_err(|()| Error::Location {
            location: folder.display().to_string(),
            reason: "not a folder's path".to_owned(),
        })?;
        // A commit must not name what a power cut can still take away.
        let objects = LocalFileSystem::new().with_fsync(true);
        Self::new(url, Arc::new(objects), Vec::new())
    }

    fn bucket(mut url: Url, options: &[(String, String)]) -> Result<Self, Error> {
        let refuse = |url: &Url, reason: &str| Error::Location {
            location: without_userinfo(url.as_str()),
            reason: reason.to_owned(),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                &url,
                "keys do not belong into the URL: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse(&url, "a table's URL has no ? and no #"));
        }
        let Some(bucket) = url.host_str().filter(|bucket| !bucket.is_empty()).map(str::to_owned)
        else {
            return Err(refuse(&url, "name the bucket: s3://bucket/prefix"));
        };
        let mut builder = AmazonS3Builder::from_env();
        for (key, value) in options {
            let Ok(known) = AmazonS3ConfigKey::from_str(&key.to_ascii_lowercase()) else {
                return Err(Error::Option {
                    key: key.clone(),
                    reason: "S3 has no such option; it has AWS_REGION, AWS_ENDPOINT_URL, \
                             AWS_ALLOW_HTTP and others"
                        .to_owned(),
                });
            };
            builder = builder.with_config(known, value);
        }
        let value = |key| builder.get_config_value(&key).unwrap_or_default();
        let is_plain = [AmazonS3ConfigKey::Endpoint, AmazonS3ConfigKey::S3Endpoint]
            .map(value)
            .iter()
            .any(|endpoint| endpoint.starts_with("http://"));
        let allowed = value(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
        let is_allowed = ["1", "true", "on", "yes", "y"];
        if is_plain && !is_allowed.contains(&allowed.to_ascii_lowercase().as_str()) {
            return Err(refuse(
                &url,
                "the endpoint is http://, which sends rows unencrypted: set AWS_ALLOW_HTTP=true if \
                 that is meant",
            ));
        }
        let secrets: Vec<String> = SECRET_KEYS
            .iter()
            .filter_map(|key| AmazonS3ConfigKey::from_str(key).ok())
            .filter_map(|key| builder.get_config_value(&key))
            .filter(|secret| !secret.is_empty())
            .collect();
        let store = builder
            .with_bucket_name(bucket)
            // Two writers that make the same version: the store must refuse the second.
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: RETRY_FOR,
                ..RetryConfig::default()
            })
            .build()
            .map_err(|error| refuse(&url, &masked(&error.to_string(), &secrets)))?;
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Self::new(url, Arc::new(store), secrets)
    }

    fn new(url: Url, objects: Arc<dyn ObjectStore>, secrets: Vec<String>) -> Result<Self, Error> {
        let root = Path::from_url_path(url.path()).map_err(|error| Error::Location {
            location: url.to_string(),
            reason: error.to_string(),
        })?;
        let executor = runtime::executor()?;
        Ok(Self { url, root, objects, executor, secrets: secrets.into() })
    }

    /// Whether it is in a bucket, and not a folder.
    pub(super) fn is_bucket(&self) -> bool {
        self.url.scheme() != "file"
    }

    /// Makes the folder, where it is one.
    pub(super) fn make(&self) -> Result<(), Error> {
        if self.is_bucket() {
            return Ok(());
        }
        let made = self
            .url
            .to_file_path()
            .map_err(|()| io::Error::from(io::ErrorKind::InvalidInput))
            .and_then(std::fs::create_dir_all);
        made.map_err(|error| self.failed("make the folder", &error))
    }

    /// The path in the store of what the table calls `relative`, where no part of that needs an
    /// escape.
    pub(super) fn path(&self, relative: &str) -> Path {
        relative.split('/').fold(self.root.clone(), Path::join)
    }

    /// Waits for `work`, on the threads that speak with the store.
    pub(super) fn wait<F>(&self, work: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        runtime::wait(&self.executor, work)
    }

    /// The runtime of those threads.
    pub(super) fn runtime(&self) -> tokio::runtime::Handle {
        runtime::handle(&self.executor)
    }

    /// What `error` says, on one line and without secrets.
    pub(super) fn reason(&self, error: &(dyn std::error::Error + 'static)) -> String {
        if let Some(KernelError::Backtraced { source, .. }) = error.downcast_ref() {
            return self.reason(source.as_ref());
        }
        let (text, root) = (error.to_string(), root_of(error).to_string());
        // Of a request that could not be sent the library says that, and no word why.
        let text = if text.contains(&root) { text } else { format!("{text}: {root}") };
        masked(&text, &self.secrets)
    }

    /// An error that says what failed here.
    pub(super) fn failed(
        &self,
        action: &'static str,
        error: &(dyn std::error::Error + 'static),
    ) -> Error {
        Error::Store {
            action,
            location: self.to_string(),
            reason: self.reason(error),
            may_pass: may_pass(error),
        }
    }
}

/// What began it.
fn root_of<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> &'a (dyn std::error::Error + 'static) {
    let inner = match error.downcast_ref() {
        Some(KernelError::ObjectStore(error)) => Some(error as &(dyn std::error::Error + 'static)),
        _ => error.source(),
    };
    inner.map_or(error, root_of)
}

/// `text` on one line, with each of `secrets` replaced.
fn masked(text: &str, secrets: &[String]) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    secrets.iter().fold(line, |text, secret| text.replace(secret.as_str(), "***"))
}

/// `target` without what stands before an `@` in its authority.
fn without_userinfo(target: &str) -> String {
    let Some((scheme, rest)) = target.split_once("://") else {
        return target.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => target.to_owned(),
    }
}
