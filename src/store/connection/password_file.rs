//! libpq's password file: `hostname:port:database:username:password`, `*` matching anything, `\:`
//! and `\\` escaped. Source: PostgreSQL documentation, "The Password File".

use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::store::error::Error;

/// Finds the password for `config` in `PGPASSFILE`, else in `~/.pgpass`. A file that others can
/// read is refused, as libpq does.
///
/// # Errors
/// `Error::Settings` where a file is there and can't be used.
pub(in crate::store) fn look_up(
    config: &Config,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, Error> {
    let named = variable("PGPASSFILE").map(PathBuf::from);
    let Some(path) =
        named.clone().or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".pgpass")))
    else {
        return Ok(None);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
            return Ok(None);
        }
        Err(error) => {
            return Err(Error::Settings(format!("password file {}: {error}", path.display())));
        }
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            std::fs::metadata(&path).map(|data| data.permissions().mode()).unwrap_or_default();
        if mode & 0o077 != 0 {
            return Err(Error::Settings(format!(
                "password file {}: others can read it; run `chmod 600` on it",
                path.display()
            )));
        }
    }
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.as_str(),
        Some(Host::Unix(_)) | None => "localhost",
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let wanted = [
        host,
        &port,
        config.get_dbname().unwrap_or_default(),
        config.get_user().unwrap_or_default(),
    ];
    Ok(find(&text, wanted))
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
    use super::find;

    #[test]
    fn the_first_line_that_matches_gives_the_password() {
        let text =
            "# comment\nother:5432:*:*:wrong\n*:5432:audit_db:me:pa\\:ss:word\n*:*:*:*:late\n";
        assert_eq!(find(text, ["h", "5432", "audit_db", "me"]).as_deref(), Some("pa:ss:word"));
        assert_eq!(find(text, ["h", "5432", "audit_db", "you"]).as_deref(), Some("late"));
        assert_eq!(find("h:1:d:u:p", ["h", "2", "d", "u"]), None);
    }
}
