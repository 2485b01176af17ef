//! The names of librdkafka's settings: several of them have two.

/// The setting that names the brokers.
pub(super) const BROKERS: &str = "metadata.broker.list";

/// Each second name with the first one. Source: librdkafka's CONFIGURATION.md, "Alias for".
///
/// `enable.auto.commit` is a setting of the client and also a second name of `auto.commit.enable`,
/// one of topics; here both are the first of the two.
const ALIASES: [(&str, &str); 12] = [
    ("acks", "request.required.acks"),
    ("auto.commit.enable", "enable.auto.commit"),
    ("bootstrap.servers", BROKERS),
    ("compression.type", "compression.codec"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("linger.ms", "queue.buffering.max.ms"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("retries", "message.send.max.retries"),
    ("sasl.mechanism", "sasl.mechanisms"),
    ("sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.id"),
    ("sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.secret"),
];

/// The one name of a setting, whichever of its names is given. Two settings are the same where this
/// is.
pub(super) fn canonical(name: &str) -> &str {
    let name = without_topic(name);
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, first)| first)
}

/// Takes the prefix away under which librdkafka takes a topic's settings, as in `topic.acks`.
fn without_topic(name: &str) -> &str {
    match name.strip_prefix("topic.") {
        // Names of the client itself that begin like this.
        Some(rest) if rest.starts_with("metadata.") || rest == "blacklist" => name,
        Some(rest) => rest,
        None => name,
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "librdkafka prints its settings to a C file")]
mod tests {
    use std::ffi::{c_int, c_void};
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::FromRawFd;

    use rdkafka::bindings;

    use super::*;

    unsafe extern "C" {
        fn tmpfile() -> *mut c_void;
        fn fileno(file: *mut c_void) -> c_int;
        fn rewind(file: *mut c_void);
        fn dup(descriptor: c_int) -> c_int;
        fn fclose(file: *mut c_void) -> c_int;
    }

    /// The table of all settings that the linked librdkafka prints.
    fn printed_settings() -> String {
        let mut text = String::new();
        // SAFETY: the file is checked, and closed after its last use; the copy of its descriptor is
        // this function's own.
        unsafe {
            let file = tmpfile();
            assert!(!file.is_null(), "no temporary file");
            bindings::rd_kafka_conf_properties_show(file.cast());
            rewind(file);
            let mut copy = File::from_raw_fd(dup(fileno(file)));
            let read = copy.read_to_string(&mut text);
            fclose(file);
            assert!(read.is_ok(), "{read:?}");
        }
        text
    }

    #[test]
    fn every_alias_that_librdkafka_has_leads_to_the_same_name() {
        let text = printed_settings();
        let mut aliases = 0;
        for line in text.lines() {
            let Some((_, rest)) = line.split_once("Alias for `") else { continue };
            let alias = line.split('|').next().unwrap_or_default().trim();
            let target = rest.split('`').next().unwrap_or_default();
            assert_eq!(canonical(alias), canonical(target), "{alias} and {target}");
            assert_eq!(canonical(&format!("topic.{alias}")), canonical(target));
            aliases += 1;
        }
        // Two of them stand among the client's settings and among the topics'.
        assert!(aliases >= ALIASES.len(), "only {aliases} aliases in:\n{text}");
        for (alias, first) in ALIASES {
            assert!(text.contains(&format!("{alias} ")) && text.contains(first), "{alias}");
        }
    }

    #[test]
    fn only_the_prefix_of_a_topics_setting_is_taken_away() {
        let text = printed_settings();
        let names =
            text.lines().filter_map(|line| line.split_once('|')).map(|(name, _)| name.trim());
        let with_prefix: Vec<_> = names.filter(|name| name.starts_with("topic.")).collect();
        assert!(with_prefix.len() > 2, "{with_prefix:?}");
        for name in with_prefix {
            assert_eq!(canonical(name), name);
        }
        assert_eq!(canonical("topic.acks"), canonical("request.required.acks"));
    }
}
