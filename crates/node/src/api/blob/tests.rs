use posko_proto::{
    account::v1::{AddAccountRequest, Grant, LoginRequest, account_service_server::AccountService},
    blob::v1::{self as wire, AttachmentKind, PeerAnswer},
    common::v1::{CommandMeta, Hazard, Place, Role},
    federation::v1::{GetStatusRequest, node_service_server::NodeService},
    incident::v1::{
        AttachFileRequest, Attachment, ListAttachmentsRequest, ReportChannel,
        ReportIncidentRequest, Severity, incident_service_server::IncidentService,
    },
    log::v1::{WithdrawPayloadRequest, log_service_server::LogService},
};
use tonic::Code;

use super::*;
use crate::{
    api::node::tests::{asked_by, started},
    peer::tests::{FEDERATION, Node, until},
};

const SECRET: &[u8] = b"-6.2383,106.9756";

fn meta(number: u8) -> CommandMeta {
    CommandMeta {
        command_id: vec![number; 16],
        ..CommandMeta::default()
    }
}

/// Makes an account with a role, and returns the token.
async fn account(api: &Api, number: u8, role: Role) -> String {
    let (login, password) = (format!("orang{number}"), "kata sandi yang panjang");
    let request = AddAccountRequest {
        meta: Some(meta(number)),
        login: login.clone(),
        password: password.into(),
        grants: vec![Grant {
            role: role.into(),
            ..Grant::default()
        }],
    };
    api.add_account(asked_by(request, "console")).await.unwrap();
    let request = LoginRequest {
        login,
        password: password.into(),
    };
    let answer = api.login(Request::new(request)).await.unwrap();
    answer.into_inner().token
}

async fn incident(api: &Api, token: &str) -> Vec<u8> {
    let report = ReportIncidentRequest {
        meta: Some(meta(50)),
        hazard: Hazard::Flood.into(),
        place: Some(Place {
            region_code: "31.72".into(),
            ..Place::default()
        }),
        severity: Severity::Minor.into(),
        channel: ReportChannel::Branch.into(),
        ..ReportIncidentRequest::default()
    };
    let reported = api.report_incident(asked_by(report, token)).await.unwrap();
    reported.into_inner().outcome.unwrap().stream_id
}

/// Returns a PNG picture with so many bytes of content, and a text that tells where it was taken.
fn picture(length: usize) -> Vec<u8> {
    let chunk = |name: &[u8], body: &[u8]| {
        let length = (body.len() as u32).to_be_bytes();
        [&length[..], name, body, b"crc!"].concat()
    };
    let content: Vec<u8> = (0..length).map(|at| (at / 7) as u8).collect();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0; 13]),
        chunk(b"tEXt", SECRET),
        chunk(b"IDAT", &content),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

async fn put_as(
    api: &Api,
    bytes: &[u8],
    length: u64,
    part: usize,
) -> Result<PutBlobResponse, Status> {
    let mut parts = bytes.chunks(part).map(|chunk| PutBlobRequest {
        length: 0,
        chunk: chunk.to_vec(),
    });
    let first = parts.next().unwrap_or_default();
    let first = PutBlobRequest { length, ..first };
    let parts = std::iter::once(first).chain(parts).map(Ok);
    api.take(futures::stream::iter(parts)).await
}

async fn put(api: &Api, bytes: &[u8]) -> Result<PutBlobResponse, Status> {
    put_as(api, bytes, bytes.len() as u64, 100_000).await
}

fn attach(number: u8, incident: &[u8], blob: &wire::Blob) -> AttachFileRequest {
    AttachFileRequest {
        meta: Some(meta(number)),
        incident_id: incident.to_vec(),
        blob: Some(blob.clone()),
        kind: AttachmentKind::Photo.into(),
        about: Vec::new(),
        caption: "Jembatan putus".into(),
    }
}

async fn attachments(api: &Api, incident: &[u8], token: &str) -> Vec<Attachment> {
    let request = ListAttachmentsRequest {
        incident_id: incident.to_vec(),
    };
    let listed = api.list_attachments(asked_by(request, token)).await;
    listed.unwrap().into_inner().attachments
}

