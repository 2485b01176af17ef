//! How everything that a template shows is escaped; `askama.toml` names it.

use std::fmt;

use askama::filters::{Escaper, Html};

use crate::output::text::escape::escape_controls;

/// Escapes what HTML would read, and shows control and bidirectional characters as on a terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, output: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(output, &escape_controls(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_browser_nor_a_reader_is_misled() {
        let mut shown = String::new();
        let written = Visible.write_escaped_str(
            &mut shown,
            "</style><script a='1' b=\"&\">\u{202e}gnp.exe\u{1b}[2J\nGrüße",
        );
        assert_eq!(written, Ok(()));
        assert_eq!(
            shown,
            "&#60;/style&#62;&#60;script a=&#39;1&#39; b=&#34;&#38;&#34;&#62;\\u{202e}gnp.exe\\u{1b}[2J\\nGrüße"
        );
    }
}
