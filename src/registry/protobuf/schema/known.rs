//! Files that schemas import and nobody registers: Google's own, which the library has, and those
//! that Confluent's serialisers have built in.

use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::FileDescriptorProto;

/// The text of a file that Confluent's serialisers have built in.
pub(super) fn text(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The descriptor of one of the files below google/protobuf.
pub(super) fn descriptor(name: &str) -> Option<FileDescriptorProto> {
    let file = DescriptorPool::global().get_file_by_name(name)?;
    name.starts_with("google/protobuf/").then(|| file.file_descriptor_proto().clone())
}

/// The files whose messages an Any may hold without an import, each behind those that it imports.
pub(super) const WELL_KNOWN: [&str; 11] = [
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/source_context.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
    "google/protobuf/type.proto",
    "google/protobuf/api.proto",
    "google/protobuf/descriptor.proto",
];

macro_rules! known {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../known/", $name)))),*]
    };
}

const KNOWN: [(&str, &str); 20] = known![
    "confluent/meta.proto",
    "confluent/type/decimal.proto",
    "confluent/type/variant.proto",
    "google/type/calendar_period.proto",
    "google/type/color.proto",
    "google/type/date.proto",
    "google/type/datetime.proto",
    "google/type/dayofweek.proto",
    "google/type/decimal.proto",
    "google/type/expr.proto",
    "google/type/fraction.proto",
    "google/type/interval.proto",
    "google/type/latlng.proto",
    "google/type/localized_text.proto",
    "google/type/money.proto",
    "google/type/month.proto",
    "google/type/phone_number.proto",
    "google/type/postal_address.proto",
    "google/type/quaternion.proto",
    "google/type/timeofday.proto",
];

/// The names of all of them.
#[cfg(test)]
pub(in crate::registry::protobuf) fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, _)| *name).chain(WELL_KNOWN)
}
