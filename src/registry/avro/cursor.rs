//! Avro's binary encoding, byte by byte.

use super::fault::Fault;

/// Bytes, and how far they were read.
#[derive(Debug)]
pub(super) struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Cursor<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The place of the next byte.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// A number of up to 64 bits: seven of them in a byte, the lowest first, the sign in the lowest
    /// of all.
    #[inline]
    pub(super) fn long(&mut self) -> Result<i64, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut value = 0_u64;
        for (index, byte) in rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 == 0 {
                if index == 9 && *byte > 1 {
                    return Err(Fault::NumberTooLong);
                }
                self.at += index + 1;
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(if rest.len() < 10 { Fault::EndsEarly { needed: 1 } } else { Fault::NumberTooLong })
    }

    /// A number of 32 bits.
    #[inline]
    pub(super) fn int(&mut self) -> Result<i32, Fault> {
        let value = self.long()?;
        i32::try_from(value).map_err(|_| Fault::NotAnInt(value))
    }

    /// The next `length` bytes.
    #[inline]
    pub(super) fn take(&mut self, length: u64) -> Result<&'b [u8], Fault> {
        let left = self.left();
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match usize::try_from(length).ok().and_then(|length| rest.get(..length)) {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None => Err(Fault::EndsEarly { needed: length.saturating_sub(left as u64) }),
        }
    }

    /// Bytes of one length, as an array.
    #[inline]
    pub(super) fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Fault> {
        let taken = self.take(LENGTH as u64)?;
        taken.try_into().map_err(|_| Fault::EndsEarly { needed: LENGTH as u64 })
    }

    /// Bytes behind their length.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'b [u8], Fault> {
        let length = self.long()?;
        match u64::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => Err(Fault::NegativeLength(length)),
        }
    }

    /// Text behind its length.
    #[inline]
    pub(super) fn text(&mut self) -> Result<&'b str, Fault> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Fault::NotUtf8)
    }

    /// How many items a block of an array or map has; 0 ends it. A negative number has the block's
    /// bytes behind it, for readers that skip.
    pub(super) fn block(&mut self) -> Result<u64, Fault> {
        let count = self.long()?;
        if count >= 0 {
            return Ok(count.unsigned_abs());
        }
        let length = self.long()?;
        if length < 0 {
            return Err(Fault::NegativeLength(length));
        }
        if length as u64 > self.left() as u64 {
            return Err(Fault::EndsEarly { needed: length as u64 - self.left() as u64 });
        }
        Ok(count.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn numbers_have_seven_bits_in_a_byte() {
        for (bytes, number) in [
            (&[0][..], 0),
            (&[1], -1),
            (&[2], 1),
            (&[0x80, 1], 64),
            (&[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], i64::MAX),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], i64::MIN),
            (&[0x82, 0x80, 0], 1),
        ] {
            let mut cursor = Cursor::new(bytes);
            assert_eq!(cursor.long().ok(), Some(number), "{bytes:?}");
            assert_eq!(cursor.left(), 0, "{bytes:?}");
        }
        for bytes in [&[][..], &[0x80], &[0xFF; 9], &[0xFF; 10], &[0xFF; 11]] {
            assert_eq!(Cursor::new(bytes).long().ok(), None, "{bytes:?}");
        }
        let beyond = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2];
        assert_eq!(Cursor::new(&beyond).long().ok(), None);
    }
}
