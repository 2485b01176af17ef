//! Words as they are typed in a shell.

use crate::filter::split_list;

/// An item of a list.
pub(crate) fn in_a_shell(item: &str) -> String {
    match split_list(item) {
        Ok(items) if items == [item] => quoted(item),
        _ => quoted(&item.replace(',', "\\,")),
    }
}

/// Any word.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |other: char| other.is_alphanumeric() || "._-/@+%:…".contains(other);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it() {
        assert_eq!(in_a_shell(r#"{"order":"17","line":1}"#), r#"'{"order":"17","line":1}'"#);
        assert_eq!(in_a_shell("it's"), r"'it'\''s'");
        assert_eq!(in_a_shell("a,b"), r"'a\,b'");
        assert_eq!(quoted("$.a == 1, 2"), "'$.a == 1, 2'");
        assert_eq!((quoted(""), quoted("a.html")), ("''".to_owned(), "a.html".to_owned()));
    }
}
