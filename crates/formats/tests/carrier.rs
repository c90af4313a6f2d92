//! What the readers of Atom feeds and EDXL-DE envelopes take out of them, and what they refuse.

use posko_formats::{
    Level,
    atom::{self, AtomError},
    cap::Status,
    edxl::{self, EdxlError},
};

const ALERT: &str = include_str!("../fixtures/CBT20221121001_alert.xml");

/// Returns the alert's element without what stands before it in its own document.
fn alert() -> &'static str {
    let at = ALERT.find("<alert").unwrap_or_default();
    ALERT.get(at..).unwrap_or_default()
}

/// Returns a feed with the given entries.
fn feed(entries: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<feed xmlns='http://www.w3.org/2005/Atom' xmlns:cap='urn:oasis:names:tc:emergency:cap:1.2'>\n<id>urn:x</id><title>Peringatan</title><updated>2022-11-21T06:00:00Z</updated><author><name>Budi</name></author>\n{entries}\n</feed>"
    )
}

/// Returns an entry with the given content.
fn entry(content: &str) -> String {
    format!(
        "<entry><id>urn:1</id><title>Hujan</title><updated>2022-11-21T06:00:00+07:00</updated>{content}</entry>"
    )
}

/// Returns an envelope with the given contents.
fn envelope(contents: &str) -> String {
    format!(
        "<d:EDXLDistribution xmlns:d='urn:oasis:names:tc:emergency:EDXL:DE:1.0'>\n<d:distributionID>d-1</d:distributionID><d:senderID>s</d:senderID>\n<d:dateTimeSent>2022-11-21T13:30:00+07:00</d:dateTimeSent><d:distributionStatus>Exercise</d:distributionStatus>\n<d:distributionType>Report</d:distributionType><d:combinedConfidentiality>-</d:combinedConfidentiality>{contents}</d:EDXLDistribution>"
    )
}

fn xml_content(inside: &str) -> String {
    format!(
        "<d:contentObject><d:xmlContent><d:embeddedXMLContent>{inside}</d:embeddedXMLContent></d:xmlContent></d:contentObject>"
    )
}

#[test]
fn an_entry_links_to_its_alert_or_carries_it() {
    let linked = entry(
        "<link rel='self' type='application/cap+xml' href='https://a.example/self'/><link href='https://a.example/1.html' type='text/html'/><link rel='related' type='application/cap+xml' href='https://a.example/1.cap'/>",
    );
    let plain = entry("<link href='https://a.example/2'/>");
    let carrying = entry(&format!("<content type='text/xml'>{}</content>", alert()));
    let read = atom::parse(feed(&[linked, plain, carrying].concat()).as_bytes()).unwrap();
    assert!(!read.has_warnings(), "{:?}", read.notes);
    assert!(!format!("{read:?}").contains("Budi"));
    let feed = read.value;
    assert!(feed.refused.is_empty());
    let links: Vec<_> = feed
        .entries
        .iter()
        .map(|entry| entry.link.as_deref())
        .collect();
    assert_eq!(
        links,
        [
            Some("https://a.example/1.cap"),
            Some("https://a.example/2"),
            None
        ]
    );
    let alert = feed.entries[2].alert.as_ref().unwrap();
    assert_eq!(alert.value.sender, "cuaca.ekstrem@bmkg.go.id");
    assert_eq!(alert.notes[0].path, "feed/entry/content/alert/info/contact");
}

#[test]
fn what_an_entry_carries_beside_its_alert_is_named() {
    let content = format!("<content type='text/xml'>{0}{0}<x/></content>", alert());
    let read = atom::parse(feed(&entry(&content)).as_bytes()).unwrap();
    assert_eq!(read.value.entries.len(), 1);
    let paths: Vec<_> = read
        .notes
        .iter()
        .filter(|note| note.level == Level::Warning)
        .map(|note| note.path.as_str())
        .collect();
    assert_eq!(paths, ["feed/entry/content/alert", "feed/entry/content/x"]);
}

#[test]
fn an_index_says_what_its_alerts_are_about() {
    let indexed = entry(
        "<link href='https://a.example/2'/><cap:severity>Severe</cap:severity><cap:geocode><valueName>k</valueName><value>32.03</value></cap:geocode><cap:contact>Budi</cap:contact>",
    );
    let read = atom::parse(feed(&indexed).as_bytes()).unwrap();
    let excerpt: Vec<_> = read.value.entries[0]
        .excerpt
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    assert_eq!(excerpt, ["severity: Severe", "geocode: k=32.03"]);
    assert!(!format!("{read:?}").contains("Budi"));
}

