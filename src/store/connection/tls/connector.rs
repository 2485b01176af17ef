//! TLS, set up when the server agrees to it: reading the system's certificates takes longer than a
//! whole query does, and most servers on the same machine have no TLS.

use std::fmt::Debug;
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use openssl::pkey::PKey;
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use postgres_openssl::{MakeTlsConnector, TlsStream, set_postgresql_alpn};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

use super::mode::TlsMode;
use crate::store::error::Error;
use crate::store::error::tls_refusal::TlsRefusal;

type TlsError = Box<dyn std::error::Error + Send + Sync>;

/// The settings of TLS: how far the server is checked, against which certificates, and which one
/// this side shows.
#[derive(Debug, Clone)]
pub(in crate::store) struct Tls {
    pub(in crate::store) mode: TlsMode,
    pub(in crate::store) root_certificate: Option<PathBuf>,
    pub(in crate::store) identity: Option<Identity>,
    /// Whether TLS begins at once, without asking the server.
    pub(in crate::store) is_direct: bool,
    /// Whether the server is told the name under which it is connected to.
    pub(in crate::store) sends_host_name: bool,
    pub(in crate::store) oldest_version: Option<SslVersion>,
    pub(in crate::store) newest_version: Option<SslVersion>,
}

/// The client's own certificate and its key. `Debug` shows no passphrase.
#[derive(Clone)]
pub(in crate::store) struct Identity {
    pub(in crate::store) certificate: PathBuf,
    pub(in crate::store) key: PathBuf,
    /// The passphrase of the key; empty where it has none.
    pub(in crate::store) passphrase: String,
}

impl Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.certificate.display(), self.key.display())
    }
}

impl Tls {
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
        if let Some(identity) = &self.identity {
            identify(&mut builder, identity)?;
        }
        builder.set_min_proto_version(self.oldest_version).map_err(failed)?;
        builder.set_max_proto_version(self.newest_version).map_err(failed)?;
        if self.is_direct {
            set_postgresql_alpn(&mut builder).map_err(failed)?;
        }
        let (mode, sends_host_name) = (self.mode, self.sends_host_name);
        let is_checked = matches!(mode, TlsMode::VerifyCa | TlsMode::VerifyFull);
        if !is_checked && self.root_certificate.is_none() {
            builder.set_verify(SslVerifyMode::NONE);
        }
        let mut connector = MakeTlsConnector::new(builder.build());
        connector.set_callback(move |connection, _host| {
            connection.set_verify_hostname(mode == TlsMode::VerifyFull);
            connection.set_use_server_name_indication(sends_host_name);
            Ok(())
        });
        Ok(connector)
    }
}

/// Gives the connection a certificate of its own.
fn identify(builder: &mut SslConnectorBuilder, identity: &Identity) -> Result<(), Error> {
    let Identity { certificate, key, passphrase } = identity;
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
    // Gives a passphrase even where it is empty: without one, OpenSSL would ask on the terminal for
    // that of an encrypted key.
    PKey::private_key_from_pem_passphrase(&text, passphrase.as_bytes())
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
