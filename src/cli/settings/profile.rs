//! The configuration file: text in, profiles out. Nothing is looked up here.
//!
//! The tables are walked by hand instead of by serde: its errors can hold values, and a value can
//! be a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::cli::ui::OutputFormat;
use crate::filter::{Zone, nearest};
use crate::output::escape_controls;
use crate::registry::RegistryUrl;
use crate::{kafka, store};

/// What may stand at the top, with an example for hints.
const TOP_KEYS: [(&str, &str); 2] =
    [("default_profile", "default_profile = \"local\""), ("profiles", "[profiles.local]")];

/// What may stand in a profile, with an example for hints.
const PROFILE_KEYS: [(&str, &str); 12] = [
    ("database_url", "database_url = \"postgresql://audit@db.example:5432/audit_db\""),
    ("database_password_file", "database_password_file = \"/run/secrets/audit_db\""),
    ("brokers", "brokers = \"kafka1.example:9092,kafka2.example:9092\""),
    ("kafka", "kafka = { security.protocol = \"SASL_SSL\" }"),
    ("schema_registry", "schema_registry = \"https://registry.example\""),
    ("schema_registry_user", "schema_registry_user = \"audit\""),
    (
        "schema_registry_password_file",
        "schema_registry_password_file = \"/run/secrets/schema_registry\"",
    ),
    ("schema_registry_ca_file", "schema_registry_ca_file = \"/etc/ssl/registry.pem\""),
    ("topics", "topics = [\"orders.events\", \"payments.events\"]"),
    ("group", "group = \"audit-local\""),
    ("tz", "tz = \"Europe/Berlin\""),
    ("output", "output = \"json\""),
];

/// The whole file.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    /// The profile that is used when no other is asked for.
    pub(crate) default_profile: Option<String>,
    /// By name.
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// The settings of one environment. `Debug` shows no secret.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    pub(crate) database_url: Option<store::DatabaseUrl>,
    pub(crate) database_password_file: Option<PathBuf>,
    pub(crate) brokers: Option<String>,
    pub(crate) kafka: Vec<kafka::Setting>,
    pub(crate) registry: RegistryProfile,
    pub(crate) topics: Option<Vec<String>>,
    pub(crate) group: Option<String>,
    pub(crate) tz: Option<String>,
    pub(crate) output: Option<OutputFormat>,
}

/// What a profile says about the schema registry. `Debug` shows no secret.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistryProfile {
    pub(crate) url: Option<RegistryUrl>,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// A mistake in the file. The message shows no value that can be a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) line: usize,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What the names of files in the file are relative to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folders<'a> {
    /// The folder of the file.
    pub(crate) own: &'a Path,
    /// What `~/` means.
    pub(crate) home: Option<&'a Path>,
}

impl ConfigFile {
    /// Reads the text of a file.
    pub(crate) fn parse(text: &str, folders: Folders<'_>) -> Result<Self, Flaw> {
        let reader = Reader { text, folders };
        let table = DeTable::parse(text).map_err(|error| {
            // Of the error only the message: its `Display` shows the line, which can hold a secret.
            reader.flaw(error.span().map_or(0, |span| span.start), error.message())
        })?;
        let mut file = Self::default();
        let mut default_at = 0;
        for (key, value) in entries(table.get_ref()) {
            match key.get_ref().as_ref() {
                "default_profile" => {
                    file.default_profile = Some(reader.text(key, value)?);
                    default_at = key.span().start;
                }
                "profiles" => {
                    for (name, value) in entries(reader.table(key, value)?) {
                        let profile = reader.profile(name, reader.table(name, value)?)?;
                        file.profiles.insert(name.get_ref().to_string(), profile);
                    }
                }
                other if value.get_ref().is_table() => {
                    let flaw = reader.flaw(key.span().start, &format!("unknown table '{other}'"));
                    // `[profile.local]` holds profiles itself.
                    let name = if other == "profile" { "NAME" } else { other };
                    return Err(flaw.with_hint(&format!("a profile is written [profiles.{name}]")));
                }
                other => return Err(reader.unknown(key, &format!("'{other}'"), &TOP_KEYS)),
            }
        }
        match &file.default_profile {
            Some(name) if !file.profiles.contains_key(name) => Err(reader
                .flaw(default_at, &format!("default_profile: there is no profile '{name}'"))
                .with_hint(&file.suggestion(name))),
            _ => Ok(file),
        }
    }

