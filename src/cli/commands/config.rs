//! `audit config`: which settings hold, and where each comes from.

use clap::{Args, Subcommand};

use crate::cli::settings::{
    ArgumentSettings, ConfigSearch, DEFAULT_TOPICS, PasswordSource, ResolvedSettings, Sourced,
};
use crate::cli::shared::{Context, OutputArgs, Run, print_rows};
use crate::cli::ui::{Exit, Failure};
use crate::kafka;
use crate::output::{Column, Emphasis, escape_controls};
use crate::store;
use crate::store::{ConnectionParameter, ParameterSource};
use crate::value::Value;

/// Tell which settings hold, and where each comes from
///
/// Settings for several environments stand as profiles in one file: the one that AUDIT_CONFIG
/// names, else audit/config.toml in XDG_CONFIG_HOME, else ~/.config/audit/config.toml. `--profile
/// NAME` or AUDIT_PROFILE chooses one, else default_profile.
#[derive(Debug, Args)]
#[command(after_help = "\
A file with every key there is:
  default_profile = \"local\"

  [profiles.local]
  database_url = \"postgresql://localhost/audit_db\"
  brokers = \"localhost:9092\"

  [profiles.production]
  database_url = \"postgresql://audit@db.example/audit_db?sslmode=verify-full\"
  database_password_file = \"~/.secrets/audit_db\"  # first line; or PGPASSFILE
  brokers = \"kafka1.example:9092,kafka2.example:9092\"
  topics = [\"orders.events\", \"orders.events-dlt\"] # for --topics
  group = \"audit-production\"                      # for ingest --group
  schema_registry = \"https://registry.example\"   # for --schema-registry
  schema_registry_user = \"audit\"
  schema_registry_password_file = \"registry.txt\" # first line
  schema_registry_ca_file = \"registry.pem\"       # certificates to trust
  tz = \"Europe/Berlin\"                            # for --tz
  output = \"json\"                                 # for -o, as AUDIT_OUTPUT

  [profiles.production.kafka]                     # as -X
  security.protocol = \"SASL_SSL\"
  sasl.mechanism = \"SCRAM-SHA-512\"
  sasl.username = \"audit\"
  sasl.password = \"@/run/secrets/kafka\"           # @ reads it from a file

Which value holds: an option, else the profile of --profile, else a variable
such as AUDIT_BROKERS, else the profile of AUDIT_PROFILE or default_profile,
else the PG* variables and defaults. Names of files are relative to the folder
of this one. A file that holds a secret itself is refused where others can
read it.

What a profile says about a server (user, password, kafka, topics, group) is
for its own server: where a variable names another one, it holds only with
--profile.

Examples:
  audit config show
  audit --profile demo config show -o json")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Show(ShowConfigArgs),
}

/// Show each setting, its value, and where it comes from
///
/// Neither the database nor Kafka is asked. Passwords and other secrets are not shown. Says on
/// stderr which file was read, and which profiles it has.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit config show
  audit --profile demo config show
  audit config show -o json | \\
    jq -r '.[] | select(.setting == \"brokers\").value'")]
pub(crate) struct ShowConfigArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl Run for ConfigArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        let ConfigCommand::Show(args) = &mut self.command;
        settings.output(&mut args.output.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ConfigCommand::Show(args) = self.command;
        show(&args, context)
    }
}

fn show(args: &ShowConfigArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let settings = context.settings;
    context.ui.status(&escape_controls(&file_line(&settings.search)));
    let database = settings.database();
    let password_file =
        settings.database_password_file.as_ref().map(|file| file.map(|path| path.display()));
    let topics = settings.topics.as_ref().map(|topics| topics.map(|topics| topics.join(",")));
    let output = settings.output.as_ref().map(|output| output.map(|format| format.name()));
    let mut table = SettingsTable::default();
    table.setting("profile", settings.profile.as_ref(), None);
    table.setting("database_url", settings.database_url.as_ref(), None);
    table.setting("database_password_file", password_file.as_ref(), None);
    for parameter in database.iter().flat_map(store::Settings::parameters) {
        table.parameter(parameter, settings);
    }
    let brokers =
        settings.brokers.as_ref().map(|brokers| brokers.map(|given| kafka::shown_brokers(given)));
    table.setting("brokers", brokers.as_ref(), None);
    for setting in &settings.kafka {
        let name = format!("kafka.{}", setting.value.name());
        table.setting(&name, Some(&setting.map(kafka::Setting::shown)), None);
    }
    table.registry(settings);
    table.setting("topics", topics.as_ref(), Some(DEFAULT_TOPICS));
    table.setting("group", settings.group.as_ref(), None);
    table.setting("tz", settings.tz.as_ref(), Some("UTC"));
    table.setting("output", output.as_ref(), None);
    let names = ["setting", "value", "source"];
    let columns = [Column::new("setting"), Column::new("value").explains(), Column::new("source")];
    let exit = print_rows(&columns, &names, table.rows, "", &args.output, context.ui)?;
    // Only now: what could be found out helps to see what is wrong.
    database?;
    settings.check_kafka()?;
    settings.schema_registry()?;
    Ok(exit)
}

