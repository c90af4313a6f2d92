//! Who may say what: a feed speaks for its own host, and ends nothing that another's brought.

use super::{source::flood, *};

/// What has arrived at a node, and the feeds that bring more to it.
async fn feed(node: &Node, path: &str) -> Bench {
    let kind = FeedKind::Cap {
        provinces: Province::ALL.to_vec(),
        hosts: Vec::new(),
    };
    Bench::new(kind, path, node.clone()).await
}

async fn brings(bench: &mut Bench, path: &str, document: &str) -> Feed {
    bench.server.answer(path, Answer::ok(document));
    bench.poll().await
}

fn referring(identifier: &str, kind: &str, sent: &str, references: &[(&str, &str)]) -> String {
    let said = |(identifier, sent): &(&str, &str)| {
        format!("posko@bpbd.example,{identifier},2022-11-21T{sent}:00+07:00")
    };
    let references: Vec<String> = references.iter().map(said).collect();
    let references = format!("<references>{}</references>", references.join(" "));
    flood(identifier, kind, &references).replace("T13:10", &format!("T{sent}"))
}

#[tokio::test]
async fn a_feed_cannot_end_or_rewrite_what_another_hosts_feed_brought() {
    let node = Node::default();
    let mut own = feed(&node, "/own").await;
    let mut other = feed(&node, "/other").await;
    let first = flood("a-1", "Alert", "").replace("T13:10", "T13:00");
    brings(&mut own, "/own", &first).await;
    let reference = [("a-1", "13:00")];
    let rewritten = flood("a-1", "Alert", "").replace("Banjir di Bogor", "Sudah aman");
    for forged in [
        referring("x-1", "Cancel", "13:10", &reference),
        rewritten,
        referring("x-2", "Update", "13:10", &reference),
    ] {
        let told = brings(&mut other, "/other", &forged).await;
        assert_eq!(told.health(), FeedHealth::Invalid);
        assert!(
            told.last_error.contains("can neither change nor end it"),
            "{}",
            told.last_error
        );
        assert_eq!(node.standings()[0], "a-1: in_force");
    }
    let contents = node.all(|state| state.identifier == "a-1");
    assert_eq!(contents[0].state.content.headline, "Banjir di Bogor");
    // Whoever brought it ends it.
    let told = brings(
        &mut own,
        "/own",
        &referring("a-2", "Cancel", "13:15", &reference),
    )
    .await;
    assert_eq!(told.health(), FeedHealth::Ok, "{}", told.last_error);
    assert_eq!(node.standings()[0], "a-1: cancelled");
}

#[tokio::test]
async fn a_forged_message_that_waits_for_an_alert_does_not_end_it_when_it_comes() {
    let node = Node::default();
    let mut own = feed(&node, "/own").await;
    let mut other = feed(&node, "/other").await;
    let waiting = referring("x-1", "Cancel", "13:10", &[("a-1", "13:00")]);
    brings(&mut other, "/other", &waiting).await;
    let first = flood("a-1", "Alert", "").replace("T13:10", "T13:00");
    let told = brings(&mut own, "/own", &first).await;
    assert_eq!(told.health(), FeedHealth::Ok, "{}", told.last_error);
    assert_eq!(node.standings()[0], "a-1: in_force");
}

#[tokio::test]
async fn a_feed_of_another_host_does_not_speak_for_bmkg() {
    let node = Node::default();
    let mut other = feed(&node, "/other").await;
    let forged =
        flood("2.49.0.1", "Alert", "").replace("posko@bpbd.example", "peringatan@bmkg.go.id");
    let told = brings(&mut other, "/other", &forged).await;
    assert_eq!(told.health(), FeedHealth::Invalid);
    assert!(
        told.last_error.contains("only a feed of BMKG does"),
        "{}",
        told.last_error
    );
    assert_eq!(node.standings(), Vec::<String>::new());
}

#[tokio::test]
async fn of_two_updates_that_refer_to_each_other_one_stands() {
    let one = referring("a-1", "Update", "13:00", &[("a-2", "12:50")]);
    let two = referring("a-2", "Update", "13:05", &[("a-1", "13:00")]);
    let level = referring("a-2", "Update", "13:00", &[("a-1", "12:50")]);
    for (documents, stands) in [
        ([&one, &two], "a-2"),
        ([&two, &one], "a-2"),
        ([&one, &level], "a-2"),
        ([&level, &one], "a-1"),
    ] {
        let node = Node::default();
        let mut own = feed(&node, "/own").await;
        for document in documents {
            brings(&mut own, "/own", document).await;
        }
        let stand: Vec<String> = node
            .standings()
            .into_iter()
            .filter(|standing| standing.ends_with("in_force"))
            .collect();
        assert_eq!(stand, [format!("{stands}: in_force")]);
    }
}

#[test]
fn a_feed_is_known_by_its_host_and_every_feed_of_bmkgs_as_bmkg() {
    let of = |kind: FeedKind, url: &str| {
        let config = FeedConfig {
            name: "uji".into(),
            kind,
            url: url.into(),
            period: PERIOD,
        };
        config.carrier()
    };
    let cap = || FeedKind::Cap {
        provinces: Vec::new(),
        hosts: Vec::new(),
    };
    let nowcast = FeedKind::BmkgNowcast {
        provinces: Vec::new(),
    };
    assert_eq!(of(nowcast, "http://cermin.example/rss"), "bmkg.go.id");
    assert_eq!(of(cap(), "https://www.BMKG.go.id/cap"), "bmkg.go.id");
    assert_eq!(
        of(cap(), "https://bmkg.go.id.example/cap"),
        "bmkg.go.id.example"
    );
    assert_eq!(
        of(
            FeedKind::Gauges {
                expected: Vec::new()
            },
            "https://Air.example:8443/a?b"
        ),
        "air.example:8443"
    );
}
