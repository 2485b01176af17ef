//! Regular expressions, with an error of one line.

use regex::Regex;

/// Reads a regular expression.
///
/// # Errors
/// What is wrong with it, without the picture that `regex` draws around it.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let told = error.to_string();
        let reason = told.lines().last().unwrap_or_default();
        let reason = reason.strip_prefix("error: ").unwrap_or(reason);
        format!("it is no regular expression: {reason}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_stands_on_one_line() {
        assert!(pattern("^dead-").is_ok());
        let reason = pattern("(").map_err(|reason| reason.lines().map(str::to_owned).collect());
        let expected = vec!["it is no regular expression: unclosed group".to_owned()];
        assert_eq!(reason.err(), Some::<Vec<_>>(expected));
    }
}
