//! What serialisers put around a value: Kafka Connect's JSON converter (`connect`, with the logical
//! types of its schemas), Confluent's wire format, quotes, and structs of one field (`carried`).

mod carried;
mod connect;
mod decimal;
mod logical_type;
mod rewrite;
#[cfg(test)]
mod rewrite_test;
mod time_text;
mod wire_format;

pub(crate) use carried::carried;
pub(in crate::event) use carried::carried_by_json;
pub(in crate::event) use connect::{payload, payload_of_text};
pub(crate) use decimal::number as decimal_number;
pub(crate) use logical_type::LogicalType;
pub(crate) use wire_format::header_and_data;
pub(in crate::event) use wire_format::json_after_header;
