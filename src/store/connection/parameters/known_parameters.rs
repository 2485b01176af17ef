//! Every parameter that libpq has, and what becomes of it here. Source: PostgreSQL 17 and 18,
//! "Parameter Key Words" and "Environment Variables".

use Handling::{Ignored, Refused, Taken};

use crate::filter::nearest;
use crate::store::error::Error;

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Handling {
    /// It is heeded.
    Taken,
    /// It is not heeded, which changes nothing that matters. Said, unless its value is one of those
    /// that ask for what is so anyway.
    Ignored { unsaid: &'static [&'static str], reason: &'static str },
    /// Not to heed it would be wrong, so that it is an error, unless its value is one of those that
    /// ask for what is so anyway.
    Refused { but: &'static [&'static str], reason: &'static str },
}

/// A parameter of libpq.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownParameter {
    pub(super) name: &'static str,
    /// The variable that stands for it; empty where there is none.
    pub(super) variable: &'static str,
    pub(super) handling: Handling,
}

const fn taken(name: &'static str, variable: &'static str) -> KnownParameter {
    KnownParameter { name, variable, handling: Taken }
}

const fn ignored(
    name: &'static str,
    variable: &'static str,
    unsaid: &'static [&'static str],
    reason: &'static str,
) -> KnownParameter {
    KnownParameter { name, variable, handling: Ignored { unsaid, reason } }
}

const fn refused(
    name: &'static str,
    variable: &'static str,
    but: &'static [&'static str],
    reason: &'static str,
) -> KnownParameter {
    KnownParameter { name, variable, handling: Refused { but, reason } }
}

const NO_GSSAPI: &str = "this program does not speak GSSAPI";
const OWN_NAME: &str = "sessions are named by what they do";
const NO_REVOCATION: &str = "this program does not check revocation lists";
const NO_OAUTH: &str = "this program does not log in by OAuth";
const NO_SCRAM_KEYS: &str = "this program logs in by the password, not by its keys";

