//! Takes away from a file what reading values does not need: options of others' making, which
//! may be wrong without any harm, services, reserved names, places in the source. What is left
//! is checked quickly, however it was made.

use prost_reflect::prost_types::uninterpreted_option::NamePart;
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, UninterpretedOption,
};

/// Takes away what is not needed.
pub(super) fn lighten(file: &mut FileDescriptorProto) {
    file.source_code_info = None;
    file.options = None;
    file.service.clear();
    file.message_type.iter_mut().for_each(lighten_message);
    file.enum_type.iter_mut().for_each(lighten_enum);
    file.extension.iter_mut().for_each(lighten_field);
}

fn lighten_message(message: &mut DescriptorProto) {
    if let Some(options) = &mut message.options {
        keep_simple(&mut options.uninterpreted_option, &["map_entry"]);
    }
    for range in &mut message.extension_range {
        range.options = None;
    }
    for oneof in &mut message.oneof_decl {
        oneof.options = None;
    }
    message.reserved_range.clear();
    message.reserved_name.clear();
    message.field.iter_mut().for_each(lighten_field);
    message.extension.iter_mut().for_each(lighten_field);
    message.enum_type.iter_mut().for_each(lighten_enum);
    message.nested_type.iter_mut().for_each(lighten_message);
}

fn lighten_field(field: &mut FieldDescriptorProto) {
    // Packed or not, and with or without a default of its own: both are read alike.
    field.options = None;
    field.default_value = None;
}

fn lighten_enum(enumeration: &mut EnumDescriptorProto) {
    let options = enumeration.options.get_or_insert_default();
    keep_simple(&mut options.uninterpreted_option, &[]);
    // Of two names of one number the first is written, whether or not the schema allows it.
    options.allow_alias = Some(true);
    enumeration.reserved_range.clear();
    enumeration.reserved_name.clear();
    for value in &mut enumeration.value {
        value.options = None;
    }
    // The library inserts them into a sorted list. The first is the default, and stays first.
    if let Some((_, rest)) = enumeration.value.split_first_mut() {
        rest.sort_by_key(EnumValueDescriptorProto::number);
    }
}

/// Keeps the options of these names.
fn keep_simple(options: &mut Vec<UninterpretedOption>, names: &[&str]) {
    options.retain(|option| {
        matches!(option.name.as_slice(), [NamePart { name_part, is_extension: false }]
            if names.contains(&name_part.as_str()))
    });
}
