//! Settings of librdkafka: one by one, under which name, and all together.

mod brokers;
mod client_settings;
mod setting;
mod setting_names;

pub use brokers::shown_brokers;
pub use client_settings::Settings;
pub use setting::Setting;
