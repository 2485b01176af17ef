//! libpq's service file: named sets of parameters. Source: PostgreSQL documentation, "The
//! Connection Service File".

use std::io::ErrorKind;
use std::path::PathBuf;

use super::known_parameters::KnownParameter;
use crate::store::error::Error;

/// Where an administrator's file lies, unless `PGSYSCONFDIR` says otherwise: Debian's folder, and
/// that of a server built from its sources.
const SYSTEM_FOLDERS: [&str; 2] = ["/etc/postgresql-common", "/usr/local/pgsql/etc"];

/// Reads the parameters of a service: in the file that is named, else `~/.pg_service.conf`, then in
/// the administrator's `pg_service.conf`. `given_as` is what the user calls the name.
///
/// # Errors
/// `Error::Settings` where no file has it, or one can't be read.
pub(super) fn read(
    service: &str,
    given_as: &str,
    named: Option<&str>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Vec<(&'static str, String)>, Error> {
    let own = match named {
        Some(file) => Some(PathBuf::from(file)),
        None => variable("HOME").map(|home| PathBuf::from(home).join(".pg_service.conf")),
    };
    let of_system: Vec<String> = match variable("PGSYSCONFDIR") {
        Some(folder) => vec![folder],
        None => SYSTEM_FOLDERS.map(str::to_owned).to_vec(),
    };
    let of_system = of_system.iter().map(|folder| PathBuf::from(folder).join("pg_service.conf"));
    let paths: Vec<PathBuf> = own.into_iter().chain(of_system).collect();
    for (place, path) in paths.iter().enumerate() {
        let failed =
            |reason: String| Error::Settings(format!("service file {}{reason}", path.display()));
        match std::fs::read_to_string(path) {
            Ok(text) => {
                if let Some(found) = find(&text, service).map_err(failed)? {
                    return Ok(found);
                }
            }
            // libpq, too, is silent about a file that is not there, unless it was named.
            Err(error) if error.kind() == ErrorKind::NotFound && (named.is_none() || place > 0) => {
            }
            Err(error) => return Err(failed(format!(": {error}"))),
        }
    }
    let looked: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    Err(Error::Settings(format!(
        "{given_as}: there is no service '{service}' in {}",
        looked.join(", ")
    )))
}

/// The parameters of `[service]`. The error begins with the line.
fn find(text: &str, service: &str) -> Result<Option<Vec<(&'static str, String)>>, String> {
    let mut found: Option<Vec<(&'static str, String)>> = None;
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            found = (name.strip_suffix(']') == Some(service)).then(Vec::new);
            continue;
        }
        let Some(parameters) = &mut found else { continue };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = format!(":{}: ", place + 1);
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!("{at}a line of [{service}] is no name=value"));
        };
        let known = KnownParameter::named(name.trim()).map_err(|error| match error {
            Error::Url(reason) => format!("{at}{reason}"),
            other => format!("{at}{other}"),
        })?;
        if matches!(known.name, "service" | "servicefile") {
            return Err(format!("{at}a service can't name another one"));
        }
        parameters.push((known.name, value.trim().to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::find;

    const FILE: &str =
        "# services\n[one]\nhost=h1\n\n[two]\n# of ours\nhost = h2\nport=6000\n\n[bad]\nhots=h\n";

    #[test]
    fn a_service_ends_where_the_next_one_begins() {
        let of = |service| find(FILE, service).map(|found| format!("{found:?}"));
        assert_eq!(of("one"), Ok("Some([(\"host\", \"h1\")])".to_owned()));
        assert_eq!(of("two"), Ok("Some([(\"host\", \"h2\"), (\"port\", \"6000\")])".to_owned()));
        assert_eq!(of("three"), Ok("None".to_owned()));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let of = |text| find(text, "a").map(|_| ());
        assert_eq!(
            find(FILE, "bad").map(|_| ()),
            Err(":11: there is no parameter 'hots'; did you mean host?".to_owned())
        );
        assert_eq!(of("[a]\nhost"), Err(":2: a line of [a] is no name=value".to_owned()));
        assert_eq!(of("[a]\nservice=b"), Err(":2: a service can't name another one".to_owned()));
    }
}
