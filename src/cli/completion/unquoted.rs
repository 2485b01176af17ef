//! zsh and fish: they quote what they insert by themselves, and hand over words with the quotes
//! they have.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::env::{EnvCompleter, Fish, Zsh};

/// A shell, with what its script lacks.
pub(super) struct Unquoted {
    shell: &'static dyn EnvCompleter,
    more: &'static str,
}

/// fish.
pub(super) const FISH: Unquoted = Unquoted { shell: &Fish, more: "" };

/// zsh. It reads the script as a function of its `fpath`, which without the last lines would only
/// define another function the first time.
pub(super) const ZSH: Unquoted = Unquoted {
    shell: &Zsh,
    more: "\
if [[ $funcstack[1] == _audit ]]; then
    _clap_dynamic_completer_audit \"$@\"
fi
",
};

impl EnvCompleter for Unquoted {
    fn name(&self) -> &'static str {
        self.shell.name()
    }

    fn is(&self, name: &str) -> bool {
        self.shell.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        command: &str,
        program: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        self.shell.write_registration(variable, name, command, program, script)?;
        script.write_all(self.more.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        let words = words.into_iter().map(|word| without_quotes(&word)).collect();
        self.shell.write_complete(command, words, folder, answer)
    }
}

/// A word as it is meant: the quotes around it go, also where the last one is not typed yet.
fn without_quotes(word: &OsString) -> OsString {
    let Some(text) = word.to_str() else { return word.clone() };
    let Some(quote) = text.chars().next().filter(|first| "'\"".contains(*first)) else {
        return word.clone();
    };
    let inner = &text[1..];
    inner.strip_suffix(quote).unwrap_or(inner).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_quoted_or_half_quoted_is_read() {
        for (word, meant) in [("a", "a"), ("'a b'", "a b"), ("'Pay", "Pay"), ("\"", ""), ("''", "")]
        {
            assert_eq!(without_quotes(&word.into()), OsString::from(meant), "{word}");
        }
    }
}
