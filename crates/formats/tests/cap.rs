//! What the CAP reader takes, and what it refuses.

use chrono::DateTime;
use posko_formats::cap::{
    self, Alert, Category, Certainty, MsgType, ResponseType, Scope, Severity, Signature, Status,
    Urgency, Version,
};
use posko_formats::{MAX_DOCUMENT_BYTES, NoteKind, bmkg};

const BANTEN: &str = include_str!("../fixtures/CBT20221121001_alert.xml");
const JAWA_BARAT: &str = include_str!("../fixtures/CJB20221121002_alert.xml");

/// Reads the Banten alert after replacing one piece of it, which must be there.
fn read_changed(from: &str, to: &str) -> Result<Alert, cap::CapError> {
    assert!(BANTEN.contains(from), "the fixture does not hold {from:?}");
    cap::parse(BANTEN.replacen(from, to, 1).as_bytes()).map(|read| read.value)
}

/// Returns a place in a document as errors write it.
#[expect(clippy::panic, reason = "a test stops at the first surprise")]
fn place(document: &str, piece: &str) -> String {
    let (before, _) = document
        .split_once(piece)
        .unwrap_or_else(|| panic!("the document does not hold {piece:?}"));
    let line = before.lines().count().max(1);
    let line = line + usize::from(before.ends_with('\n'));
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    format!("line `{line}` column `{column}`")
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
    let alert = cap::parse(BANTEN.as_bytes()).unwrap().value;
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
    let alert = cap::parse(BANTEN.as_bytes()).unwrap().value;
    assert!(BANTEN.contains("0000 000"));
    assert!(!format!("{alert:?}").contains("0000 000"));
}

#[test]
fn jawa_barats_alert_names_its_province() {
    let alert = cap::parse(JAWA_BARAT.as_bytes()).unwrap().value;
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
    .unwrap()
    .value;
    assert_eq!(alert.identifier, "a-2");
    assert_eq!(alert.status, Status::Exercise);
    assert_eq!(alert.references[1].identifier, "a-1");
    assert_eq!(
        alert.references[1].sent.unwrap().to_rfc3339(),
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
        let alert = cap::parse(document.as_bytes()).unwrap().value;
        assert_eq!(alert.infos[0].certainty, Certainty::Likely);
    }
    let error = cap::parse(JAWA_BARAT.replace(">Likely<", ">Very Likely<").as_bytes());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("`alert/info/certainty`")
    );
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
        let at = place(&document, &format!("<{parent}"));
        let path = match parent {
            "alert" => "alert".to_owned(),
            "info" => "alert/info".to_owned(),
            inner => format!("alert/info/{inner}"),
        };
        refuse(
            document.as_bytes(),
            &format!("element `{element}` is missing in `{path}` at {at}"),
        );
    }
    refuse_changed(
        "<scope>Public</scope>",
        "<scope>Restricted</scope><restriction/>",
        "element `restriction` is missing in `alert` at line `3` column `1`",
    );
    refuse_changed(
        "<scope>Public",
        "<scope>Private",
        "element `addresses` is missing in `alert` at line `3` column `1`",
    );
}