/// The parameters, as libpq orders them.
pub(super) const PARAMETERS: &[KnownParameter] = &[
    taken("service", "PGSERVICE"),
    taken("servicefile", "PGSERVICEFILE"),
    taken("host", "PGHOST"),
    taken("hostaddr", "PGHOSTADDR"),
    taken("port", "PGPORT"),
    taken("dbname", "PGDATABASE"),
    taken("user", "PGUSER"),
    taken("password", "PGPASSWORD"),
    taken("passfile", "PGPASSFILE"),
    refused(
        "require_auth",
        "PGREQUIREAUTH",
        &[],
        "this program can't promise how the server lets it in; channel_binding=require makes sure of SCRAM",
    ),
    taken("channel_binding", "PGCHANNELBINDING"),
    taken("connect_timeout", "PGCONNECT_TIMEOUT"),
    ignored(
        "client_encoding",
        "PGCLIENTENCODING",
        &["utf8", "utf-8", "unicode"],
        "this program speaks UTF-8",
    ),
    taken("options", "PGOPTIONS"),
    ignored("application_name", "PGAPPNAME", &[], OWN_NAME),
    ignored("fallback_application_name", "", &[], OWN_NAME),
    taken("keepalives", ""),
    taken("keepalives_idle", ""),
    taken("keepalives_interval", ""),
    taken("keepalives_count", ""),
    taken("tcp_user_timeout", ""),
    refused(
        "replication",
        "",
        &["false", "off", "no", "0"],
        "a connection for replication can't be asked anything",
    ),
    refused("gssencmode", "PGGSSENCMODE", &["disable", "prefer"], NO_GSSAPI),
    taken("sslmode", "PGSSLMODE"),
    refused("requiressl", "", &["0"], "write sslmode=require"),
    taken("sslnegotiation", "PGSSLNEGOTIATION"),
    ignored("sslcompression", "PGSSLCOMPRESSION", &["0"], "TLS compresses nothing any more"),
    taken("sslcert", "PGSSLCERT"),
    taken("sslkey", "PGSSLKEY"),
    refused("sslkeylogfile", "", &[], "this program writes no keys of its connections"),
    taken("sslpassword", ""),
    taken("sslcertmode", "PGSSLCERTMODE"),
    taken("sslrootcert", "PGSSLROOTCERT"),
    refused("sslcrl", "PGSSLCRL", &[], NO_REVOCATION),
    refused("sslcrldir", "PGSSLCRLDIR", &[], NO_REVOCATION),
    taken("sslsni", "PGSSLSNI"),
    refused(
        "requirepeer",
        "PGREQUIREPEER",
        &[],
        "this program does not ask who runs the server behind a socket",
    ),
    taken("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    taken("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    refused("min_protocol_version", "PGMINPROTOCOLVERSION", &["3.0"], "this program speaks 3.0"),
    ignored(
        "max_protocol_version",
        "PGMAXPROTOCOLVERSION",
        &["3.0", "3.2", "latest"],
        "this program speaks 3.0",
    ),
    ignored("krbsrvname", "PGKRBSRVNAME", &[], NO_GSSAPI),
    ignored("gsslib", "PGGSSLIB", &[], NO_GSSAPI),
    refused("gssdelegation", "PGGSSDELEGATION", &["0"], NO_GSSAPI),
    refused("scram_client_key", "", &[], NO_SCRAM_KEYS),
    refused("scram_server_key", "", &[], NO_SCRAM_KEYS),
    refused("oauth_issuer", "", &[], NO_OAUTH),
    refused("oauth_client_id", "", &[], NO_OAUTH),
    refused("oauth_client_secret", "", &[], NO_OAUTH),
    refused("oauth_scope", "", &[], NO_OAUTH),
    taken("target_session_attrs", "PGTARGETSESSIONATTRS"),
    taken("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    // Names of libpq's past, which it takes and does not heed.
    ignored("authtype", "", &[], "it means nothing any more"),
    ignored("tty", "", &[], "it means nothing any more"),
];

impl KnownParameter {
    /// Finds one by its name.
    ///
    /// # Errors
    /// `Error::Url`, which names it, and another one that may be meant.
    pub(super) fn named(name: &str) -> Result<&'static Self, Error> {
        // The Rust driver's own name for it.
        let name = if name == "keepalives_retries" { "keepalives_count" } else { name };
        if let Some(known) = PARAMETERS.iter().find(|known| known.name == name) {
            return Ok(known);
        }
        let names: Vec<String> = PARAMETERS.iter().map(|known| known.name.to_owned()).collect();
        let meant = match nearest(name, &names).first() {
            Some(alike) => format!("did you mean {alike}?"),
            None => "the parameters are those of libpq".to_owned(),
        };
        Err(Error::Url(format!("there is no parameter '{name}'; {meant}")))
    }

    /// Whether its value may be shown.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.name, "password" | "sslpassword" | "oauth_client_secret")
            || self.name.starts_with("scram_")
    }

    /// Whether `value` is heeded; `given_as` is the name that the user has for it. A word for the
    /// user where it is ignored and that may surprise.
    ///
    /// # Errors
    /// The reason where it must not be ignored.
    pub(super) fn check(&self, given_as: &str, value: &str) -> Result<Option<String>, String> {
        let is_one_of = |values: &[&str]| {
            value.is_empty() || values.iter().any(|one| one.eq_ignore_ascii_case(value))
        };
        let given = match self.is_secret() {
            true => given_as.to_owned(),
            false => format!("{given_as}={value}"),
        };
        match self.handling {
            Taken => Ok(None),
            Ignored { unsaid, .. } if is_one_of(unsaid) => Ok(None),
            Ignored { reason, .. } => Ok(Some(format!("{given} is ignored: {reason}"))),
            Refused { but, .. } if is_one_of(but) => Ok(None),
            Refused { reason, .. } => Err(format!("{given} can't be heeded: {reason}")),
        }
    }
}
