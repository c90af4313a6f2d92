//! Feeds against a loopback server that answers as each test says, with a clock that the test sets.

mod agreement;
mod carrier;
mod recorded;
mod server;
mod source;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use posko_domain::{
    code::Code,
    context::Context,
    warning::{WarningState, apply, decide, standing},
};
use posko_formats::MAX_DOCUMENT_BYTES;
use posko_proto::warning::v1::{
    AlertStatus, AreaReach, Content, FeedHealth, Severity, Siaga, State,
};

use super::*;
use crate::intake::tests::server::{Answer, Server};

/// 21 November 2022, 06:30 UTC: nine minutes after the Cianjur earthquake.
const NOW: Millis = Millis(1_669_012_200_000);
const PERIOD: Duration = Duration::from_mins(1);

/// What a node has recorded, by stream, decided and folded by the real rules.
#[derive(Clone)]
struct Node {
    takes: Arc<Mutex<Vec<Take>>>,
    held: Arc<Mutex<BTreeMap<Id, WarningState>>>,
    refuse: Arc<Mutex<Option<Refusal>>>,
    now: Arc<AtomicI64>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            takes: Arc::default(),
            held: Arc::default(),
            refuse: Arc::default(),
            now: Arc::new(AtomicI64::new(NOW.0)),
        }
    }
}

impl Recorder for Node {
    async fn record(&self, take: Take) -> Result<Recorded, Refusal> {
        if let Some(refusal) = self.refuse.lock().unwrap().clone() {
            return Err(refusal);
        }
        let now = self.time();
        let context = Context {
            node: "32".parse().unwrap(),
            now,
            occurred_at: now,
            exercise: false,
            last_number: 0,
        };
        let mut held = self.held.lock().unwrap();
        let mut state = held.get(&take.stream).cloned();
        let events = decide(state.as_ref(), &take.command, &context)?;
        self.takes.lock().unwrap().push(take.clone());
        for event in &events {
            let recorded = posko_domain::context::Recorded {
                origin: context.node,
                at: now,
                occurred_at: now,
                actor: Id([9; 16]),
                exercise: false,
                version: state.as_ref().map_or(0, |state| state.version) + 1,
            };
            state = Some(apply(state, event, &recorded).unwrap());
        }
        if let Some(state) = state {
            held.insert(take.stream, state);
        }
        Ok(Recorded {
            changed: !events.is_empty(),
        })
    }

    async fn in_force(&self, source: Source) -> Result<Vec<Held>, Refusal> {
        let now = self.time();
        Ok(self.all(|state| state.source == source && standing(state, now) == State::InForce))
    }

    async fn referring(&self, stream: Id) -> Result<Vec<Held>, Refusal> {
        Ok(self.all(|state| {
            let references = &state.content.references;
            references
                .iter()
                .any(|reference| reference.warning_id == stream.to_vec())
        }))
    }
}

impl Node {
    fn time(&self) -> Millis {
        Millis(self.now.load(Ordering::SeqCst))
    }

    fn all(&self, wanted: impl Fn(&WarningState) -> bool) -> Vec<Held> {
        let held = self.held.lock().unwrap();
        let wanted = held.iter().filter(|(_, state)| wanted(state));
        wanted
            .map(|(stream, state)| Held {
                stream: *stream,
                state: state.clone(),
            })
            .collect()
    }

    /// Returns how each warning stands, as `identifier: state`, in order of the identifiers.
    fn standings(&self) -> Vec<String> {
        let now = self.time();
        let shown = |held: &Held| {
            let state = standing(&held.state, now).as_str_name();
            let state = state.trim_start_matches("STATE_").to_lowercase();
            format!("{}: {state}", held.state.identifier)
        };
        let mut shown: Vec<String> = self.all(|_| true).iter().map(shown).collect();
        shown.sort();
        shown
    }

    fn contents(&self) -> Vec<Content> {
        let takes = self.takes.lock().unwrap();
        let content = |take: &Take| match &take.command {
            WarningCommand::Take { content, .. } => Some(content.clone()),
            _ => None,
        };
        takes.iter().filter_map(content).collect()
    }
}

/// One feed, asked when the test says so.
struct Bench {
    server: Server,
    node: Node,
    now: Arc<AtomicI64>,
    config: FeedConfig,
    watched: Watched,
    worker: Worker<Node>,
}

impl Bench {
    async fn nowcast() -> Self {
        Self::new(
            FeedKind::BmkgNowcast {
                provinces: Province::ALL.to_vec(),
            },
            "/nowcast/id",
            Node::default(),
        )
        .await
    }