async fn get(api: &Api, hash: &[u8], offset: u64) -> Result<Vec<u8>, Status> {
    let request = GetBlobRequest {
        hash: hash.to_vec(),
        offset,
    };
    let mut parts = api
        .get_blob(asked_by(request, "console"))
        .await?
        .into_inner();
    let mut bytes = Vec::new();
    while let Some(part) = parts.next().await {
        bytes.extend(part?.body);
    }
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volunteer_attaches_a_photo_without_its_place_and_everybody_reads_it_until_it_is_withdrawn()
 {
    let (mut node, api) = started().await;
    let officer = account(&api, 1, Role::DutyOfficer).await;
    let volunteer = account(&api, 2, Role::Volunteer).await;
    let incident = incident(&api, &officer).await;
    let sent = picture(600_000);
    let kept = put(&api, &sent).await.unwrap();
    assert_eq!(kept.metadata(), Metadata::Removed);
    assert_eq!(kept.removed_bytes, 12 + SECRET.len() as u64);
    // The same again, in other parts, is the same file.
    assert_eq!(
        put_as(&api, &sent, sent.len() as u64, PART_BYTES)
            .await
            .unwrap(),
        kept
    );
    let blob = kept.blob.unwrap();
    assert_eq!(blob.media_type(), MediaType::Png);
    assert_eq!(
        get(&api, &blob.hash, 0).await.unwrap_err().code(),
        Code::NotFound
    );

    let request = attach(3, &incident, &blob);
    api.attach_file(asked_by(request, &volunteer))
        .await
        .unwrap();
    let [attachment] = &attachments(&api, &incident, &officer).await[..] else {
        panic!("one was attached");
    };
    assert_eq!(attachment.state(), BlobState::Held);
    assert_eq!(attachment.caption, "Jembatan putus");
    let read = get(&api, &blob.hash, 0).await.unwrap();
    assert_eq!(Sha256::digest(&read).as_slice(), blob.hash);
    assert_eq!(read.len() as u64, blob.length);
    assert!(!read.windows(SECRET.len()).any(|window| window == SECRET));
    assert_eq!(
        get(&api, &blob.hash, 500_000).await.unwrap(),
        read[500_000..]
    );
    let refused = get(&api, &blob.hash, blob.length + 1).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let status = api
        .get_status(asked_by(GetStatusRequest {}, &officer))
        .await;
    let files = status.unwrap().into_inner().blobs.unwrap();
    assert_eq!(
        (files.named, files.held, files.held_bytes),
        (1, 1, blob.length)
    );

    let withdraw = WithdrawPayloadRequest {
        meta: Some(meta(4)),
        stream_id: incident.clone(),
        event_id: attachment.event_id.clone(),
        reason: "wajah korban".into(),
        legal_basis: "UU 27/2022 pasal 8".into(),
    };
    api.withdraw_payload(asked_by(withdraw, &officer))
        .await
        .unwrap();
    let [gone] = &attachments(&api, &incident, &officer).await[..] else {
        panic!("one that is withdrawn is not absent");
    };
    assert!(gone.withdrawn && gone.blob.is_none());
    assert_eq!(gone.withdrawn_because, "wajah korban");
    assert_eq!(
        get(&api, &blob.hash, 0).await.unwrap_err().code(),
        Code::NotFound
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_of_another_type_cut_off_or_not_as_long_as_said_is_refused_and_leaves_nothing()
 {
    let (mut node, api) = started().await;
    let png = picture(1000);
    let bad: [(Vec<u8>, u64, &str); 7] = [
        (
            vec![0; 2 << 20],
            2 << 20,
            "more than 1 MiB, the limit of `[blob] max_mib`",
        ),
        (b"<html>".to_vec(), 6, "of no type that is taken"),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0".to_vec(),
            16,
            "save it as JPEG first",
        ),
        (png[..500].to_vec(), 500, "was cut off"),
        (png.clone(), 100, "longer than it was said"),
        (png.clone(), 5000, "ended before the length"),
        (Vec::new(), 0, "the file is empty"),
    ];
    for (bytes, length, reason) in bad {
        let refused = put_as(&api, &bytes, length, 100).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{reason}");
        assert!(refused.message().contains(reason), "{}", refused.message());
    }
    let refused = put_as(&api, &png, png.len() as u64, 100).await;
    assert!(refused.is_ok());
    let large = picture(300_000);
    let refused = put_as(&api, &large, large.len() as u64, PART_BYTES + 1).await;
    assert!(refused.unwrap_err().message().contains("more than 262144"));
    let document = put(&api, b"%PDF-1.7 SK").await.unwrap();
    assert_eq!(document.metadata(), Metadata::MayRemain);
    let two_files = 11 + png.len() as u64 - 28;
    until("what was refused is let go", || {
        node.store.blob_stock().unwrap().bytes == two_files
    })
    .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_is_a_picture_an_unknown_file_is_refused_and_a_reader_attaches_nothing() {
    let (mut node, api) = started().await;
    let officer = account(&api, 1, Role::DutyOfficer).await;
    let viewer = account(&api, 2, Role::Viewer).await;
    let incident = incident(&api, &officer).await;
    let document = put(&api, b"%PDF-1.7 SK").await.unwrap().blob.unwrap();
    let photo = attach(3, &incident, &document);
    let refused = api.attach_file(asked_by(photo.clone(), &officer)).await;
    let refused = refused.unwrap_err();
    assert!(
        refused.message().contains("a photo is a JPEG"),
        "{}",
        refused.message()
    );
    let decree = AttachFileRequest {
        kind: AttachmentKind::Decree.into(),
        ..photo
    };
    let refused = api.attach_file(asked_by(decree.clone(), &viewer)).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    let unknown = AttachFileRequest {
        meta: Some(meta(4)),
        blob: Some(wire::Blob {
            hash: vec![9; 32],
            ..document
        }),
        ..decree.clone()
    };
    let refused = api.attach_file(asked_by(unknown, &officer)).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    api.attach_file(asked_by(decree, &officer)).await.unwrap();
    assert_eq!(attachments(&api, &incident, &officer).await.len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_tells_how_it_goes_until_the_file_is_here() {
    let (mut node, api) = started().await;
    let mut other = Node::new("32", FEDERATION).await;
    node.accept(&other.card);
    other.accept(&node.card);
    other.report(1).await;
    let bytes: Vec<u8> = (0..900_000).map(|at| (at / 11) as u8).collect();
    let blob = other.attach(1, &bytes).await;
    let fetch = |hash: &[u8]| {
        let request = FetchBlobRequest {
            hash: hash.to_vec(),
        };
        api.fetch_blob(asked_by(request, "console"))
    };
    // Nobody names it here yet.
    let refused = fetch(&blob.hash).await.err().unwrap();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(
        fetch(b"x").await.err().unwrap().code(),
        Code::InvalidArgument
    );
    node.take_log_of(&other).await;
    let mut told = fetch(&blob.hash).await.unwrap().into_inner();
    let first = told.next().await.unwrap().unwrap();
    assert_ne!(first.state(), BlobState::Held);
    assert!(first.asked_at.is_some() && first.length == 900_000);
    other.start();
    let mut last = first;
    while let Some(next) = told.next().await {
        last = next.unwrap();
        let said = last.asked.iter().map(PeerAsked::answer);
        assert!(said.into_iter().all(|said| said == PeerAnswer::Gives));
    }
    assert_eq!((last.state(), last.held_bytes), (BlobState::Held, 900_000));
    assert_eq!(get(&api, &blob.hash, 0).await.unwrap(), bytes);
    // What is here is told at once.
    let mut again = fetch(&blob.hash).await.unwrap().into_inner();
    assert_eq!(
        again.next().await.unwrap().unwrap().state(),
        BlobState::Held
    );
    assert!(again.next().await.is_none());
    node.stop().await;
    other.stop().await;
}
