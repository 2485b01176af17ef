//! bash: what it inserts is read as if it was typed, so that each word has to be quoted here.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine;
use clap_complete::env::EnvCompleter;

/// Asks for completions. bash takes words apart at `=` and `:`; the function puts them together,
/// and takes away what stands there already.
const SCRIPT: &str = r#"_audit() {
    local IFS=$'\n' line=$COMP_LINE words=() word='' before='' part='' quote='' at=-1 i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        if ((at < 0)) || [[ -z $part || $line == [[:blank:]]* ]]; then
            at=$((at + 1))
            word=''
        fi
        line=${line#"${line%%[![:blank:]]*}"}
        line=${line#"$part"}
        before=$word
        word+=$part
        words[at]=$word
    done
    [[ $part == [=:]* ]] && before=$word
    [[ $part == [\'\"]* ]] && quote=${part:0:1}
    words[at]=$before$2
    COMPREPLY=()
    read -r -d '' -a COMPREPLY < <(
        VARIABLE=bash AUDIT_COMPLETE_WORD=$at AUDIT_COMPLETE_BEFORE=$before \
            AUDIT_COMPLETE_QUOTE=$quote PROGRAM -- "${words[@]}" 2>/dev/null
    )
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o nosort -F _audit NAME 2>/dev/null || complete -F _audit NAME
"#;

/// bash, as `audit` asks and answers it.
#[derive(Debug)]
pub(super) struct AuditBash;

impl EnvCompleter for AuditBash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        _: &str,
        name: &str,
        program: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        let text = SCRIPT.replace("VARIABLE", variable).replace("PROGRAM", program);
        script.write_all(text.replace("NAME", name).as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let at = variable("AUDIT_COMPLETE_WORD").parse().unwrap_or_default();
        let quote = variable("AUDIT_COMPLETE_QUOTE").chars().next();
        let before = variable("AUDIT_COMPLETE_BEFORE");
        for candidate in engine::complete(command, words, at, folder)? {
            let value = candidate.get_value().to_str().and_then(|it| it.strip_prefix(&before));
            if let Some(word) = value.and_then(|value| quoted(value, quote)) {
                writeln!(answer, "{word}")?;
            }
        }
        Ok(())
    }
}

/// A value as it has to stand behind this quote; `None` where it can't stand there.
fn quoted(value: &str, quote: Option<char>) -> Option<String> {
    if value.chars().any(char::is_control) {
        return None;
    }
    match quote {
        Some('\'') => (!value.contains('\'')).then(|| value.to_owned()),
        Some(_) => (!value.contains(['"', '\\', '$', '`', '!'])).then(|| value.to_owned()),
        None => {
            let mut word = String::with_capacity(value.len());
            // A home folder, which would be another one in quotes.
            let is_home = value.starts_with("~/");
            for (place, character) in value.char_indices() {
                let is_plain = character.is_alphanumeric()
                    || "._-/@+%:=,".contains(character)
                    || (place == 0 && is_home);
                if !is_plain {
                    word.push('\\');
                }
                word.push(character);
            }
            Some(word)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// `shlex` reads as a shell does.
        #[test]
        fn a_shell_reads_one_word_that_is_the_value(value in "[a-zA-Z0-9 '\"\\\\$`!*?;&|<>(){}\\[\\]#~=:,.-]{1,12}") {
            for quote in [None, Some('\''), Some('"')] {
                if let Some(word) = quoted(&value, quote) {
                    let mark = quote.map(String::from).unwrap_or_default();
                    let read = shlex::split(&format!("{mark}{word}{mark}"));
                    prop_assert_eq!(read, Some(vec![value.clone()]), "{:?}", quote);
                }
            }
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        for value in ["a\nb", "\u{1b}[2J", "a\u{7f}", "tab\t", "\u{9b}"] {
            assert_eq!(quoted(value, None), None);
        }
        assert_eq!(quoted("~/a b", None).as_deref(), Some("~/a\\ b"));
        assert_eq!(quoted("a~", None).as_deref(), Some("a\\~"));
    }
}
