//! The tree over a log's leaves, by RFC 6962 section 2.1, kept as its right edge: enough to go on and to give the root.

use crate::{Hash, Malformed, bytes::Reader, sha256};

/// A tree's right edge: the roots of its full subtrees, largest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// Returns how many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut node = sha256(&[&[0], leaf]);
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = sha256(&[&[1], &left, &node]);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Returns the root; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return sha256(&[]);
        };
        peaks.fold(*last, |right, left| sha256(&[&[1], left, &right]))
    }

    /// Returns the tree's bytes: its size, then its peaks.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for peak in &self.peaks {
            bytes.extend_from_slice(peak);
        }
        bytes
    }

    /// Reads a tree's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("tree", bytes);
        let size = reader.u64()?;
        let mut peaks = Vec::new();
        for _ in 0..size.count_ones() {
            peaks.push(reader.array()?);
        }
        if reader.is_empty() {
            Ok(Self { size, peaks })
        } else {
            Err(Malformed::Length {
                what: "tree",
                expected: 8 + 32 * peaks.len(),
                found: bytes.len(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6962's own recursion: split at the largest power of two below the size.
    fn by_the_book(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [leaf] => sha256(&[&[0], leaf]),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                sha256(&[
                    &[1],
                    &by_the_book(&leaves[..split]),
                    &by_the_book(&leaves[split..]),
                ])
            }
        }
    }

    proptest! {
        #[test]
        fn the_edge_gives_the_root_of_the_whole_tree(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..70)) {
            let mut tree = Tree::default();
            for leaf in &leaves {
                tree.push(leaf);
            }
            prop_assert_eq!(tree.root(), by_the_book(&leaves));
            prop_assert_eq!(Tree::decode(&tree.encode()), Ok(tree));
        }
    }
}
