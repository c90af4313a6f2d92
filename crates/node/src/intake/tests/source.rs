//! Sources beside BMKG's nowcast: what each becomes, and what ends it.

use posko_store::reading::KeptReading;

use super::*;

impl Bench {
    async fn of(kind: FeedKind, path: &str) -> Self {
        Self::new(kind, path, Node::default()).await
    }

    fn set(&self, millis: i64) {
        self.now.store(millis, Ordering::SeqCst);
    }
}

fn cap() -> FeedKind {
    FeedKind::Cap {
        provinces: Province::ALL.to_vec(),
        hosts: Vec::new(),
    }
}

/// An alert of another publisher over Bogor, with further elements before its info.
pub(super) fn flood(identifier: &str, kind: &str, more: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
        <identifier>{identifier}</identifier><sender>posko@bpbd.example</sender>
        <sent>2022-11-21T13:10:00+07:00</sent><status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>
        <code>contoh</code>{more}
        <info><language>id-ID</language><category>Met</category><event>Banjir</event>
        <urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty>
        <expires>2022-11-21T19:00:00+07:00</expires><senderName>BPBD Contoh</senderName>
        <headline>Banjir di Bogor</headline><contact>Ibu Contoh 0800-000-000</contact>
        <area><areaDesc>Bogor</areaDesc><polygon>-6.62,106.75 -6.62,106.85 -6.55,106.85 -6.55,106.75 -6.62,106.75</polygon>
        <geocode><valueName>BPS</valueName><value>3271</value></geocode></area></info></alert>"#
    )
}

#[tokio::test]
async fn an_alert_of_any_publisher_is_taken_from_a_url_a_list_or_an_envelope_and_is_the_same() {
    let alert = flood("a-1", "Alert", "");
    let inner = alert.split_once("?>").unwrap().1;
    let atom = format!(
        r#"<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uji</id><title>Uji</title><updated>2022-11-21T13:11:00+07:00</updated>
        <entry><id>e1</id><title>Banjir</title><updated>2022-11-21T13:11:00+07:00</updated><content type="text/xml">{inner}</content></entry></feed>"#
    );
    let envelope = format!(
        r#"<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><distributionID>d1</distributionID><senderID>posko@bpbd.example</senderID>
        <dateTimeSent>2022-11-21T13:11:00+07:00</dateTimeSent><distributionStatus>Actual</distributionStatus><distributionType>Report</distributionType>
        <combinedConfidentiality>none</combinedConfidentiality><contentObject><xmlContent><embeddedXMLContent>{inner}</embeddedXMLContent></xmlContent></contentObject></EDXLDistribution>"#
    );
    let rss = "<rss version=\"2.0\"><channel><title>Uji</title><item><title>Banjir</title><link>/a-1.cap</link></item></channel></rss>";
    let node = Node::default();
    let mut streams = Vec::new();
    for document in [alert.clone(), atom, envelope, rss.to_owned()] {
        let mut bench = Bench::new(cap(), "/cap", node.clone()).await;
        bench.server.answer("/cap", Answer::ok(document));
        bench.server.answer("/a-1.cap", Answer::ok(alert.clone()));
        let feed = bench.poll().await;
        assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
        streams = node.all(|_| true);
        assert_eq!(streams.len(), 1, "the same alert is one warning");
    }
    let held = &streams[0].state;
    assert_eq!(
        (held.publisher.as_str(), held.source),
        ("BPBD Contoh", Source::Cap)
    );
    let content = &held.content;
    assert_eq!(content.hazard(), posko_proto::common::v1::Hazard::Flood);
    assert!(
        content.areas[0]
            .region_codes
            .iter()
            .any(|code| code == "32.71")
    );
    assert!(
        !format!("{content:?}").contains("Contoh 0800"),
        "a contact may name a person"
    );
    let notes: Vec<&str> = content
        .notes
        .iter()
        .map(|note| note.path.as_str())
        .collect();
    assert!(
        notes.contains(&"alert/info/contact") && notes.contains(&"alert/code"),
        "what is left out is named: {notes:?}"
    );
}

#[tokio::test]
async fn a_list_cannot_send_the_node_to_another_host() {
    let rss = "<rss version=\"2.0\"><channel><title>Uji</title><item><title>Banjir</title><link>http://internal.example/a</link></item></channel></rss>";
    let mut bench = Bench::of(cap(), "/cap").await;
    bench.server.answer("/cap", Answer::ok(rss));
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Invalid);
    assert!(
        feed.last_error.contains("internal.example"),
        "{}",
        feed.last_error
    );
}

