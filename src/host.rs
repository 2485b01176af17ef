//! The machine that this process runs on, and the user who runs it.

/// The host's name; `None` where the operating system has none, or one that is not UTF-8.
pub fn name() -> Option<String> {
    whoami::hostname().ok().filter(|name| !name.is_empty())
}

/// The user's name: what `USER` or `LOGNAME` say, else the operating system. `None` where neither
/// has one.
pub fn user() -> Option<String> {
    let named = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    named("USER").or_else(|| named("LOGNAME")).or_else(|| whoami::username().ok())
}

/// Who asks for something, as the operating system says: `user@host`.
pub fn user_at_host() -> String {
    let user = user().unwrap_or_else(|| "unknown".to_owned());
    match name() {
        Some(host) => format!("{user}@{host}"),
        None => user,
    }
}