/// One row for each setting.
#[derive(Default)]
struct SettingsTable {
    rows: Vec<(Vec<Value<'static>>, Emphasis)>,
}

impl SettingsTable {
    /// A setting that an option, a variable or a profile can give.
    fn setting(
        &mut self,
        name: &str,
        given: Option<&Sourced<impl ToString>>,
        default: Option<&str>,
    ) {
        match given {
            Some(given) => {
                self.row(name, Some(given.value.to_string()), Some(given.source.to_string()));
            }
            None => {
                self.row(name, default.map(str::to_owned), default.map(|_| "default".to_owned()));
            }
        }
    }

    /// A parameter of the connection to the database.
    fn parameter(&mut self, parameter: ConnectionParameter, settings: &ResolvedSettings) {
        let of_url = settings.database_url.as_ref().map(|url| url.source.to_string());
        let source = match parameter.source {
            ParameterSource::Url => of_url,
            ParameterSource::Given => Some("database_password_file".to_owned()),
            ParameterSource::Variable(name) => Some(name.to_owned()),
            ParameterSource::Service => Some("service".to_owned()),
            ParameterSource::PasswordFile => Some("~/.pgpass".to_owned()),
            ParameterSource::UsualFile => Some("~/.postgresql".to_owned()),
            ParameterSource::Default => Some("default".to_owned()),
        };
        self.row(&format!("database_{}", parameter.name), parameter.value, source);
    }

    /// The schema registry, without its secrets.
    fn registry(&mut self, settings: &ResolvedSettings) {
        let given = &settings.registry;
        self.setting("schema_registry", given.url.as_ref(), None);
        self.setting("schema_registry_user", given.user.as_ref(), None);
        let (mut file, mut source) = (None, None);
        match given.password.as_ref().map(|password| (password, &password.value)) {
            Some((found, PasswordSource::File(path))) => {
                file = Some(found.map(|_| path.display()));
                source = Some("schema_registry_password_file".to_owned());
            }
            Some((found, PasswordSource::Variable)) => source = Some(found.source.to_string()),
            None => {}
        }
        self.setting("schema_registry_password_file", file.as_ref(), None);
        let password = source.as_ref().map(|_| "set".to_owned());
        self.row("schema_registry_password", password, source);
        let ca_file = given.ca_file.as_ref().map(|file| file.map(|path| path.display()));
        self.setting("schema_registry_ca_file", ca_file.as_ref(), None);
    }

    fn row(&mut self, setting: &str, value: Option<String>, source: Option<String>) {
        let cells = vec![setting.to_owned().into(), value.into(), source.into()];
        self.rows.push((cells, Emphasis::None));
    }
}

/// Which file was read, and which profiles it has.
fn file_line(search: &ConfigSearch) -> String {
    let (path, file) = match search {
        ConfigSearch { path: None, .. } => {
            return "no configuration file: neither AUDIT_CONFIG, XDG_CONFIG_HOME nor HOME is set"
                .to_owned();
        }
        ConfigSearch { path: Some(path), file: None } => {
            return format!("there is no {}", path.display());
        }
        ConfigSearch { path: Some(path), file: Some(file) } => (path.display(), file),
    };
    let names: Vec<&str> = file.profiles.keys().map(String::as_str).collect();
    match names.is_empty() {
        true => format!("read {path}: no profiles"),
        false => format!("read {path}: profiles {}", names.join(", ")),
    }
}