    /// What may have been meant by the name of a profile that doesn't exist.
    pub(crate) fn suggestion(&self, name: &str) -> String {
        let names: Vec<String> = self.profiles.keys().cloned().collect();
        let text = match nearest(name, &names).first() {
            Some(alike) => format!("did you mean {alike}? the profiles are {}", names.join(", ")),
            None if names.is_empty() => format!("there are none; write [profiles.{name}]"),
            None => format!("the profiles are {}", names.join(", ")),
        };
        escape_controls(&text).into_owned()
    }

    /// A key that holds a secret itself, not the name of a file with one.
    pub(crate) fn plain_secret(&self) -> Option<String> {
        self.profiles.iter().find_map(|(name, profile)| {
            let is_secret = |url: &RegistryUrl| url.holds_password();
            let key = match &profile.database_url {
                Some(url) if url.holds_password() => "database_url",
                _ if profile.registry.url.as_ref().is_some_and(is_secret) => "schema_registry",
                _ => profile.kafka.iter().find(|setting| setting.is_plain_secret())?.name(),
            };
            Some(format!("{key} of profile '{name}'"))
        })
    }
}

impl Flaw {
    fn with_hint(self, hint: &str) -> Self {
        Self { hint: Some(escape_controls(hint).into_owned()), ..self }
    }
}

type Key<'i> = Spanned<DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

/// The entries of a table in the order of the file, so that the first flaw is reported.
fn entries<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Key<'i>, &'t Value<'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

struct Reader<'a> {
    text: &'a str,
    folders: Folders<'a>,
}