    async fn earthquakes() -> Self {
        Self::new(
            FeedKind::BmkgEarthquake { radius_km: 300 },
            "/gempa.json",
            Node::default(),
        )
        .await
    }

    async fn new(kind: FeedKind, path: &str, node: Node) -> Self {
        Self::remembering(kind, path, node, Arc::default()).await
    }

    async fn remembering(kind: FeedKind, path: &str, node: Node, memory: Arc<Memory>) -> Self {
        let server = Server::start().await;
        let now = Arc::clone(&node.now);
        let config = FeedConfig {
            name: "uji".into(),
            kind,
            url: server.url(path),
            period: PERIOD,
        };
        let watched = Watched::new(std::slice::from_ref(&config), &[], NOW);
        let (_, kept) = watched.feeds().next().unwrap();
        let read = Arc::clone(&now);
        let worker = Worker::new(
            config.clone(),
            Arc::new(node.clone()),
            Fetcher::new(Duration::from_millis(1_500), 1).of(0, &config),
            Arc::new(move || Millis(read.load(Ordering::SeqCst))),
            (config.kind.scope(&Gauge::shipped()), memory),
            Arc::clone(kept),
        );
        Self {
            server,
            node,
            now,
            config,
            watched,
            worker,
        }
    }

    /// Asks once and returns how the feed is then.
    async fn poll(&mut self) -> Feed {
        self.worker.poll().await;
        self.status()
    }

    fn status(&self) -> Feed {
        let now = Millis(self.now.load(Ordering::SeqCst));
        self.watched.status(now).remove(0)
    }

    fn pass(&self, periods: i64) {
        self.now.fetch_add(periods * 60_000 + 1, Ordering::SeqCst);
    }
}

fn counts(feed: &Feed) -> [u64; 3] {
    [feed.taken, feed.refused, feed.outside]
}

fn item(code: &str, title: &str, published: &str) -> String {
    format!(
        "<item><title>{title}</title><link>https://www.bmkg.go.id/alerts/nowcast/id/{code}_alert.xml</link>\
         <guid isPermaLink=\"false\">2.49.0.1.360.0.{code}</guid><pubDate>{published}</pubDate></item>"
    )
}

fn list(items: &[String]) -> Answer {
    let items = items.concat();
    Answer::ok(format!(
        "<rss version=\"2.0\"><channel><title>Peringatan Dini Cuaca</title>{items}</channel></rss>"
    ))
}

const PUBLISHED: &str = "Mon, 21 Nov 2022 13:10:00 +0700";

fn alert(code: &str, province: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
        <identifier>2.49.0.1.360.0.{code}</identifier><sender>cuaca@bmkg.example</sender>
        <sent>2022-11-21T13:10:00+07:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
        <info><language>id</language><category>Met</category><event>Hujan Lebat dan Petir</event>
        <urgency>Immediate</urgency><severity>Moderate</severity><certainty>Observed</certainty>
        <effective>2022-11-21T13:20:00+07:00</effective><expires>2022-11-21T16:00:00+07:00</expires>
        <headline>Hujan Lebat disertai Petir di {province}</headline><description>Hujan lebat di beberapa kecamatan.</description>
        <contact>Bapak Contoh 0800-000-000</contact>
        <area><areaDesc>{province}</areaDesc><polygon>-6.2,106.0 -6.3,106.1 -6.3,106.0 -6.2,106.0</polygon></area>
        </info></alert>"#
    )
}

fn row(time: &str, place: &str, magnitude: &str, rest: &str) -> String {
    let (lat, lon) = place.split_once(',').unwrap();
    let south = lat.trim_start_matches('-');
    format!(
        r#"{{"DateTime":"{time}","Coordinates":"{place}","Lintang":"{south} LS","Bujur":"{lon} BT",
        "Magnitude":"{magnitude}","Kedalaman":"11 km",
        "Wilayah":"10 km BaratDaya KAB-CIANJUR-JABAR","Potensi":"Tidak berpotensi tsunami"{rest}}}"#
    )
}

fn rows(rows: &[String]) -> Answer {
    Answer::ok(format!(
        r#"{{"Infogempa":{{"gempa":[{}]}}}}"#,
        rows.join(",")
    ))
}

fn cianjur() -> String {
    row(
        "2022-11-21T06:21:09+00:00",
        "-6.85,107.03",
        "5.6",
        r#","Dirasakan":"V-VI Cianjur, IV-V Garut""#,
    )
}

