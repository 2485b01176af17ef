//! libpq's password file: `hostname:port:database:username:password`, `*` matching anything, `\:`
//! and `\\` escaped. Source: PostgreSQL documentation, "The Password File".

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::servers::Server;

/// What stands in the file, and why it is not used, if that may surprise.
#[derive(Default)]
pub(super) struct PasswordFile {
    text: String,
    /// In words for the user.
    pub(super) notice: Option<String>,
}

impl PasswordFile {
    /// Reads it as libpq does: a file that is not there, or can't be read, holds no password; one
    /// that is no plain file, or that others can read, is not used, which is said.
    pub(super) fn read(path: &Path) -> Self {
        let Ok(metadata) = std::fs::metadata(path) else { return Self::default() };
        let unused = |reason: &str| Self {
            text: String::new(),
            notice: Some(format!(
                "warning: password file {} is not used: {reason}",
                path.display()
            )),
        };
        if !metadata.is_file() {
            return unused("it is not a plain file");
        }
        if metadata.mode() & 0o077 != 0 {
            return unused("others can read it; run `chmod 600` on it");
        }
        Self { text: std::fs::read_to_string(path).unwrap_or_default(), notice: None }
    }

    /// The password for a server.
    pub(super) fn password(&self, server: &Server, database: &str, user: &str) -> Option<String> {
        let port = server.port.to_string();
        let of = |host| find(&self.text, [host, &port, database, user]);
        // A socket's folder can be written, too, as libpq does where it is not its own default.
        let fallback = || if server.is_socket() { of("localhost") } else { None };
        of(&server.host).or_else(fallback)
    }
}

fn find(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).find_map(|line| {
        let fields = split(line);
        let matches = fields.len() == 5
            && wanted.iter().zip(&fields).all(|(want, field)| field == "*" || field == want);
        matches.then(|| fields[4].clone())
    })
}

/// Splits at the first four unescaped colons; the password is the rest.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let last = fields.len() - 1;
        match character {
            '\\' => fields[last].extend(characters.next()),
            ':' if last < 4 => fields.push(String::new()),
            other => fields[last].push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_matches_gives_the_password() {
        let text =
            "# comment\nother:5432:*:*:wrong\n*:5432:audit_db:me:pa\\:ss:word\n*:*:*:*:late\n";
        assert_eq!(find(text, ["h", "5432", "audit_db", "me"]).as_deref(), Some("pa:ss:word"));
        assert_eq!(find(text, ["h", "5432", "audit_db", "you"]).as_deref(), Some("late"));
        assert_eq!(find("h:1:d:u:p", ["h", "2", "d", "u"]), None);
    }

    #[test]
    fn what_is_no_private_file_is_not_used_and_what_is_not_there_is_not_told() {
        let notice = |path: &str| PasswordFile::read(Path::new(path)).notice.unwrap_or_default();
        assert!(notice("/dev/null").contains("/dev/null is not used: it is not a plain file"));
        assert!(notice("/tmp").contains("not a plain file"));
        assert_eq!(notice("/nowhere/pgpass"), "");
    }
}