#[test]
fn every_breach_of_a_rule_is_refused_with_element_value_and_place() {
    let invalid = |element: &str, from: &str, to: &str, value: &str, expected: &str| {
        let document = BANTEN.replacen(from, to, 1);
        let at = place(&document, &format!("<{element}>"));
        let path = match element {
            "sent" | "sender" | "identifier" | "status" | "references" => {
                format!("alert/{element}")
            }
            "polygon" => "alert/info/area/polygon[1]".to_owned(),
            "circle" => "alert/info/area/circle".to_owned(),
            inner => format!("alert/info/{inner}"),
        };
        refuse_changed(
            from,
            to,
            &format!("element `{path}` at {at} says `{value}`, which is not {expected}"),
        );
    };
    let time =
        "a real time with its zone, written `YYYY-MM-DDThh:mm:ss±hh:mm` (without fractions or `Z`)";
    for wrong in [
        "2022-11-21T06:30:00Z",
        "2022-11-21T13:30:00.5+07:00",
        "2022-02-30T13:30:00+07:00",
        "2022-11-21T25:30:00+07:00",
        "2022-11-21T13:30:00+15:00",
        "2022-11-21 13:30:00+07:00",
        "2022-11-21T13:30:00",
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
    invalid(
        "polygon",
        ring,
        "-6.330,106.200 106.2,-6.1",
        "106.2,-6.1",
        &format!("{pair}: the two are swapped"),
    );
    invalid(
        "polygon",
        ring,
        "1,1 2,2 1,2 2,1 1,1",
        "1,1 2,2 1,2 2,1 1,1",
        "a ring that does not cross itself, as its sides 1 and 3 do",
    );
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
    let circle = "a circle `lat,lon radius` with lat from -90 to 90, lon from -180 to 180 and a radius from 0 to 20038 km";
    for wrong in [
        "1,2",
        "1,2 -3",
        "1,2 x",
        "-91,2 3",
        "1,2 20039",
        "1, 2 3",
        "",
    ] {
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
        "element `status` at line `7` column `24` is a second one in its `alert`",
    );
}

#[test]
fn another_document_is_not_an_alert() {
    refuse(
        b"<rss/>",
        "root element `rss` in namespace `` at line `1` column `1` is not a CAP alert",
    );
    refuse(
        b"<alert xmlns='urn:x'/>",
        "root element `alert` in namespace `urn:x` at line `1` column `1` is not a CAP alert",
    );
    refuse(
        b"<info xmlns='urn:oasis:names:tc:emergency:cap:1.2'/>",
        "root element `info` in namespace `urn:oasis:names:tc:emergency:cap:1.2` at line `1` column `1` is not a CAP alert",
    );
}

#[test]
fn entity_and_document_type_attacks_are_refused() {
    let attack = |document_type: &str, reference: &str| {
        let document = BANTEN
            .replacen("<alert", &format!("{document_type}<alert"), 1)
            .replacen("Hujan lebat", reference, 1);
        let at = place(&document, "<!DOCTYPE");
        refuse(
            document.as_bytes(),
            &format!("document type (DOCTYPE) at {at} is refused"),
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
    let at = place(BANTEN, "Hujan lebat");
    refuse_changed(
        "Hujan lebat",
        "&xxe;",
        &format!("entity `xxe` at {at} is refused"),
    );
}

#[test]
fn a_damaged_document_is_refused_at_every_cut() {
    let whole = BANTEN.trim_end();
    for end in 0..whole.len() {
        let cut = whole.as_bytes().get(..end).unwrap();
        assert!(cap::parse(cut).is_err(), "read although cut at byte {end}");
    }
    let at = place(BANTEN, "</severity>");
    refuse_changed(
        "</severity>",
        "</urgency>",
        &format!("ill-formed document: expected `</severity>`, but `</urgency>` was found at {at}"),
    );
    let at = place(BANTEN, "Hujan lebat");
    refuse_changed(
        "Hujan lebat",
        "\0",
        &format!("character `U+0000` at {at} is not allowed in XML"),
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
    assert_eq!(alert.references[0].sent, Some(sent));
}

/// Returns the notes on the Banten alert after replacing one piece of it, those on its contact left out.
#[expect(clippy::panic, reason = "a test stops at the first surprise")]
fn notes_on_changed(from: &str, to: &str) -> Vec<String> {
    assert!(BANTEN.contains(from), "the fixture does not hold {from:?}");
    let read = cap::parse(BANTEN.replacen(from, to, 1).as_bytes());
    let read = read.unwrap_or_else(|error| panic!("{error}"));
    let notes = read
        .notes
        .iter()
        .filter(|note| note.path != "alert/info/contact");
    notes.map(ToString::to_string).collect()
}

#[test]
fn every_element_of_the_standard_has_its_field() {
    let alert = cap::parse(
        br#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
        <identifier>a-3</identifier><sender>pusdalops@example.org</sender><sent>2026-01-05T06:00:00+07:00</sent>
        <status>Actual</status><msgType>Update</msgType><source>posko</source><scope>Restricted</scope>
        <restriction>petugas</restriction><code>profil:1</code><code>profil:2</code><note>uji</note>
        <references>s,a-1,2026-01-05T05:00:00+07:00</references><incidents>"banjir Ciliwung" X-7</incidents>
        <info><language>id</language><category>Met</category><event>Banjir</event><responseType>Evacuate</responseType>
        <responseType>AllClear</responseType><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
        <audience>warga bantaran</audience><senderName>Pusdalops</senderName><headline>Banjir</headline><web>https://example.org/1</web>
        <resource><resourceDesc>peta</resourceDesc><mimeType>image/png</mimeType><size>5</size><uri>peta.png</uri>
        <derefUri>aGFs bG8=</derefUri><digest>d0</digest></resource>
        <area><areaDesc>Kampung Melayu</areaDesc><altitude>10</altitude><ceiling>40.5</ceiling></area></info>
        </alert>"#,
    )
    .unwrap();
    assert!(!alert.has_warnings(), "{:?}", alert.notes);
    let alert = alert.value;
    assert_eq!(alert.version, Version::V1_2);
    assert_eq!(alert.source.as_deref(), Some("posko"));
    assert_eq!(alert.restriction.as_deref(), Some("petugas"));
    assert_eq!(alert.codes, ["profil:1", "profil:2"]);
    assert_eq!(alert.note.as_deref(), Some("uji"));
    assert_eq!(alert.incidents, ["banjir Ciliwung", "X-7"]);
    let info = &alert.infos[0];
    assert_eq!(
        info.response_types,
        [ResponseType::Evacuate, ResponseType::AllClear]
    );
    assert_eq!(info.audience.as_deref(), Some("warga bantaran"));
    let resource = &info.resources[0];
    assert_eq!(resource.description, "peta");
    assert_eq!(resource.mime_type.as_deref(), Some("image/png"));
    assert_eq!(
        (resource.size, resource.uri.as_deref()),
        (Some(5), Some("peta.png"))
    );
    assert_eq!(resource.digest.as_deref(), Some("d0"));
    let embedded = resource.embedded.as_ref().unwrap();
    assert_eq!(embedded.bytes, 5);
    assert_eq!(embedded.sha256[..4], [0xd3, 0x75, 0x1d, 0x33]);
    let area = &info.areas[0];
    assert_eq!(
        (area.altitude_ft, area.ceiling_ft),
        (Some(10.0), Some(40.5))
    );
}

#[test]
fn cap_1_0_is_read_with_its_peculiarities() {
    let read = cap::parse(
        br#"<alert xmlns="http://www.incident.com/cap/1.0">
        <identifier>a-2</identifier><sender>s</sender><sent>2004-01-05T06:00:00Z</sent><status>Actual</status><msgType>Update</msgType>
        <password>rahasia</password><references>a-1/s a-0</references>
        <info><event>Banjir</event><urgency>Expected</urgency><severity>Severe</severity><certainty>Very Likely</certainty>
        <eventCode>SAME=FFW</eventCode><parameter>tinggi</parameter>
        <resource><resourceDesc>peta</resourceDesc></resource>
        <area><areaDesc>x</areaDesc><geocode>BPS=3171</geocode><altitude>lantai dua</altitude></area></info></alert>"#,
    )
    .unwrap();
    assert!(!format!("{read:?}").contains("rahasia"));
    let notes: Vec<_> = read.notes.iter().map(|note| note.path.as_str()).collect();
    assert_eq!(
        notes,
        [
            "alert/sent",
            "alert/scope",
            "alert/password",
            "alert/info/certainty",
            "alert/info/parameter",
            "alert/info/area/altitude",
        ]
    );
    let alert = read.value;
    assert_eq!((alert.version, alert.scope), (Version::V1_0, Scope::Public));
    assert_eq!(alert.references[0].identifier, "a-1");
    assert_eq!(alert.references[0].sender, "s");
    assert_eq!(alert.references[1].sender, "");
    let info = &alert.infos[0];
    assert!(info.categories.is_empty());
    assert_eq!(info.event_codes[0].value, "FFW");
    assert_eq!(info.parameters[0].name, "tinggi");
    assert_eq!(info.areas[0].geocodes[0].name, "BPS");
}

#[test]
fn a_namespace_that_publishers_write_for_a_version_is_read_with_a_warning() {
    let document = JAWA_BARAT.replace(
        "urn:oasis:names:tc:emergency:cap:1.2",
        "http://www.incident.com/cap/1.1",
    );
    let read = cap::parse(document.as_bytes()).unwrap();
    assert_eq!(read.value.version, Version::V1_1);
    assert!(read.has_warnings());
}

#[test]
fn nothing_is_lost_in_silence() {
    assert_eq!(
        notes_on_changed(
            "<areaDesc>",
            "<luas>3</luas><luas>4</luas><x:y xmlns:x='urn:x'/>tepi<areaDesc kode='1'>",
        ),
        [
            "`alert/info/area/luas` at line `30` column `7`, 2 times: is no element of CAP, and not kept",
            "`alert/info/area/y` at line `30` column `35`: is of namespace `urn:x`, and not kept",
            "`alert/info/area` at line `29` column `5`: holds text outside any element, which is not kept",
        ],
    );
    assert_eq!(
        notes_on_changed("<area>", "<area kode='1'>"),
        ["`alert/info/area/@kode` at line `29` column `5`: is no attribute of CAP"],
    );
    let many: Vec<_> = (0..300).map(|n| format!("<x{n}/>")).collect();
    let notes = notes_on_changed("<area>", &format!("{}<area>", many.concat()));
    assert!(
        notes.last().unwrap().contains("101 times"),
        "{:?}",
        notes.last()
    );
}

#[test]
fn elements_in_another_order_are_read_with_a_warning() {
    let document = BANTEN
        .replace("<scope>Public</scope>\n", "")
        .replace("<sender>", "<scope>Public</scope>\n  <sender>");
    let read = cap::parse(document.as_bytes()).unwrap();
    assert_eq!(read.value.scope, Scope::Public);
    let order: Vec<_> = read
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::Order)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        order[0],
        "`alert/sender` at line `6` column `3`: stands after `scope`, before which it belongs"
    );
    assert_eq!(order.len(), 4);
}

#[test]
fn what_breaks_a_rule_and_is_plain_all_the_same_is_noted() {
    for (from, to, path, said) in [
        (
            "<info>",
            "<references/><info>",
            "alert/references",
            "is empty",
        ),
        (
            "<msgType>Alert",
            "<msgType>Update",
            "alert/references",
            "is not there, so `Update` names no earlier alert",
        ),
        (
            "2022-11-21T16:40:00+07:00",
            "2022-11-21T12:40:00+07:00",
            "alert/info/expires",
            "lies before `effective`",
        ),
        (
            "<area>",
            "<resource><resourceDesc/></resource><area>",
            "alert/info/resource/mimeType",
            "is not there",
        ),
        (
            "<area>",
            "<resource><resourceDesc/><mimeType>a/b</mimeType><size>besar</size></resource><area>",
            "alert/info/resource/size",
            "is not a number of bytes, and left out",
        ),
        (
            "</area>",
            "<ceiling>3</ceiling></area>",
            "alert/info/area/ceiling",
            "stands without an `altitude`",
        ),
        (
            "</area>",
            "<altitude>4</altitude><ceiling>3</ceiling></area>",
            "alert/info/area/ceiling",
            "is lower than the `altitude`",
        ),
        (
            "-6.420,106.180 -6.450,106.230 -6.470,106.190 -6.420,106.180",
            "-6.1,106.1 -6.2,106.2 -6.3,106.3 -6.1,106.1",
            "alert/info/area/polygon[2]",
            "encloses no area",
        ),
    ] {
        let notes = notes_on_changed(from, to);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with(&format!("`{path}`")), "{notes:?}");
        assert!(notes[0].ends_with(&format!(": {said}")), "{notes:?}");
    }
}

#[test]
fn an_update_whose_references_are_empty_is_refused() {
    let document = BANTEN
        .replace("<msgType>Alert", "<msgType>Update")
        .replace("<info>", "<references> </references><info>");
    let error = cap::parse(document.as_bytes()).unwrap_err();
    assert_eq!(error.element().as_deref(), Some("alert/references"));
}

#[test]
fn whoever_may_be_a_person_is_left_out_with_a_note() {
    let document = BANTEN.replace(
        "<scope>Public</scope>",
        "<scope>Private</scope><addresses>\"Budi S\" ani@example.org</addresses>",
    );
    let read = cap::parse(document.as_bytes()).unwrap();
    let said = format!("{read:?}");
    for person in ["Budi", "ani@", "0000 000"] {
        assert!(!said.contains(person), "{person} is kept");
    }
    let notes: Vec<_> = read.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "`alert/addresses` at line `9` column `25`: is left out: `2` recipients may be persons",
            "`alert/info/contact` at line `28` column `5`: is left out: a contact may be a person",
        ]
    );
    assert!(!read.has_warnings());
}