#[tokio::test]
async fn a_nowcast_brings_each_alert_of_our_provinces_once() {
    let mut bench = Bench::nowcast().await;
    let items = [
        item("CBT001", "Hujan Lebat disertai Petir di Banten", PUBLISHED),
        item(
            "CJB002",
            "Hujan Lebat disertai Petir di Jawa Barat",
            PUBLISHED,
        ),
        item(
            "CJG003",
            "Hujan Lebat disertai Petir di Jawa Tengah",
            PUBLISHED,
        ),
        item("CXX004", "Peringatan Dini Cuaca", PUBLISHED),
    ];
    bench.server.answer("/nowcast/id", list(&items));
    bench.server.answer(
        "/nowcast/id/CBT001_alert.xml",
        Answer::ok(alert("CBT001", "Banten")),
    );
    bench.server.answer(
        "/nowcast/id/CJB002_alert.xml",
        Answer::ok(alert("CJB002", "Jawa Barat")),
    );
    bench.server.answer(
        "/nowcast/id/CXX004_alert.xml",
        Answer::ok(alert("CXX004", "Lampung")),
    );

    let feed = bench.poll().await;
    assert_eq!((feed.health(), counts(&feed)), (FeedHealth::Ok, [2, 0, 2]));
    assert_eq!(feed.last_success_at, Some(NOW.into()));
    let contents = bench.node.contents();
    let [banten, _] = contents.as_slice() else {
        panic!("{contents:?}")
    };
    assert_eq!(
        banten.hazard(),
        posko_proto::common::v1::Hazard::ExtremeRain
    );
    assert_eq!(
        (banten.status(), banten.severity()),
        (AlertStatus::Actual, Severity::Moderate)
    );
    assert_eq!(
        (banten.event.as_str(), banten.language.as_str()),
        ("Hujan Lebat dan Petir", "id")
    );
    assert!(
        banten.areas[0]
            .region_codes
            .iter()
            .all(|code| code.starts_with("36.")),
        "{:?}",
        banten.areas[0].region_codes
    );
    assert_eq!(
        banten.areas[0].polygons[0].points[0].latitude_microdegrees,
        -6_200_000
    );
    assert!(
        !format!("{banten:?}").contains("Contoh"),
        "a contact may name a person"
    );
    let WarningCommand::Take { publisher, .. } =
        &bench.node.takes.lock().unwrap()[0].command.clone()
    else {
        panic!()
    };
    assert_eq!(publisher, "BMKG");

    let feed = bench.poll().await;
    assert_eq!(counts(&feed), [2, 0, 2]);
    assert_eq!(bench.node.contents().len(), 2);
    assert_eq!(
        bench.server.hits("/nowcast/id/CBT001_alert.xml"),
        1,
        "an unchanged alert is not fetched again"
    );
    assert_eq!(
        bench.server.hits("/nowcast/id/CJG003_alert.xml"),
        0,
        "another province's is not fetched at all"
    );
    assert!(
        bench
            .server
            .agents()
            .iter()
            .all(|agent| agent.starts_with("posko/")),
        "{:?}",
        bench.server.agents()
    );
}

#[tokio::test]
async fn an_alert_published_anew_is_fetched_again_and_a_repeat_is_the_same_command() {
    let mut bench = Bench::nowcast().await;
    let title = "Hujan Lebat di Banten";
    bench.server.answer(
        "/nowcast/id/CBT001_alert.xml",
        Answer::ok(alert("CBT001", "Banten")),
    );
    bench
        .server
        .answer("/nowcast/id", list(&[item("CBT001", title, PUBLISHED)]));
    bench.poll().await;
    bench.server.answer(
        "/nowcast/id",
        list(&[item("CBT001", title, "Mon, 21 Nov 2022 13:20:00 +0700")]),
    );
    let feed = bench.poll().await;
    assert_eq!(
        counts(&feed),
        [1, 0, 0],
        "the same content is the same command"
    );
    let longer = alert("CBT001", "Banten").replace("T16:00", "T17:00");
    bench
        .server
        .answer("/nowcast/id/CBT001_alert.xml", Answer::ok(longer));
    bench.server.answer(
        "/nowcast/id",
        list(&[item("CBT001", title, "Mon, 21 Nov 2022 13:30:00 +0700")]),
    );
    let feed = bench.poll().await;
    assert_eq!(counts(&feed), [2, 0, 0]);
    let takes = bench.node.takes.lock().unwrap();
    assert_eq!(takes[0], takes[1]);
    assert_ne!(takes[0], takes[2]);
    assert!(
        takes.iter().all(|take| take.stream == takes[0].stream),
        "it is one warning"
    );
}

