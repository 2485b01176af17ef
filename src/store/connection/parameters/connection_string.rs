//! Reads a URL or a key/value string into parameters, as libpq does, and shows nothing of it in an
//! error. Source: PostgreSQL documentation, "Connection Strings".

use std::ops::Range;

use percent_encoding::percent_decode_str;

use crate::store::error::Error;

/// A parameter of a connection string.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    /// Its name.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
    /// Where the value stands in the text.
    pub(super) place: Range<usize>,
}

/// What can be written, for errors.
const FORMS: &str = "expected postgresql://user@host:port/database or 'host=… dbname=…'";

/// Reads a URL or a key/value string. Of a parameter that stands there twice the last one counts.
///
/// # Errors
/// `Error::Url`, which shows nothing of the text.
pub(super) fn read(text: &str) -> Result<Vec<Assignment>, Error> {
    let scheme =
        ["postgresql://", "postgres://"].into_iter().find(|scheme| text.starts_with(scheme));
    let read = match scheme {
        Some(scheme) => Url { text, rest: scheme.len()..text.len(), found: Vec::new() }.read(),
        None if text.split_once("://").is_some_and(|(scheme, _)| !scheme.contains('=')) => {
            Err("the URL begins with neither postgresql:// nor postgres://".to_owned())
        }
        None => pairs(text),
    };
    read.map_err(|reason| Error::Url(format!("{reason}; {FORMS}")))
}

struct Url<'a> {
    text: &'a str,
    /// What is not read yet.
    rest: Range<usize>,
    found: Vec<Assignment>,
}