#[test]
fn a_signature_is_shown_as_not_verified() {
    let signature = "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'><SignedInfo><SignatureMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'/><Reference><DigestMethod Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/></Reference></SignedInfo><KeyInfo><X509Data><X509Certificate>MIIB</X509Certificate></X509Data></KeyInfo></Signature></alert>";
    let alert = read_changed("</alert>", signature).unwrap();
    assert_eq!(
        alert.signatures,
        [Signature {
            method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256".to_owned(),
            digest_method: "http://www.w3.org/2001/04/xmlenc#sha256".to_owned(),
            has_certificate: true,
        }]
    );
    let notes = notes_on_changed("</alert>", signature);
    assert!(
        notes[0].ends_with("signed with `rsa-sha256`, not verified"),
        "{notes:?}"
    );
}

#[test]
fn an_alert_with_too_many_points_is_refused_by_the_polygon_that_is_too_much() {
    let side: Vec<_> = (0..5_000)
        .map(|n| format!("0,{:.4} ", 100.0 + f64::from(n) / 1000.0))
        .collect();
    let ring = format!("<polygon>{}1,105 0,100</polygon>", side.concat());
    let error = read_changed("</area>", &format!("{}</area>", ring.repeat(10))).unwrap_err();
    assert_eq!(
        error.element().as_deref(),
        Some("alert/info/area/polygon[12]")
    );
    assert!(
        error.to_string().contains("limit of `50000` points"),
        "{error}"
    );
}

#[test]
fn an_alert_with_more_shapes_than_are_looked_up_is_refused_by_the_first_too_many() {
    let circles = |count: usize| "<circle>-6.5,107 1</circle>".repeat(count);
    let alert = |count: usize| read_changed("</area>", &format!("{}</area>", circles(count)));
    assert!(alert(2_990).is_ok());
    let error = alert(99_000).unwrap_err().to_string();
    assert!(
        error.contains("past the limit of `3000` areas, polygons and circles"),
        "{error}"
    );
}
