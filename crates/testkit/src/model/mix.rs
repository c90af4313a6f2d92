//! A hash that is fast and the same on every machine: for ids, commitments, maps, and a run's digest. It keeps nobody out.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hash, Hasher},
};

/// A map without an order.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;
/// A set without an order.
pub(super) type Set<T> = HashSet<T, BuildHasherDefault<Mix>>;
/// A map in the order in which keys came.
pub(super) type Ordered<K, V> = indexmap::IndexMap<K, V, BuildHasherDefault<Mix>>;

/// The hash's state.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Mix(u64);

impl Mix {
    /// Returns the hash of a value.
    pub(super) fn of(value: &impl Hash) -> u64 {
        let mut mix = Self::default();
        value.hash(&mut mix);
        mix.finish()
    }
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.write_u64(word);
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        let mixed = self.0.wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ mixed >> 32
    }
}