#[tokio::test]
async fn an_alert_far_away_is_outside_and_one_whose_place_nobody_can_tell_is_kept() {
    let far = flood("a-1", "Alert", "")
        .replace(
            "-6.62,106.75 -6.62,106.85 -6.55,106.85 -6.55,106.75 -6.62,106.75",
            "40,-80 40,-79 41,-79 40,-80",
        )
        .replace("3271", "7371");
    let unknown = flood("a-2", "Alert", "")
        .replace(
            "<polygon>-6.62,106.75 -6.62,106.85 -6.55,106.85 -6.55,106.75 -6.62,106.75</polygon>",
            "",
        )
        .replace(
            "<geocode><valueName>BPS</valueName><value>3271</value></geocode>",
            "",
        )
        .replace("<areaDesc>Bogor", "<areaDesc>Atlantis");
    let mut bench = Bench::of(cap(), "/cap").await;
    bench.server.answer("/cap", Answer::ok(far));
    assert_eq!(counts(&bench.poll().await), [0, 0, 1]);
    bench.server.answer("/cap", Answer::ok(unknown));
    assert_eq!(counts(&bench.poll().await), [1, 0, 1]);
    let area = &bench.node.contents()[0].areas[0];
    assert_eq!(
        (area.reach(), area.names[0].name.as_str()),
        (AreaReach::Unknown, "Atlantis")
    );
}

#[tokio::test]
async fn an_update_that_comes_before_what_it_replaces_still_replaces_it() {
    let refer = |identifier: &str, kind: &str, earlier: &str| {
        let references = format!("<references>{earlier}</references>");
        flood(identifier, kind, &references)
    };
    let reference = "posko@bpbd.example,a-1,2022-11-21T13:00:00+07:00";
    let first = flood("a-1", "Alert", "").replace("T13:10", "T13:00");
    for (kind, ended) in [("Update", "replaced"), ("Cancel", "cancelled")] {
        for second_first in [false, true] {
            let mut bench = Bench::of(cap(), "/cap").await;
            let mut documents = vec![first.clone(), refer("a-2", kind, reference)];
            if second_first {
                documents.reverse();
            }
            for document in documents {
                bench.server.answer("/cap", Answer::ok(document));
                let feed = bench.poll().await;
                assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
            }
            let standings = bench.node.standings();
            assert_eq!(
                standings[0],
                format!("a-1: {ended}"),
                "{kind} {second_first}"
            );
        }
    }
    let mut bench = Bench::of(cap(), "/cap").await;
    bench.server.answer("/cap", Answer::ok(first));
    bench.poll().await;
    let foreign = refer("a-3", "Cancel", reference)
        .replace("<sender>posko@bpbd.example", "<sender>x@other.example");
    bench.server.answer("/cap", Answer::ok(foreign));
    bench.poll().await;
    assert_eq!(
        bench.node.standings()[0],
        "a-1: in_force",
        "only its own sender takes an alert back"
    );
}

#[tokio::test]
async fn an_update_of_several_replaces_each() {
    let mut bench = Bench::of(cap(), "/cap").await;
    let references = "<references>posko@bpbd.example,a-1,2022-11-21T13:00:00+07:00 posko@bpbd.example,a-2,2022-11-21T13:00:00+07:00 posko@bpbd.example,a-9,2022-11-21T13:00:00+07:00</references>";
    for document in [
        flood("a-1", "Alert", "").replace("T13:10", "T13:00"),
        flood("a-2", "Alert", "").replace("T13:10", "T13:00"),
        flood("a-3", "Update", references),
    ] {
        bench.server.answer("/cap", Answer::ok(document));
        bench.poll().await;
    }
    assert_eq!(
        bench.node.standings(),
        ["a-1: replaced", "a-2: replaced", "a-3: in_force"]
    );
    assert_eq!(
        bench.node.contents()[2].references.len(),
        3,
        "also the one that is not held"
    );
}

#[tokio::test]
async fn what_warns_of_nothing_never_warns() {
    let mut bench = Bench::of(cap(), "/cap").await;
    let references = "<references>posko@bpbd.example,a-1,2022-11-21T13:00:00+07:00</references>";
    bench
        .server
        .answer("/cap", Answer::ok(flood("a-1", "Ack", references)));
    let feed = bench.poll().await;
    assert_eq!((feed.health(), counts(&feed)), (FeedHealth::Ok, [0, 0, 0]));
}

#[tokio::test]
async fn an_alert_that_bmkgs_list_holds_no_more_is_replaced_by_a_newer_one_of_its_province_alone() {
    let mut bench = Bench::nowcast().await;
    let later = |code: &str, province: &str| {
        alert(code, province).replace("<sent>2022-11-21T13:10", "<sent>2022-11-21T13:25")
    };
    let serve = |bench: &Bench, items: &[(&str, &str, String)]| {
        let listed: Vec<String> = items
            .iter()
            .map(|(code, province, _)| item(code, &format!("Hujan Lebat di {province}"), PUBLISHED))
            .collect();
        bench.server.answer("/nowcast/id", list(&listed));
        for (code, _, document) in items {
            bench.server.answer(
                &format!("/nowcast/id/{code}_alert.xml"),
                Answer::ok(document.clone()),
            );
        }
    };
    let (banten, jabar) = (
        alert("CBT001", "Banten"),
        alert("CJB001", "Jawa Barat")
            .replace("106.0", "107.0")
            .replace("106.1", "107.1"),
    );
    serve(
        &bench,
        &[
            ("CBT001", "Banten", banten),
            ("CJB001", "Jawa Barat", jabar),
        ],
    );
    bench.poll().await;
    serve(&bench, &[("CBT002", "Banten", later("CBT002", "Banten"))]);
    bench.pass(1);
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
    assert_eq!(
        bench.node.standings(),
        [
            "2.49.0.1.360.0.CBT001: replaced",
            "2.49.0.1.360.0.CBT002: in_force",
            "2.49.0.1.360.0.CJB001: in_force",
        ],
        "what is gone without a newer one holds until its own end"
    );
}

