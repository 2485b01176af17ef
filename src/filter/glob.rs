//! Globs: `*` stands for any text, `?` for one character, a backslash takes the next character
//! literally.

use std::fmt;

/// A pattern over text, or a text without wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Literal(char),
    AnyCharacter,
    AnyText,
}

impl Glob {
    /// Reads a glob. Every text is one: a backslash at the end stands for itself.
    pub fn new(source: &str) -> Self {
        let mut parts = Vec::new();
        let mut characters = source.chars();
        while let Some(character) = characters.next() {
            let part = match character {
                '*' if parts.last() == Some(&Part::AnyText) => continue,
                '*' => Part::AnyText,
                '?' => Part::AnyCharacter,
                '\\' => Part::Literal(characters.next().unwrap_or('\\')),
                other => Part::Literal(other),
            };
            parts.push(part);
        }
        Self { source: source.to_owned(), parts }
    }

    /// How a name is typed so that a list takes it for itself.
    pub fn typed(name: &str) -> String {
        let mut typed = String::with_capacity(name.len() + 2);
        for (place, character) in name.char_indices() {
            if matches!(character, '*' | '?' | '\\' | ',') || (character == '!' && place == 0) {
                typed.push('\\');
            }
            typed.push(character);
        }
        typed
    }

    /// The text that this glob alone matches, where it holds no wildcard.
    pub fn literal(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(character) => Some(*character),
                Part::AnyCharacter | Part::AnyText => None,
            })
            .collect()
    }

    /// The same as a pattern for SQL's `LIKE` with its standard escape, the backslash.
    pub fn to_like(&self) -> String {
        let mut pattern = String::with_capacity(self.source.len() + 4);
        for part in &self.parts {
            match part {
                Part::AnyText => pattern.push('%'),
                Part::AnyCharacter => pattern.push('_'),
                Part::Literal(character) => {
                    if matches!(character, '%' | '_' | '\\') {
                        pattern.push('\\');
                    }
                    pattern.push(*character);
                }
            }
        }
        pattern
    }

    /// Whether the whole of `text` matches where upper and lower case are the same.
    pub fn matches_in_any_case(&self, text: &str) -> bool {
        // Lower case of a character can be several; so can what stands for it in the pattern.
        Self::new(&self.source.to_lowercase()).matches(&text.to_lowercase())
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        // The place to go back to when a later part does not fit: the last `*`, and how much it
        // took so far.
        let (mut part, mut position) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let fits = match self.parts.get(part) {
                Some(Part::AnyText) => {
                    retry = Some((part, position));
                    part += 1;
                    continue;
                }
                Some(Part::AnyCharacter) => position < text.len(),
                Some(Part::Literal(character)) => text.get(position) == Some(character),
                None if position == text.len() => return true,
                None => false,
            };
            if fits {
                part += 1;
                position += 1;
            } else {
                match retry {
                    Some((star, taken)) if taken < text.len() => {
                        retry = Some((star, taken + 1));
                        part = star + 1;
                        position = taken + 1;
                    }
                    _ => return false,
                }
            }
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Glob;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        assert!(Glob::new("Order*").matches("OrderCreated"));
        assert!(Glob::new("Order*").matches("Order"));
        assert!(!Glob::new("Order*").matches("PreOrder"));
        assert!(Glob::new("*Crea?ed").matches("OrderCreated"));
        assert!(Glob::new("a*b*c").matches("a-b-b-c"));
        assert!(!Glob::new("a?c").matches("ac"));
        assert!(Glob::new("?").matches("ü"));
        assert!(Glob::new("ORDER*").matches_in_any_case("orderCreated"));
        assert!(!Glob::new("ORDER").matches_in_any_case("orderCreated"));
    }

    #[test]
    fn what_means_something_to_like_is_escaped() {
        assert_eq!(Glob::new("100%_\\*?*").to_like(), "100\\%\\_*_%");
        assert_eq!(Glob::new("100%_\\*?*").literal(), None);
        assert_eq!(Glob::new("what\\?").literal().as_deref(), Some("what?"));
        assert_eq!(Glob::new("end\\").to_like(), "end\\\\");
    }

    proptest! {
        #[test]
        fn a_literal_matches_itself_and_only_itself(text in "[a-z%_.]{0,8}", other in "[a-z%_.]{0,8}") {
            let glob = Glob::new(&text);
            prop_assert_eq!(glob.literal(), Some(text.clone()));
            prop_assert!(glob.matches(&text));
            prop_assert_eq!(glob.matches(&other), text == other);
        }

        #[test]
        fn cutting_any_middle_out_and_putting_a_star_there_still_matches(
            text in "\\PC{0,12}", from in 0usize..12, to in 0usize..12,
        ) {
            let characters: Vec<char> = text.chars().collect();
            let from = from.min(characters.len());
            let to = to.clamp(from, characters.len());
            let escaped = |part: &[char]| part.iter().flat_map(|character| ['\\', *character]).collect::<String>();
            let glob = format!("{}*{}", escaped(&characters[..from]), escaped(&characters[to..]));
            prop_assert!(Glob::new(&glob).matches(&text));
        }
    }
}