#[tokio::test]
async fn the_status_of_an_alert_passes_through_as_it_is() {
    for (word, status) in [
        ("Test", AlertStatus::Test),
        ("Exercise", AlertStatus::Exercise),
        ("Draft", AlertStatus::Draft),
        ("System", AlertStatus::System),
    ] {
        let mut bench = Bench::nowcast().await;
        let document =
            alert("CBT001", "Banten").replace("<status>Actual", &format!("<status>{word}"));
        bench.server.answer(
            "/nowcast/id",
            list(&[item("CBT001", "Hujan Lebat di Banten", PUBLISHED)]),
        );
        bench
            .server
            .answer("/nowcast/id/CBT001_alert.xml", Answer::ok(document));
        bench.poll().await;
        assert_eq!(bench.node.contents()[0].status(), status, "{word}");
    }
}

#[tokio::test]
async fn an_update_and_a_cancellation_end_the_warning_that_they_refer_to() {
    let mut bench = Bench::nowcast().await;
    let refer = |code: &str, kind: &str, status: &str| {
        let references = "<references>cuaca@bmkg.example,2.49.0.1.360.0.CBT001,2022-11-21T13:10:00+07:00</references>";
        alert(code, "Banten")
            .replace("<msgType>Alert", &format!("<msgType>{kind}"))
            .replace("<status>Actual", &format!("<status>{status}"))
            .replace("</scope>", &format!("</scope>{references}"))
    };
    let codes = ["CBT001", "CBT002", "CBT003", "CBT004", "CBT005"];
    let published = |at: usize| format!("Mon, 21 Nov 2022 13:1{at}:00 +0700");
    let dated = codes.iter().enumerate();
    let mut items: Vec<_> = dated
        .map(|(at, code)| item(code, "Hujan Lebat di Banten", &published(at)))
        .collect();
    items.reverse();
    bench.server.answer("/nowcast/id", list(&items));
    bench.server.answer(
        "/nowcast/id/CBT001_alert.xml",
        Answer::ok(alert("CBT001", "Banten")),
    );
    bench.server.answer(
        "/nowcast/id/CBT002_alert.xml",
        Answer::ok(refer("CBT002", "Update", "Actual")),
    );
    bench.server.answer(
        "/nowcast/id/CBT003_alert.xml",
        Answer::ok(refer("CBT003", "Update", "Exercise")),
    );
    bench.server.answer(
        "/nowcast/id/CBT004_alert.xml",
        Answer::ok(refer("CBT004", "Cancel", "Test")),
    );
    bench.server.answer(
        "/nowcast/id/CBT005_alert.xml",
        Answer::ok(refer("CBT005", "Cancel", "Actual")),
    );
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
    assert_eq!(
        bench.node.standings(),
        [
            "2.49.0.1.360.0.CBT001: cancelled",
            "2.49.0.1.360.0.CBT002: cancelled",
            "2.49.0.1.360.0.CBT003: in_force",
        ],
        "an exercise is a warning of its own, and what stands in the place of what is taken back goes with it"
    );
}

#[tokio::test]
async fn an_alert_from_the_future_is_refused_until_its_time_comes_and_is_no_command_before() {
    let mut bench = Bench::nowcast().await;
    let early =
        alert("CBT001", "Banten").replace("<sent>2022-11-21T13:10", "<sent>2022-11-21T13:50");
    bench.server.answer(
        "/nowcast/id",
        list(&[item("CBT001", "Hujan Lebat di Banten", PUBLISHED)]),
    );
    bench
        .server
        .answer("/nowcast/id/CBT001_alert.xml", Answer::ok(early));
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Invalid, [0, 1, 0])
    );
    assert!(feed.last_error.contains("after now"), "{}", feed.last_error);
    bench.pass(20);
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Ok, [1, 1, 0]),
        "{}",
        feed.last_error
    );
}