#[tokio::test]
async fn the_same_earthquake_of_several_lists_is_one_warning() {
    let mut bench = Bench::earthquakes().await;
    bench.server.answer("/gempa.json", rows(&[cianjur()]));
    bench.poll().await;
    let revised = row("2022-11-21T06:21:11+00:00", "-6.86,107.01", "5.6", "");
    bench.server.answer("/gempa.json", rows(&[revised]));
    bench.poll().await;
    assert_eq!(
        bench.node.standings(),
        ["bmkg/2022-11-21T06:21:09Z: in_force"],
        "computed anew it is the same"
    );
    let xml = "<Infogempa><gempa><Tanggal>21 Nov 2022</Tanggal><Jam>13:21:09 WIB</Jam><DateTime>2022-11-21T06:21:09+00:00</DateTime>\
        <point><coordinates>-6.85,107.03</coordinates></point><Lintang>6.85 LS</Lintang><Bujur>107.03 BT</Bujur><Magnitude>5.6</Magnitude>\
        <Kedalaman>11 km</Kedalaman><Wilayah>10 km BaratDaya KAB-CIANJUR-JABAR</Wilayah><Potensi>Tidak berpotensi tsunami</Potensi></gempa></Infogempa>";
    bench.server.answer("/gempa.json", Answer::ok(xml));
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
    assert_eq!(bench.node.standings().len(), 1);
    let places = &bench.node.contents()[0].felt_places;
    assert_eq!(
        (
            places[0].region_code.as_str(),
            places[0].mmi_from,
            places[0].mmi_to
        ),
        ("32.03", 5, 6)
    );
}

/// A feed whose table brings Katulampa alone.
fn gauges() -> FeedKind {
    FeedKind::Gauges {
        expected: vec!["Katulampa".into()],
    }
}

fn levels(rows: &[(&str, i32)]) -> Answer {
    let rows: Vec<String> = rows
        .iter()
        .map(|(clock, level)| format!("Katulampa,2022-11-21T{clock}:00+07:00,{level}\n"))
        .collect();
    Answer::ok(format!("station,time,level_cm\n{}", rows.concat()))
}

#[tokio::test]
async fn a_gauge_warns_downstream_with_the_arrival_until_it_has_fallen() {
    // 13:30 in Jakarta.
    let mut bench = Bench::of(gauges(), "/tma.csv").await;
    bench.server.answer("/tma.csv", levels(&[("13:00", 60)]));
    assert_eq!(counts(&bench.poll().await), [0, 0, 0]);
    bench
        .server
        .answer("/tma.csv", levels(&[("13:00", 60), ("13:20", 205)]));
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Ok, [1, 0, 0]),
        "{}",
        feed.last_error
    );
    let content = bench.node.contents().remove(0);
    assert_eq!(content.severity(), Severity::Extreme);
    assert_eq!(content.gauge.as_ref().unwrap().siaga(), Siaga::I);
    let selatan = content
        .areas
        .iter()
        .find(|area| area.region_codes == ["31.74"])
        .unwrap();
    let read_at = content.gauge.as_ref().unwrap().read_at.unwrap();
    assert_eq!(
        selatan.arrival_at.unwrap().seconds - read_at.seconds,
        540 * 60
    );
    assert!(
        content
            .description
            .contains("Jakarta Selatan: sekitar 21 November 2022 pukul 22.20.00 WIB"),
        "{}",
        content.description
    );

    // The water falls at the gauge; what has passed it is still on its way.
    bench.set(NOW.0 + 40 * 60_000);
    bench.server.answer("/tma.csv", levels(&[("14:00", 170)]));
    bench.poll().await;
    bench.set(NOW.0 + 60 * 60_000);
    bench
        .server
        .answer("/tma.csv", levels(&[("14:00", 170), ("14:20", 70)]));
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
    let (first, second) = (
        "gauge/katulampa/2022-11-21T06:20:00Z",
        "gauge/katulampa/2022-11-21T07:00:00Z",
    );
    let standings = |state: &str| [format!("{first}: {state}"), format!("{second}: {state}")];
    assert_eq!(bench.node.standings(), standings("in_force"));
    let held = bench.node.all(|state| state.identifier == first).remove(0);
    let content = held.state.content;
    assert_eq!(content.severity(), Severity::Extreme, "as grave as it was");
    let arrival = |content: &Content| content.areas[0].arrival_at.unwrap().seconds;
    assert_eq!(
        arrival(&content) - read_at.seconds,
        240 * 60,
        "the water comes when it was announced"
    );
    assert!(
        content
            .headline
            .contains("surut ke 170 cm; air Siaga I masih di perjalanan"),
        "{}",
        content.headline
    );

    // The same again changes nothing, and the fall comes down the river after the water.
    let before = bench.node.all(|_| true);
    bench.set(NOW.0 + 70 * 60_000);
    bench.server.answer("/tma.csv", levels(&[("14:30", 65)]));
    bench.poll().await;
    assert_eq!(bench.node.all(|_| true), before);
    bench.set(NOW.0 + (30 + 660) * 60_000);
    assert_eq!(
        bench.node.standings(),
        [format!("{first}: expired"), format!("{second}: in_force")]
    );
    bench.set(NOW.0 + (50 + 660) * 60_000);
    assert_eq!(bench.node.standings(), standings("expired"));
}

