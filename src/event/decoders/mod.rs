//! One decoder for each format that a record can have.

pub(in crate::event) mod cloud_event_schemas;
pub(in crate::event) mod cloud_events;
pub(in crate::event) mod confluent;
pub(in crate::event) mod debezium;
pub(in crate::event) mod native;
mod outbox_table;
pub(in crate::event) mod plain;