#[tokio::test]
async fn earthquakes_near_the_region_are_taken_once_with_their_facts() {
    let mut bench = Bench::earthquakes().await;
    let papua = row("2022-11-21T05:00:00+00:00", "-2.50,140.70", "6.1", "");
    bench
        .server
        .answer("/gempa.json", rows(&[cianjur(), papua]));
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Ok, [1, 0, 1]),
        "{}",
        feed.last_error
    );
    let feed = bench.poll().await;
    assert_eq!(counts(&feed), [1, 0, 1]);
    let takes = bench.node.takes.lock().unwrap();
    assert_eq!(takes.len(), 1);
    let WarningCommand::Take {
        source,
        identifier,
        content,
        ..
    } = &takes[0].command
    else {
        panic!()
    };
    assert_eq!(
        (*source, identifier.as_str()),
        (Source::BmkgEarthquake, "bmkg/2022-11-21T06:21:09Z")
    );
    assert_eq!(content.severity(), Severity::Moderate);
    assert_eq!(
        content.headline,
        "Gempa bumi M 5,6, 10 km BaratDaya KAB-CIANJUR-JABAR"
    );
    assert_eq!(
        content.description,
        "Gempa bumi berkekuatan M 5,6 terjadi pada 21 November 2022 pukul 13.21.09 WIB, berpusat di 6,85 LS, \
         107,03 BT, pada kedalaman 11 km. Lokasi: 10 km BaratDaya KAB-CIANJUR-JABAR. \
         Dirasakan (MMI): V-VI Cianjur, IV-V Garut. Potensi: Tidak berpotensi tsunami. Sumber: BMKG."
    );
    let earthquake = content.earthquake.as_ref().unwrap();
    assert_eq!(
        (earthquake.magnitude_hundredths, earthquake.depth_m),
        (560, 11_000)
    );
    assert_eq!(earthquake.felt, "V-VI Cianjur, IV-V Garut");
    assert!(
        content.areas[0].region_codes[0].starts_with("32."),
        "{:?}",
        content.areas
    );
}

#[tokio::test]
async fn a_bad_row_is_refused_by_name_and_hides_no_good_one() {
    let mut bench = Bench::earthquakes().await;
    let future = row("2022-11-21T07:00:00+00:00", "-6.85,107.03", "5.0", "");
    let off_earth = row("2022-11-21T05:00:00+00:00", "-96.85,107.03", "5.0", "");
    bench
        .server
        .answer("/gempa.json", rows(&[future.clone(), off_earth, cianjur()]));
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Invalid, [1, 2, 0])
    );
    assert!(feed.last_error.contains("after now"), "{}", feed.last_error);
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Invalid, [1, 2, 0]),
        "what is still listed counts once"
    );
    bench
        .server
        .answer("/gempa.json", rows(&[future, cianjur()]));
    bench.pass(31);
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Ok, [2, 2, 0]),
        "its time has come: {}",
        feed.last_error
    );
}

#[tokio::test]
async fn what_one_list_says_of_where_it_was_felt_is_not_lost_by_another() {
    let mut bench = Bench::earthquakes().await;
    bench.server.answer("/gempa.json", rows(&[cianjur()]));
    bench.poll().await;
    bench.server.answer(
        "/gempa.json",
        rows(&[row("2022-11-21T06:21:09+00:00", "-6.85,107.03", "5.6", "")]),
    );
    let feed = bench.poll().await;
    assert_eq!(counts(&feed), [1, 0, 0]);
}

#[tokio::test]
async fn an_earthquake_that_says_it_is_a_test_or_an_exercise_is_one() {
    for (words, status) in [
        (
            "Ini hanya tes. Pusat gempa berada di laut",
            AlertStatus::Test,
        ),
        ("TES 10 km BaratDaya", AlertStatus::Test),
        ("Latihan: 10 km BaratDaya", AlertStatus::Exercise),
        ("10 km TimurLaut Protes", AlertStatus::Actual),
    ] {
        let mut bench = Bench::earthquakes().await;
        bench.server.answer(
            "/gempa.json",
            rows(&[cianjur().replace("10 km BaratDaya", words)]),
        );
        bench.poll().await;
        assert_eq!(bench.node.contents()[0].status(), status, "{words}");
    }
}

#[tokio::test]
async fn a_feed_that_answers_with_garbage_is_asked_by_its_period_and_stays_invalid() {
    let mut bench = Bench::earthquakes().await;
    bench
        .server
        .answer("/gempa.json", Answer::ok("<html></html>"));
    for _ in 0..5 {
        assert_eq!(bench.worker.poll().await, PERIOD);
        bench.pass(1);
        let feed = bench.status();
        assert_eq!((feed.health(), feed.alarm), (FeedHealth::Invalid, true));
    }
}

