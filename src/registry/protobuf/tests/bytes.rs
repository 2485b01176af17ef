//! The wire format, written by hand.

/// A number in as few bytes as it needs.
pub(super) fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn tag(field: u32, wire_type: u32) -> Vec<u8> {
    number((field << 3 | wire_type).into())
}

/// A field of the wire type 0.
pub(super) fn varint(field: u32, value: u64) -> Vec<u8> {
    [tag(field, 0), number(value)].concat()
}

/// A field of the wire type 1.
pub(super) fn fixed64(field: u32, value: u64) -> Vec<u8> {
    [tag(field, 1), value.to_le_bytes().to_vec()].concat()
}

/// A field of the wire type 2.
pub(super) fn bytes(field: u32, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [tag(field, 2), number(value.len() as u64), value.to_vec()].concat()
}

/// A field of the wire types 3 and 4.
pub(super) fn group(field: u32, value: impl AsRef<[u8]>) -> Vec<u8> {
    [tag(field, 3), value.as_ref().to_vec(), tag(field, 4)].concat()
}

/// A field of the wire type 5.
pub(super) fn fixed32(field: u32, value: u32) -> Vec<u8> {
    [tag(field, 5), value.to_le_bytes().to_vec()].concat()
}

/// An entry of a map.
pub(super) fn entry(field: u32, key: Vec<u8>, value: Vec<u8>) -> Vec<u8> {
    bytes(field, [key, value].concat())
}
