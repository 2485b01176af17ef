//! TLS, set up when the server agrees to it: reading the system's certificates takes longer than a
//! whole query does, and most servers on the same machine have no TLS.

use std::fmt::Debug;
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;

use openssl::pkey::PKey;
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode};
use openssl::x509::store::X509StoreBuilder;
use postgres_openssl::{MakeTlsConnector, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

use crate::store::error::Error;
use crate::store::error::tls_refusal::TlsRefusal;

type TlsError = Box<dyn std::error::Error + Send + Sync>;

/// How far the server's certificate is checked, as libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum TlsMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl TlsMode {
    fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl FromStr for TlsMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            other => {
                return Err(Error::Settings(format!(
                    "sslmode '{other}' is none of disable, prefer, require, verify-ca, verify-full"
                )));
            }
        })
    }
}

/// The settings of TLS: how far the server is checked, against which certificates, and which one
/// this side shows.
#[derive(Debug, Clone)]
pub(in crate::store) struct Tls {
    pub(in crate::store) mode: TlsMode,
    pub(in crate::store) root_certificate: Option<PathBuf>,
    /// The client's own certificate and its key.
    identity: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// libpq's parameters, and the variables that stand for them.
    pub(in crate::store) const PARAMETERS: [(&str, &str); 4] = [
        ("sslmode", "PGSSLMODE"),
        ("sslrootcert", "PGSSLROOTCERT"),
        ("sslcert", "PGSSLCERT"),
        ("sslkey", "PGSSLKEY"),
    ];

    /// Reads the values of [`Self::PARAMETERS`].
    pub(in crate::store) fn new(
        [mode, root_certificate, certificate, key]: [Option<String>; 4],
    ) -> Result<Self, Error> {
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            _ => return Err(Error::Settings("sslcert and sslkey go together".to_owned())),
        };
        Ok(Self {
            mode: mode.map_or(Ok(TlsMode::Prefer), |mode| mode.parse())?,
            root_certificate: root_certificate.map(PathBuf::from),
            identity,
        })
    }

    /// The values in force of [`Self::PARAMETERS`], as text.
    pub(in crate::store) fn values(&self) -> [Option<String>; 4] {
        let path = |path: Option<&PathBuf>| path.map(|path| path.display().to_string());
        let (certificate, key) =
            self.identity.as_ref().map(|(certificate, key)| (certificate, key)).unzip();
        [
            Some(self.mode.name().to_owned()),
            path(self.root_certificate.as_ref()),
            path(certificate),
            path(key),
        ]
    }

    fn connector(&self) -> Result<MakeTlsConnector, Error> {
        let failed = |error| Error::Settings(format!("TLS: {error}"));
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(failed)?;
        if let Some(path) = &self.root_certificate
            && path.as_os_str() != "system"
        {
            // Trusts what is named alone, not the system's certificates beside it.
            builder.set_cert_store(X509StoreBuilder::new().map_err(failed)?.build());
            builder.set_ca_file(path).map_err(|error| unusable("sslrootcert", path, &error))?;
        }
        if let Some((certificate, key)) = &self.identity {
            identify(&mut builder, certificate, key)?;
        }
        let mode = self.mode;
        if matches!(mode, TlsMode::Prefer | TlsMode::Require) && self.root_certificate.is_none() {
            builder.set_verify(SslVerifyMode::NONE);
        }
        let mut connector = MakeTlsConnector::new(builder.build());
        connector.set_callback(move |connection, _host| {
            connection.set_verify_hostname(mode == TlsMode::VerifyFull);
            Ok(())
        });
        Ok(connector)
    }
}

/// Gives the connection a certificate of its own.
fn identify(
    builder: &mut SslConnectorBuilder,
    certificate: &Path,
    key: &Path,
) -> Result<(), Error> {
    builder
        .set_certificate_chain_file(certificate)
        .map_err(|error| unusable("sslcert", certificate, &error))?;
    let metadata = std::fs::metadata(key).map_err(|error| unusable("sslkey", key, &error))?;
    // Does as libpq: where root owns the key, its group may read it.
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.mode() & forbidden != 0 {
        return Err(unusable("sslkey", key, &"others can read it; run `chmod 600` on it"));
    }
    let text = std::fs::read(key).map_err(|error| unusable("sslkey", key, &error))?;
    // Gives an empty passphrase: without one, OpenSSL would ask on the terminal for that of an
    // encrypted key.
    PKey::private_key_from_pem_passphrase(&text, b"")
        .and_then(|key| builder.set_private_key(&key))
        .and_then(|()| builder.check_private_key())
        .map_err(|error| unusable("sslkey", key, &error))
}

fn unusable(parameter: &str, path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Settings(format!("{parameter} {}: {reason}", path.display()))
}

/// Makes the TLS side of one connection.
#[derive(Clone)]
pub(in crate::store) struct DeferredTls {
    tls: Tls,
    host: String,
}

impl DeferredTls {
    pub(in crate::store) fn new(tls: &Tls) -> Self {
        Self { tls: tls.clone(), host: String::new() }
    }
}

impl<S> MakeTlsConnect<S> for DeferredTls
where
    S: AsyncRead + AsyncWrite + Unpin + Debug + Send + Sync + 'static,
{
    type Stream = TlsStream<S>;
    type TlsConnect = Self;
    type Error = std::convert::Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self, Self::Error> {
        Ok(Self { tls: self.tls.clone(), host: host.to_owned() })
    }
}

impl<S> TlsConnect<S> for DeferredTls
where
    S: AsyncRead + AsyncWrite + Unpin + Debug + Send + Sync + 'static,
{
    type Stream = TlsStream<S>;
    type Error = TlsError;
    type Future = Pin<Box<dyn Future<Output = Result<TlsStream<S>, TlsError>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let mut connector =
                self.tls.connector().map_err(|error| TlsRefusal::Settings(error.to_string()))?;
            let connect = MakeTlsConnect::<S>::make_tls_connect(&mut connector, &self.host)?;
            connect.connect(stream).await.map_err(TlsRefusal::of_handshake)
        })
    }
}
