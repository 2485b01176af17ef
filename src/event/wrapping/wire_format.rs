//! Confluent's wire format: a byte 0, the schema's id as four bytes (big-endian), then the data.

/// The schema's id and the data.
pub(crate) fn header_and_data(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (&[0, a, b, c, d], data) = bytes.split_first_chunk::<5>()? else {
        return None;
    };
    Some((u32::from_be_bytes([a, b, c, d]), data))
}

/// The schema's id and the data, where it begins like JSON.
pub(in crate::event) fn json_after_header(value: &[u8]) -> Option<(u32, &[u8])> {
    let (schema_id, data) = header_and_data(value)?;
    let first = data.iter().find(|byte| !byte.is_ascii_whitespace())?;
    matches!(first, b'{' | b'[' | b'"').then_some((schema_id, data))
}
