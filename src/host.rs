//! The machine that this process runs on.

/// The host's name; `None` where the operating system has none, or one that is not UTF-8.
pub fn name() -> Option<String> {
    whoami::hostname().ok().filter(|name| !name.is_empty())
}
