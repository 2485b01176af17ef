//! JSON in its canonical form: one pass over the text, no tree, no recursion. Members are put into
//! their order when their object ends, which most often they are in already.

use super::{CanonicalError, json_number, json_text};

/// An object or array whose end is not reached yet.
#[derive(Debug, Clone, Copy)]
struct Container {
    /// Where its members begin in the list of them; `None` of an array.
    first_member: Option<usize>,
    /// Where what it holds begins in the output.
    start: usize,
}

/// A member of an object that is not finished: where its name begins and ends in the output, and
/// where its value ends.
#[derive(Debug, Clone, Copy)]
struct Member {
    start: usize,
    name_end: usize,
    end: usize,
}

/// Writes JSON in its canonical form, in memory that is used again.
#[derive(Debug, Default)]
pub struct Canonicalizer {
    open: Vec<Container>,
    members: Vec<Member>,
    sorted: Vec<u8>,
    /// Whether any name has an escape.
    has_escaped_name: bool,
}

impl Canonicalizer {
    /// Writes the canonical form of a JSON text behind what `out` holds.
    ///
    /// # Errors
    /// [`CanonicalError::Json`], [`CanonicalError::Exponent`].
    pub fn write(&mut self, json: &[u8], out: &mut Vec<u8>) -> Result<(), CanonicalError> {
        self.open.clear();
        self.members.clear();
        self.has_escaped_name = false;
        let mut at = skip_white_space(json, 0);
        'value: loop {
            // A value starts here.
            match json.get(at) {
                Some(b'"') => (at, _) = json_text::write(json, at, out)?,
                Some(open @ (b'{' | b'[')) => {
                    let is_object = *open == b'{';
                    out.push(*open);
                    let first_member = is_object.then_some(self.members.len());
                    self.open.push(Container { first_member, start: out.len() });
                    at = skip_white_space(json, at + 1);
                    let close = if is_object { b'}' } else { b']' };
                    if json.get(at) != Some(&close) {
                        if is_object {
                            at = self.name(json, at, out)?;
                        }
                        continue;
                    }
                    self.open.pop();
                    out.push(close);
                    at += 1;
                }
                Some(b't') => at = literal(json, at, b"true", out)?,
                Some(b'f') => at = literal(json, at, b"false", out)?,
                Some(b'n') => at = literal(json, at, b"null", out)?,
                Some(b'-' | b'0'..=b'9') => {
                    let end = json[at..]
                        .iter()
                        .position(|byte| {
                            !matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')
                        })
                        .map_or(json.len(), |length| at + length);
                    json_number::write(&json[at..end], out)?;
                    at = end;
                }
                _ => return Err(CanonicalError::Json(at)),
            }
            // A value has ended; the containers that end with it are closed until another is due.
            loop {
                at = skip_white_space(json, at);
                let Some(container) = self.open.last().copied() else {
                    return if at == json.len() { Ok(()) } else { Err(CanonicalError::Json(at)) };
                };
                if container.first_member.is_some()
                    && let Some(member) = self.members.last_mut()
                {
                    member.end = out.len();
                }
                match (json.get(at), container.first_member) {
                    (Some(b','), first_member) => {
                        out.push(b',');
                        at = skip_white_space(json, at + 1);
                        if first_member.is_some() {
                            at = self.name(json, at, out)?;
                        }
                        continue 'value;
                    }
                    (Some(b'}'), Some(first)) => {
                        self.sort(first, container.start, out);
                        out.push(b'}');
                    }
                    (Some(b']'), None) => out.push(b']'),
                    _ => return Err(CanonicalError::Json(at)),
                }
                self.open.pop();
                at += 1;
            }
        }
    }

    /// Writes a name and its colon, and returns where its value begins.
    fn name(&mut self, json: &[u8], at: usize, out: &mut Vec<u8>) -> Result<usize, CanonicalError> {
        if json.get(at) != Some(&b'"') {
            return Err(CanonicalError::Json(at));
        }
        let start = out.len();
        let (at, escaped) = json_text::write(json, at, out)?;
        self.has_escaped_name |= escaped;
        self.members.push(Member { start, name_end: out.len(), end: 0 });
        let at = skip_white_space(json, at);
        if json.get(at) != Some(&b':') {
            return Err(CanonicalError::Json(at));
        }
        out.push(b':');
        Ok(skip_white_space(json, at + 1))
    }

    /// Puts the members of the object that ends here into their order, and drops those whose name
    /// comes again.
    fn sort(&mut self, first: usize, start: usize, out: &mut Vec<u8>) {
        let escaped = self.has_escaped_name;
        let members = &mut self.members[first..];
        let compare = |left: &Member, right: &Member, out: &[u8]| {
            let name = |member: &Member| member.start..member.name_end;
            json_text::compare(&out[name(left)], &out[name(right)], escaped)
        };
        if !members.is_sorted_by(|left, right| compare(left, right, out).is_lt()) {
            // Of equal names the last comes first.
            members.sort_unstable_by(|left, right| {
                compare(left, right, out).then(right.start.cmp(&left.start))
            });
            self.sorted.clear();
            for index in 0..members.len() {
                let member = members[index];
                if index > 0 {
                    if compare(&members[index - 1], &member, out).is_eq() {
                        continue;
                    }
                    self.sorted.push(b',');
                }
                self.sorted.extend_from_slice(&out[member.start..member.end]);
            }
            out.truncate(start);
            out.extend_from_slice(&self.sorted);
        }
        self.members.truncate(first);
    }
}

fn skip_white_space(json: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = json.get(at) {
        at += 1;
    }
    at
}

fn literal(
    json: &[u8],
    at: usize,
    word: &[u8],
    out: &mut Vec<u8>,
) -> Result<usize, CanonicalError> {
    if !json[at..].starts_with(word) {
        return Err(CanonicalError::Json(at));
    }
    out.extend_from_slice(word);
    Ok(at + word.len())
}
