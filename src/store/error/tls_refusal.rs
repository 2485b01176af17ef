//! Why a TLS handshake failed, where trying again can't help.

use std::error::Error;

/// Why there is no TLS, where trying again can't help. Travels as the source of the driver's error.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum TlsRefusal {
    /// This side can't be set up: what is wrong with which setting.
    #[error("{0}")]
    Settings(String),
    /// The server is not who it should be.
    #[error("the server's certificate is not accepted: {0}")]
    Certificate(String),
}

impl TlsRefusal {
    /// Finds a refused certificate in what OpenSSL says about a handshake; any other error is
    /// returned as it is. OpenSSL's words are long; the last of them say what is wrong.
    pub(in crate::store) fn of_handshake(
        error: Box<dyn Error + Send + Sync>,
    ) -> Box<dyn Error + Send + Sync> {
        let text = error.to_string();
        match text.split_once("certificate verify failed") {
            Some((_, rest)) => {
                let reason = rest.rsplit_once(": ").map_or(rest, |(_, reason)| reason);
                Self::Certificate(reason.to_owned()).into()
            }
            None => error,
        }
    }
}
