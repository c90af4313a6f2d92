//! Files between nodes: fetched when they are wanted, from whoever has them, and never taken from one who lies.

use posko_domain::blob::Blob;
use posko_ledger::{
    Hash,
    engine::{LaneKind, blob::PART_BYTES},
};
use posko_proto::{
    blob::v1::{AttachmentKind, MediaType, PeerAnswer},
    federation::v1::{BlobChunk, frame::Body},
    incident::v1::IncidentAttached,
};
use sha2::{Digest, Sha256};

use super::*;
use crate::peer::NotWanted;

const EVERY_CLASS: u32 = u32::MAX;

fn picture(length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = b"banjir ".iter().copied().cycle().take(length).collect();
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte ^= (at / 501) as u8;
    }
    bytes
}

fn command(number: u32) -> Id {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Id(id)
}

impl Node {
    /// Puts a file here, and attaches it to the incident that [`Node::report`] made under this number.
    pub(crate) async fn attach(&self, number: u32, bytes: &[u8]) -> Blob {
        let blob = Blob {
            hash: Sha256::digest(bytes).into(),
            length: bytes.len() as u64,
            media_type: MediaType::Jpeg,
        };
        let id = self.store.begin_upload(now()).unwrap();
        for part in bytes.chunks(PART_BYTES) {
            self.store.add_to_upload(id, part.to_vec(), now()).unwrap();
        }
        self.store.finish_upload(id, blob, now()).unwrap();
        let attached = IncidentAttached {
            attachment_id: vec![5; 16],
            blob: Some(blob.to_wire()),
            kind: AttachmentKind::Photo.into(),
            about: Vec::new(),
        };
        let caption = None;
        let request = Request {
            command_id: command(10_000 + number),
            digest: [1; 32],
            authority: Actor {
                account: Id([9; 16]),
                role: Role::DutyOfficer,
                ..Actor::default()
            }
            .into(),
            stream: stream_of(command(number)),
            expected_version: 0,
            now: now(),
            occurred_at: now(),
            exercise: false,
            cause: None,
            seed: [3; 32],
            credential: None,
            command: Command::Incident(IncidentCommand::Attach { attached, caption }),
        };
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.store
            .execute(request, move |outcome| answer.send(outcome).unwrap());
        answered.await.unwrap().unwrap();
        blob
    }

    async fn want(&self, hash: Hash) -> Result<(), NotWanted> {
        let peers = self.peers.clone().unwrap();
        let wanted = tokio::task::spawn_blocking(move || peers.want_blob(hash)).await;
        wanted.unwrap()
    }

    fn holds(&self, blob: &Blob) -> bool {
        let held = self.store.blob(&blob.hash).unwrap();
        held.is_some_and(|held| held.complete)
    }

    fn said(&self, blob: &Blob, peer: &Node) -> Option<PeerAnswer> {
        let asked = self.peers.as_ref().unwrap().blob_asked(&blob.hash)?;
        let said = asked
            .said
            .into_iter()
            .find(|(origin, _)| *origin == peer.origin);
        said.map(|(_, answer)| answer)
    }

