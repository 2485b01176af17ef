//! The bootstrap servers, as they are given.

use crate::kafka::error::Error;

/// Reads `host:port, host:port`, and gives it as librdkafka takes it. A scheme, as in Kafka's own
/// `listeners`, may stand there only where it is `protocol`, which this client speaks: librdkafka
/// leaves a broker out that has another one.
pub(super) fn read(text: &str, protocol: &str) -> Result<String, Error> {
    let mut brokers = Vec::new();
    for given in text.split(',').map(str::trim).filter(|given| !given.is_empty()) {
        let broker = match given.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(protocol) => rest,
            Some((scheme, _)) => return Err(Error::Brokers(scheme_refused(scheme, protocol))),
            None => given,
        };
        brokers.push(checked(broker)?);
    }
    if brokers.is_empty() {
        return Err(Error::Brokers("they name no host".to_owned()));
    }
    Ok(brokers.join(","))
}

/// The bootstrap servers as they may be shown: a user and a password before an `@`, which are no
/// part of a broker, are hidden.
pub fn shown_brokers(given: &str) -> String {
    let shown = |broker: &str| match broker.rsplit_once('@') {
        Some((_, host)) => format!("***@{host}"),
        None => broker.to_owned(),
    };
    given.split(',').map(shown).collect::<Vec<_>>().join(",")
}

/// Never shows what follows the scheme: a URL can hold a password.
fn scheme_refused(scheme: &str, protocol: &str) -> String {
    let protocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
    match protocols.iter().find(|known| known.eq_ignore_ascii_case(scheme)) {
        Some(known) => format!(
            "a broker begins with {scheme}://, and security.protocol is {protocol}; leave it out, and set -X \
             security.protocol={known}"
        ),
        None => format!("a broker begins with {scheme}://, and is host:port"),
    }
}

fn checked(broker: &str) -> Result<&str, Error> {
    // An IPv6 address stands in brackets where a port follows.
    let (host, port) = match broker.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (broker, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    if host.is_empty() || host.contains(['/', '@', ' ']) {
        return Err(Error::Brokers("one of them is no host:port".to_owned()));
    }
    match port {
        Some(port) if !is_port(port) => {
            Err(Error::Brokers(format!("'{port}' is no port of {host}")))
        }
        _ => Ok(broker),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_an_at_is_never_shown() {
        assert_eq!(shown_brokers("SASL_SSL://u:s3cret@h:1,k:2"), "***@h:1,k:2");
        assert_eq!(shown_brokers("h:1"), "h:1");
    }

    fn told(text: &str, protocol: &str) -> String {
        read(text, protocol).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn blanks_and_empty_items_do_not_count() {
        assert_eq!(told("a:1, b , [::1]:9092,::1,", "plaintext"), "a:1,b,[::1]:9092,::1");
        assert_eq!(told(" , ", "plaintext"), "brokers: they name no host");
    }

    #[test]
    fn a_scheme_may_say_only_what_the_client_does() {
        assert_eq!(told("PLAINTEXT://a:1", "plaintext"), "a:1");
        assert_eq!(told("SASL_SSL://a:1,b:2", "sasl_ssl"), "a:1,b:2");
        assert_eq!(
            told("SASL_SSL://a:9092", "plaintext"),
            "brokers: a broker begins with SASL_SSL://, and security.protocol is plaintext; leave it out, and set -X \
             security.protocol=SASL_SSL"
        );
        let url = told("https://me:s3cret@a:1", "plaintext");
        assert_eq!(url, "brokers: a broker begins with https://, and is host:port");
    }

    #[test]
    fn what_is_no_host_and_port_is_named() {
        assert_eq!(told("a:port", "plaintext"), "brokers: 'port' is no port of a");
        assert_eq!(told("a:0", "plaintext"), "brokers: '0' is no port of a");
        for wrong in [":9092", "a/b", "me@a:1"] {
            assert_eq!(told(wrong, "plaintext"), "brokers: one of them is no host:port");
        }
    }
}