#[tokio::test]
async fn a_gauge_that_stays_or_rises_keeps_the_first_arrival_and_tells_the_newest_level() {
    let mut bench = Bench::of(gauges(), "/tma.csv").await;
    bench.server.answer("/tma.csv", levels(&[("13:20", 160)]));
    bench.poll().await;
    let first = bench.node.contents()[0].areas[0].arrival_at;
    bench.set(NOW.0 + 60 * 60_000);
    bench.server.answer("/tma.csv", levels(&[("14:20", 165)]));
    bench.poll().await;
    bench.set(NOW.0 + 70 * 60_000);
    bench.server.answer("/tma.csv", levels(&[("14:35", 210)]));
    bench.poll().await;
    let held = bench.node.all(|_| true);
    assert_eq!(held.len(), 1, "one flood is one warning");
    let content = &held[0].state.content;
    assert_eq!(content.severity(), Severity::Extreme);
    assert_eq!(content.areas[0].arrival_at, first);
    assert_eq!(content.headline, "Katulampa Siaga I: 210 cm");
}

#[tokio::test]
async fn a_gauge_that_jumps_or_repeats_is_told_and_warns_of_nothing() {
    let mut bench = Bench::of(gauges(), "/tma.csv").await;
    bench
        .server
        .answer("/tma.csv", levels(&[("13:00", 20), ("13:20", 400)]));
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Invalid);
    assert!(
        feed.last_error.contains("jumps from `20 cm` to `400 cm`"),
        "{}",
        feed.last_error
    );
    assert!(bench.node.contents().is_empty());
    bench
        .server
        .answer("/tma.csv", levels(&[("13:20", 400), ("13:25", 390)]));
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), bench.node.contents().len()),
        (FeedHealth::Ok, 1),
        "a second reading that agrees is believed: {}",
        feed.last_error
    );
    bench.set(NOW.0 + 5 * 3_600_000);
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Invalid);
    assert!(
        feed.last_error.contains("older than `180` minutes"),
        "{}",
        feed.last_error
    );
    bench.server.answer(
        "/tma.csv",
        Answer::ok("station,time,level_cm\nEntah,2022-11-21T18:00:00+07:00,10\n"),
    );
    let feed = bench.poll().await;
    assert!(
        feed.last_error.contains("not configured"),
        "{}",
        feed.last_error
    );
}

#[tokio::test]
async fn a_jump_is_not_believed_after_a_start_of_the_node_either() {
    let kept = Arc::<Mutex<Vec<KeptReading>>>::default();
    let own = std::thread::current().id();
    let memory = || {
        let (before, kept) = (kept.lock().unwrap().clone(), Arc::clone(&kept));
        let keep = move |reading| {
            let read_on = std::thread::current().id();
            assert_ne!(read_on, own, "a document is read beside everything else");
            kept.lock().unwrap().push(reading);
        };
        let readings = gauge::Readings::new(before, Some(Box::new(keep)));
        Arc::new(Memory {
            readings,
            ..Memory::default()
        })
    };
    let node = Node::default();
    let mut bench = Bench::remembering(gauges(), "/tma.csv", node.clone(), memory()).await;
    bench.server.answer("/tma.csv", levels(&[("13:00", 20)]));
    assert_eq!(bench.poll().await.health(), FeedHealth::Ok);

    let mut bench = Bench::remembering(gauges(), "/tma.csv", node.clone(), memory()).await;
    bench.server.answer("/tma.csv", levels(&[("13:20", 400)]));
    let feed = bench.poll().await;
    assert!(
        feed.last_error.contains("jumps from `20 cm` to `400 cm`"),
        "{}",
        feed.last_error
    );
    assert!(node.contents().is_empty());
    bench.server.answer("/tma.csv", levels(&[("13:25", 390)]));
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
    assert_eq!(node.contents().len(), 1);
    let levels: Vec<i32> = kept
        .lock()
        .unwrap()
        .iter()
        .map(|kept| kept.level_mm)
        .collect();
    assert_eq!(levels, [200, 3_900], "each is kept once");
}

