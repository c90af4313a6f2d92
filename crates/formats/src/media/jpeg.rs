//! JPEG: segments before and between the scans; kept is what decodes them, the color profile, and how it is turned.

use super::{Head, MediaError, To, take};

const MEDIA: &str = "JPEG";
/// How many bytes of an application's segment say whose it is.
const WHOSE: usize = 12;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Next {
    /// The first two bytes.
    #[default]
    Start,
    /// A marker's first byte.
    Marker,
    /// A marker's second byte.
    Code,
    /// The length of this marker's segment.
    Length(u8),
    /// The beginning of an application's segment, of which so many bytes are left.
    Whose(u8, u64),
    /// The rest of a segment that is kept.
    Keep(u8, u64),
    /// The rest of a segment that is dropped.
    Drop(u64),
    /// The rest of the EXIF, of which only how the picture is turned is kept.
    Exif(usize),
    /// Coded data.
    Scan,
    /// Coded data, after a byte 0xff.
    ScanMarker,
    /// What stands behind the picture.
    End,
}

#[derive(Debug, Default)]
pub(super) struct Jpeg {
    next: Next,
    head: Head,
    removed: u64,
    /// Whether a scan has come.
    shown: bool,
}

impl Jpeg {
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
                if let Some(start) = self.head.take(part, 2, to) {
                    if start != [0xff, 0xd8] {
                        return Err(damaged(to, "it does not begin with a start marker"));
                    }
                    to.out.extend_from_slice(&start);
                    self.next = Next::Marker;
                }
            }
            Next::Marker => {
                if next_byte(part) != Some(0xff) {
                    return Err(damaged(to, "a marker is expected"));
                }
                self.next = Next::Code;
            }
            Next::Code => match next_byte(part) {
                // Fill bytes.
                Some(0xff) | None => {}
                Some(0xd9) => self.end(to),
                Some(code @ (0x01 | 0xd0..=0xd7)) => {
                    to.out.extend_from_slice(&[0xff, code]);
                    self.next = Next::Marker;
                }
                Some(0x00 | 0xd8) => return Err(damaged(to, "a marker is expected")),
                Some(code) => self.next = Next::Length(code),
            },
            Next::Length(code) => {
                if let Some(length) = self.head.take(part, 2, to) {
                    let length = u64::from(number(&length, 0, false));
                    let body = length
                        .checked_sub(2)
                        .ok_or_else(|| damaged(to, "a segment is shorter than its length"))?;
                    self.segment(code, body, to);
                }
            }
            Next::Whose(code, body) => {
                let length = usize::try_from(body).map_or(WHOSE, |body| body.min(WHOSE));
                if let Some(head) = self.head.take(part, length, to) {
                    self.application(code, body, &head, to);
                }
            }
            Next::Keep(code, mut left) => {
                to.out.extend_from_slice(take(part, &mut left));
                self.next = Next::Keep(code, left);
                self.kept(code, left);
            }
            Next::Drop(mut left) => {
                take(part, &mut left);
                self.next = if left == 0 {
                    Next::Marker
                } else {
                    Next::Drop(left)
                };
            }
            Next::Exif(length) => {
                if let Some(exif) = self.head.take(part, length, to) {
                    if let Some(turned) = orientation(&exif) {
                        to.out.extend_from_slice(&minimal_exif(turned));
                    }
                    self.next = Next::Marker;
                }
            }
            Next::Scan => {
                let marker = part.iter().position(|byte| *byte == 0xff);
                let (data, rest) = part.split_at(marker.unwrap_or(part.len()));
                to.out.extend_from_slice(data);
                *part = rest;
                if next_byte(part).is_some() {
                    self.next = Next::ScanMarker;
                }
            }
            Next::ScanMarker => match next_byte(part) {
                Some(code @ (0x00 | 0xd0..=0xd7)) => {
                    to.out.extend_from_slice(&[0xff, code]);
                    self.next = Next::Scan;
                }
                Some(0xff) | None => {}
                Some(0xd9) => self.end(to),
                Some(0x01 | 0xd8) => return Err(damaged(to, "a marker stands in coded data")),
                Some(code) => self.next = Next::Length(code),
            },
            Next::End => {
                self.removed += part.len() as u64;
                *part = &[];
            }
        }
        Ok(())
    }

    fn end(&mut self, to: &mut To<'_>) {
        to.out.extend_from_slice(&[0xff, 0xd9]);
        self.next = Next::End;
    }

    /// Decides what becomes of a segment whose body has so many bytes.
    fn segment(&mut self, code: u8, body: u64, to: &mut To<'_>) {
        match code {
            // Tables, frames, scans and what goes with them.
            0xc0..=0xcf | 0xda..=0xdf => self.keep(code, body, &[], to),
            // Of applications some say how colors are to be read.
            0xe0..=0xef if body > 0 => self.next = Next::Whose(code, body),
            _ => {
                self.removed += body + 4;
                self.next = if body == 0 {
                    Next::Marker
                } else {
                    Next::Drop(body)
                };
            }
        }
    }

    /// Decides what becomes of an application's segment by whose it is.
    fn application(&mut self, code: u8, body: u64, head: &[u8], to: &mut To<'_>) {
        let left = body - head.len() as u64;
        let kept = match code {
            0xe0 => head.starts_with(b"JFIF\0"),
            0xe2 => head.starts_with(b"ICC_PROFILE\0"),
            0xee => head.starts_with(b"Adobe"),
            _ => false,
        };
        if kept {
            self.keep(code, body, head, to);
            return;
        }
        self.removed += body + 4;
        let length = usize::try_from(body).unwrap_or_default();
        if code == 0xe1 && head.starts_with(b"Exif\0\0") && left > 0 {
            self.head.0 = head.to_vec();
            self.next = Next::Exif(length);
        } else if left == 0 {
            self.next = Next::Marker;
        } else {
            self.next = Next::Drop(left);
        }
    }

    fn keep(&mut self, code: u8, body: u64, head: &[u8], to: &mut To<'_>) {
        let [high, low] = ((body + 2) as u16).to_be_bytes();
        to.out.extend_from_slice(&[0xff, code, high, low]);
        to.out.extend_from_slice(head);
        let left = body - head.len() as u64;
        self.next = Next::Keep(code, left);
        self.kept(code, left);
    }

    /// Goes on after a segment that is kept, once nothing of it is left.
    fn kept(&mut self, code: u8, left: u64) {
        if left == 0 {
            let is_scan = code == 0xda;
            self.shown |= is_scan;
            self.next = if is_scan { Next::Scan } else { Next::Marker };
        }
    }

    pub(super) fn finish(self) -> Result<u64, MediaError> {
        if self.next == Next::End && self.shown {
            Ok(self.removed)
        } else {
            Err(MediaError::CutOff { media: MEDIA })
        }
    }
}