#[tokio::test]
async fn an_answer_that_fails_takes_nothing_and_is_never_an_empty_list() {
    let endless = format!("{:x}\r\n{}\r\n", 1024 * 1024, " ".repeat(1024 * 1024)).repeat(17);
    let cases = [
        (Answer::status(500), "answered with status `500`"),
        (
            Answer::ok(r#"{"Infogempa":{"gempa":[]}}"#).declared(5_000),
            "ends early",
        ),
        (Answer::chunked("5\r\n{\"Inf\r\n"), "ends early"),
        (
            Answer::ok("").declared(MAX_DOCUMENT_BYTES + 1),
            "larger than the limit of `16777216` bytes",
        ),
        (
            Answer::chunked(endless),
            "larger than the limit of `16777216` bytes",
        ),
        (Answer::silent(), "did not answer whole within `1500` ms"),
        (
            Answer::redirect("/gempa.json"),
            "redirects more than `5` times",
        ),
        (
            Answer::redirect("file:///etc/hostname"),
            "redirects to `file:///etc/hostname`, which is not `http` or `https`",
        ),
        (
            Answer::redirect("http://169.254.169.254/latest/meta-data"),
            "redirects to host `169.254.169.254`, from which this feed may fetch nothing",
        ),
        (
            Answer::with_head(
                "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1",
                "\x1f",
            ),
            "is packed as `gzip`",
        ),
        (
            Answer::ok(r#"{"Infogempa":{"gempa":["#),
            "not JSON at line `1`",
        ),
        (
            Answer::ok("<html>Sedang dalam perbaikan, rahasia</html>"),
            "an HTML page",
        ),
    ];
    for (answer, expected) in cases {
        let mut bench = Bench::earthquakes().await;
        bench.server.answer("/gempa.json", answer);
        let feed = bench.poll().await;
        assert!(
            feed.last_error.contains(expected),
            "{expected}: {}",
            feed.last_error
        );
        assert!(!feed.last_error.contains("rahasia"), "{}", feed.last_error);
        assert_ne!(feed.health(), FeedHealth::Ok, "{expected}");
        assert_eq!(
            (feed.last_success_at, counts(&feed)),
            (None, [0, 0, 0]),
            "{expected}"
        );
        assert!(bench.node.contents().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_late_with_the_reason() {
    let mut bench = Bench::earthquakes().await;
    bench.server.stop().await;
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Late);
    assert!(
        feed.last_error.contains("cannot be reached"),
        "{}",
        feed.last_error
    );
}

#[tokio::test]
async fn a_hostile_or_broken_alert_is_refused_alone_and_asked_for_again() {
    let entities = r#"<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">&b;</alert>"#;
    let external = r#"<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">&a;</alert>"#;
    let unclosed =
        alert("CBT001", "Banten").replace("-6.2,106.0</polygon>", "-6.9,106.0</polygon>");
    let early = alert("CBT001", "Banten").replace("T16:00", "T13:00");
    for bad in [
        Answer::ok(entities),
        Answer::ok(external),
        Answer::ok("<alert"),
        Answer::ok(unclosed),
        Answer::ok(early),
        Answer::status(404),
        Answer::ok("").declared(MAX_DOCUMENT_BYTES + 1),
    ] {
        let mut bench = Bench::nowcast().await;
        let titles = ["Hujan Lebat di Banten", "Hujan Lebat di Jawa Barat"];
        bench.server.answer(
            "/nowcast/id",
            list(&[
                item("CBT001", titles[0], PUBLISHED),
                item("CJB002", titles[1], PUBLISHED),
            ]),
        );
        bench.server.answer("/nowcast/id/CBT001_alert.xml", bad);
        bench.server.answer(
            "/nowcast/id/CJB002_alert.xml",
            Answer::ok(alert("CJB002", "Jawa Barat")),
        );
        let feed = bench.poll().await;
        assert_eq!(
            (feed.health(), counts(&feed)),
            (FeedHealth::Invalid, [1, 1, 0]),
            "{}",
            feed.last_error
        );
        assert_ne!(feed.last_error, "");
        bench.server.answer(
            "/nowcast/id/CBT001_alert.xml",
            Answer::ok(alert("CBT001", "Banten")),
        );
        let feed = bench.poll().await;
        assert_eq!(
            (feed.health(), counts(&feed)),
            (FeedHealth::Ok, [2, 1, 0]),
            "{}",
            feed.last_error
        );
        assert_eq!(feed.last_error, "");
    }
}

#[tokio::test]
async fn a_hostile_list_makes_the_feed_invalid_and_takes_nothing() {
    let entities = r#"<!DOCTYPE r [<!ENTITY a "aaaa">]><rss version="2.0"><channel><title>&a;</title></channel></rss>"#;
    let many: Vec<_> = (0..1_001)
        .map(|at| item(&format!("CBT{at}"), "Hujan Lebat di Banten", PUBLISHED))
        .collect();
    for answer in [
        Answer::ok(entities),
        Answer::ok("<rss"),
        Answer::ok(""),
        list(&many),
    ] {
        let mut bench = Bench::nowcast().await;
        bench.server.answer("/nowcast/id", answer);
        let feed = bench.poll().await;
        assert_eq!(
            (feed.health(), counts(&feed)),
            (FeedHealth::Invalid, [0, 0, 0]),
            "{}",
            feed.last_error
        );
        assert_eq!(feed.since, Some(NOW.into()));
    }
}

#[tokio::test]
async fn a_feed_goes_late_and_dead_by_the_clock_and_comes_back() {
    let mut bench = Bench::earthquakes().await;
    assert_eq!(bench.status().health(), FeedHealth::Unspecified);
    bench.server.answer("/gempa.json", rows(&[cianjur()]));
    assert_eq!(bench.poll().await.health(), FeedHealth::Ok);
    bench.server.answer("/gempa.json", Answer::status(503));
    assert_eq!(
        bench.poll().await.health(),
        FeedHealth::Ok,
        "one error is not yet lateness"
    );
    bench.pass(2);
    assert_eq!(bench.status().health(), FeedHealth::Late);
    assert_eq!(bench.status().since, Some(NOW.plus_seconds(120).into()));
    bench.pass(8);
    assert_eq!(bench.poll().await.health(), FeedHealth::Dead);
    assert_eq!(bench.status().last_success_at, Some(NOW.into()));
    bench.server.answer("/gempa.json", rows(&[cianjur()]));
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), feed.last_error.as_str(), counts(&feed)),
        (FeedHealth::Ok, "", [1, 0, 0])
    );
}

#[tokio::test]
async fn trouble_of_the_node_itself_is_tried_again_and_a_refusal_is_counted() {
    let mut bench = Bench::earthquakes().await;
    bench.server.answer("/gempa.json", rows(&[cianjur()]));
    *bench.node.refuse.lock().unwrap() = Some(Refusal {
        code: Code::Unavailable,
        message: "the log is full".into(),
    });
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Late, [0, 0, 0])
    );
    assert_eq!(
        feed.last_error,
        "the node could not record it: the log is full"
    );
    *bench.node.refuse.lock().unwrap() = Some(Refusal {
        code: Code::Invalid,
        message: "field `x` is wrong".into(),
    });
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Invalid, [0, 1, 0])
    );
    *bench.node.refuse.lock().unwrap() = None;
    let feed = bench.poll().await;
    assert_eq!((feed.health(), counts(&feed)), (FeedHealth::Ok, [1, 1, 0]));
}