#[tokio::test]
async fn a_redirect_leads_to_a_host_that_is_named_and_to_no_other() {
    let (elsewhere, alert) = (Server::start().await, flood("a-1", "Alert", ""));
    elsewhere.answer("/a.cap", Answer::ok(alert));
    let host = elsewhere.url("").replace("http://", "");
    for (hosts, health) in [
        (Vec::new(), FeedHealth::Invalid),
        (vec![host.clone()], FeedHealth::Ok),
    ] {
        let named = !hosts.is_empty();
        let kind = FeedKind::Cap {
            provinces: Province::ALL.to_vec(),
            hosts,
        };
        let mut bench = Bench::of(kind, "/cap").await;
        bench
            .server
            .answer("/cap", Answer::redirect(&elsewhere.url("/a.cap")));
        let feed = bench.poll().await;
        assert_eq!(feed.health(), health, "{}", feed.last_error);
        assert_eq!(elsewhere.hits("/a.cap"), usize::from(named));
        assert_eq!(
            feed.last_error.contains(&host),
            !named,
            "{}",
            feed.last_error
        );
    }
}

#[tokio::test]
async fn an_alert_that_a_list_holds_twice_is_fetched_once() {
    let mut bench = Bench::of(cap(), "/cap").await;
    let item = "<item><title>Banjir</title><link>/a.cap</link></item>".repeat(2);
    let list = format!("<rss version=\"2.0\"><channel><title>Uji</title>{item}</channel></rss>");
    bench.server.answer("/cap", Answer::ok(list));
    bench
        .server
        .answer("/a.cap", Answer::ok(flood("a-1", "Alert", "")));
    let feed = bench.poll().await;
    assert_eq!((feed.health(), counts(&feed)), (FeedHealth::Ok, [1, 0, 0]));
    assert_eq!(bench.server.hits("/a.cap"), 1);
}

#[tokio::test]
async fn of_more_alerts_than_a_feed_may_ask_for_the_newest_come_first_and_the_others_are_told() {
    let mut bench = Bench::of(cap(), "/cap").await;
    let items: Vec<String> = (0..900)
        .map(|number| {
            let (hour, minute) = (number / 60 % 24, number % 60);
            format!(
                "<item><title>Banjir</title><link>/{number}.cap</link>\
                 <pubDate>Sun, 20 Nov 2022 {hour:02}:{minute:02}:00 +0700</pubDate></item>"
            )
        })
        .collect();
    for number in 0..900 {
        let alert = flood(&format!("a-{number}"), "Alert", "");
        bench
            .server
            .answer(&format!("/{number}.cap"), Answer::ok(alert));
    }
    let list = format!(
        "<rss version=\"2.0\"><channel><title>Uji</title>{}</channel></rss>",
        items.concat()
    );
    bench.server.answer("/cap", Answer::ok(list));
    for _ in 0..2 {
        let feed = bench.poll().await;
        assert_eq!(
            (feed.health(), counts(&feed)),
            (FeedHealth::Invalid, [30, 0, 0])
        );
        assert!(
            feed.last_error
                .contains("`870` alerts that the list links to wait"),
            "{}",
            feed.last_error
        );
    }
    let asked = |number: usize| bench.server.hits(&format!("/{number}.cap"));
    assert_eq!((asked(899), asked(870), asked(869), asked(0)), (1, 1, 0, 0));
}

#[tokio::test]
async fn a_gauge_that_is_missing_in_its_table_makes_the_feed_invalid() {
    let kind = FeedKind::Gauges {
        expected: vec!["Katulampa".into(), "Depok".into()],
    };
    let mut bench = Bench::of(kind, "/tma.csv").await;
    let read_at = "2022-11-21T13:20:00+07:00";
    let cases = [
        (
            "",
            "table has no row: it lacks the gauges `Katulampa`, `Depok`",
        ),
        (
            "katulampa,WHEN,90\n",
            "gauge `Depok` is missing in the table",
        ),
        ("KATULAMPA,WHEN,90\nDepok,WHEN,100\n", ""),
        (
            "Depok,WHEN,100\n",
            "gauge `Katulampa` is missing in the table",
        ),
    ];
    for (rows, said) in cases {
        let rows = rows.replace("WHEN", read_at);
        let table = format!("station,time,level_cm\n{rows}");
        bench.server.answer("/tma.csv", Answer::ok(table));
        let feed = bench.poll().await;
        assert_eq!(feed.last_error, said);
        assert_eq!(feed.health() == FeedHealth::Ok, said.is_empty(), "{said}");
    }
    assert_eq!(bench.node.contents().len(), 1, "what is there warns");
}

#[tokio::test]
async fn a_list_without_one_earthquake_makes_the_feed_invalid() {
    for list in [
        r#"{"Infogempa":{"gempa":[]}}"#,
        "<Infogempa></Infogempa>",
        r#"{"type":"FeatureCollection","features":[]}"#,
    ] {
        let mut bench = Bench::earthquakes().await;
        bench.server.answer("/gempa.json", Answer::ok(list));
        let feed = bench.poll().await;
        assert_eq!(feed.health(), FeedHealth::Invalid, "{list}");
        assert!(
            feed.last_error.contains("earthquake"),
            "{}",
            feed.last_error
        );
    }
}

