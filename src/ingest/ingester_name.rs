//! The name of an ingester.

use crate::host;

/// How many characters of the host's name are kept: it is one part of a session's name, of which
/// `pg_stat_activity` shows 63 bytes.
const HOST_CHARACTERS: usize = 24;

/// The name under which the ledger and `pg_stat_activity` have this process: `host:pid`.
pub(super) fn ingester_name() -> String {
    let host = host::name().unwrap_or_else(|| "unknown".to_owned());
    name(&host, std::process::id())
}

fn name(host: &str, process_id: u32) -> String {
    let host: String = host.chars().take(HOST_CHARACTERS).collect();
    format!("{host}:{process_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_host_name_is_cut_and_the_process_id_is_not() {
        assert_eq!(name("db-1", 4711), "db-1:4711");
        let long = "a-host-name-of-more-than-24-characters";
        assert_eq!(name(long, 4_194_304), "a-host-name-of-more-than:4194304");
    }
}
