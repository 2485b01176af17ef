//! From what was typed, exported and written in a profile to what holds: which of them wins.
//! (`argument_settings` fills in the arguments of a command that were not typed.)
//!
//! An option, then the profile of `--profile`, then a variable, then the profile of `AUDIT_PROFILE`
//! or `default_profile`. Who types `--profile production` means it, whatever the shell has
//! exported.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{ArgMatches, ValueEnum};

use super::config_file;
use super::config_file::ConfigSearch;
use super::connection_args::ConnectionArgs;
use super::profile_choice::{ProfileChoice, password_of_file};
use super::registry_settings::RegistrySettings;
use super::sourced::{SettingSource, Sourced, exported, given};
use crate::cli::ui::{Exit, Failure, OutputFormat, Ui};
use crate::{kafka, registry, store};

/// Every setting that was given anywhere, with its source. `Debug` shows no secret.
#[derive(Debug, Default)]
pub(crate) struct ResolvedSettings {
    pub(crate) search: ConfigSearch,
    pub(crate) profile: Option<Sourced<String>>,
    pub(crate) database_url: Option<Sourced<store::DatabaseUrl>>,
    pub(crate) database_password_file: Option<Sourced<PathBuf>>,
    pub(crate) brokers: Option<Sourced<String>>,
    pub(crate) kafka: Vec<Sourced<kafka::Setting>>,
    pub(crate) registry: RegistrySettings,
    pub(crate) topics: Option<Sourced<Vec<String>>>,
    pub(crate) group: Option<Sourced<String>>,
    pub(crate) tz: Option<Sourced<String>>,
    pub(crate) output: Option<Sourced<OutputFormat>>,
    /// What was given and does not hold, in words for the user.
    pub(crate) notices: Vec<String>,
    /// Whether the same was said about the database.
    is_database_told: AtomicBool,
}

impl ResolvedSettings {
    /// Weighs the arguments against the variables and the file.
    pub(crate) fn resolve(args: &ConnectionArgs, matches: &ArgMatches) -> Result<Self, Failure> {
        let search = config_file::find(|name| std::env::var_os(name))?;
        let (chosen, profile) = ProfileChoice::choose(args, matches, &search)?;

        let url = args.database_url.clone().filter(|url| !url.as_str().is_empty());
        let url = given(url, matches, "database_url", ["--database-url", "AUDIT_DATABASE_URL"]);
        let database_url = chosen.first(url, profile.database_url);
        let brokers = args.brokers.clone().filter(|brokers| !brokers.is_empty());
        let brokers = given(brokers, matches, "brokers", ["--brokers", "AUDIT_BROKERS"])
            .or_else(|| exported("KAFKA_BROKERS"));
        let mut notices = Vec::new();
        let brokers = match (brokers, brokers_of_settings(&args.kafka_settings)?) {
            (Some(brokers), Some((name, _))) if brokers.source.is_typed() => {
                notices.push(format!("-X {name} is ignored: --brokers names the brokers"));
                Some(brokers)
            }
            (_, Some((_, brokers))) => Some(brokers),
            (brokers, None) => brokers,
        };
        let brokers = chosen.first(brokers, profile.brokers);

        let to_database = chosen.goes_with(database_url.as_ref());
        let to_brokers = chosen.goes_with(brokers.as_ref());
        let of_profile = profile.kafka.into_iter().filter(|_| to_brokers);
        let mut kafka: Vec<Sourced<_>> =
            of_profile.filter_map(|setting| chosen.first(None, Some(setting))).collect();
        for setting in args.kafka_settings.iter().filter(|setting| !setting.names_brokers()) {
            kafka.retain(|other| !other.value.is_same_as(setting));
            kafka.push(Sourced { value: setting.clone(), source: SettingSource::Typed("-X") });
        }
        let registry = RegistrySettings::resolve(matches, &chosen, profile.registry);
        let output = exported("AUDIT_OUTPUT").and_then(|word| {
            let value = OutputFormat::from_str(&word.value, false).ok()?;
            Some(Sourced { value, source: word.source })
        });
        Ok(Self {
            database_password_file: chosen
                .first(None, profile.database_password_file.filter(|_| to_database)),
            topics: chosen.first(None, profile.topics.filter(|_| to_brokers)),
            // A group reads for one database: with another one it would take the partitions of its
            // own ingesters.
            group: chosen.first(None, profile.group.filter(|_| to_brokers && to_database)),
            tz: chosen.first(None, profile.tz),
            output: chosen.first(output, profile.output),
            profile: chosen.name,
            notices,
            is_database_told: AtomicBool::new(false),
            search,
            database_url,
            brokers,
            kafka,
            registry,
        })
    }