#[tokio::test]
async fn a_volcano_warns_until_it_is_normal_again() {
    let mut bench = Bench::of(FeedKind::Volcanoes, "/ga.csv").await;
    let table = |rows: &str| Answer::ok(format!("volcano,time,level\n{rows}"));
    bench.server.answer(
        "/ga.csv",
        table("Gede,2022-11-21T12:00:00+07:00,Siaga\nMerapi,2022-11-21T12:00:00+07:00,Siaga\nSalak,2022-11-21T12:00:00+07:00,Normal\n"),
    );
    let feed = bench.poll().await;
    assert_eq!(
        (feed.health(), counts(&feed)),
        (FeedHealth::Ok, [1, 0, 1]),
        "{}",
        feed.last_error
    );
    let content = &bench.node.contents()[0];
    assert!(
        content.areas[0]
            .region_codes
            .iter()
            .any(|code| code.starts_with("32.03")),
        "{:?}",
        content.areas
    );
    bench
        .server
        .answer("/ga.csv", table("Gede,2022-11-21T13:00:00+07:00,Normal\n"));
    bench.poll().await;
    assert_eq!(
        bench.node.standings(),
        ["volcano/gede/2022-11-21T05:00:00Z: cancelled"]
    );
}

#[tokio::test]
async fn a_volcano_of_the_region_warns_however_it_is_spelled_and_one_that_nobody_knows_is_told() {
    for (name, headline, regency) in [
        (
            "Tangkuban Perahu",
            "Gunung Tangkubanparahu Level III (Siaga)",
            "32.17",
        ),
        ("G. Gede", "Gunung Gede Level III (Siaga)", "32.03"),
        ("Cereme", "Gunung Ciremai Level III (Siaga)", "32.08"),
        ("Kawah Karaha", "Gunung Karaha Level III (Siaga)", "32.06"),
        ("Karang", "Gunung Karang Level III (Siaga)", "36.01"),
        (
            "Gunung Krakatau",
            "Gunung Anak Krakatau Level III (Siaga)",
            "36.01",
        ),
    ] {
        let mut bench = Bench::of(FeedKind::Volcanoes, "/ga.csv").await;
        let table = format!("volcano,time,level\n{name},2022-11-21T12:00:00+07:00,Siaga\n");
        bench.server.answer("/ga.csv", Answer::ok(table));
        let feed = bench.poll().await;
        assert_eq!((feed.health(), counts(&feed)), (FeedHealth::Ok, [1, 0, 0]));
        let content = bench.node.contents().remove(0);
        assert_eq!(content.headline, headline);
        let mut codes = content.areas.iter().flat_map(|area| &area.region_codes);
        assert!(
            codes.any(|code| code.starts_with(regency)),
            "{name}: {:?}",
            content.areas
        );
    }
    let mut bench = Bench::of(FeedKind::Volcanoes, "/ga.csv").await;
    for (name, said) in [
        ("Galungung", "did you mean `Galunggung`"),
        ("Vesuvius", "`Vesuvius` is no volcano that is known"),
        ("Kawah Ratu", "`Salak`, `Tangkubanparahu`"),
    ] {
        let table = format!("volcano,time,level\n{name},2022-11-21T12:00:00+07:00,Awas\n");
        bench.server.answer("/ga.csv", Answer::ok(table));
        let feed = bench.poll().await;
        assert_eq!(feed.health(), FeedHealth::Invalid, "{name}");
        assert!(feed.last_error.contains(said), "{}", feed.last_error);
    }
}

#[tokio::test]
async fn two_spellings_of_a_volcano_in_one_table_are_one_volcano() {
    let mut bench = Bench::of(FeedKind::Volcanoes, "/ga.csv").await;
    let table = "volcano,time,level\nGede,2022-11-21T12:00:00+07:00,Siaga\nGn. Gede,2022-11-21T13:00:00+07:00,Normal\n";
    bench.server.answer("/ga.csv", Answer::ok(table));
    let feed = bench.poll().await;
    assert_eq!((feed.health(), counts(&feed)), (FeedHealth::Ok, [0, 0, 0]));
}

#[tokio::test]
async fn an_answer_of_another_kind_is_no_empty_list() {
    for (kind, document) in [
        (gauges(), "volcano,time,level\n"),
        (FeedKind::Volcanoes, "station,time,level_cm\n"),
        (cap(), "<html><body>Login</body></html>"),
        (
            FeedKind::BmkgEarthquake { radius_km: 300 },
            "station,time,level_cm\n",
        ),
    ] {
        let mut bench = Bench::of(kind, "/x").await;
        bench.server.answer("/x", Answer::ok(document));
        let feed = bench.poll().await;
        assert_eq!(
            (feed.health(), feed.alarm),
            (FeedHealth::Invalid, true),
            "{document}"
        );
        assert!(!feed.last_error.is_empty());
    }
}

#[tokio::test]
async fn a_trial_says_what_each_item_would_become_and_records_nothing() {
    let bench = Bench::of(cap(), "/cap").await;
    bench
        .server
        .answer("/cap", Answer::ok(flood("a-1", "Alert", "")));
    let trial = try_feed(&bench.config, &Gauge::shipped(), NOW).await;
    assert_eq!(trial.failure, None);
    assert!(matches!(&trial.items[0].judged, Judged::Take(wanted) if wanted.identifier == "a-1"));
    bench.server.answer("/cap", Answer::status(500));
    let trial = try_feed(&bench.config, &Gauge::shipped(), NOW).await;
    assert!(trial.failure.unwrap().contains("status `500`"));
}

