//! Letters and presence between two nodes that only a third connects.

use posko_ledger::engine::presence::Item;
use tokio::sync::broadcast;

use super::{super::Received, *};

/// `31` and `32`, which accept each other and do not know where the other is, and `36`, which both know.
async fn two_and_a_relay() -> (Node, Node, Node) {
    let (a, b) = (
        Node::new("31", FEDERATION).await,
        Node::new("32", FEDERATION).await,
    );
    let relay = Node::new("36", FEDERATION).await;
    a.accept(&b.keys.make_card("").unwrap());
    b.accept(&a.keys.make_card("").unwrap());
    for node in [&a, &b] {
        node.accept(&relay.card);
        relay.accept(&node.keys.make_card("").unwrap());
    }
    (a, b, relay)
}

fn peers(node: &Node) -> &Peers {
    node.peers.as_ref().unwrap()
}

async fn next(letters: &mut broadcast::Receiver<Received>) -> Received {
    let letter = tokio::time::timeout(Duration::from_mins(1), letters.recv());
    letter.await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_arrives_once_through_a_node_that_cannot_read_it_also_when_its_reader_comes_later()
{
    let (mut a, mut b, mut relay) = two_and_a_relay().await;
    a.start();
    relay.start();
    until("31 and 36 meet", || a.state(&relay).connected).await;
    let mut at_relay = peers(&relay).letters();
    let hour = Duration::from_hours(1);
    let text = b"a question about volunteer 17";
    let id = peers(&a).write(b.origin, text, hour).unwrap();
    until("36 keeps it", || {
        let shared = &peers(&relay).0;
        let kept = super::super::route::lock(&shared.mail.post).give(
            shared.now(),
            "33".parse().unwrap(),
            |_| false,
        );
        let Some(letter) = kept.first() else {
            return false;
        };
        assert_eq!(letter.address.id, id);
        assert!(shared.open(letter).is_err(), "36 reads it");
        let ciphertext = letter.ciphertext.windows(text.len());
        assert!(!{ ciphertext }.any(|window| window == text));
        true
    })
    .await;

    b.start();
    let mut letters = peers(&b).letters();
    let received = next(&mut letters).await;
    assert_eq!(
        (received.id, received.from, received.body.as_slice()),
        (id, a.origin, &text[..])
    );

    // The answer goes the same way, and nothing comes twice.
    let mut answers = peers(&a).letters();
    let answer = peers(&b).write(a.origin, b"an answer", hour).unwrap();
    assert_eq!(next(&mut answers).await.id, answer);
    let last = peers(&a).write(b.origin, b"thanks", hour).unwrap();
    assert_eq!(next(&mut letters).await.id, last);
    assert!(letters.is_empty() && at_relay.try_recv().is_err());
    for node in [&mut a, &mut b, &mut relay] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_to_a_node_without_a_card_is_refused_by_its_name() {
    let mut a = Node::new("31", FEDERATION).await;
    a.start();
    let refused = peers(&a).write("36".parse().unwrap(), b"hello", Duration::from_secs(1));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "no card of `36` is accepted"
    );
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_reaches_a_third_node_is_replaced_by_the_next_and_expires() {
    let (mut a, mut b, mut relay) = two_and_a_relay().await;
    for node in [&mut a, &mut b, &mut relay] {
        node.start();
    }
    let at = |body: &[u8]| {
        let item = Item {
            subject: Id([7; 16]),
            kind: 1,
            body: body.to_vec(),
        };
        vec![item]
    };
    let seen = |node: &Node| -> Option<Vec<u8>> {
        let statements = peers(node).presence();
        let mut of_31 = statements.into_iter().filter(|one| one.origin == a.origin);
        of_31.next().map(|one| one.items[0].body.clone())
    };
    let mut changes = peers(&b).presence_changes();
    peers(&a)
        .say(at(b"-6.20 106.81"), Duration::from_mins(5))
        .unwrap();
    until("32 sees it", || {
        seen(&b).as_deref() == Some(b"-6.20 106.81")
    })
    .await;
    assert!(changes.has_changed().unwrap());
    let started = Instant::now();
    peers(&a)
        .say(at(b"-6.21 106.82"), Duration::from_secs(4))
        .unwrap();
    until("32 sees the next, or it has expired", || {
        seen(&b).as_deref() != Some(b"-6.20 106.81")
    })
    .await;
    if started.elapsed() < Duration::from_secs(4) {
        assert_eq!(seen(&b).as_deref(), Some(&b"-6.21 106.82"[..]));
    }
    changes.borrow_and_update();
    until("it expires", || seen(&b).is_none()).await;
    until("who shows it is woken", || changes.has_changed().unwrap()).await;
    for node in [&mut a, &mut b, &mut relay] {
        node.stop().await;
    }
}
