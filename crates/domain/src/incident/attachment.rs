//! A file that is attached to an incident, read from the wire at the door.

use posko_proto::{
    Id,
    blob::v1::{AttachmentKind, MediaType},
    incident::v1::{AttachFileRequest, IncidentAttached},
};

use crate::{
    blob::{self, Blob},
    context::stream_of,
    incident::{
        IncidentCommand, IncidentRejection,
        command::{given, optional_text},
        rule::{id, optional_id},
    },
};

impl TryFrom<&AttachFileRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &AttachFileRequest) -> Result<Self, IncidentRejection> {
        let kind: AttachmentKind = given("kind", request.kind)?;
        let file = request.blob.as_ref().and_then(Blob::read).ok_or_else(|| {
            let expected =
                "a file that was put here before, with its hash of 32 bytes and its length";
            IncidentRejection::invalid("blob", "", expected)
        })?;
        if file.media_type == MediaType::Unspecified {
            let expected = "a file of a type known to this version";
            return Err(IncidentRejection::invalid(
                "blob.media_type",
                "unspecified",
                expected,
            ));
        }
        if !blob::can_be(kind, file.media_type) {
            let expected = "a photo is a JPEG, PNG or WebP picture: give another kind";
            return Err(IncidentRejection::invalid(
                "kind",
                kind.as_str_name(),
                expected,
            ));
        }
        optional_id("about", &request.about)?;
        let command = request.meta.as_ref().map(|meta| meta.command_id.as_slice());
        let command: Id = id("meta.command_id", command.unwrap_or_default())?;
        Ok(Self::Attach {
            attached: IncidentAttached {
                attachment_id: stream_of(command).to_vec(),
                blob: Some(file.to_wire()),
                kind: kind.into(),
                about: request.about.clone(),
            },
            caption: optional_text("caption", &request.caption)?,
        })
    }
}