#[tokio::test]
async fn running_feeds_ask_by_themselves_and_stop_when_told() {
    let server = Server::start().await;
    server.answer("/gempa.json", rows(&[cianjur()]));
    server.answer(
        "/nowcast/id",
        list(&[item("CBT001", "Hujan Lebat di Banten", PUBLISHED)]),
    );
    server.answer(
        "/nowcast/id/CBT001_alert.xml",
        Answer::ok(alert("CBT001", "Banten")),
    );
    let feed = |name: &str, kind, path| FeedConfig {
        name: name.into(),
        kind,
        url: server.url(path),
        period: Duration::from_millis(20),
    };
    let config = [
        feed(
            "cuaca",
            FeedKind::BmkgNowcast {
                provinces: Province::ALL.to_vec(),
            },
            "/nowcast/id",
        ),
        feed(
            "gempa",
            FeedKind::BmkgEarthquake { radius_km: 300 },
            "/gempa.json",
        ),
    ];
    let node = Node::default();
    let clock: Clock = Arc::new(|| NOW);
    let gauges = Gauge::shipped();
    let known = (gauges.as_slice(), Readings::default());
    let feeds = Feeds::start(&config, &[], known, node.clone(), clock);
    let all_well = async {
        while !feeds
            .status()
            .iter()
            .all(|feed| feed.health() == FeedHealth::Ok && feed.taken == 1)
            || server.hits("/gempa.json") < 3
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_well)
        .await
        .unwrap();
    let names: Vec<_> = feeds.status().into_iter().map(|feed| feed.name).collect();
    assert_eq!(names, ["cuaca", "gempa"]);
    feeds.shutdown().await;
    assert_eq!(node.takes.lock().unwrap().len(), 2);
}

