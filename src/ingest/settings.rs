//! The settings of an ingester.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::anchor::Anchor;
use crate::event::Decoder;
use crate::{kafka, registry, store};

/// What to record, and how.
#[derive(Debug)]
pub struct IngestSettings {
    /// The audit database.
    pub database: store::Settings,
    /// Kafka.
    pub kafka: kafka::Settings,
    /// Where the schemas of values and keys are; `None` where they are not asked for.
    pub schema_registry: Option<registry::Settings>,
    /// The topics to record.
    pub topics: Vec<String>,
    /// The consumer group; `None` for the one that belongs to this database.
    pub group: Option<String>,
    /// The most rows of a batch.
    pub batch_rows: usize,
    /// How long the first row of a batch waits at most.
    pub batch_wait: Duration,
    /// How many connections write, each the batches of its own partitions. 0 counts as 1; `None`
    /// for as many as the machine and the topics can use.
    pub writers: Option<usize>,
    /// Whether events are counted and leaves sealed beside the recording.
    pub maintenance: bool,
    /// Whether to end as soon as everything is recorded that was there at the start.
    pub until_end: bool,
    /// Topics that, once deleted and made again, are recorded as a new incarnation.
    pub accept_recreated: Vec<String>,
    /// Where monitoring may ask; `None` where it may not.
    pub metrics: Option<ListenAddress>,
    /// Signs checkpoints of the log of evidence; `None` where others do.
    pub anchoring: Option<AnchorSettings>,
    /// Makes events of records.
    pub decoder: Arc<Decoder>,
}

/// How checkpoints are signed beside the recording.
#[derive(Debug)]
pub struct AnchorSettings {
    /// The key, and where they go.
    pub anchor: Anchor,
    /// How often.
    pub every: Duration,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port; 0 for one that is free.
    pub port: u16,
}

/// Where it listens if only the port is given: nobody else can reach that.
const LOOPBACK: &str = "127.0.0.1";

impl FromStr for ListenAddress {
    type Err = String;

    /// Takes `9464`, `:9464`, `host:9464` and `[::1]:9464`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let Some(port) =
            port.parse().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))
        else {
            return Err(format!("{port:?} is no port: give 9464, host:9464 or [::1]:9464"));
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match (host, bare) {
            ("", _) => LOOPBACK,
            (_, Some(bare)) if !bare.is_empty() => bare,
            (host, _) if host.contains([':', '[', ']', '/', ' ']) => {
                return Err(format!("{host:?} is no host: give 9464, host:9464 or [::1]:9464"));
            }
            (host, _) => host,
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(formatter, "[{host}]:{port}")
        } else {
            write!(formatter, "{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, String> {
        text.parse().map(|address: ListenAddress| address.to_string())
    }

    #[test]
    fn a_port_alone_is_loopback() {
        for (text, address) in [
            ("9464", "127.0.0.1:9464"),
            (":9464", "127.0.0.1:9464"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0:9464", "0.0.0.0:9464"),
            ("monitor.example:80", "monitor.example:80"),
            ("[::1]:9464", "[::1]:9464"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(address));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", ":", "host", "host:", "host:x", "65536", "+80", "-1", "::1:80", "[]:80"] {
            assert!(shown(text).is_err(), "{text}");
        }
        assert!(shown("http://host:80").is_err_and(|error| error.contains("http://host")));
    }
}
