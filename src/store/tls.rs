//! TLS, set up when the server agrees to it: reading the system's certificates takes longer than a whole query does, and most
//! servers on the same machine have no TLS.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use postgres_openssl::{MakeTlsConnector, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

use super::Settings;

type TlsError = Box<dyn std::error::Error + Send + Sync>;

/// Makes the TLS side of one connection.
#[derive(Clone)]
pub(super) struct DeferredTls {
    settings: Settings,
    host: String,
}

impl DeferredTls {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), host: String::new() }
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
        Ok(Self { settings: self.settings.clone(), host: host.to_owned() })
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
            let mut connector: MakeTlsConnector = self.settings.connector()?;
            let connect = MakeTlsConnect::<S>::make_tls_connect(&mut connector, &self.host)?;
            connect.connect(stream).await
        })
    }
}