#[test]
fn an_alert_is_fetched_from_the_lists_own_host_whatever_its_link_says() {
    let item = |link: &str| posko_formats::rss::Item {
        at: posko_formats::Place { line: 1, column: 1 },
        title: String::new(),
        link: Some(link.into()),
        guid: None,
        published: None,
        category: None,
    };
    let cases = [
        (
            "https://a.example/alerts/nowcast/id",
            "https://a.example/x/CBT1_alert.xml",
            "https://a.example/x/CBT1_alert.xml",
        ),
        (
            "https://a.example/alerts/nowcast/id",
            "http://a.example/x/CBT1_alert.xml",
            "https://a.example/x/CBT1_alert.xml",
        ),
        (
            "http://127.0.0.1:8080/nowcast/id",
            "https://a.example/x/CBT1_alert.xml",
            "http://127.0.0.1:8080/nowcast/id/CBT1_alert.xml",
        ),
        (
            "http://127.0.0.1:8080/id/rss.xml",
            "https://a.example/x/CBT1_alert.xml",
            "http://127.0.0.1:8080/id/CBT1_alert.xml",
        ),
        (
            "http://127.0.0.1:8080/rss.xml?x=1",
            "https://a.example/x/CBT1_alert.xml",
            "http://127.0.0.1:8080/CBT1_alert.xml",
        ),
        (
            "http://127.0.0.1:8080/",
            "https://a.example/x/CBT1_alert.xml",
            "http://127.0.0.1:8080/CBT1_alert.xml",
        ),
    ];
    for (list, link, expected) in cases {
        let item = item(link);
        assert_eq!(
            nowcast::alert_url(list, &posko_formats::bmkg::nowcast_link(&item).unwrap()),
            expected
        );
    }
}

#[test]
fn severity_follows_our_own_rule_at_its_borders() {
    let at = |magnitude: &str| {
        let document = format!(
            r#"{{"Infogempa":{{"gempa":{}}}}}"#,
            row("2022-11-21T06:21:09+00:00", "-6.85,107.03", magnitude, "")
        );
        let mut rows = posko_formats::bmkg::parse_earthquakes(document.as_bytes())
            .unwrap()
            .rows;
        let now = chrono::DateTime::from_timestamp_millis(NOW.0).unwrap();
        match earthquake::judge(&rows.remove(0).unwrap().value, &[], 300, now) {
            Judged::Take(wanted) => wanted.content.severity(),
            other => panic!("{other:?}"),
        }
    };
    let severities = ["4.9", "5.0", "5.9", "6.0", "6.9", "7.0"].map(at);
    let words = severities.map(|severity| severity.as_str_name().trim_start_matches("SEVERITY_"));
    assert_eq!(
        words,
        [
            "MINOR", "MODERATE", "MODERATE", "SEVERE", "SEVERE", "EXTREME"
        ]
    );
}

/// Recorded files of BMKG, where they lie beside the repository.
#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
async fn recorded_files_of_bmkg_are_taken_as_they_are() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/bmkg/dhanyyudi-bmkg-api");
    let Ok(list) = std::fs::read(folder.join("rss_active.xml")) else {
        eprintln!("skipped: there are no recorded files in `../shared/data/bmkg`");
        return;
    };
    let read = |name: &str| Answer::ok(std::fs::read(folder.join(name)).unwrap());
    let mut bench = Bench::nowcast().await;
    bench.now.store(1_771_280_000_000, Ordering::SeqCst);
    bench.server.answer("/nowcast/id", Answer::ok(list));
    bench.server.answer(
        "/nowcast/id/CBT20260216004_alert.xml",
        read("cap_banten.xml"),
    );
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
    assert_eq!(feed.taken, 1);
    let content = &bench.node.contents()[0];
    assert_eq!(content.headline, "Hujan Lebat disertai Petir di Banten");
    assert!(content.areas[0].polygons.len() > 1);

    for name in ["autogempa.json", "gempadirasakan.json", "gempaterkini.json"] {
        let mut bench = Bench::earthquakes().await;
        bench.now.store(1_771_280_000_000, Ordering::SeqCst);
        bench.server.answer("/gempa.json", read(name));
        let feed = bench.poll().await;
        assert_eq!(feed.health(), FeedHealth::Ok, "{name}: {}", feed.last_error);
        assert!(feed.taken + feed.outside > 0, "{name}");
    }
}
