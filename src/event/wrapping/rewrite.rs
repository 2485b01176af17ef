//! Writes the values of logical types anew; every other byte of the JSON stays as it was.

use super::logical_type::Reading;
use crate::event::json;

/// JSON, which has been scanned, with the values of logical types read; `None` where all stays.
pub(super) fn rewritten(json: &str, reading: &Reading) -> Option<String> {
    let mut rewriter = Rewriter { json, at: 0, copied: 0, out: String::new() };
    rewriter.value(reading);
    if rewriter.copied == 0 {
        return None;
    }
    rewriter.out.push_str(json.get(rewriter.copied..)?);
    Some(rewriter.out)
}

/// Walks along valid JSON and a reading of it together. Depth is that of the schema, which is
/// bounded.
struct Rewriter<'a> {
    json: &'a str,
    at: usize,
    /// Up to where the output holds the JSON.
    copied: usize,
    out: String,
}

impl Rewriter<'_> {
    fn value(&mut self, reading: &Reading) {
        self.skip_white_space();
        match (reading, self.peek()) {
            (Reading::Value(logical_type), _) => {
                let start = self.at;
                self.skip_value();
                let (Some(before), Some(value)) =
                    (self.json.get(self.copied..start), self.json.get(start..self.at))
                else {
                    return;
                };
                if let Some(read) = logical_type.read(value) {
                    self.out.push_str(before);
                    self.out.push_str(&read);
                    self.copied = self.at;
                }
            }
            (Reading::Members(members), Some(b'{')) => self.object(|name| {
                members.iter().find(|(known, _)| known == name).map(|(_, reading)| reading)
            }),
            (Reading::Values(reading), Some(b'{')) => self.object(|_| Some(&**reading)),
            (Reading::Elements(reading), Some(b'[')) => self.array(|_| Some(&**reading)),
            (Reading::Pairs(keys, values), Some(b'[')) => {
                self.elements(|rewriter, _| {
                    rewriter.skip_white_space();
                    if rewriter.peek() != Some(b'[') {
                        return rewriter.skip_value();
                    }
                    rewriter.array(|index| match index {
                        0 => keys.as_deref(),
                        _ => values.as_deref(),
                    });
                });
            }
            // Null, or a value that is not of its schema.
            _ => self.skip_value(),
        }
    }

    fn object<'r>(&mut self, reading: impl Fn(&str) -> Option<&'r Reading>) {
        self.elements(|rewriter, _| {
            rewriter.skip_white_space();
            let start = rewriter.at;
            rewriter.skip_value();
            let name = rewriter.json.get(start..rewriter.at).unwrap_or_default();
            rewriter.skip_white_space();
            // The colon.
            rewriter.at += 1;
            let name = json::scan(name.as_bytes()).ok().and_then(|scan| scan.value.text());
            rewriter.value_or_skip(name.and_then(|name| reading(&name)));
        });
    }

    fn array<'r>(&mut self, reading: impl Fn(usize) -> Option<&'r Reading>) {
        self.elements(|rewriter, index| rewriter.value_or_skip(reading(index)));
    }

    fn value_or_skip(&mut self, reading: Option<&Reading>) {
        match reading {
            Some(reading) => self.value(reading),
            None => self.skip_value(),
        }
    }

    /// Steps through an object or array; `element` steps over one element.
    fn elements(&mut self, element: impl Fn(&mut Self, usize)) {
        self.at += 1;
        self.skip_white_space();
        let mut index = 0;
        while !matches!(self.peek(), None | Some(b'}' | b']')) {
            element(self, index);
            index += 1;
            self.skip_white_space();
            if self.peek() == Some(b',') {
                self.at += 1;
                self.skip_white_space();
            }
        }
        self.at += 1;
    }

    /// Steps over a value of any kind.
    fn skip_value(&mut self) {
        self.skip_white_space();
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_text(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => return,
                _ => {
                    self.at += 1;
                    if depth == 0 {
                        continue;
                    }
                }
            }
            if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
                return;
            }
        }
    }

    fn skip_text(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }
}
