//! Lists that are written with commas: `a, b` is `a` and `b`, and `\,` a comma within one of them.

use serde::de::IgnoredAny;

use super::error::Error;

/// The items of a list, without the blanks around them. A backslash keeps the next character what
/// it is: before a comma it goes away, elsewhere it stays, so that what reads the item sees it. A
/// JSON object or array is one item: such are the ids that Debezium and Kafka Connect make of
/// several columns. An item that begins with `$` is a JSON path: commas within its brackets and
/// quotes are its own.
///
/// # Errors
/// `Error::EmptyItem` where there is nothing between two commas, or nothing at all.
pub fn split_list(text: &str) -> Result<Vec<String>, Error> {
    let mut items = Vec::new();
    let mut item = Item::default();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            (',', _) if !item.is_within() => items.push(std::mem::take(&mut item).finish()?),
            ('\\', Some(next)) => {
                characters.next();
                item.escaped(next);
            }
            ('{' | '[', _) if item.text.is_empty() => {
                let from_here = &text[text.len() - characters.as_str().len() - 1..];
                let json = json_item(from_here).unwrap_or(&from_here[..1]);
                json.chars().for_each(|character| item.verbatim(character));
                characters = from_here[json.len()..].chars();
            }
            _ => item.plain(character),
        }
    }
    items.push(item.finish()?);
    Ok(items)
}

/// The JSON value that a text begins with, where it is the whole of an item.
fn json_item(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (json, rest) = text.split_at(values.byte_offset());
    let rest = rest.trim_start();
    (rest.is_empty() || rest.starts_with(',')).then_some(json)
}

/// An item that is being read.
#[derive(Default)]
struct Item {
    text: String,
    /// The bytes of it that are no blanks at its end.
    length: usize,
    /// Of a JSON path: how many brackets are open.
    brackets: usize,
    /// Of a JSON path: whether a quote is open.
    is_quoted: bool,
}

impl Item {
    /// Whether brackets or quotes of a JSON path are open.
    fn is_within(&self) -> bool {
        self.brackets > 0 || self.is_quoted
    }

    fn plain(&mut self, character: char) {
        if self.text.starts_with('$') {
            match character {
                '"' => self.is_quoted = !self.is_quoted,
                '[' | '(' if !self.is_quoted => self.brackets += 1,
                ']' | ')' if !self.is_quoted => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
        }
        if !character.is_whitespace() {
            self.text.push(character);
            self.length = self.text.len();
        } else if !self.text.is_empty() {
            self.text.push(character);
        }
    }

    fn escaped(&mut self, character: char) {
        if character != ',' {
            self.text.push('\\');
        }
        self.verbatim(character);
    }

    fn verbatim(&mut self, character: char) {
        self.text.push(character);
        self.length = self.text.len();
    }

    fn finish(mut self) -> Result<String, Error> {
        self.text.truncate(self.length);
        if self.text.is_empty() { Err(Error::EmptyItem) } else { Ok(self.text) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<String> {
        split_list(text).unwrap_or_else(|error| vec![format!("{error}")])
    }

    #[test]
    fn an_id_that_is_json_is_one_item() {
        for id in [r#"{"order":"17","line":1}"#, "[17, 1]"] {
            assert_eq!(split(id), [id]);
        }
        let listed = r#"a, {"order":"17","line":1} ,[17, 1],{"a":"\\,"}"#;
        let items = ["a", r#"{"order":"17","line":1}"#, "[17, 1]", r#"{"a":"\\,"}"#];
        assert_eq!(split(listed), items);
        assert_eq!(split(r#"{"order":"17",17"#), [r#"{"order":"17""#, "17"]);
        assert_eq!(split("[a,b],[1]x,{"), ["[a", "b]", "[1]x", "{"]);
    }

    #[test]
    fn commas_separate_and_blanks_around_items_do_not_count() {
        assert_eq!(split("a"), ["a"]);
        assert_eq!(split(" a b ,\tc "), ["a b", "c"]);
        assert_eq!(split("Order*, !Payment*"), ["Order*", "!Payment*"]);
    }

    #[test]
    fn an_escaped_comma_belongs_to_its_item_and_other_escapes_stay() {
        assert_eq!(split("$.a[0\\,1],b"), ["$.a[0,1]", "b"]);
        assert_eq!(split("what\\?,100\\%"), ["what\\?", "100\\%"]);
        // A backslash that is itself escaped does not escape the comma behind it.
        assert_eq!(split("a\\\\,b"), ["a\\\\", "b"]);
        assert_eq!(split("end\\"), ["end\\"]);
        assert_eq!(split("end\\ , b"), ["end\\ ", "b"]);
    }

    #[test]
    fn commas_within_the_brackets_and_quotes_of_a_path_are_its_own() {
        for path in [
            "$.a[0,1]",
            r#"$."a,b""#,
            r#"$."a\"],b""#,
            "$.items[*] ? (@.n > 1, 2)",
            "$.a[0,1].b[2,3]",
        ] {
            assert_eq!(split(path), [path]);
            assert_eq!(split(&format!("type,{path} , day")), ["type", path, "day"]);
        }
        assert_eq!(split("$.a],b"), ["$.a]", "b"]);
        // Whoever reads the path says what is wrong with it.
        assert_eq!(split("$.a[0,b"), ["$.a[0,b"]);
    }

    #[test]
    fn an_empty_item_is_refused() {
        for wrong in ["", " ", ",", "a,", ",a", "a, ,b"] {
            assert_eq!(split_list(wrong), Err(Error::EmptyItem), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn items_that_are_joined_come_apart_again(
            // A path has commas of its own.
            items in prop::collection::vec("[^\\s\\\\$]([^\\\\]{0,6}[^\\s\\\\])?", 1..5),
            blanks in "[ \\t]{0,2}",
        ) {
            let escaped: Vec<_> = items.iter().map(|item| item.replace(',', "\\,")).collect();
            let joined = escaped.join(&format!("{blanks},{blanks}"));
            prop_assert_eq!(split_list(&joined), Ok(items));
        }

        #[test]
        fn nothing_is_lost_but_blanks_commas_and_their_escapes(text in "[ab1,\\\\ *!\\[\\]]{0,16}") {
            if let Ok(items) = split_list(&text) {
                let rest = |text: &str| text.replace([',', '\\', ' '], "");
                prop_assert_eq!(rest(&items.concat()), rest(&text));
            }
        }
    }
}