/// The flood over Bogor with further elements in a second, English part, and in its own.
fn detailed(own: &str, english: &str) -> String {
    let alert = flood("a-9", "Alert", "").replace("<area>", &format!("{own}<area>"));
    let (before, after) = alert.split_once("</info>").unwrap();
    let part = before.split_once("<info>").unwrap().1;
    let part = part.replace("id-ID", "en");
    let part = part.replace(own, english);
    format!("{before}</info><info>{part}</info>{after}")
}

fn parameter(name: &str, value: &str) -> String {
    format!("<parameter><valueName>{name}</valueName><value>{value}</value></parameter>")
}

async fn content_of(alert: String) -> Content {
    let mut bench = Bench::of(cap(), "/cap").await;
    bench.server.answer("/cap", Answer::ok(alert));
    let feed = bench.poll().await;
    assert_eq!(feed.health(), FeedHealth::Ok, "{}", feed.last_error);
    bench.node.contents().remove(0)
}

#[tokio::test]
async fn an_alert_until_the_year_9999_holds_for_a_year_and_says_so() {
    let alert = flood("a-9", "Alert", "").replace(
        "<expires>2022-11-21T19:00:00+07:00",
        "<effective>9999-01-01T00:00:00+07:00</effective><expires>9999-12-31T23:59:59-00:00",
    );
    let content = content_of(alert).await;
    assert_eq!(content.effective_at, None);
    assert_eq!(
        content.expires_at.unwrap().to_string(),
        "2023-11-22T06:10:00Z"
    );
    for (path, says) in [
        ("alert/info/effective", "is not kept"),
        ("alert/info/expires", "hold for a year"),
    ] {
        let note = content.notes.iter().find(|note| note.path == path);
        assert!(
            note.is_some_and(|note| note.text.contains(says)),
            "{:?}",
            content.notes
        );
    }
}

#[tokio::test]
async fn what_an_alert_says_in_its_own_codes_is_kept_with_who_says_it() {
    let resource = "<resource><resourceDesc>Peta</resourceDesc><mimeType>image/png</mimeType><uri>https://bpbd.example/peta.png</uri></resource>\
         <resource><resourceDesc>Suara</resourceDesc><mimeType>audio/mpeg</mimeType><derefUri>aGFsbG8=</derefUri></resource>";
    let own = parameter("TMA_cm", "210") + &parameter("jenis", "kiriman") + resource;
    let english = parameter("TMA_cm", "210") + &parameter("jenis", "from upstream") + resource;
    let alert = detailed(&own, &english).replace(
        "<urgency>",
        "<responseType>Evacuate</responseType><responseType>Monitor</responseType><urgency>",
    );
    let alert = alert.replace(
        "<expires>",
        "<eventCode><valueName>BNPB</valueName><value>101</value></eventCode><expires>",
    );
    let content = content_of(alert).await;
    let kinds: Vec<&str> = content
        .response_types()
        .map(|kind| kind.as_str_name().trim_start_matches("RESPONSE_TYPE_"))
        .collect();
    assert_eq!(kinds, ["EVACUATE", "MONITOR"]);
    assert_eq!(content.event_codes.len(), 1);
    let said: Vec<String> = content
        .parameters
        .iter()
        .map(|said| format!("{}={} {}", said.name, said.value, said.languages.join("+")))
        .collect();
    assert_eq!(
        said,
        ["TMA_cm=210 ", "jenis=kiriman id", "jenis=from upstream en"]
    );
    let [map, sound] = content.resources.as_slice() else {
        panic!("{:?}", content.resources);
    };
    assert_eq!(map.uri, "https://bpbd.example/peta.png");
    assert!(map.embedded_sha256.is_empty() && map.languages.is_empty());
    assert_eq!(
        (sound.size_bytes, sound.embedded_sha256.len()),
        (Some(5), 32)
    );
    let not_kept = content
        .notes
        .iter()
        .filter(|note| note.text.contains("no field of its own"));
    let not_kept: Vec<&str> = not_kept.map(|note| note.path.as_str()).collect();
    assert_eq!(not_kept, ["alert/code", "alert/info/category"]);
}

