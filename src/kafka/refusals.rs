//! Why brokers can't be used, in librdkafka's own words: it goes on trying, and tells a request
//! only that time has passed.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What librdkafka said last about brokers that it can't use. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<Mutex<Option<String>>>);

impl Refusals {
    /// Keeps the reason of an error that a client reports. Gives it back where it is another one
    /// than before, and about logging in or encryption: waiting alone mends neither.
    pub(crate) fn keep(&self, error: &KafkaError, reason: &str) -> Option<String> {
        // Says nothing but that there were other errors.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            return None;
        }
        self.keep_text(reason)
    }

    /// The same of a log line: a broker that hangs up is no error to librdkafka.
    pub(crate) fn keep_line(&self, facility: &str, message: &str) -> Option<String> {
        if facility != "FAIL" {
            return None;
        }
        let (_thread, reason) = message.split_once("]: ")?;
        self.keep_text(reason)
    }

    fn keep_text(&self, reason: &str) -> Option<String> {
        let reason = plain(reason);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_telling =
            |reason: &str| matches!(Cause::of(reason), Cause::Login | Cause::Encryption);
        // A broker that refuses a client hangs up right after: the refusal says more.
        if Cause::of(&reason) == Cause::HungUp && last.as_deref().is_some_and(is_telling) {
            return None;
        }
        let is_new = last.as_ref() != Some(&reason);
        *last = Some(reason.clone());
        (is_new && is_telling(&reason)).then_some(reason)
    }

    /// The reason, where there is one.
    pub(super) fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// User, password or mechanism.
    Login,
    /// TLS, or another protocol than the listener has.
    Encryption,
    /// A broker that ends the connection without a word: one that is going down, or a listener of
    /// another protocol.
    HungUp,
    /// Nobody there, or all else.
    Network,
}

impl Cause {
    /// Reads it off librdkafka's words: its codes are the same for most causes.
    pub(super) fn of(reason: &str) -> Self {
        let holds = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        if reason.starts_with("Disconnected") {
            Self::HungUp
        } else if holds(&["security.protocol", "SSL", "certificate"]) {
            Self::Encryption
        } else if holds(&["SASL", "uthentication"]) {
            Self::Login
        } else {
            Self::Network
        }
    }

    /// What the user can do about it.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Login => {
                "check -X sasl.username, sasl.password and sasl.mechanism, or [profiles.NAME.kafka]"
            }
            Self::Encryption | Self::HungUp => {
                "-X security.protocol has to be that of the brokers' listener (PLAINTEXT, SSL, \
                 SASL_PLAINTEXT, SASL_SSL); -X ssl.ca.location names the certificates to trust"
            }
            Self::Network => {
                "check --brokers or AUDIT_BROKERS; TLS and SASL are set by -X security.protocol=… \
                 and the like"
            }
        }
    }
}

/// The reason without what differs from one attempt to the next: which of the bootstrap servers,
/// after how long, how many more of the same.
fn plain(reason: &str) -> String {
    let reason = match reason.split_once(": ") {
        Some((broker, rest)) if broker.contains("://") || broker.ends_with("/bootstrap") => rest,
        _ => reason,
    };
    let end = reason.rfind(" (after ").unwrap_or(reason.len());
    reason.get(..end).unwrap_or(reason).trim_end_matches(':').replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(refusals: &Refusals, code: RDKafkaErrorCode, reason: &str) -> Option<String> {
        refusals.keep(&KafkaError::Global(code), reason)
    }

    #[test]
    fn a_reason_is_told_once_and_kept_without_what_differs_each_time() {
        let refusals = Refusals::default();
        let wrong =
            "SASL authentication error: Authentication failed: Invalid username or password";
        let attempt = |milliseconds| {
            format!(
                "sasl_plaintext://127.0.0.1:9092/bootstrap: {wrong} (after {milliseconds}ms in state AUTH_REQ, 3 identical error(s) suppressed)"
            )
        };
        let code = RDKafkaErrorCode::Authentication;
        assert_eq!(kept(&refusals, code, &attempt(5)).as_deref(), Some(wrong));
        assert_eq!(kept(&refusals, code, &attempt(7)), None);
        assert_eq!(kept(&refusals, RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down"), None);
        assert_eq!(refusals.last().as_deref(), Some(wrong));
        let refused = "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)";
        assert_eq!(kept(&refusals, RDKafkaErrorCode::BrokerTransportFailure, refused), None);
        let last = refusals.last();
        assert_eq!(last.as_deref(), Some("Connect to ipv4#127.0.0.1:1 failed: Connection refused"));
        assert_eq!(kept(&refusals, code, &attempt(5)).as_deref(), Some(wrong));
        let line = format!("[thrd:sasl_plaintext://127.0.0.1:9092/bootstrap]: {}", attempt(9));
        assert_eq!(refusals.keep_line("FAIL", &line), None);
        assert_eq!(refusals.keep_line("FAIL", "[thrd:b]: b:1/bootstrap: Disconnected"), None);
        assert_eq!(refusals.keep_line("CONFWARN", "[thrd:app]: Configuration property x"), None);
        assert_eq!(refusals.last().as_deref(), Some(wrong));
    }

    #[test]
    fn the_hint_follows_from_the_words() {
        let cases = [
            ("SASL authentication error: Authentication failed", Cause::Login),
            ("Disconnected: connection closed by peer: receive 0 after POLLIN", Cause::HungUp),
            (
                "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism",
                Cause::Login,
            ),
            (
                "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?",
                Cause::Encryption,
            ),
            (
                "Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration",
                Cause::HungUp,
            ),
            (
                "Disconnected: verify that security.protocol is correctly configured, broker might require SASL authentication",
                Cause::HungUp,
            ),
            ("Connect to ipv4#127.0.0.1:1 failed: Connection refused", Cause::Network),
            ("Failed to resolve 'nowhere:9092': Name or service not known", Cause::Network),
        ];
        for (reason, cause) in cases {
            assert_eq!(Cause::of(reason), cause, "{reason}");
        }
    }
}