    fn bytes(&self, blob: &Blob) -> Vec<u8> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < blob.length {
            let at = bytes.len() as u64;
            let part = self
                .store
                .blob_part(&blob.hash, at, PART_BYTES, EVERY_CLASS);
            bytes.extend(part.unwrap().unwrap().1);
        }
        bytes
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_attached_at_one_node_is_fetched_at_the_other_once_it_is_wanted() {
    let (mut a, mut b) = pair().await;
    let bytes = picture(6 * PART_BYTES + 77);
    b.report(1).await;
    let blob = b.attach(1, &bytes).await;
    a.start();
    b.start();
    until("the entry is here", || a.has_all_of(&b)).await;
    assert!(!a.holds(&blob), "nobody wants it");
    assert!(matches!(a.want([9; 32]).await, Err(NotWanted::Unnamed(_))));
    a.want(blob.hash).await.unwrap();
    until("the file is here", || a.holds(&blob)).await;
    assert_eq!(a.bytes(&blob), bytes);
    let wanted = || a.peers.as_ref().unwrap().blobs_wanted();
    until("nothing is wanted any more", || wanted() == 0).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_nobody_connected_has_is_asked_for_until_somebody_has_it_and_who_said_what_is_told()
 {
    let (mut a, mut b) = pair_of_which_32_dials().await;
    let mut c = Node::new("36", FEDERATION).await;
    a.accept(&c.card);
    c.accept(&a.keys.make_card("").unwrap());
    c.accept(&b.card);
    b.report(1).await;
    let blob = b.attach(1, &picture(100)).await;
    c.take_log_of(&b).await;
    for node in [&mut a, &mut c] {
        node.start();
    }
    until("the entry came through 36", || a.has_all_of(&b)).await;
    a.want(blob.hash).await.unwrap();
    until("36 says that it has it not", || {
        a.said(&blob, &c) == Some(PeerAnswer::HasNot)
    })
    .await;
    let asked = a.peers.as_ref().unwrap().blob_asked(&blob.hash).unwrap();
    assert!(!asked.under_way && asked.why.is_empty(), "{asked:?}");
    assert_eq!(a.peers.as_ref().unwrap().blobs_wanted(), 1);
    // What 36 is asked for it does not ask of others than its origin, and nobody here has it.
    assert_eq!(c.said(&blob, &a), None);

    // A start in between forgets nothing.
    a.stop().await;
    a.reopen();
    a.listener = Some(TcpListener::bind(a.address).await.unwrap());
    a.start();
    b.start();
    until("the file comes from 32", || a.holds(&blob)).await;
    for node in [&mut a, &mut b, &mut c] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_line_to_the_origin_is_cut_a_file_comes_through_the_node_between() {
    let (mut a, mut b) = (
        Node::new("31", FEDERATION).await,
        Node::new("32", FEDERATION).await,
    );
    let mut relay = Node::new("36", FEDERATION).await;
    // `31` and `32` accept each other, and neither knows where the other is.
    a.accept(&b.keys.make_card("").unwrap());
    b.accept(&a.keys.make_card("").unwrap());
    for node in [&a, &b] {
        node.accept(&relay.card);
        relay.accept(&node.keys.make_card("").unwrap());
    }
    let bytes = picture(3 * PART_BYTES);
    b.report(1).await;
    let blob = b.attach(1, &bytes).await;
    for node in [&mut a, &mut b, &mut relay] {
        node.start();
    }
    until("the log of 32 is on 31", || a.has_all_of(&b)).await;
    assert!(!relay.holds(&blob));
    a.want(blob.hash).await.unwrap();
    until("the file is on 31", || a.holds(&blob)).await;
    assert_eq!(a.bytes(&blob), bytes);
    assert!(relay.holds(&blob), "who stands between holds it too");
    assert_eq!(relay.peers.as_ref().unwrap().blobs_wanted(), 0);
    for node in [&mut a, &mut b, &mut relay] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_gets_files_that_regional_entries_name() {
    let mut b = Node::new("32", FEDERATION).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut gateway = Node::make("ims", NodeRole::Gateway, FEDERATION, &address);
    gateway.listener = Some(listener);
    gateway.accept(&b.card);
    b.accept(&gateway.card);
    let bytes = picture(1000);
    b.report(1).await;
    let blob = b.attach(1, &bytes).await;
    gateway.start();
    b.start();
    until("the entry is here", || gateway.has_all_of(&b)).await;
    gateway.want(blob.hash).await.unwrap();
    until("the file is here", || gateway.holds(&blob)).await;
    assert_eq!(gateway.bytes(&blob), bytes);
    // By entries of another class nobody is given it.
    let provinces = b.store.blob_part(&blob.hash, 0, 10, 2).unwrap();
    assert_eq!(provinces, None);
    gateway.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_larger_than_the_limit_is_not_fetched_and_the_limit_is_named() {
    let (mut a, b) = pair().await;
    b.report(1).await;
    let blob = b.attach(1, &picture(2 << 20)).await;
    a.take_log_of(&b).await;
    a.max_blob_bytes = 1 << 20;
    a.start();
    let refused = a.want(blob.hash).await.unwrap_err().to_string();
    assert!(
        refused.ends_with("has 2097152 bytes, more than 1 MiB, the limit of `[blob] max_mib`"),
        "{refused}"
    );
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_gives_wrong_bytes_is_cut_off_and_asked_no_more_and_the_file_comes_from_another() {
    let (mut a, mut b) = pair().await;
    let mut liar = Node::new("36", FEDERATION).await;
    a.accept(&liar.card);
    liar.accept(&a.keys.make_card("").unwrap());
    liar.accept(&b.card);
    let bytes = picture(PART_BYTES + 5);
    b.report(1).await;
    let blob = b.attach(1, &bytes).await;
    liar.take_log_of(&b).await;
    let id = liar.store.begin_upload(now()).unwrap();
    for length in [PART_BYTES, 5] {
        liar.store
            .add_to_upload(id, vec![0; length], now())
            .unwrap();
    }
    // What it says that it is, it is not.
    liar.store.finish_upload(id, blob, now()).unwrap();
    a.start();
    liar.start();
    until("the entry came through 36", || a.has_all_of(&b)).await;
    a.want(blob.hash).await.unwrap();
    until("36 is found out", || {
        a.said(&blob, &liar) == Some(PeerAnswer::Wrong)
    })
    .await;
    assert!(!a.holds(&blob));
    until("36 comes back, for its log", || a.state(&liar).connected).await;
    assert_eq!(
        a.said(&blob, &liar),
        Some(PeerAnswer::Wrong),
        "and is not asked again"
    );
    b.start();
    until("the file comes from 32", || a.holds(&blob)).await;
    assert_eq!(a.bytes(&blob), bytes);
    for node in [&mut a, &mut b, &mut liar] {
        node.stop().await;
    }
}

#[test]
fn parts_that_wait_count_for_who_does_not_read() {
    let lanes = crate::peer::lane::Lanes::default();
    let part = || {
        Body::BlobChunk(BlobChunk {
            body: vec![0; PART_BYTES],
            ..BlobChunk::default()
        })
    };
    let pushed = (0..1000).take_while(|_| lanes.push(part(), LaneKind::Bulk).is_ok());
    assert!(pushed.count() < 200);
}
