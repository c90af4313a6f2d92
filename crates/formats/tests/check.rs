//! What is said of a file: what it is by its bytes alone, what is in it, and what is wrong with it and where.

use posko_formats::{
    MAX_DOCUMENT_BYTES,
    check::{Check, Verdict, check},
    document::Format,
};

const ALERT: &str = include_str!("../fixtures/CBT20221121001_alert.xml");
const LIST: &str = include_str!("../fixtures/nowcast_rss.xml");
const EARTHQUAKES: &str = include_str!("../fixtures/gempaterkini.json");

/// Returns the format, and the faults that are found.
fn fault(document: &[u8]) -> (Option<Format>, String) {
    let found = check(document);
    assert_eq!(found.verdict, Verdict::Invalid);
    let messages = found.faults.iter().map(|fault| fault.message.as_str());
    (found.format, messages.collect::<Vec<_>>().join("; "))
}

#[test]
fn a_file_is_told_by_its_bytes() {
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><id>x</id><title>t</title><updated>2022-11-21T06:00:00Z</updated></feed>";
    let envelope = "<e:EDXLDistribution xmlns:e='urn:oasis:names:tc:emergency:EDXL:DE:1.0'/>";
    let realtime = r#"{"type":"FeatureCollection","features":[{"properties":{"time":"2026-01-05 06:00:00 UTC","mag":"2.58","place":"Jawa","depth":"10"},"geometry":{"coordinates":["107.1","-6.8",1]}}]}"#;
    for (document, format) in [
        (ALERT, Format::Cap),
        (LIST, Format::Rss),
        (atom, Format::Atom),
        (envelope, Format::EdxlDe),
        (EARTHQUAKES, Format::BmkgEarthquakeJson),
        ("<Infogempa/>", Format::BmkgEarthquakeXml),
        (r#"{"identifier":"a","info":{}}"#, Format::BmkgBulletin),
        (realtime, Format::BmkgRealtime),
        ("station,time,level_cm\n", Format::Gauges),
        ("volcano;time;level\n", Format::Volcanoes),
        (r#"{"gauges":[]}"#, Format::Gauges),
        (r#"{"volcanoes":[]}"#, Format::Volcanoes),
    ] {
        let marked = format!("\u{FEFF}{document}");
        for document in [document, &marked] {
            assert_eq!(
                check(document.as_bytes()).format,
                Some(format),
                "{document}"
            );
        }
    }
    let item = &check(realtime.as_bytes()).items[0];
    assert_eq!(item.title, "M 2.6, Jawa");
    assert_eq!(item.time.as_deref(), Some("2026-01-05T06:00:00+00:00"));
}

#[test]
fn a_file_of_no_format_is_said_to_be_what_it_looks_like() {
    for (document, looks_like) in [
        (&b""[..], "empty"),
        (b" \n", "empty"),
        (
            b"<!DOCTYPE html><html>",
            "an HTML page, as a login or an error page is",
        ),
        (
            b"<HTML><body>",
            "an HTML page, as a login or an error page is",
        ),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04", "a ZIP archive, as XLSX and DOCX are"),
        (b"\x1F\x8B\x08", "compressed with gzip"),
        (b"Halo, banjir", "plain text"),
        (b"\x80\x81", "binary data"),
        (
            b"<gempa/>",
            "XML with the root element `gempa`, in no namespace",
        ),
        (
            b"<a xmlns='urn:x'/>",
            "XML with the root element `a` in namespace `urn:x`",
        ),
        (b"{\"a\":1,\"b\":2}", "JSON with the fields `a, b`"),
        (b"[1]", "JSON with the fields ``"),
    ] {
        assert_eq!(
            fault(document),
            (
                None,
                format!("document is {looks_like}, not a format that warnings are read from")
            )
        );
    }
}

#[test]
fn a_file_past_a_limit_or_broken_is_refused_with_the_reason() {
    let large = vec![b' '; MAX_DOCUMENT_BYTES + 1];
    for (document, message) in [
        (
            &large[..],
            "document of `16777217` bytes is larger than the limit of `16777216` bytes",
        ),
        (
            b"{\"a\":",
            "document is not JSON at line `1` column `5`: EOF while parsing a value",
        ),
        (
            b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
            "document type (DOCTYPE) at line `1` column `1` is refused",
        ),
        (
            b"\xFF\xFE<\0a\0/\0>\0",
            "encoding `UTF-16` is not read, only UTF-8 and ISO-8859-1 are",
        ),
        (
            b"\xFF\xFEs\0t\0a\0",
            "encoding `UTF-16` is not read, only UTF-8 and ISO-8859-1 are",
        ),
        (
            b"{\0\"\0",
            "encoding `UTF-16` is not read, only UTF-8 and ISO-8859-1 are",
        ),
        (
            b"\x1F\x8B\x08\0",
            "document is compressed with gzip, not a format that warnings are read from",
        ),
        (
            b"{\"a\":1,\"a\":2}",
            "document is not JSON at line `1` column `10`: field `a` stands twice",
        ),
    ] {
        assert_eq!(fault(document).1, message);
    }
}

#[test]
fn the_worst_in_a_file_is_what_is_said_of_it() {
    let found = check(ALERT.as_bytes());
    assert_eq!(
        (found.verdict, found.version),
        (Verdict::Valid, Some("1.2"))
    );
    assert_eq!(found.items[0].kind, "alert");
    assert_eq!(found.items[0].status, Some("Actual"));
    let warned = ALERT.replace("<area>", "<baru/><area>");
    assert_eq!(check(warned.as_bytes()).verdict, Verdict::ValidWithWarnings);
    let found: Check = check(EARTHQUAKES.as_bytes());
    assert_eq!(found.verdict, Verdict::Invalid);
    assert_eq!(found.items.len(), 2);
    assert_eq!(
        found.faults[0].element.as_deref(),
        Some("Infogempa.gempa[3].Lintang")
    );
    let (_, alert) = ALERT.split_at(ALERT.find("<alert").unwrap());
    let exercise = format!(
        "<d:EDXLDistribution xmlns:d='urn:oasis:names:tc:emergency:EDXL:DE:1.0'><d:distributionID>d</d:distributionID><d:senderID>s</d:senderID><d:dateTimeSent>2022-11-21T13:30:00+07:00</d:dateTimeSent><d:distributionStatus>Exercise</d:distributionStatus><d:distributionType>Report</d:distributionType><d:contentObject><d:xmlContent><d:embeddedXMLContent>{alert}</d:embeddedXMLContent></d:xmlContent></d:contentObject></d:EDXLDistribution>"
    );
    let found = check(exercise.as_bytes());
    assert_eq!(found.verdict, Verdict::ValidWithWarnings);
    assert_eq!(found.items[0].status, Some("Exercise"));
    let unlinked = LIST.replacen(
        "<link>https://www.bmkg.go.id/alerts/nowcast/id/C",
        "<x>C",
        1,
    );
    let unlinked = unlinked.replacen("_alert.xml</link>", "</x>", 1);
    let found = check(unlinked.as_bytes());
    assert_eq!(found.items.len(), 1);
    assert_eq!(found.faults[0].element.as_deref(), Some("item/link"));
}

#[test]
fn a_check_is_printed_as_flat_json() {
    let broken = ALERT.replace("<severity>Moderate", "<severity>Parah");
    let printed = serde_json::to_value(check(broken.as_bytes())).unwrap();
    assert_eq!(printed["format"], "cap");
    assert_eq!(printed["verdict"], "invalid");
    let fault = &printed["faults"][0];
    assert_eq!(fault["element"], "alert/info/severity");
    assert_eq!((&fault["line"], &fault["column"]), (&15.into(), &5.into()));
    let printed = serde_json::to_value(check(ALERT.as_bytes())).unwrap();
    let note = &printed["items"][0]["notes"][0];
    assert_eq!(note["kind"], "left_out");
    assert_eq!(note["level"], "info");
    assert_eq!(note["path"], "alert/info/contact");
}