#[tokio::test]
async fn what_may_lead_to_a_person_never_enters_the_log_and_is_counted() {
    let own = [
        parameter("info", "Hubungi 0812-0000-0001"),
        parameter("posko", "(021) 555 0100"),
        parameter("identitas", "3203014107900001"),
        parameter("petugas", "Bapak Contoh"),
        parameter("surat", "contoh@bpbd.example"),
        parameter("TMA_cm", "210"),
        "<resource><resourceDesc>Foto dari +62 812 0000 0001</resourceDesc><mimeType>image/png</mimeType>\
         <uri>mailto:contoh@bpbd.example</uri></resource>"
            .to_owned(),
    ]
    .concat();
    let content = content_of(detailed(&own, "")).await;
    let kept = format!("{content:?}");
    for personal in ["0812", "555 0100", "3203014107900001", "Contoh", "contoh@"] {
        let kept = kept.replace("BPBD Contoh", "");
        assert!(!kept.contains(personal), "{personal}: {kept}");
    }
    assert_eq!(content.parameters.len(), 1);
    assert_eq!(
        content.resources[0].mime_type, "image/png",
        "what else is said of it is kept"
    );
    let left_out = content.notes.iter().filter(|note| {
        note.kind() == posko_proto::warning::v1::NoteKind::LeftOut
            && note.path.contains("alert/info/")
    });
    let left_out: Vec<(&str, u32)> = left_out
        .map(|note| (note.path.as_str(), note.count))
        .collect();
    assert_eq!(
        left_out,
        [
            ("alert/info/contact", 2),
            ("alert/info/parameter", 4),
            ("alert/info/parameter", 1),
            ("alert/info/resource/resourceDesc", 1),
            ("alert/info/resource/uri", 1),
        ]
    );
}

#[tokio::test]
async fn more_than_is_kept_is_said_and_does_not_stop_the_warning() {
    let long = "x".repeat(1_200);
    let many: String = (0..130)
        .map(|number| parameter(&format!("p{number}"), &long))
        .collect();
    let content = content_of(detailed(&many, &many)).await;
    assert_eq!(content.parameters.len(), 100);
    assert_eq!(content.parameters[0].value.len(), 1_000);
    let notes: Vec<(u32, &str)> = content
        .notes
        .iter()
        .filter(|note| note.path == "alert/info/parameter")
        .map(|note| (note.count, note.text.as_str()))
        .collect();
    assert_eq!(
        notes,
        [
            (
                260,
                "is longer than `1000` characters, and the rest is not kept"
            ),
            (60, "goes beyond `100`, and is not kept"),
        ]
    );
}

#[tokio::test]
async fn what_only_another_language_or_part_says_of_areas_severity_and_end_counts_too() {
    let alert = flood("a-1", "Alert", "");
    let (head, info) = alert.split_once("<info>").unwrap();
    let info = format!("<info>{}", info.trim_end_matches("</alert>"));
    let english = info
        .replace("id-ID", "en-US")
        .replace("Severe", "Extreme")
        .replace("T19:00", "T22:00")
        .replace(
            "-6.62,106.75 -6.62,106.85 -6.55,106.85 -6.55,106.75 -6.62,106.75",
            "-6.20,106.80 -6.20,106.90 -6.10,106.90 -6.10,106.80 -6.20,106.80",
        )
        .replace("3271", "3171");
    let both = format!("{head}{info}{english}</alert>");
    let same = format!("{head}{info}{}</alert>", info.replace("id-ID", "en-US"));
    let mut bench = Bench::of(cap(), "/cap").await;
    bench.server.answer("/cap", Answer::ok(both));
    bench.poll().await;
    let content = bench.node.contents().pop().unwrap();
    assert_eq!(content.severity(), Severity::Extreme);
    assert_eq!(
        content.areas.len(),
        2,
        "Bogor, and Jakarta in English alone"
    );
    assert_eq!(
        content.expires_at.map(|at| at.seconds),
        Some(NOW.0 / 1000 - 1800 + 9 * 3600),
        "22:00 in Jakarta is the last end"
    );
    let mut bench = Bench::of(cap(), "/cap").await;
    bench.server.answer("/cap", Answer::ok(same));
    bench.poll().await;
    let content = bench.node.contents().pop().unwrap();
    assert_eq!(content.areas.len(), 1, "said twice, it is one area");
}

#[tokio::test]
async fn an_alert_that_calls_itself_a_test_and_says_actual_is_noted() {
    let told = async |headline: &str| {
        let alert = flood("a-1", "Alert", "").replace("Banjir di Bogor", headline);
        let mut bench = Bench::of(cap(), "/cap").await;
        bench.server.answer("/cap", Answer::ok(alert));
        bench.poll().await;
        let notes = bench.node.contents().pop().unwrap().notes;
        notes
            .iter()
            .any(|note| note.text.contains("the status of the alert is `Actual`"))
    };
    assert!(told("INI HANYA UJI COBA: Banjir").await);
    assert!(told("TEST - Flood").await);
    assert!(!told("Banjir di Kontest Bogor").await);
}

#[tokio::test]
async fn an_alert_of_bmkgs_that_names_no_province_is_where_its_shapes_are() {
    let mut bench = Bench::nowcast().await;
    let listed = item("CXX001", "Hujan Lebat di pesisir barat", PUBLISHED);
    bench.server.answer("/nowcast/id", list(&[listed]));
    let alert = alert("CXX001", "Pesisir barat");
    bench
        .server
        .answer("/nowcast/id/CXX001_alert.xml", Answer::ok(alert));
    let feed = bench.poll().await;
    assert_eq!((counts(&feed), feed.last_error.as_str()), ([1, 0, 0], ""));
    let codes = &bench.node.contents()[0].areas[0].region_codes;
    assert!(codes.iter().all(|code| code.starts_with("36")), "{codes:?}");
}