    /// The password out of the profile's file for it: the first line.
    fn password_of_file(&self) -> Result<Option<String>, Failure> {
        let Some(Sourced { value: path, source }) = &self.database_password_file else {
            return Ok(None);
        };
        password_of_file("database_password_file", path, source).map(Some)
    }

    /// The schema registry's settings, where one is given.
    pub(crate) fn schema_registry(&self) -> Result<Option<registry::Settings>, Failure> {
        self.registry.settings()
    }

    /// The database's settings. Says on stderr, once, what was given and is not heeded.
    pub(crate) fn database(&self) -> Result<store::Settings, Failure> {
        let settings = self.quiet_database()?;
        if !self.is_database_told.swap(true, Ordering::Relaxed) {
            settings.notices().iter().for_each(|notice| Ui::default().status(notice));
        }
        Ok(settings)
    }

    /// The database's settings, without a word about them.
    pub(crate) fn quiet_database(&self) -> Result<store::Settings, Failure> {
        let url = self.database_url.as_ref().map(|url| url.value.as_str());
        let password = self.password_of_file()?;
        let read = store::Settings::resolve(url, password, |name| std::env::var(name).ok());
        read.map_err(|error| match (error, &self.database_url) {
            (store::Error::Url(reason), Some(url)) => {
                Failure::usage(format!("{}: {reason}", url.source.of_key("database_url")))
            }
            (error, _) => Failure::from(error).with_exit(Exit::Usage),
        })
    }

    /// Connects to the database and checks its schema. `application` is what `pg_stat_activity`
    /// shows.
    pub(crate) async fn session(&self, application: &str) -> Result<store::Session, Failure> {
        Ok(store::Session::open(&self.database()?, application).await?)
    }

    /// Whether Kafka's settings can be heeded, where brokers are given: for commands that show what
    /// they know without Kafka, but not where it could never answer.
    pub(crate) fn check_kafka(&self) -> Result<(), Failure> {
        if self.brokers.is_some() { self.kafka().map(drop) } else { Ok(()) }
    }

    /// Kafka's settings.
    pub(crate) fn kafka(&self) -> Result<kafka::Settings, Failure> {
        let brokers = self.brokers.as_ref().ok_or_else(|| {
            Failure::usage("no Kafka brokers are given")
                .with_hint("--brokers HOST:PORT, AUDIT_BROKERS, or brokers in a profile")
        })?;
        let settings: Vec<_> = self.kafka.iter().map(|setting| setting.value.clone()).collect();
        kafka::Settings::new(&brokers.value, &settings).map_err(|error| {
            let message = match &error {
                kafka::Error::Brokers(reason) => {
                    format!("{}: {reason}", brokers.source.of_key("brokers"))
                }
                kafka::Error::Setting(reason) => {
                    let named = |setting: &&Sourced<kafka::Setting>| {
                        reason.starts_with(setting.value.name())
                    };
                    let source = self.kafka.iter().find(named).map(|setting| &setting.source);
                    let source = source.map_or("-X".to_owned(), |source| source.of_key("kafka"));
                    format!("{source}: {reason}")
                }
                other => other.to_string(),
            };
            Failure::usage(message).with_hint(error.hint().unwrap_or_default())
        })
    }
}

/// The brokers that `-X` names, with the name that it has for them: they count as `--brokers`.
fn brokers_of_settings(
    settings: &[kafka::Setting],
) -> Result<Option<(&str, Sourced<String>)>, Failure> {
    let Some(setting) = settings.iter().rfind(|setting| setting.names_brokers()) else {
        return Ok(None);
    };
    let value = setting.value().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Some((setting.name(), Sourced { value, source: SettingSource::Typed("-X") })))
}
