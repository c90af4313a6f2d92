//! Files that people attach: what one is by its bytes, and pictures without what they tell beside what they show.
//!
//! A picture of a phone carries where and when it was taken, by which device, and often whose that is: EXIF, XMP, IPTC,
//! comments, previews of what was cut away, a film behind the picture. [`Cleaner`] lets through what a viewer needs, and
//! nothing else; how the picture is turned is kept. It works part by part, and never holds a picture whole.
//! What it never does: decode a picture, or look into a document, which may carry its author's name.

mod jpeg;
mod png;
#[cfg(test)]
mod tests;
mod webp;

use self::{jpeg::Jpeg, png::Png, webp::Webp};

/// How many of a file's first bytes [`sniff`] looks at, at most.
pub const SNIFFED_BYTES: usize = 512;

/// What a file is by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// A JPEG picture (ITU-T T.81).
    Jpeg,
    /// A PNG picture (W3C PNG, third edition).
    Png,
    /// A WebP picture (RFC 9649).
    Webp,
    /// A PDF document (ISO 32000).
    Pdf,
    /// A document of Office Open XML (ECMA-376), such as .docx and .xlsx.
    OfficeOpenXml,
    /// A document of OpenDocument (ISO/IEC 26300), such as .odt and .ods.
    OpenDocument,
}

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// It is of another type, or of none.
    #[error(
        "the file's bytes are of no type that is taken: JPEG, PNG, WebP, PDF, Office Open XML or OpenDocument"
    )]
    Unknown,
    /// It is a picture as some phones save it, which not every screen shows.
    #[error("the file is a HEIC or AVIF picture: save it as JPEG first")]
    Heif,
    /// It is not built as its type must be.
    #[error("the {media} picture is damaged at byte {at}: {detail}")]
    Damaged {
        /// The type.
        media: &'static str,
        /// Where, from 0.
        at: u64,
        /// What is wrong there.
        detail: &'static str,
    },
    /// It ends too early.
    #[error("the {media} picture was cut off: it ends before its end is said")]
    CutOff {
        /// The type.
        media: &'static str,
    },
}

/// Says what a file is by its first bytes: [`SNIFFED_BYTES`] of them, or all that it has.
pub fn sniff(head: &[u8]) -> Result<Media, MediaError> {
    let at = |offset: usize, bytes: &[u8]| {
        (head.get(offset..)).is_some_and(|rest| rest.starts_with(bytes))
    };
    if at(0, &[0xff, 0xd8, 0xff]) {
        return Ok(Media::Jpeg);
    }
    if at(0, &png::SIGNATURE) {
        return Ok(Media::Png);
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Ok(Media::Webp);
    }
    if at(0, b"%PDF-") {
        return Ok(Media::Pdf);
    }
    if at(4, b"ftyp") {
        let brands: [&[u8]; 7] = [
            b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif",
        ];
        if brands.iter().any(|brand| at(8, brand)) {
            return Err(MediaError::Heif);
        }
    }
    if at(0, b"PK\x03\x04") {
        return zipped(head).ok_or(MediaError::Unknown);
    }
    Err(MediaError::Unknown)
}

/// Says which document a zip archive is by its first entry (APPNOTE 4.3.7).
fn zipped(head: &[u8]) -> Option<Media> {
    const NAME: usize = 30;
    let number = |at: usize| {
        Some(usize::from(u16::from_le_bytes(
            *head.get(at..)?.first_chunk()?,
        )))
    };
    let (name_length, extra_length) = (number(26)?, number(28)?);
    let name = head.get(NAME..NAME + name_length)?;
    let of_office: [&[u8]; 3] = [b"[Content_Types].xml", b"_rels/", b"docProps/"];
    let in_office: [&[u8]; 3] = [b"word/", b"xl/", b"ppt/"];
    if of_office
        .iter()
        .chain(&in_office)
        .any(|begin| name.starts_with(begin))
    {
        return Some(Media::OfficeOpenXml);
    }
    let content = head.get(NAME + name_length + extra_length..)?;
    (name == b"mimetype" && content.starts_with(b"application/vnd.oasis.opendocument."))
        .then_some(Media::OpenDocument)
}

/// Lets a file through part by part, a picture without its metadata.
#[derive(Debug)]
pub struct Cleaner {
    filter: Filter,
    /// How many bytes came.
    taken: u64,
}

#[derive(Debug)]
enum Filter {
    Jpeg(Box<Jpeg>),
    Png(Png),
    Webp(Webp),
    /// A document goes through as it is.
    None,
}

/// Where the filters of pictures write, and what they count.
struct To<'o> {
    out: &'o mut Vec<u8>,
    /// Where the next byte stands in the file.
    at: u64,
}

impl Cleaner {
    /// Returns one for a file of this type.
    pub fn new(media: Media) -> Self {
        let filter = match media {
            Media::Jpeg => Filter::Jpeg(Box::default()),
            Media::Png => Filter::Png(Png::default()),
            Media::Webp => Filter::Webp(Webp::default()),
            Media::Pdf | Media::OfficeOpenXml | Media::OpenDocument => Filter::None,
        };
        Self { filter, taken: 0 }
    }

    /// Takes the next part, and adds what is kept to `out`: at most as much, and 64 KiB that were held back.
    pub fn push(&mut self, part: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        let mut to = To {
            out,
            at: self.taken,
        };
        self.taken += part.len() as u64;
        match &mut self.filter {
            Filter::Jpeg(filter) => filter.push(part, &mut to),
            Filter::Png(filter) => filter.push(part, &mut to),
            Filter::Webp(filter) => filter.push(part, &mut to),
            Filter::None => {
                to.out.extend_from_slice(part);
                Ok(())
            }
        }
    }

    /// Ends the file, and returns how many bytes of metadata were removed or overwritten; none of a document, which was
    /// not looked into.
    pub fn finish(self) -> Result<Option<u64>, MediaError> {
        match self.filter {
            Filter::Jpeg(filter) => filter.finish().map(Some),
            Filter::Png(filter) => filter.finish().map(Some),
            Filter::Webp(filter) => filter.finish().map(Some),
            Filter::None => Ok(None),
        }
    }
}

/// Collects bytes until a head of some length is whole.
#[derive(Debug, Default)]
struct Head(Vec<u8>);

impl Head {
    /// Takes from `part` what is lacking to `length` bytes, and returns the head once it is whole; `to` then stands where
    /// the head begins.
    fn take(&mut self, part: &mut &[u8], length: usize, to: &mut To<'_>) -> Option<Vec<u8>> {
        let lacking = length.saturating_sub(self.0.len()).min(part.len());
        let (taken, rest) = part.split_at(lacking);
        self.0.extend_from_slice(taken);
        *part = rest;
        if self.0.len() < length {
            return None;
        }
        to.at = (to.at + taken.len() as u64).saturating_sub(self.0.len() as u64);
        Some(std::mem::take(&mut self.0))
    }
}

/// Takes at most `left` bytes from `part`.
fn take<'p>(part: &mut &'p [u8], left: &mut u64) -> &'p [u8] {
    let length = usize::try_from(*left).map_or(part.len(), |left| left.min(part.len()));
    let (taken, rest) = part.split_at(length);
    *part = rest;
    *left -= taken.len() as u64;
    taken
}
