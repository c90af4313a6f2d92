//! Files that are attached: what may be one, and that none changes anything.

use posko_proto::{
    blob::v1::{AttachmentKind, Blob, MediaType},
    incident::v1::{AttachFileRequest, IncidentAttached},
};

use super::*;
use crate::{context::stream_of, event::Event};

fn request(kind: AttachmentKind, media_type: MediaType) -> AttachFileRequest {
    AttachFileRequest {
        meta: Some(v1::CommandMeta {
            command_id: vec![5; 16],
            ..Default::default()
        }),
        incident_id: vec![1; 16],
        blob: Some(Blob {
            hash: vec![7; 32],
            length: 1000,
            media_type: media_type.into(),
        }),
        kind: kind.into(),
        about: Vec::new(),
        caption: "Jembatan putus".into(),
    }
}

pub(super) fn attach() -> IncidentCommand {
    let photo = request(AttachmentKind::Photo, MediaType::Jpeg);
    IncidentCommand::try_from(&photo).unwrap()
}

#[test]
fn an_attachment_names_its_file_its_caption_is_a_note_about_it_and_the_state_stays() {
    let state = after(&[VERIFY]);
    let events = decide(Some(&state), &attach(), &context(9)).unwrap();
    let [
        IncidentEvent::Attached(attached),
        IncidentEvent::Noted(noted),
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(attached.attachment_id, stream_of(Id([5; 16])).to_vec());
    assert_eq!(noted.about, attached.attachment_id);
    let event = Event::from(events[0].clone());
    let file = event.blob().unwrap();
    assert_eq!((file.hash, file.length), ([7; 32], 1000));
    assert_eq!(Event::from(events[1].clone()).blob(), None);
    assert!(event.withdrawable());

    // Withdrawn it is folded as if it were empty.
    let fold = |event: &IncidentEvent| {
        apply(Some(state.clone()), event, &recorded(&context(9), 3)).unwrap()
    };
    let empty = IncidentEvent::Attached(IncidentAttached::default());
    assert_eq!(fold(&events[0]), fold(&empty));
    let unchanged = IncidentState {
        version: 3,
        recorded_at: context(9).now,
        ..state.clone()
    };
    assert_eq!(fold(&empty), unchanged);
    assert_eq!(Event::from(empty).blob(), None);
}

#[test]
fn what_cannot_be_attached_is_refused_with_the_field() {
    let field = |request: &AttachFileRequest| match IncidentCommand::try_from(request) {
        Err(IncidentRejection::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let photo = request(AttachmentKind::Photo, MediaType::Jpeg);
    let blob = |change: fn(&mut Blob)| {
        let mut changed = photo.clone();
        change(changed.blob.as_mut().unwrap());
        changed
    };
    let bad = [
        (
            request(AttachmentKind::Unspecified, MediaType::Jpeg),
            "kind",
        ),
        (request(AttachmentKind::Photo, MediaType::Pdf), "kind"),
        (
            request(AttachmentKind::Other, MediaType::Unspecified),
            "blob.media_type",
        ),
        (blob(|blob| blob.media_type = 99), "blob.media_type"),
        (blob(|blob| blob.length = 0), "blob"),
        (blob(|blob| blob.hash = vec![7; 31]), "blob"),
        (
            AttachFileRequest {
                blob: None,
                ..photo.clone()
            },
            "blob",
        ),
        (
            AttachFileRequest {
                about: vec![1; 15],
                ..photo.clone()
            },
            "about",
        ),
        (
            AttachFileRequest {
                meta: None,
                ..photo.clone()
            },
            "meta.command_id",
        ),
        (
            AttachFileRequest {
                caption: " ".into(),
                ..photo.clone()
            },
            "caption",
        ),
        (
            AttachFileRequest {
                caption: "x".repeat(4001),
                ..photo.clone()
            },
            "caption",
        ),
    ];
    for (request, expected) in bad {
        assert_eq!(field(&request), expected);
    }
    for kind in [AttachmentKind::Decree, AttachmentKind::Map] {
        assert!(IncidentCommand::try_from(&request(kind, MediaType::Pdf)).is_ok());
    }
}
