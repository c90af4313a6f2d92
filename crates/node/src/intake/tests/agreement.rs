//! What a check says of a file is what becomes of it when it is taken, and no refusal repeats it at length.

use posko_formats::check::Verdict;

use super::{source::flood, *};
use crate::offline::check_bytes;

const INTACT: &str = r#"{"Infogempa":{"gempa":{"DateTime":"2022-11-21T06:21:09+00:00","Coordinates":"-6.85,107.03",
    "Lintang":"6.85 LS","Bujur":"107.03 BT","Magnitude":"5.6","Kedalaman":"11 km","Wilayah":"Cianjur",
    "Potensi":"Tidak berpotensi tsunami","Dirasakan":"V-VI Cianjur"}}}"#;
const GAUGES: &str =
    "station,time,level_cm,siaga\nKatulampa,2022-11-21T13:20:00+07:00,205,Siaga I\n";
const VOLCANOES: &str = "volcano,time,level\nGede,2022-11-21T13:00:00+07:00,Level III (Siaga)\n";
const LIST: &str = "<rss version=\"2.0\"><channel><title>Uji</title><item><title>Banjir</title>\
    <link>https://bpbd.example/a.cap</link><guid>a</guid></item></channel></rss>";

/// Says whether taking a document is refused, as a whole or in one of its items.
async fn is_refused(document: &str) -> bool {
    let (scope, memory) = (Scope::default(), Memory::default());
    let Ok(judgement) = document::judge(document.as_bytes(), &scope, &memory, NOW) else {
        return true;
    };
    let node = Node::default();
    for item in judgement.items {
        let is_refused = match item.judged {
            Judged::Take(wanted) => settle::settle(&node, *wanted).await.is_err(),
            Judged::Refused(_) => true,
            Judged::Link { .. } | Judged::Outside | Judged::Nothing(_) => false,
        };
        if is_refused {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_check_calls_invalid_what_is_refused_and_nothing_else() {
    let alert = flood("a-1", "Alert", "");
    let expires = "<expires>2022-11-21T19:00:00";
    let headline = "<headline>Banjir di Bogor";
    let files = [
        (alert.clone(), true),
        (
            alert.replace("<sent>2022-11-21T13:10", "<sent>2022-11-21T20:10"),
            false,
        ),
        (
            alert.replace(expires, "<expires>2022-11-21T12:00:00"),
            false,
        ),
        (
            alert.replace(headline, &format!("<headline>{}", "x".repeat(10_000))),
            false,
        ),
        (alert.replace("Alert</msgType>", "Cancel</msgType>"), false),
        (alert.replace("Alert</msgType>", "Ack</msgType>"), true),
        (INTACT.to_owned(), true),
        (INTACT.replace("06:21", "16:21"), false),
        (INTACT.replace("11 km", "-17 km"), false),
        (
            INTACT.replace("\"Cianjur\"", &format!("\"{}\"", "x".repeat(9_000))),
            false,
        ),
        (INTACT.replace("Bujur", "Lintang"), false),
        (GAUGES.to_owned(), true),
        (GAUGES.replace("205", "60"), true),
        (GAUGES.replace("13:20", "03:20"), false),
        (GAUGES.replace("13:20", "23:20"), false),
        (GAUGES.replace("Katulampa", "Entah"), false),
        (GAUGES.replace("205", "900"), false),
        ("station,time,level_cm\n".to_owned(), false),
        (VOLCANOES.to_owned(), true),
        (VOLCANOES.replace("Gede", "Merapi"), true),
        (VOLCANOES.replace("Gede", "Entah"), false),
        (VOLCANOES.replace("-21T", "-14T"), false),
        (
            VOLCANOES
                .replace("-21T", "-14T")
                .replace("Level III (Siaga)", "Normal"),
            true,
        ),
        (LIST.to_owned(), true),
        ("<html></html>".to_owned(), false),
        (String::new(), false),
    ];
    for (document, is_good) in files {
        let checked = check_bytes(
            document.as_bytes(),
            &Scope::default(),
            &Memory::default(),
            NOW,
        );
        let shown: String = document.chars().take(400).collect();
        let faults = &checked.check.faults;
        let is_valid = checked.check.verdict != Verdict::Invalid;
        assert_eq!(is_valid, is_good, "{shown}: {faults:?}");
        assert_eq!(!is_refused(&document).await, is_good, "{shown}");
    }
}

/// Returns a document in each form that it has when one word of it is 10,000 letters long.
fn lengthened(document: &str) -> impl Iterator<Item = String> {
    let ends = document.char_indices().filter(|(at, letter)| {
        let after = document[*at + letter.len_utf8()..].chars().next();
        letter.is_alphanumeric() && !after.is_some_and(char::is_alphanumeric)
    });
    ends.map(|(at, letter)| {
        let (before, after) = document.split_at(at + letter.len_utf8());
        format!("{before}{}{after}", "x".repeat(10_000))
    })
}

#[test]
fn no_refusal_repeats_what_is_long() {
    let alert = flood(
        "a-1",
        "Update",
        "<references>a,b,2022-11-21T13:00:00+07:00</references>",
    );
    let inner = alert.split_once("?>").unwrap().1;
    let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>Uji</title><updated>2022-11-21T13:11:00+07:00</updated>
        <entry><id>e</id><title>Banjir</title><updated>2022-11-21T13:11:00+07:00</updated><link href="https://bpbd.example/a"/></entry></feed>"#;
    let envelope = format!(
        r#"<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><distributionID>d</distributionID><senderID>a@b</senderID>
        <dateTimeSent>2022-11-21T13:11:00+07:00</dateTimeSent><distributionStatus>Actual</distributionStatus><distributionType>Report</distributionType>
        <combinedConfidentiality>none</combinedConfidentiality><contentObject><xmlContent><embeddedXMLContent>{inner}</embeddedXMLContent></xmlContent></contentObject></EDXLDistribution>"#
    );
    for document in [&alert, atom, &envelope, INTACT, GAUGES, VOLCANOES, LIST] {
        for document in lengthened(document) {
            let checked = check_bytes(
                document.as_bytes(),
                &Scope::default(),
                &Memory::default(),
                NOW,
            );
            for fault in checked.check.faults {
                let length = fault.message.chars().count();
                assert!(length < 500, "{length}: {}", fault.message);
            }
        }
    }
}
