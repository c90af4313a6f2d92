//! No bytes, however strange, make a reader panic.

use posko_formats::{
    bmkg, check,
    document::{self, Document},
    station,
};
use proptest::prelude::*;

const FEED: &str = "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:c='urn:oasis:names:tc:emergency:cap:1.1'><id>i</id><title>t</title><updated>2022-11-21T06:00:00Z</updated><entry><id>i</id><title>t</title><updated>2022-11-21T06:00:00Z</updated><link href='a' type='application/cap+xml'/><content><c:alert><c:identifier>i</c:identifier></c:alert></content></entry></feed>";

const ENVELOPE: &str = "<EDXLDistribution xmlns='urn:oasis:names:tc:emergency:EDXL:DE:1.0'><distributionID>i</distributionID><senderID>s</senderID><dateTimeSent>2022-11-21T06:00:00Z</dateTimeSent><distributionStatus>Test</distributionStatus><distributionType>Report</distributionType><contentObject><xmlContent><embeddedXMLContent><a/></embeddedXMLContent></xmlContent></contentObject></EDXLDistribution>";

const BULLETIN: &str = r#"{"identifier":"i","sent":"2026-01-05T06:05:00WIB","status":"TES","msgType":"Alert","info":{"date":"05-01-26","time":"06:00:00 WIB","point":{"coordinates":"105.10,-7.20"},"latitude":"7.20 LS","longitude":"105.10 BT","magnitude":"7.4","depth":"20 Km","area":"a","subject":"s","headline":"h","felt":"III- IV A","wzarea":[{"province":"p","district":"d","level":"AWAS","date":"05-01-2026","time":"06:21:00 WIB"}]}}"#;

const GAUGES: &str =
    "station;time;level_cm;siaga\n\"Depok\";5 Jan 2026 06:00 WIB;180;III\nA;B;C;D\n";

const DOCUMENTS: [&str; 8] = [
    include_str!("../fixtures/CBT20221121001_alert.xml"),
    include_str!("../fixtures/CJB20221121002_alert.xml"),
    include_str!("../fixtures/nowcast_rss.xml"),
    include_str!("../fixtures/gempaterkini.json"),
    FEED,
    ENVELOPE,
    BULLETIN,
    GAUGES,
];

/// Pieces of the formats' own grammar, so that nonsense gets past the first byte.
const PIECES: [&str; 34] = [
    "<",
    ">",
    "</",
    "/>",
    "<?xml version='1.0'?>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&",
    ";",
    "&#",
    "&amp;",
    "&#x10FFFF;",
    "&x;",
    "<!DOCTYPE a [",
    "=",
    "'",
    "\"",
    " ",
    "alert",
    "a:b",
    "xmlns",
    "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>",
    "</alert>",
    "<info>",
    "<sent>",
    "<rss version='2.0'>",
    "<channel>",
    "{\"Infogempa\":{\"gempa\":",
    "[{",
    "}]}}",
    "\u{0}",
    "\u{FEFF}é",
];

/// Reads the bytes with every reader, and every result further, as the callers do.
fn read_with_all(bytes: &[u8]) {
    let checked = check::check(bytes);
    assert_eq!(
        checked.verdict == check::Verdict::Invalid,
        !checked.faults.is_empty()
    );
    drop(serde_json::to_string(&checked));
    match document::read(bytes).1 {
        Ok(Document::Cap(alert)) => {
            drop(bmkg::nowcast_province(&alert.value).map_err(|error| error.to_string()));
            for info in &alert.value.infos {
                bmkg::nowcast_places(info.description.as_deref().unwrap_or_default());
            }
        }
        Ok(Document::Rss(channel)) => {
            for item in &channel.value.items {
                drop(bmkg::nowcast_link(item).map_err(|error| error.to_string()));
            }
        }
        Ok(_) | Err(_) => {}
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        bmkg::felt_places(text);
        bmkg::nowcast_places(text);
        drop(station::parse(bytes).map_err(|error| error.to_string()));
        drop(bmkg::parse_moment(text).map_err(|error| error.to_string()));
        bmkg::tsunami_potential(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        read_with_all(&bytes);
    }

    #[test]
    fn arbitrary_text_is_read_or_refused(text in "\\PC{0,256}") {
        read_with_all(text.as_bytes());
    }

    #[test]
    fn shuffled_grammar_is_read_or_refused(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..64)) {
        read_with_all(pieces.concat().as_bytes());
    }

    #[test]
    fn a_real_document_with_some_bytes_changed_is_read_or_refused(
        document in prop::sample::select(&DOCUMENTS[..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = document.as_bytes().to_vec();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        read_with_all(&bytes);
    }

    #[test]
    fn a_real_document_with_a_text_replaced_is_read_or_refused(
        document in prop::sample::select(&DOCUMENTS[..]),
        text in "[-+0-9.,:TZ A-Za-z\u{e9}]{0,40}",
        pick in any::<prop::sample::Index>(),
    ) {
        // Every text between `>` and `<`, or between quotes, is one that a field reader sees.
        let marks: Vec<usize> = document.match_indices(['>', '"']).map(|(at, _)| at + 1).collect();
        let from = pick.get(&marks);
        let (head, tail) = document.split_at(*from);
        let end = tail.find(['<', '"']).unwrap_or(tail.len());
        let (_, tail) = tail.split_at(end);
        read_with_all([head, &text, tail].concat().as_bytes());
    }
}

#[test]
fn a_changed_byte_never_panics_wherever_it_is() {
    for document in DOCUMENTS {
        let mut bytes = document.as_bytes().to_vec();
        for at in (0..bytes.len()).step_by(3) {
            let before = bytes[at];
            bytes[at] = [b'<', b'&', b'"'][at / 3 % 3];
            read_with_all(&bytes);
            bytes[at] = before;
        }
    }
}
