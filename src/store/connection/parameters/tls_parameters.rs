//! The parameters of TLS, and the files in `~/.postgresql` that hold where none is named.

use std::path::{Path, PathBuf};

use openssl::ssl::SslVersion;

use super::parameter_source::ParameterSource;
use super::sourced_values::SourcedValues;
use super::words::word;
use crate::store::connection::tls::{Identity, Tls, TlsMode};
use crate::store::error::Error;

/// Reads them. `values` gets the names of the files that hold.
///
/// # Errors
/// `Error::Settings` where one can't be read, or they don't go together.
pub(super) fn read(values: &mut SourcedValues, home: Option<&Path>) -> Result<Tls, Error> {
    let mode = word(values, "sslmode", &TlsMode::NAMES)?.unwrap_or_default();
    let negotiations = [("postgres", false), ("direct", true)];
    let is_direct = word(values, "sslnegotiation", &negotiations)?.unwrap_or(false);
    if is_direct && !mode.is_required() {
        let reason = "'direct' needs sslmode=require, verify-ca or verify-full";
        return Err(values.refused("sslnegotiation", reason));
    }
    add_usual_files(values, mode, home)?;
    let path = |name| values.text(name).map(PathBuf::from);
    let identity = match (path("sslcert"), path("sslkey")) {
        (Some(certificate), Some(key)) => Some(Identity {
            certificate,
            key,
            passphrase: values.text("sslpassword").unwrap_or_default().to_owned(),
        }),
        (None, None) => None,
        (Some(_), None) => return Err(values.refused("sslcert", "needs sslkey, too")),
        (None, Some(_)) => return Err(values.refused("sslkey", "needs sslcert, too")),
    };
    let versions = [
        ("TLSv1", SslVersion::TLS1),
        ("TLSv1.1", SslVersion::TLS1_1),
        ("TLSv1.2", SslVersion::TLS1_2),
        ("TLSv1.3", SslVersion::TLS1_3),
    ];
    Ok(Tls {
        mode,
        root_certificate: path("sslrootcert"),
        identity,
        is_direct,
        sends_host_name: word(values, "sslsni", &[("0", false), ("1", true)])?.unwrap_or(true),
        oldest_version: word(values, "ssl_min_protocol_version", &versions)?,
        newest_version: word(values, "ssl_max_protocol_version", &versions)?,
    })
}

/// Adds the files that libpq takes where none is named, as far as they are there.
fn add_usual_files(
    values: &mut SourcedValues,
    mode: TlsMode,
    home: Option<&Path>,
) -> Result<(), Error> {
    let modes = [("disable", false), ("allow", true)];
    let shows_certificate = word(values, "sslcertmode", &modes)?.unwrap_or(true);
    if !shows_certificate {
        values.remove("sslcert");
        values.remove("sslkey");
    }
    let Some(folder) = home.map(|home| home.join(".postgresql")) else { return Ok(()) };
    let mut add = |name, file: &str| {
        let path = folder.join(file);
        if values.text(name).is_none() && path.is_file() {
            values.set(name, path.display().to_string(), ParameterSource::UsualFile);
        }
    };
    // Where encryption is only preferred, a file meant for another server must not forbid it.
    if mode.is_required() {
        add("sslrootcert", "root.crt");
    }
    if shows_certificate && folder.join("postgresql.key").is_file() {
        add("sslcert", "postgresql.crt");
    }
    if values.text("sslcert").is_some() {
        let path = folder.join("postgresql.key");
        if values.text("sslkey").is_none() && path.is_file() {
            values.set("sslkey", path.display().to_string(), ParameterSource::UsualFile);
        }
    }
    Ok(())
}
