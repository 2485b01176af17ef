//! JSON text that is written piece by piece, and never becomes larger than JSONB can hold.

use std::fmt::Write;

use serde::Serialize;

use crate::event::json::{MAX_JSONB_BYTES, put_base64, put_text};
use crate::event::{Reason, Unreadable};

/// Writes JSON text. Commas and brackets are the caller's.
#[derive(Debug)]
pub(in crate::registry) struct JsonWriter {
    out: String,
    limit: usize,
}

impl Default for JsonWriter {
    fn default() -> Self {
        Self { out: String::new(), limit: MAX_JSONB_BYTES as usize }
    }
}

impl JsonWriter {
    /// A writer that has room for this number of bytes already.
    pub(in crate::registry) fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes), ..Self::default() }
    }

    /// What was written.
    pub(in crate::registry) fn finish(self) -> String {
        self.out
    }

    /// How many bytes were written.
    pub(in crate::registry) fn len(&self) -> usize {
        self.out.len()
    }

    /// Takes back all that was written behind this number of bytes.
    pub(in crate::registry) fn truncate(&mut self, bytes: usize) {
        self.out.truncate(bytes);
    }

    /// Whether this was written last.
    pub(in crate::registry) fn ends_with(&self, last: char) -> bool {
        self.out.ends_with(last)
    }

    /// Fails where that many bytes more are too large: before something large is built.
    pub(in crate::registry) fn reserve(&self, bytes: usize) -> Result<(), Unreadable> {
        if self.out.len().saturating_add(bytes) > self.limit {
            let reason = Reason::TooLarge;
            let detail = format!("{}: as JSON it has more than 256 MiB", reason.describe());
            return Err(Unreadable { reason, detail });
        }
        Ok(())
    }

    /// Appends JSON as it is.
    pub(in crate::registry) fn raw(&mut self, json: &str) -> Result<(), Unreadable> {
        self.reserve(json.len())?;
        self.out.push_str(json);
        Ok(())
    }

    /// Appends a text in quotes.
    pub(in crate::registry) fn text(&mut self, text: &str) -> Result<(), Unreadable> {
        /// A control character becomes `\u0001`.
        const LONGEST_ESCAPE: usize = 6;
        if self.reserve(text.len().saturating_mul(LONGEST_ESCAPE) + 2).is_err() {
            // Only what is nearly too large is counted.
            let escapes = |byte: u8| match byte {
                b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
                0..0x20 => LONGEST_ESCAPE - 1,
                _ => 0,
            };
            self.reserve(text.len() + 2 + text.bytes().map(escapes).sum::<usize>())?;
        }
        put_text(&mut self.out, text);
        Ok(())
    }

    /// Appends bytes as a text in standard base64.
    pub(in crate::registry) fn base64(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.reserve(bytes.len().div_ceil(3) * 4 + 2)?;
        put_base64(&mut self.out, bytes);
        Ok(())
    }

    /// Appends a whole number, or anything else whose form is JSON.
    pub(in crate::registry) fn display(
        &mut self,
        value: impl std::fmt::Display,
    ) -> Result<(), Unreadable> {
        self.reserve(0)?;
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    /// Appends a number of 64 bits: the shortest decimal that reads back as the same. What JSON has
    /// no number for is a text.
    pub(in crate::registry) fn double(&mut self, value: f64) -> Result<(), Unreadable> {
        match not_finite(value) {
            Some(word) => self.text(word),
            None => self.finite(value),
        }
    }

    /// The same of 32 bits.
    pub(in crate::registry) fn single(&mut self, value: f32) -> Result<(), Unreadable> {
        match not_finite(value.into()) {
            Some(word) => self.text(word),
            None => self.finite(value),
        }
    }

    /// Where two decimals are equally short and near, the even one, as other writers of JSON have
    /// it; Rust's own form takes the larger one.
    fn finite(&mut self, value: impl Serialize) -> Result<(), Unreadable> {
        let mut buffer = [0; 40];
        let mut rest = &mut buffer[..];
        // The longest number has 24 bytes.
        let _ = serde_json::to_writer(&mut rest, &value);
        let length = 40 - rest.len();
        self.raw(std::str::from_utf8(&buffer[..length]).unwrap_or_default())
    }
}

fn not_finite(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::JsonWriter;
    use crate::event::Reason;

    #[test]
    fn numbers_are_the_shortest_that_read_back_as_the_same() {
        let mut json = JsonWriter::default();
        let written =
            [0.1, 1.0, 1e300, f64::NAN, f64::NEG_INFINITY].map(|value| json.double(value));
        assert!(written.iter().all(Result::is_ok));
        json.single(0.1).expect("it is small");
        // 199948.625, halfway between 199948.62 and 199948.63.
        json.single(f32::from_bits(0x4843_4328)).expect("it is small");
        assert_eq!(json.finish(), r#"0.11.01e+300"NaN""-Infinity"0.1199948.62"#);
    }

    #[test]
    fn more_than_the_limit_is_refused_before_it_is_built() {
        let mut json = JsonWriter { out: String::new(), limit: 8 };
        assert!(json.base64(b"abc").is_ok());
        let refused = json.base64(b"abc").map_err(|refused| refused.reason);
        assert_eq!(refused, Err(Reason::TooLarge));
        assert_eq!(json.finish(), r#""YWJj""#);
    }

    #[test]
    fn escapes_count_as_what_they_become() {
        for (text, is_small) in
            [("abcdef", true), ("abcd\"", true), ("a\u{1}", false), ("\u{1}", true)]
        {
            let mut json = JsonWriter { out: String::new(), limit: 8 };
            assert_eq!(json.text(text).is_ok(), is_small, "{text}");
            assert!(json.finish().len() <= 8, "{text}");
        }
    }
}
