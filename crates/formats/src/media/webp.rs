//! WebP: chunks of a RIFF file; what is not kept is overwritten with zeros in a chunk that no reader knows, so that the
//! length at the file's beginning, which is written before the rest is seen, stays right.

use super::{Head, MediaError, To, take};

const MEDIA: &str = "WebP";
/// The chunks that are kept (RFC 9649, 2.7).
const KEPT: [&[u8; 4]; 7] = [
    b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];
/// The flags of `VP8X` that say that EXIF and XMP follow.
const METADATA_FLAGS: u8 = 0x08 | 0x04;
/// How much of a frame stands before its own chunks.
const FRAME_HEAD: u64 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Next {
    #[default]
    Start,
    Chunk,
    Flags(u64),
    Keep(u64),
    Blank(u64),
    End,
}

#[derive(Debug, Default)]
pub(super) struct Webp {
    next: Next,
    head: Head,
    removed: u64,
    /// How much of the file is still to come, by its head.
    left: u64,
    shown: bool,
}

impl Webp {
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
            Next::Start => {
                if let Some(head) = self.head.take(part, 12, to) {
                    let size = head.get(4..).and_then(<[u8]>::first_chunk::<4>);
                    let size = size.map_or(0, |size| u64::from(u32::from_le_bytes(*size)));
                    self.left = size.saturating_sub(4);
                    to.out.extend_from_slice(&head);
                    self.between();
                }
            }
            Next::Chunk => {
                if let Some(head) = self.head.take(part, 8, to) {
                    self.chunk(&head, to)?;
                }
            }
            Next::Flags(left) => {
                if let Some((flags, rest)) = part.split_first() {
                    to.out.push(flags & !METADATA_FLAGS);
                    *part = rest;
                    self.next = Next::Keep(left - 1);
                    self.passed(left - 1);
                }
            }
            Next::Keep(mut left) => {
                to.out.extend_from_slice(take(part, &mut left));
                self.next = Next::Keep(left);
                self.passed(left);
            }
            Next::Blank(mut left) => {
                let length = take(part, &mut left).len();
                to.out.resize(to.out.len() + length, 0);
                self.next = Next::Blank(left);
                self.passed(left);
            }
            Next::End => {
                self.removed += part.len() as u64;
                *part = &[];
            }
        }
        Ok(())
    }

    fn passed(&mut self, left: u64) {
        if left == 0 {
            self.between();
        }
    }

    /// Goes on between two chunks.
    fn between(&mut self) {
        self.next = if self.left == 0 {
            Next::End
        } else {
            Next::Chunk
        };
    }

    fn chunk(&mut self, head: &[u8], to: &mut To<'_>) -> Result<(), MediaError> {
        let (Some(name), Some(size)) = (head.first_chunk::<4>(), head.last_chunk::<4>()) else {
            return Ok(());
        };
        let size = u64::from(u32::from_le_bytes(*size));
        // A frame's own chunks follow its head one by one, like all others.
        let is_frame = name == b"ANMF";
        let body = if is_frame {
            FRAME_HEAD
        } else {
            size + size % 2
        };
        let whole = body + 8;
        if is_frame && size < FRAME_HEAD {
            return Err(damaged(to, "a frame is shorter than its head"));
        }
        let rest = self.left.checked_sub(whole);
        self.left =
            rest.ok_or_else(|| damaged(to, "a chunk is longer than the file says that it is"))?;
        if KEPT.contains(&name) {
            to.out.extend_from_slice(head);
            self.shown |= matches!(name, b"VP8 " | b"VP8L" | b"ANMF");
            self.next = if name == b"VP8X" && body > 0 {
                Next::Flags(body)
            } else {
                Next::Keep(body)
            };
        } else {
            to.out.extend_from_slice(b"JUNK");
            to.out.extend_from_slice(&(size as u32).to_le_bytes());
            // A file that was cleaned before has nothing more to lose.
            if name != b"JUNK" {
                self.removed += whole;
            }
            self.next = Next::Blank(body);
        }
        self.passed(body);
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
