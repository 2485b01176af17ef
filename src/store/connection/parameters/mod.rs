//! What a connection needs to know, as libpq has it: out of a URL or a key/value string, a service
//! file, variables and a password file.
//!
//! `connection_string` reads the text, `known_parameters` tells what becomes of each parameter,
//! `sourced_values` weighs the sources against each other, and `settings` makes types of the
//! values.

mod connection_string;
mod database_url;
mod known_parameters;
mod parameter_source;
mod password_file;
mod servers;
mod service_file;
mod settings;
mod shown_parameters;
mod sourced_values;
mod tls_parameters;
mod words;

pub use database_url::DatabaseUrl;
pub use parameter_source::ParameterSource;
pub(in crate::store) use servers::Server;
pub use settings::Settings;
pub use shown_parameters::ConnectionParameter;
pub(in crate::store) use words::TargetSession;
