//! Reading fixed layouts: every read is checked, and what is left over is an error.

use posko_proto::NodeId;

use crate::Malformed;

pub(crate) struct Reader<'a> {
    what: &'static str,
    whole: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            what,
            whole: bytes.len(),
            rest: bytes,
        }
    }

    /// Reads a layout of exactly `length` bytes.
    pub(crate) fn exactly(
        what: &'static str,
        bytes: &'a [u8],
        length: usize,
    ) -> Result<Self, Malformed> {
        if bytes.len() == length {
            Ok(Self::new(what, bytes))
        } else {
            Err(Malformed::Length {
                what,
                expected: length,
                found: bytes.len(),
            })
        }
    }

    pub(crate) fn slice(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let expected = self.whole - self.rest.len() + length;
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(Malformed::Length {
                what: self.what,
                expected,
                found: self.whole,
            });
        };
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(N)?);
        Ok(array)
    }

    pub(crate) fn prefix(
        &mut self,
        expected: &'static [u8],
        shown: &'static str,
    ) -> Result<(), Malformed> {
        if self.slice(expected.len())? == expected {
            Ok(())
        } else {
            Err(Malformed::Prefix {
                what: self.what,
                expected: shown,
            })
        }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn origin(&mut self) -> Result<NodeId, Malformed> {
        NodeId::from_padded(self.array()?).map_err(|_| Malformed::Origin { what: self.what })
    }

    pub(crate) fn field(&self, field: &'static str, value: u64) -> Malformed {
        Malformed::Field {
            what: self.what,
            field,
            value,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}