fn next_byte(part: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = part.split_first()?;
    *part = rest;
    Some(*byte)
}

fn number(bytes: &[u8], at: usize, little: bool) -> u16 {
    let two = bytes.get(at..).and_then(<[u8]>::first_chunk::<2>);
    let two = two.copied().unwrap_or_default();
    if little {
        u16::from_le_bytes(two)
    } else {
        u16::from_be_bytes(two)
    }
}

/// Returns how the picture is turned, by the EXIF of a segment (Exif 2.32, 4.6.4): 2 to 8; none where it is not turned.
fn orientation(segment: &[u8]) -> Option<u8> {
    const TAG: u16 = 0x0112;
    let tiff = segment.strip_prefix(b"Exif\0\0")?;
    let little = match tiff.first_chunk()? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let wide = |at: usize| {
        let four = *tiff.get(at..)?.first_chunk::<4>()?;
        Some(if little {
            u32::from_le_bytes(four)
        } else {
            u32::from_be_bytes(four)
        })
    };
    let directory = usize::try_from(wide(4)?).ok()?;
    let entries = number(tiff.get(directory..)?, 0, little);
    (0..usize::from(entries)).find_map(|index| {
        let entry = tiff
            .get(directory + 2 + index * 12..)?
            .first_chunk::<12>()?;
        let is_short = number(entry, 2, little) == 3;
        let turned = number(entry, 8, little);
        (number(entry, 0, little) == TAG && is_short && (2..=8).contains(&turned))
            .then_some(turned as u8)
    })
}

/// Returns a segment that says how the picture is turned, and nothing else.
fn minimal_exif(turned: u8) -> [u8; 36] {
    let mut segment = *b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    if let Some(place) = segment.get_mut(29) {
        *place = turned;
    }
    segment
}

fn damaged(to: &To<'_>, detail: &'static str) -> MediaError {
    MediaError::Damaged {
        media: MEDIA,
        at: to.at,
        detail,
    }
}