impl Url<'_> {
    fn read(mut self) -> Result<Vec<Assignment>, String> {
        self.read_credentials()?;
        let authority = self.take_until(&['/', '?']);
        self.read_hosts(authority)?;
        if self.eat('/') {
            let database = self.take_until(&['?']);
            self.add("dbname", database)?;
        }
        if self.eat('?') {
            while !self.rest.is_empty() {
                let parameter = self.take_until(&['&']);
                self.eat('&');
                self.read_parameter(parameter)?;
            }
        }
        Ok(self.found)
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Takes what stands before the first of these characters, or all.
    fn take_until(&mut self, ends: &[char]) -> Range<usize> {
        let start = self.rest.start;
        let end =
            self.slice(self.rest.clone()).find(ends).map_or(self.rest.end, |place| start + place);
        self.rest.start = end;
        start..end
    }

    fn eat(&mut self, character: char) -> bool {
        let is_next = self.slice(self.rest.clone()).starts_with(character);
        if is_next {
            self.rest.start += character.len_utf8();
        }
        is_next
    }

    /// `user:password@`. A password may hold what else would end it, but for '@'; an '@' within a
    /// parameter behind '?' belongs to that.
    fn read_credentials(&mut self) -> Result<(), String> {
        let rest = self.slice(self.rest.clone());
        let Some(end) = rest.find('@') else { return Ok(()) };
        let credentials = &rest[..end];
        if credentials.split_once('?').is_some_and(|(_, query)| query.contains('=')) {
            return Ok(());
        }
        let start = self.rest.start;
        let colon = credentials.find(':').unwrap_or(end);
        self.rest.start = start + end + 1;
        self.add("user", start..start + colon)?;
        if colon < end {
            self.add("password", start + colon + 1..start + end)?;
        }
        Ok(())
    }

    /// `host:port,[::1]:port`. Hosts and ports go into one parameter each, as libpq has them.
    fn read_hosts(&mut self, authority: Range<usize>) -> Result<(), String> {
        let text = self.slice(authority.clone());
        // Refuses '@': one in a password that is not written %40 ends the password too early, and
        // the rest of it would be shown as the host.
        if text.contains('@') {
            return Err("a host holds '@', which in a password is written %40".to_owned());
        }
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        for chunk in text.split(',') {
            let (host, port) = match chunk.strip_prefix('[') {
                Some(rest) => {
                    let (address, rest) =
                        rest.split_once(']').ok_or("an address has no closing bracket")?;
                    match (rest, rest.strip_prefix(':')) {
                        ("", _) => (address, ""),
                        (_, Some(port)) => (address, port),
                        _ => return Err("what follows a bracket is no port".to_owned()),
                    }
                }
                None => chunk.split_once(':').unwrap_or((chunk, "")),
            };
            hosts.push(decoded(host)?);
            ports.push(decoded(port)?);
        }
        // The values are never shown: what looks like a port may be a part of a password.
        if !ports.iter().all(|port| port.is_empty() || port.parse::<u16>().is_ok()) {
            return Err("a port in the URL is no number".to_owned());
        }
        for (name, values) in [("host", hosts), ("port", ports)] {
            if values.iter().any(|value| !value.is_empty()) {
                let (value, place) = (values.join(","), authority.clone());
                self.found.push(Assignment { name: name.to_owned(), value, place });
            }
        }
        Ok(())
    }

    fn read_parameter(&mut self, place: Range<usize>) -> Result<(), String> {
        let text = self.slice(place.clone());
        let Some((name, _)) = text.split_once('=') else {
            return Err("a parameter behind '?' has no '='".to_owned());
        };
        let value = place.start + name.len() + 1..place.end;
        let name = decoded(name)?;
        // Java's drivers write it like this, and libpq takes it.
        if name == "ssl" && self.slice(value.clone()) == "true" {
            let value = "require".to_owned();
            self.found.push(Assignment { name: "sslmode".to_owned(), value, place });
            return Ok(());
        }
        let given = decoded(self.slice(value.clone()))?;
        self.found.push(Assignment { name, value: given, place: value });
        Ok(())
    }

    /// A part that need not be there.
    fn add(&mut self, name: &str, place: Range<usize>) -> Result<(), String> {
        let value = decoded(self.slice(place.clone()))?;
        if !value.is_empty() {
            self.found.push(Assignment { name: name.to_owned(), value, place });
        }
        Ok(())
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    match decoded {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err("a part of the URL is not UTF-8, or holds %00".to_owned()),
    }
}

/// `name=value name='value with blanks'`; a backslash takes the next character as it is.
fn pairs(text: &str) -> Result<Vec<Assignment>, String> {
    let mut found = Vec::new();
    let mut characters = text.char_indices().peekable();
    loop {
        while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
        let mut name = String::new();
        while let Some((_, character)) =
            characters.next_if(|(_, character)| *character != '=' && !character.is_whitespace())
        {
            name.push(character);
        }
        while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
        if characters.next_if(|(_, character)| *character == '=').is_none() {
            return match (name.is_empty(), characters.peek()) {
                (true, None) => Ok(found),
                _ => Err("a parameter has no '=', or a value with blanks has no quotes".to_owned()),
            };
        }
        while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
        let start = characters.peek().map_or(text.len(), |(place, _)| *place);
        let is_quoted = characters.next_if(|(_, character)| *character == '\'').is_some();
        let mut value = String::new();
        let end = loop {
            match characters.peek().copied() {
                Some((place, '\'')) if is_quoted => {
                    characters.next();
                    break place + 1;
                }
                None if is_quoted => return Err("a quoted value has no closing quote".to_owned()),
                Some((place, character)) if character.is_whitespace() && !is_quoted => break place,
                None => break text.len(),
                Some((_, '\\')) => {
                    characters.next();
                    value.extend(characters.next().map(|(_, character)| character));
                }
                Some((_, character)) => {
                    characters.next();
                    value.push(character);
                }
            }
        };
        found.push(Assignment { name, value, place: start..end });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> String {
        match read(text) {
            Ok(found) => found
                .iter()
                .map(|given| format!("{}={}", given.name, given.value))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        }
    }

    /// What `psql` makes of the same texts.
    #[test]
    fn urls_are_read_as_libpq_does() {
        let cases = [
            ("postgresql://", ""),
            ("postgresql://localhost", "host=localhost"),
            ("postgres://me@h:6000/d", "user=me host=h port=6000 dbname=d"),
            ("postgresql://me:s%40crt%20@h", "user=me password=s@crt  host=h"),
            ("postgresql://h1:1,h2,h3:3/d", "host=h1,h2,h3 port=1,,3 dbname=d"),
            (
                "postgresql://[::1]:6000,[2001:db8::1234]/d",
                "host=::1,2001:db8::1234 port=6000, dbname=d",
            ),
            ("postgresql://%2Fvar%2Frun/d", "host=/var/run dbname=d"),
            ("postgresql:///d?host=h&port=7", "dbname=d host=h port=7"),
            ("postgresql://h?ssl=true", "host=h sslmode=require"),
            ("postgresql://h/d%20b?options=-c%20a%3Db", "host=h dbname=d b options=-c a=b"),
            (
                "postgresql://h/d?application_name=me@home",
                "host=h dbname=d application_name=me@home",
            ),
            ("postgresql://me:a/b?c@h/d", "user=me password=a/b?c host=h dbname=d"),
            ("postgresql://:6000", "port=6000"),
            ("postgresql://h/?sslmode=", "host=h sslmode="),
        ];
        for (url, parameters) in cases {
            assert_eq!(told(url), parameters, "{url}");
        }
    }

    #[test]
    fn key_value_strings_are_read_as_libpq_does() {
        let cases = [
            ("", ""),
            ("host=h  port = 5433", "host=h port=5433"),
            ("password='it\\'s \\\\ here' user=me", "password=it's \\ here user=me"),
            ("password=a\\ b\\'c", "password=a b'c"),
            ("host='' dbname=d", "host= dbname=d"),
            ("host=h\tdbname=d\n", "host=h dbname=d"),
            ("host=h dbname=", "host=h dbname="),
            ("password=s://x", "password=s://x"),
        ];
        for (text, parameters) in cases {
            assert_eq!(told(text), parameters, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_without_showing_it() {
        let cases = [
            ("mysql://me:cret@h", "begins with neither"),
            ("jdbc:postgresql://me:cret@h", "begins with neither"),
            ("postgresql://me:x@cret@h", "%40"),
            ("postgresql://cret:port/d", "no number"),
            ("postgresql://h:99999/d", "no number"),
            ("postgresql://[::1/cret", "closing bracket"),
            ("postgresql://[::1]cret", "bracket is no port"),
            ("postgresql://h?cret", "no '='"),
            ("postgresql://%FFcret@h", "not UTF-8"),
            ("password=s cret host=h", "no quotes"),
            ("password='cret", "closing quote"),
            ("=cret=", "expected"),
            ("cret", "no '='"),
        ];
        for (text, reason) in cases {
            let said = told(text);
            let is_named = text.starts_with('=') || said.contains(reason);
            assert!(
                is_named && (!said.contains("cret") || text.starts_with('=')),
                "{text}: {said}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
            let _ = read(&text);
            let _ = read(&format!("postgresql://{text}"));
        }

        #[test]
        fn every_value_can_be_written_in_quotes(value in "[^\0]{0,20}") {
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            let text = format!("host=h password = '{quoted}' user=me");
            let found = read(&text).expect("it can be read");
            prop_assert_eq!(&found[1].value, &value);
            prop_assert_eq!(&text[found[1].place.clone()], format!("'{quoted}'"));
        }

        #[test]
        fn every_value_can_be_written_in_percent(value in "[^\0]{1,20}") {
            let written: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let found = read(&format!("postgresql://me:{written}@h/{written}?options={written}"));
            let found = found.expect("it can be read");
            for place in [1, 3, 4] {
                prop_assert_eq!(&found[place].value, &value);
            }
        }
    }
}
