//! What is said of a name that does not exist.

use crate::cli::ui::Failure;
use crate::filter::nearest;

/// There is no such column; `besides` is what else can be named.
pub(crate) fn unknown_column(name: &str, names: &[&str], besides: &str) -> Failure {
    unknown_name("--columns", "column", name, names, besides)
}

/// `option` takes names, and there is no such `noun`; `besides` is what else can be named.
pub(crate) fn unknown_name(
    option: &str,
    noun: &str,
    name: &str,
    names: &[&str],
    besides: &str,
) -> Failure {
    let candidates: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let alike = nearest(name, &candidates);
    let meant = if alike.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", alike.join(" or "))
    };
    Failure::usage(format!("{option}: there is no {noun} '{name}'{meant}"))
        .with_hint(format!("the {noun}s are {}{besides}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::unknown_column;

    #[test]
    fn what_may_have_been_meant_is_named_before_the_list() {
        let failure = unknown_column("typ", &["event_id", "type", "topic"], "");
        assert_eq!(failure.message(), "--columns: there is no column 'typ'; did you mean type?");
        let failure = unknown_column("zzz", &["event_id"], "");
        assert_eq!(failure.message(), "--columns: there is no column 'zzz'");
    }
}
