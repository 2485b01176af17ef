//! Texts of headers as PostgreSQL can store them: without NUL, and short enough for its indexes.

use std::borrow::Cow;

use crate::event::carried;

/// The longest name of a topic that Kafka takes, in bytes.
pub(super) const MAX_TOPIC_BYTES: usize = 249;

/// The most bytes that are kept of a class or a consumer group. An entry of an index has at most
/// 2,704 bytes, and one index holds topic and class together.
pub(super) const MAX_NAME_BYTES: usize = 1_000;

/// A header's text; what is not UTF-8, and NUL, becomes the replacement character.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { text }
}

/// The word that a header carries: its text, or the one within quotes.
pub(super) fn word(bytes: &[u8]) -> Cow<'_, str> {
    match carried(bytes) {
        Cow::Borrowed(bytes) => text(bytes),
        Cow::Owned(bytes) => Cow::Owned(text(&bytes).into_owned()),
    }
}

/// A text of at most so many bytes. One that is longer is cut at a character, and says how long it
/// was: `java.lang.Error… (6000 bytes)`.
pub(super) fn cut(text: Cow<'_, str>, max_bytes: usize) -> Cow<'_, str> {
    if text.len() <= max_bytes {
        return text;
    }
    let kept = &text[..text.floor_char_boundary(max_bytes)];
    Cow::Owned(format!("{kept}… ({} bytes)", text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_NAME_BYTES, MAX_TOPIC_BYTES, cut, text};

    /// The largest entry of an index in PostgreSQL (`BTMaxItemSize`), and what it costs beside the
    /// two texts, at most.
    const MAX_INDEX_ENTRY: usize = 2_704;
    const OVERHEAD: usize = 64;

    #[test]
    fn what_fits_stays_and_what_does_not_tells_its_length() {
        assert_eq!(cut("a.B".into(), 3), "a.B");
        assert_eq!(cut("a.Be".into(), 3), "a.B… (4 bytes)");
        assert_eq!(cut("aé".into(), 2), "a… (3 bytes)");
    }

    proptest! {
        #[test]
        fn topic_and_class_of_any_bytes_fit_together_into_an_index(
            topic in proptest::collection::vec(any::<u8>(), 0..3_000),
            class in proptest::collection::vec(any::<u8>(), 0..9_000),
        ) {
            let topic = cut(text(&topic), MAX_TOPIC_BYTES);
            let class = cut(text(&class), MAX_NAME_BYTES);
            prop_assert!(topic.len() + class.len() + OVERHEAD < MAX_INDEX_ENTRY);
            prop_assert!(!topic.contains('\0') && !class.contains('\0'));
        }
    }
}
