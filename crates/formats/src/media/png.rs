//! PNG: chunks; kept are those that decode the picture, its colors and its frames.

use super::{Head, MediaError, To, take};

const MEDIA: &str = "PNG";
pub(super) const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
/// The chunks that are kept: no text, no time, no EXIF, and none that is not known here.
const KEPT: [&[u8; 4]; 20] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
    b"pHYs", b"bKGD", b"hIST", b"cICP", b"mDCV", b"cLLI", b"mDCv", b"acTL", b"fcTL", b"fdAT",
];
/// The longest chunk (PNG 5.3).
const LONGEST: u32 = i32::MAX as u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Next {
    #[default]
    Signature,
    First,
    Chunk,
    Keep {
        left: u64,
        last: bool,
    },
    Drop(u64),
    End,
}

#[derive(Debug, Default)]
pub(super) struct Png {
    next: Next,
    head: Head,
    removed: u64,
    shown: bool,
}

impl Png {
    pub(super) fn push(&mut self, mut part: &[u8], to: &mut To<'_>) -> Result<(), MediaError> {
        let (begin, length) = (to.at, part.len());
        while !part.is_empty() {
            to.at = begin + (length - part.len()) as u64;
            self.step(&mut part, to)?;
        }
        Ok(())
    }

    fn step(&mut self, part: &mut &[u8], to: &mut To<'_>) -> Result<(), MediaError> {
        match self.next {
            Next::Signature => {
                if let Some(signature) = self.head.take(part, SIGNATURE.len(), to) {
                    to.out.extend_from_slice(&signature);
                    self.next = Next::First;
                }
            }
            Next::First | Next::Chunk => {
                if let Some(head) = self.head.take(part, 8, to) {
                    self.chunk(&head, to)?;
                }
            }
            Next::Keep { mut left, last } => {
                to.out.extend_from_slice(take(part, &mut left));
                self.next = match left {
                    0 if last => Next::End,
                    0 => Next::Chunk,
                    left => Next::Keep { left, last },
                };
            }
            Next::Drop(mut left) => {
                take(part, &mut left);
                self.next = if left == 0 {
                    Next::Chunk
                } else {
                    Next::Drop(left)
                };
            }
            Next::End => {
                self.removed += part.len() as u64;
                *part = &[];
            }
        }
        Ok(())
    }

    fn chunk(&mut self, head: &[u8], to: &mut To<'_>) -> Result<(), MediaError> {
        let (Some(length), Some(name)) = (head.first_chunk::<4>(), head.last_chunk::<4>()) else {
            return Ok(());
        };
        let length = u32::from_be_bytes(*length);
        if length > LONGEST || !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(damaged(to, "a chunk is expected"));
        }
        if self.next == Next::First && name != b"IHDR" {
            return Err(damaged(to, "the first chunk is not `IHDR`"));
        }
        // The checksum follows.
        let left = u64::from(length) + 4;
        if KEPT.contains(&name) {
            to.out.extend_from_slice(head);
            self.shown |= name == b"IDAT";
            self.next = Next::Keep {
                left,
                last: name == b"IEND",
            };
        } else {
            self.removed += left + 8;
            self.next = Next::Drop(left);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<u64, MediaError> {
        if self.next == Next::End && self.shown {
            Ok(self.removed)
        } else {
            Err(MediaError::CutOff { media: MEDIA })
        }
    }
}

fn damaged(to: &To<'_>, detail: &'static str) -> MediaError {
    MediaError::Damaged {
        media: MEDIA,
        at: to.at,
        detail,
    }
}