#[test]
fn a_bad_entry_is_refused_by_name_and_hides_no_good_one() {
    let broken = alert().replace("<severity>Moderate", "<severity>Parah");
    let entries = [
        entry("<link type='text/html' href='https://a.example/1.html'/>"),
        entry(&format!("<content type='text/xml'>{broken}</content>")),
        entry("<link href='https://a.example/2'/>").replace("<title>Hujan</title>", ""),
        entry("<link href='https://a.example/2'/>").replace("+07:00", ""),
        entry("<link href='https://a.example/2'/>"),
    ];
    let feed = atom::parse(feed(&entries.concat()).as_bytes())
        .unwrap()
        .value;
    assert_eq!(feed.entries.len(), 1);
    let elements: Vec<_> = feed.refused.iter().filter_map(AtomError::element).collect();
    assert_eq!(
        elements,
        [
            "feed/entry[1]/link",
            "feed/entry[2]/content/alert/info/severity",
            "feed/entry[3]/title",
            "feed/entry[4]/updated",
        ]
    );
    assert!(
        feed.refused[0]
            .to_string()
            .ends_with("neither links to a CAP alert nor carries one")
    );
}

#[test]
fn a_feed_without_what_atom_asks_for_is_refused() {
    for (from, to, element) in [
        ("<id>urn:x</id>", "", "feed/id"),
        ("<title>Peringatan</title>", "<title/>", "feed/title"),
        ("06:00:00Z", "06:00:00", "feed/updated"),
        ("<feed ", "<daftar ", "daftar"),
    ] {
        let mut document = feed("").replacen(from, to, 1);
        if element == "daftar" {
            document = document.replace("</feed>", "</daftar>");
        }
        let error = atom::parse(document.as_bytes()).unwrap_err();
        assert_eq!(error.element().as_deref(), Some(element), "{error}");
        assert!(error.place().is_some());
    }
}

#[test]
fn an_alert_outside_any_entry_is_not_passed_over_in_silence() {
    let read = atom::parse(feed(&format!("<foo/>{}", alert())).as_bytes()).unwrap();
    assert!(read.value.entries.is_empty());
    let warnings: Vec<_> = read
        .notes
        .iter()
        .filter(|note| note.level == Level::Warning)
        .map(|note| format!("{}: {}", note.path, note.text))
        .collect();
    assert_eq!(
        warnings,
        [
            "feed/foo: is no element of Atom, and not kept",
            "feed/alert: stands outside any entry, and is not read",
        ]
    );
}

#[test]
fn the_alerts_of_an_envelope_are_read_and_the_rest_is_named() {
    let contents = [
        xml_content(alert()),
        xml_content("<x:stok xmlns:x='urn:x'/>"),
        xml_content(&alert().replace("<scope>Public</scope>", "")),
        "<d:contentObject><d:nonXMLContent><d:mimeType>a/b</d:mimeType></d:nonXMLContent></d:contentObject>".to_owned(),
    ];
    let read = edxl::parse(envelope(&contents.concat()).as_bytes()).unwrap();
    let notes: Vec<_> = read.notes.iter().map(|note| note.path.as_str()).collect();
    assert_eq!(
        notes,
        [
            "EDXLDistribution/contentObject[2]/xmlContent/embeddedXMLContent/stok",
            "EDXLDistribution/contentObject/nonXMLContent",
        ]
    );
    let envelope = read.value;
    assert_eq!(
        (envelope.id.as_str(), envelope.status),
        ("d-1", Status::Exercise)
    );
    let said = envelope.alerts[0].notes.last().unwrap();
    assert!(said.path.ends_with("/alert/status"), "{said}");
    assert_eq!(
        said.text,
        "says `Actual`, and the envelope is of `Exercise`"
    );
    assert_eq!(envelope.alerts.len(), 1);
    let elements: Vec<_> = envelope
        .refused
        .iter()
        .filter_map(EdxlError::element)
        .collect();
    assert_eq!(
        elements,
        ["EDXLDistribution/contentObject[3]/xmlContent/embeddedXMLContent/alert/scope"]
    );
}

#[test]
fn a_wrong_envelope_is_refused_by_its_element() {
    for (from, to, message) in [
        (
            "<d:senderID>s</d:senderID>",
            "",
            "element `senderID` is missing in `EDXLDistribution` at line `1` column `1`",
        ),
        (
            "+07:00",
            "",
            "element `EDXLDistribution/dateTimeSent` at line `3` column `1` says `2022-11-21T13:30:00`, which is not a real time with its zone, of RFC 3339",
        ),
        (
            ">Exercise<",
            ">Latihan<",
            "element `EDXLDistribution/distributionStatus` at line `3` column `59` says `Latihan`, which is not one of Actual, Exercise, System, Test",
        ),
        (
            "EDXL:DE:1.0",
            "EDXL:DE:2.0",
            "root element `EDXLDistribution` in namespace `urn:oasis:names:tc:emergency:EDXL:DE:2.0` at line `1` column `1` is not an envelope of EDXL-DE 1.0",
        ),
    ] {
        let document = envelope("").replacen(from, to, 1);
        let error = edxl::parse(document.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