impl Reader<'_> {
    fn flaw(&self, position: usize, message: &str) -> Flaw {
        let before = self.text.get(..position).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        Flaw { line, message: escape_controls(message).into_owned(), hint: None }
    }

    fn unknown(&self, key: &Key<'_>, what: &str, known: &[(&str, &str)]) -> Flaw {
        let names: Vec<String> = known.iter().map(|(name, _)| (*name).to_owned()).collect();
        let hint = match nearest(key.get_ref(), &names).first() {
            Some(alike) => format!("did you mean {alike}?"),
            None => format!("the keys are {}", names.join(", ")),
        };
        self.flaw(key.span().start, &format!("unknown key {what}")).with_hint(&hint)
    }

    /// A value of another type than the key needs.
    fn mistyped(&self, key: &Key<'_>, value: &Value<'_>, expected: &str) -> Flaw {
        let key = key.get_ref().as_ref();
        let message = format!("{key} is {}, expected {expected}", kind(value.get_ref()));
        let flaw = self.flaw(value.span().start, &message);
        match TOP_KEYS.iter().chain(&PROFILE_KEYS).find(|(name, _)| *name == key) {
            Some((_, example)) => flaw.with_hint(&format!("write {example}")),
            None => flaw,
        }
    }

    fn text(&self, key: &Key<'_>, value: &Value<'_>) -> Result<String, Flaw> {
        match value.get_ref().as_str() {
            Some("") => Err(self.flaw(value.span().start, &format!("{} is empty", key.get_ref()))),
            Some(text) => Ok(text.to_owned()),
            None => Err(self.mistyped(key, value, "text")),
        }
    }

    fn table<'v, 'i>(&self, key: &Key<'i>, value: &'v Value<'i>) -> Result<&'v DeTable<'i>, Flaw> {
        value.get_ref().as_table().ok_or_else(|| self.mistyped(key, value, "a table"))
    }

    fn profile(&self, name: &Key<'_>, table: &DeTable<'_>) -> Result<Profile, Flaw> {
        let mut profile = Profile::default();
        for (key, value) in entries(table) {
            let refused = |message: String| self.flaw(value.span().start, &message);
            match key.get_ref().as_ref() {
                "database_url" => {
                    let url = store::DatabaseUrl::from(self.text(key, value)?);
                    url.check().map_err(|error| match error {
                        store::Error::Url(text) => refused(format!("database_url: {text}")),
                        other => refused(format!("database_url: {other}")),
                    })?;
                    profile.database_url = Some(url);
                }
                "database_password_file" => {
                    profile.database_password_file = Some(self.path(&self.text(key, value)?));
                }
                "brokers" => profile.brokers = Some(self.text(key, value)?),
                "kafka" => self.settings("", self.table(key, value)?, &mut profile.kafka)?,
                "schema_registry" => {
                    let url = RegistryUrl::from(self.text(key, value)?);
                    url.check().map_err(|error| refused(format!("schema_registry: {error}")))?;
                    profile.registry.url = Some(url);
                }
                "schema_registry_user" => {
                    profile.registry.user = Some(self.text(key, value)?);
                }
                "schema_registry_password_file" => {
                    profile.registry.password_file = Some(self.path(&self.text(key, value)?));
                }
                "schema_registry_ca_file" => {
                    profile.registry.ca_file = Some(self.path(&self.text(key, value)?));
                }
                "topics" => {
                    let Some(list) = value.get_ref().as_array() else {
                        return Err(self.mistyped(key, value, "a list"));
                    };
                    let topics = list
                        .iter()
                        .map(|topic| self.text(key, topic))
                        .collect::<Result<Vec<_>, _>>()?;
                    if topics.is_empty() {
                        return Err(refused("topics names no topic".to_owned()));
                    }
                    profile.topics = Some(topics);
                }
                "group" => profile.group = Some(self.text(key, value)?),
                "tz" => {
                    let zone = self.text(key, value)?;
                    zone.parse::<Zone>().map_err(|error| refused(format!("tz: {error}")))?;
                    profile.tz = Some(zone);
                }
                "output" => profile.output = Some(self.format(key, value)?),
                other => {
                    let name = name.get_ref();
                    let flaw =
                        self.unknown(key, &format!("'{other}' in profile '{name}'"), &PROFILE_KEYS);
                    // As in `security.protocol = …`.
                    let is_setting = value.get_ref().is_table() || other.contains('.');
                    let hint =
                        format!("settings of librdkafka are written below [profiles.{name}.kafka]");
                    return Err(if is_setting { flaw.with_hint(&hint) } else { flaw });
                }
            }
        }
        Ok(profile)
    }

    fn format(&self, key: &Key<'_>, value: &Value<'_>) -> Result<OutputFormat, Flaw> {
        let word = self.text(key, value)?;
        OutputFormat::from_str(&word, false).map_err(|_| {
            let names: Vec<&str> =
                OutputFormat::value_variants().iter().map(|format| format.name()).collect();
            self.flaw(value.span().start, &format!("output: there is no format '{word}'"))
                .with_hint(&format!("the formats are {}", names.join(", ")))
        })
    }

    /// Settings of librdkafka. Their names hold dots, which make tables inside tables unless they
    /// are quoted.
    fn settings(
        &self,
        prefix: &str,
        table: &DeTable<'_>,
        settings: &mut Vec<kafka::Setting>,
    ) -> Result<(), Flaw> {
        for (key, value) in entries(table) {
            let name = format!("{prefix}{}", key.get_ref());
            let refused = |message: &str| self.flaw(key.span().start, &format!("kafka: {message}"));
            let given = match value.get_ref() {
                DeValue::Table(inner) => {
                    self.settings(&format!("{name}."), inner, settings)?;
                    continue;
                }
                DeValue::String(text) => match text.strip_prefix('@') {
                    Some(path) => format!("@{}", self.path(path).display()),
                    None => text.to_string(),
                },
                DeValue::Integer(number) => number.to_string(),
                DeValue::Boolean(value) => value.to_string(),
                other => {
                    let message = format!(
                        "{name} is {}, expected text, a whole number, true or false",
                        kind(other)
                    );
                    return Err(refused(&message));
                }
            };
            let setting =
                kafka::Setting::new(name, given).map_err(|error| refused(&error.to_string()))?;
            let name = setting.name();
            if setting.names_brokers() {
                let hint = "write brokers = \"host:port,host:port\" in the profile itself";
                return Err(refused(&format!("{name} has a key of its own")).with_hint(hint));
            }
            match settings.iter().find(|other| other.is_same_as(&setting)) {
                Some(other) if other.name() == name => {
                    return Err(refused(&format!("{name} is set twice")));
                }
                Some(other) => {
                    let message =
                        format!("{} and {name} are two names of one setting", other.name());
                    return Err(refused(&message));
                }
                None => {}
            }
            settings.push(setting);
        }
        Ok(())
    }

    fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), self.folders.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.folders.own.join(text),
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests;
