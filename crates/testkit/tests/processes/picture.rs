//! All that a province records of an incident is another's picture too, also what was recorded while that was down.

use std::{fs, time::Duration};

use anyhow::Result;
use posko_testkit::{Federation, Node, eventually};
use serde_json::Value;

const SOON: Duration = Duration::from_mins(1);

/// Records what a duty officer does in an hour: need, legal status, assessment, site, log notes, one of them withdrawn,
/// and an attachment.
fn record(jabar: &Node, number: &str, file: &str) {
    let answers = jabar.dir().join("asesmen.toml");
    fs::write(
        &answers,
        "form = \"pmi\"\n\n[answers]\nPMI-1 = \"initial\"\nPMI-83 = 2\nPMI-16 = \"Sebagian besar lansia\"\n",
    )
    .unwrap();
    let picture = jabar.dir().join(file);
    fs::write(&picture, format!("%PDF-1.7\n% {file}\n%%EOF\n")).unwrap();
    let incident = |args: &[&str]| {
        jabar
            .posko(&[&["incident", args[0], number], &args[1..]].concat())
            .unwrap()
    };
    let need = incident(&[
        "need",
        "--sector",
        "shelter",
        "--quantity",
        "400",
        "--unit",
        "pieces",
        "--note",
        "Terpal",
    ]);
    // By this id a part of it is said to have come.
    let need = need["need_id"].as_str().unwrap();
    incident(&["need", "--part", need, "--by", "pmi", "--quantity", "80"]);
    let decree = format!("360/{}/2026", file.len());
    incident(&[
        "emergency",
        "--status",
        "response",
        "--level",
        "regency",
        "--authority",
        "mayor",
        "--decree",
        &decree,
        "--date",
        "2026-01-05",
        "--from",
        "2026-01-05",
        "--until",
        "2026-01-18",
        "--hazard",
        "flood",
        "--region",
        "32.75",
    ]);
    let assessed = incident(&["assess", answers.to_str().unwrap(), "--figures"]);
    let offered = assessed["figures"]["offered"].as_array().unwrap();
    assert!(offered.iter().any(|one| one["question"] == "PMI-83"));
    let open = [
        "site",
        "open",
        number,
        "--kind",
        "evacuation",
        "--region",
        "32.75.01",
    ];
    jabar
        .posko(&[&open[..], &["--name", "GOR Bekasi", "--capacity", "400"]].concat())
        .unwrap();
    incident(&["note", "Air surut"]);
    incident(&["note", "Keliru"]);
    let shown = jabar.posko(&["incident", "show", number]).unwrap();
    let notes = shown["notes"].as_array().unwrap();
    let wrong = notes.iter().rfind(|note| note["text"] == "Keliru").unwrap();
    incident(&[
        "withdraw-note",
        wrong["event_id"].as_str().unwrap(),
        "--reason",
        "keliru",
        "--legal-basis",
        "UU 27/2022 pasal 8",
    ]);
    incident(&["attach", picture.to_str().unwrap(), "--kind", "report"]);
}

/// What a node holds of Jawa Barat, by its views and as its people see it.
fn picture(node: &Node, number: &str) -> Result<[Value; 3]> {
    let digests = node.console(&["views", "digest"])?["digests"].clone();
    let of_jabar = digests.as_array().into_iter().flatten();
    let of_jabar = of_jabar.filter(|digest| digest["origin"] == "32").cloned();
    let entries = node.console(&["incident", "timeline", number, "--limit", "0"])?;
    let mut incident = node.console(&["incident", "show", number])?;
    // How fresh it is differs from node to node.
    if let Some(incident) = incident["incident"].as_object_mut() {
        incident.remove("provenance");
    }
    // And so does which file is there: one that nobody asked for stays with its province.
    for attachment in incident["attachments"].as_array_mut().into_iter().flatten() {
        attachment["state"].take();
        attachment["held_bytes"].take();
    }
    Ok([of_jabar.collect(), entries["entries"].clone(), incident])
}

/// Types the same alert of a publisher in.
fn take(node: &Node) {
    let alert = [
        "warning",
        "record",
        "--publisher",
        "BPBD",
        "--identifier",
        "BPBD-1",
    ];
    let what = [
        "--hazard",
        "flood",
        "--severity",
        "severe",
        "--headline",
        "Luapan",
    ];
    let place = ["--region", "32.75"];
    node.posko(&[&alert[..], &what, &place].concat()).unwrap();
}

#[test]
fn an_alert_that_two_provinces_took_in_is_told_once_and_first_as_the_own() {
    let home = tempfile::tempdir().unwrap();
    let federation = Federation::start(home.path(), |_| Ok(())).unwrap();
    let [jabar, jakarta] = ["32", "31"].map(|origin| federation.node(origin).unwrap());
    jakarta.posko(&["warning", "subscribe"]).unwrap();
    let told = || -> Result<Vec<(String, String)>> {
        let inbox = jakarta.posko(&["warning", "inbox"])?;
        let items = inbox["items"].as_array().into_iter().flatten();
        let items = items.map(|item| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (
                text(&item["warning"]["provenance"]["origin"]),
                text(&item["change"]),
            )
        });
        Ok(items.collect())
    };
    let only = |origin: &str| {
        let wanted = [(origin.to_owned(), "new".to_owned())];
        eventually("the alert is told once", SOON, || {
            Ok((told()? == wanted).then_some(()))
        })
        .unwrap();
    };
    take(jabar);
    only("32");
    take(jakarta);
    only("31");
    federation.stop().unwrap();
}

#[test]
fn needs_assessments_sites_statuses_notes_and_attachments_are_seen_alike_also_after_an_absence() {
    let home = tempfile::tempdir().unwrap();
    let federation = Federation::start(home.path(), |_| Ok(())).unwrap();
    let [jabar, jakarta] = ["32", "31"].map(|origin| federation.node(origin).unwrap());
    let report = [
        "incident", "report", "--hazard", "flood", "--region", "32.75",
    ];
    let more = ["--severity", "minor", "--channel", "branch"];
    let reported = jabar.posko(&[&report[..], &more].concat()).unwrap();
    let number = reported["number"].as_str().unwrap();
    let alike = || {
        let expected = picture(jabar, number)?;
        let found = picture(jakarta, number);
        Ok(found.ok().filter(|found| *found == expected))
    };

    println!("what is recorded while both run");
    record(jabar, number, "pertama.pdf");
    let ([_, first, _], _) = eventually("31 sees what 32 recorded", SOON, alike).unwrap();

    println!("what is recorded while 31 is down");
    jakarta.stop().unwrap();
    record(jabar, number, "menyusul.pdf");
    jakarta.start().unwrap();
    let ([digests, entries, shown], _) = eventually("31 sees what it missed", SOON, alike).unwrap();
    assert!(digests.as_array().unwrap().len() > 1, "{digests}");
    let [first, entries] = [&first, &entries].map(|entries| entries.as_array().unwrap().len());
    assert_eq!(entries - 1, 2 * (first - 1), "each hour has as many events");
    let incident = &shown["incident"];
    for (list, entries) in [("needs", 2), ("assessments", 2)] {
        assert_eq!(incident[list].as_array().unwrap().len(), entries, "{list}");
    }
    federation.stop().unwrap();
}
