//! What the CAP reader takes, and what it refuses.

use chrono::DateTime;
use posko_formats::cap::{
    self, Alert, Category, Certainty, MsgType, Scope, Severity, Status, Urgency,
};
use posko_formats::{MAX_DOCUMENT_BYTES, bmkg};

const BANTEN: &str = include_str!("../fixtures/CBT20221121001_alert.xml");
const JAWA_BARAT: &str = include_str!("../fixtures/CJB20221121002_alert.xml");

/// Reads the Banten alert after replacing one piece of it, which must be there.
fn read_changed(from: &str, to: &str) -> Result<Alert, cap::CapError> {
    assert!(BANTEN.contains(from), "the fixture does not hold {from:?}");
    cap::parse(BANTEN.replacen(from, to, 1).as_bytes())
}

#[expect(clippy::expect_used, reason = "a test stops at the first surprise")]
fn refuse_changed(from: &str, to: &str, message: &str) {
    let error = read_changed(from, to).expect_err("the alert was read");
    assert_eq!(error.to_string(), message);
}

#[expect(clippy::expect_used, reason = "a test stops at the first surprise")]
fn refuse(document: &[u8], message: &str) {
    let error = cap::parse(document).expect_err("the alert was read");
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_nowcast_alert_is_read_whole() {
    let alert = cap::parse(BANTEN.as_bytes()).unwrap();
    assert_eq!(alert.identifier, "2.49.0.1.360.0.2022.11.21.13.36.001");
    assert_eq!(alert.sender, "cuaca.ekstrem@bmkg.go.id");
    assert_eq!(alert.sent.to_rfc3339(), "2022-11-21T13:30:00+07:00");
    assert_eq!(alert.status, Status::Actual);
    assert_eq!(alert.msg_type, MsgType::Alert);
    assert_eq!(alert.scope, Scope::Public);
    assert!(alert.references.is_empty());
    let [info] = alert.infos.as_slice() else {
        panic!("one info expected, not {}", alert.infos.len());
    };
    assert_eq!(info.language, "id");
    assert_eq!(info.categories, [Category::Met]);
    assert_eq!(info.event, "Hujan Lebat dan Petir");
    assert_eq!(info.urgency, Urgency::Immediate);
    assert_eq!(info.severity, Severity::Moderate);
    assert_eq!(info.certainty, Certainty::Observed);
    assert_eq!(
        info.effective.unwrap().to_rfc3339(),
        "2022-11-21T13:40:00+07:00"
    );
    assert_eq!(info.onset, None);
    assert_eq!(
        info.expires.unwrap().to_rfc3339(),
        "2022-11-21T16:40:00+07:00"
    );
    assert_eq!(
        info.headline.as_deref(),
        Some("Hujan Lebat disertai Petir di Banten")
    );
    assert!(
        info.description
            .as_deref()
            .unwrap()
            .starts_with("Hujan lebat & petir")
    );
    assert_eq!(info.instruction, None);
    assert_eq!(info.event_codes[0].name, "OET");
    assert_eq!(info.event_codes[0].value, "OET-194");
    assert_eq!(info.areas[0].description, "Banten");
    let sizes: Vec<_> = info.areas[0].polygons.iter().map(Vec::len).collect();
    assert_eq!(sizes, [5, 4]);
    assert_eq!(info.areas[0].polygons[0][0], (-6.33, 106.2));
    assert_eq!(bmkg::nowcast_province(&alert), Ok("Banten"));
}

#[test]
fn the_contact_goes_no_further() {
    let alert = cap::parse(BANTEN.as_bytes()).unwrap();
    assert!(BANTEN.contains("0000 000"));
    assert!(!format!("{alert:?}").contains("0000 000"));
}

#[test]
fn jawa_barats_alert_names_its_province() {
    let alert = cap::parse(JAWA_BARAT.as_bytes()).unwrap();
    assert_eq!(bmkg::nowcast_province(&alert), Ok("Jawa Barat"));
    assert_eq!(alert.infos[0].certainty, Certainty::Likely);
}

#[test]
fn an_alert_without_one_province_is_refused_by_name() {
    let none = read_changed("<areaDesc>Banten", "<areaDesc>").unwrap();
    assert_eq!(
        bmkg::nowcast_province(&none).unwrap_err().to_string(),
        "alert `2.49.0.1.360.0.2022.11.21.13.36.001` names no area",
    );
    let two = read_changed(
        "</area>",
        "</area><area><areaDesc>Lampung</areaDesc></area>",
    )
    .unwrap();
    assert_eq!(
        bmkg::nowcast_province(&two).unwrap_err().to_string(),
        "alert `2.49.0.1.360.0.2022.11.21.13.36.001` names more than one province, `Banten` and `Lampung`",
    );
}

#[test]
fn references_circles_geocodes_parameters_and_prefixes_are_read() {
    let alert = cap::parse(
        br#"<c:alert xmlns:c="urn:oasis:names:tc:emergency:cap:1.2" xmlns:x="urn:other">
        <x:status>Test</x:status><c:identifier> a-2 </c:identifier><c:sender>s</c:sender><c:sent>2022-11-21T06:00:00-00:00</c:sent>
        <c:status>Exercise</c:status><c:msgType>Update</c:msgType><c:scope>Restricted</c:scope><c:restriction>petugas</c:restriction>
        <c:references>s,a-0,2022-11-21T05:00:00+00:00
          s,a-1,2022-11-21T05:30:00+00:00</c:references>
        <c:info><c:category>Geo</c:category><c:category>Safety</c:category><c:event>Uji</c:event><c:urgency>Past</c:urgency><c:severity>Minor</c:severity>
        <c:certainty>Unknown</c:certainty><c:onset>2022-11-21T06:00:00+14:00</c:onset><c:headline> </c:headline>
        <c:parameter><c:valueName>tinggi</c:valueName><c:value/></c:parameter>
        <c:area><c:areaDesc/><c:circle>-6.2,106.8 25.5</c:circle><c:geocode><c:valueName>k</c:valueName><c:value>32.03</c:value></c:geocode></c:area></c:info>
        </c:alert>"#,
    )
    .unwrap();
    assert_eq!(alert.identifier, "a-2");
    assert_eq!(alert.status, Status::Exercise);
    assert_eq!(alert.references[1].identifier, "a-1");
    assert_eq!(
        alert.references[1].sent.to_rfc3339(),
        "2022-11-21T05:30:00+00:00"
    );
    let info = &alert.infos[0];
    assert_eq!(info.language, "en-US");
    assert_eq!(info.categories, [Category::Geo, Category::Safety]);
    assert_eq!(info.headline, None);
    assert_eq!(info.parameters[0].value, "");
    assert!((info.areas[0].circles[0].radius_km - 25.5).abs() < 1e-9);
    assert_eq!(info.areas[0].geocodes[0].value, "32.03");
}

#[test]
fn the_older_versions_are_read_by_the_same_rules() {
    for (namespace, certainty) in [
        ("urn:oasis:names:tc:emergency:cap:1.1", "Likely"),
        ("http://www.incident.com/cap/1.0", "Very Likely"),
    ] {
        let document = JAWA_BARAT
            .replace("urn:oasis:names:tc:emergency:cap:1.2", namespace)
            .replace("<certainty>Likely", &format!("<certainty>{certainty}"));
        let alert = cap::parse(document.as_bytes()).unwrap();
        assert_eq!(alert.infos[0].certainty, Certainty::Likely);
    }
    let error = cap::parse(JAWA_BARAT.replace(">Likely<", ">Very Likely<").as_bytes());
    assert!(error.unwrap_err().to_string().contains("`certainty`"));
}

#[test]
fn every_required_element_is_missed_by_name() {
    for (element, parent) in [
        ("identifier", "alert"),
        ("sender", "alert"),
        ("sent", "alert"),
        ("status", "alert"),
        ("msgType", "alert"),
        ("scope", "alert"),
        ("category", "info"),
        ("event", "info"),
        ("urgency", "info"),
        ("severity", "info"),
        ("certainty", "info"),
        ("valueName", "eventCode"),
        ("value", "eventCode"),
        ("areaDesc", "area"),
    ] {
        let document = BANTEN
            .replace(&format!("<{element}>"), "<other>")
            .replace(&format!("</{element}>"), "</other>");
        let at = document.find(&format!("<{parent}")).unwrap();
        refuse(
            document.as_bytes(),
            &format!("element `{element}` is missing in `{parent}` at byte `{at}`"),
        );
    }
    refuse_changed(
        "<scope>Public",
        "<scope>Private",
        "element `addresses` is missing in `alert` at byte `92`",
    );
}

#[test]
fn every_breach_of_a_rule_is_refused_with_element_value_and_place() {
    let invalid = |element: &str, from: &str, to: &str, value: &str, expected: &str| {
        let document = BANTEN.replacen(from, to, 1);
        let at = document.find(&format!("<{element}>")).unwrap();
        refuse_changed(
            from,
            to,
            &format!("element `{element}` at byte `{at}` says `{value}`, which is not {expected}"),
        );
    };
    let time = "a real time written `YYYY-MM-DDThh:mm:ss±hh:mm` (without fractions or `Z`)";
    for wrong in [
        "2022-11-21T06:30:00Z",
        "2022-11-21T13:30:00.5+07:00",
        "2022-02-30T13:30:00+07:00",
        "2022-11-21T25:30:00+07:00",
        "2022-11-21T13:30:00+15:00",
        "2022-11-21 13:30:00+07:00",
        "21 Nov 2022",
        "",
    ] {
        invalid("sent", "2022-11-21T13:30:00+07:00", wrong, wrong, time);
        invalid("expires", "2022-11-21T16:40:00+07:00", wrong, wrong, time);
    }
    let key = "a name of 1 to 1024 bytes without spaces, commas, `<` and `&`";
    let sender = "cuaca.ekstrem@bmkg.go.id";
    invalid("sender", sender, "cuaca ekstrem", "cuaca ekstrem", key);
    invalid("sender", sender, "a,b", "a,b", key);
    invalid("sender", sender, "a&lt;b", "a<b", key);
    invalid("sender", sender, "a&#38;b", "a&b", key);
    invalid(
        "identifier",
        "2.49.0.1.360.0.2022.11.21.13.36.001",
        "",
        "",
        key,
    );
    invalid(
        "status",
        ">Actual<",
        ">actual<",
        "actual",
        "one of Actual, Exercise, System, Test, Draft",
    );
    invalid(
        "severity",
        ">Moderate<",
        ">Parah<",
        "Parah",
        "one of Extreme, Severe, Moderate, Minor, Unknown",
    );
    invalid("event", ">Hujan Lebat dan Petir<", "> <", "", "a text");
    let ring = "-6.330,106.200 -6.330,106.290 -6.410,106.290 -6.410,106.200 -6.330,106.200";
    let pair = "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180";
    for wrong in [
        "-96.1,106.2",
        "106.2,-6.1",
        "-6.1,180.1",
        "NaN,106.2",
        "-6.1",
        "-6.1,106.2,0",
        "-6.1;106.2",
        "1e1,2",
    ] {
        invalid(
            "polygon",
            ring,
            &format!("-6.330,106.200 {wrong}"),
            wrong,
            pair,
        );
    }
    let few = "a ring of at least 4 pairs";
    invalid("polygon", ring, "", "", few);
    invalid("polygon", ring, "1,2 3,4 1,2", "1,2 3,4 1,2", few);
    invalid(
        "polygon",
        ring,
        "1,2 3,4 5,6 1,2.1",
        "1,2 3,4 5,6 1,2.1",
        "a closed ring, whose last pair is its first",
    );
    let circle = "a circle `lat,lon radius` with lat from -90 to 90, lon from -180 to 180 and a radius in km";
    for wrong in ["1,2", "1,2 -3", "1,2 x", "91,2 3", ""] {
        let element = format!("<circle>{wrong}</circle></area>");
        invalid("circle", "</area>", &element, wrong, circle);
    }
    let reference = "a reference `sender,identifier,sent`";
    for wrong in [
        "a",
        "a,b",
        "a,b,2022",
        "a,,2022-11-21T06:00:00+00:00",
        "a,b,2022-11-21T06:00:00+00:00,c",
    ] {
        let element = format!("<references>{wrong}</references><info>");
        invalid("references", "<info>", &element, wrong, reference);
    }
}

#[test]
fn an_element_that_stands_twice_is_refused() {
    refuse_changed(
        "<status>",
        "<status>Test</status><status>",
        "element `status` at byte `316` is a second one in its `alert`",
    );
}

#[test]
fn another_document_is_not_an_alert() {
    refuse(
        b"<rss/>",
        "root element `rss` in namespace `` at byte `0` is not a CAP alert",
    );
    refuse(
        b"<alert xmlns='urn:x'/>",
        "root element `alert` in namespace `urn:x` at byte `0` is not a CAP alert",
    );
    refuse(
        b"<info xmlns='urn:oasis:names:tc:emergency:cap:1.2'/>",
        "root element `info` in namespace `urn:oasis:names:tc:emergency:cap:1.2` at byte `0` is not a CAP alert",
    );
}

#[test]
fn entity_and_document_type_attacks_are_refused() {
    let attack = |document_type: &str, reference: &str| {
        let document = BANTEN
            .replacen("<alert", &format!("{document_type}<alert"), 1)
            .replacen("Hujan lebat", reference, 1);
        let at = document.find("<!DOCTYPE").unwrap();
        refuse(
            document.as_bytes(),
            &format!("document type (DOCTYPE) at byte `{at}` is refused"),
        );
    };
    let laughs: Vec<_> = (1..10)
        .map(|n| {
            format!(
                "<!ENTITY lol{n} \"{}\">",
                format!("&lol{};", n - 1).repeat(10)
            )
        })
        .collect();
    attack(
        &format!(
            "<!DOCTYPE lolz [<!ENTITY lol0 \"lol\">{}]>",
            laughs.concat()
        ),
        "&lol9;",
    );
    attack(
        "<!DOCTYPE a [<!ENTITY xxe SYSTEM \"file:///etc/passwd\">]>",
        "&xxe;",
    );
    attack(
        "<!DOCTYPE a SYSTEM \"http://attacker.example/a.dtd\">",
        "Hujan",
    );
    attack("<!DOCTYPE alert>", "Hujan");
    let at = BANTEN.find("Hujan lebat").unwrap();
    refuse_changed(
        "Hujan lebat",
        "&xxe;",
        &format!("entity `xxe` at byte `{at}` is refused"),
    );
}

#[test]
fn a_damaged_document_is_refused_at_every_cut() {
    let whole = BANTEN.trim_end();
    for end in 0..whole.len() {
        let cut = whole.as_bytes().get(..end).unwrap();
        assert!(cap::parse(cut).is_err(), "read although cut at byte {end}");
    }
    let at = BANTEN.find("</severity>").unwrap();
    refuse_changed(
        "</severity>",
        "</urgency>",
        &format!(
            "ill-formed document: expected `</severity>`, but `</urgency>` was found at byte `{at}`"
        ),
    );
    let at = BANTEN.find("Hujan lebat").unwrap();
    refuse_changed(
        "Hujan lebat",
        "\0",
        &format!("character `U+0000` at byte `{at}` is not allowed in XML"),
    );
}

#[test]
fn an_alert_is_read_at_16_mib_and_refused_one_byte_later() {
    let mut document = BANTEN.as_bytes().to_vec();
    document.resize(MAX_DOCUMENT_BYTES, b' ');
    assert!(cap::parse(&document).is_ok());
    document.push(b' ');
    refuse(
        &document,
        "document of `16777217` bytes is larger than the limit of `16777216` bytes",
    );
}

#[test]
fn the_words_of_the_code_lists_are_read_back() {
    for status in ["Actual", "Exercise", "System", "Test", "Draft"] {
        assert_eq!(Status::from_word(status).unwrap().word(), status);
    }
    assert_eq!(Category::from_word("CBRNE"), Some(Category::Cbrne));
    assert_eq!(Category::from_word("Cbrne"), None);
}

#[test]
fn a_reference_keeps_the_time_of_the_earlier_alert() {
    let alert = read_changed(
        "<info>",
        "<references>s,i,2022-11-21T12:00:00+07:00</references><info>",
    )
    .unwrap();
    let sent = DateTime::parse_from_rfc3339("2022-11-21T12:00:00+07:00").unwrap();
    assert_eq!(alert.references[0].sent, sent);
}
