//! Files that lie beside the logs and are named in them by their hash.
//!
//! What it never does: hold a file, or give one a name.

use posko_proto::blob::v1::{self as wire, AttachmentKind, MediaType};

/// A file, as an event names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// The SHA-256 of its bytes.
    pub hash: [u8; 32],
    /// How many bytes it has.
    pub length: u64,
    /// What it is by its bytes; unspecified for a kind that this version does not know.
    pub media_type: MediaType,
}

impl Blob {
    /// Reads a file's name; none when its hash is none or it is empty.
    pub fn read(blob: &wire::Blob) -> Option<Self> {
        let hash = blob.hash.as_slice().try_into().ok()?;
        (blob.length > 0).then(|| Self {
            hash,
            length: blob.length,
            media_type: blob.media_type(),
        })
    }

    /// Returns it as it stands in messages.
    pub fn to_wire(self) -> wire::Blob {
        wire::Blob {
            hash: self.hash.to_vec(),
            length: self.length,
            media_type: self.media_type.into(),
        }
    }
}

/// Says whether a file of this type is a picture.
pub fn is_picture(media_type: MediaType) -> bool {
    match media_type {
        MediaType::Jpeg | MediaType::Png | MediaType::Webp => true,
        MediaType::Unspecified
        | MediaType::Pdf
        | MediaType::OfficeOpenXml
        | MediaType::OpenDocument => false,
    }
}

/// Says whether a file of this type can be an attachment of that kind: a photo is a picture.
pub fn can_be(kind: AttachmentKind, media_type: MediaType) -> bool {
    match kind {
        AttachmentKind::Photo => is_picture(media_type),
        AttachmentKind::Unspecified => false,
        AttachmentKind::Decree
        | AttachmentKind::Form
        | AttachmentKind::Map
        | AttachmentKind::Report
        | AttachmentKind::Other => true,
    }
}
