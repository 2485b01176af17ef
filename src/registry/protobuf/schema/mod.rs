//! From the text of a schema to the tables that values are read by.

mod compile;
mod known;
mod lighten;
mod numbering;
mod tables;

pub(in crate::registry::protobuf) use compile::{Imports, compile};
pub(in crate::registry::protobuf) use numbering::Numbering;
pub(in crate::registry::protobuf) use tables::{Field, Form, Kind, Message, Shape, Tables};

#[cfg(test)]
pub(in crate::registry::protobuf) use compile::descriptors;
#[cfg(test)]
pub(in crate::registry::protobuf) use known::names as known_names;
