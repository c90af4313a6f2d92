//! A log note that names a person is withdrawn, and its text is in no file of any node; a person accepts a risk by name.

use std::{fs, path::Path, process::Command, time::Duration};

use posko_testkit::{Federation, GATEWAY, Node, ORIGINS, eventually};

const SOON: Duration = Duration::from_mins(1);
/// An invented person.
const TEXT: &str = "Ibu Ratna Wulandari, 081200000000, patah tulang";

fn holds_text(path: &Path) -> bool {
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap();
        return entries
            .map(|entry| entry.unwrap().path())
            .any(|path| holds_text(&path));
    }
    // One that was there a moment ago may be gone.
    let bytes = fs::read(path).unwrap_or_default();
    let wanted = TEXT.as_bytes();
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn report(node: &Node) -> String {
    let args = [
        "incident", "report", "--hazard", "flood", "--region", "32.75",
    ];
    let more = ["--severity", "minor", "--channel", "branch"];
    let reported = node.posko(&[&args[..], &more].concat()).unwrap();
    reported["number"].as_str().unwrap().into()
}

#[test]
fn a_withdrawn_note_is_in_no_file_of_any_node_and_its_log_still_verifies() {
    let home = tempfile::tempdir().unwrap();
    let federation = Federation::make_with_gateway(home.path()).unwrap();
    let federation = federation.begin(|_| Ok(())).unwrap();
    let all_four = [ORIGINS[0], ORIGINS[1], ORIGINS[2], GATEWAY];
    let all_four = all_four.map(|origin| federation.node(origin).unwrap());
    let jabar = federation.node("32").unwrap();

    println!("a note with a name reaches all four");
    let number = report(jabar);
    for remark in ["Dapur umum dibuka", TEXT, "Air surut"] {
        let note = ["incident", "note", &number, remark, "--text-as-is"];
        jabar.posko(&note).unwrap();
    }
    let notes = |node: &Node| -> anyhow::Result<Vec<serde_json::Value>> {
        let shown = node.console(&["incident", "show", &number])?;
        Ok(shown["notes"].as_array().unwrap().clone())
    };
    for node in all_four {
        let all_three = || Ok((notes(node)?.len() == 3).then_some(()));
        eventually("all notes are there", SOON, all_three).unwrap();
        assert!(holds_text(node.dir()), "{}", node.origin());
    }

    println!("36 is away while it is withdrawn, and is listed until it comes back");
    federation.node("36").unwrap().stop().unwrap();
    let event = notes(jabar).unwrap()[1]["event_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let withdraw = ["incident", "withdraw-note", &number, &event];
    let because = [
        "--reason",
        "menyebut nama",
        "--legal-basis",
        "UU 27/2022 pasal 8",
    ];
    jabar.posko(&[&withdraw[..], &because].concat()).unwrap();
    let waiting = || -> anyhow::Result<Vec<String>> {
        let told = jabar.console(&["log", "withdrawals"])?;
        let [only] = &told["statements"].as_array().unwrap()[..] else {
            panic!("{told}");
        };
        assert_eq!(only["event_ids"], serde_json::json!([event]));
        Ok(serde_json::from_value(only["waiting"].clone())?)
    };
    let only_36 = || Ok((waiting()? == ["36"]).then_some(()));
    eventually("all but 36 have applied it", SOON, only_36).unwrap();
    federation.node("36").unwrap().start().unwrap();
    let applied = || Ok(waiting()?.is_empty().then_some(()));
    eventually("36 has applied it too", SOON, applied).unwrap();

    for node in all_four {
        let gone = || Ok(Some(notes(node)?).filter(|notes| notes[1]["withdrawn"] == true));
        let (notes, _) = eventually("the note is withdrawn", SOON, gone).unwrap();
        let gone = &notes[1];
        assert_eq!((notes.len(), &gone["withdrawn"]), (3, &true.into()));
        assert_eq!(gone["withdrawn_because"], "menyebut nama");
        assert_eq!(gone["text"], "");
        let erased = || Ok((!holds_text(node.dir())).then_some(()));
        eventually("the text is in no file", SOON, erased).unwrap();
    }
    federation.stop().unwrap();
    let verifier = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verify/verify.py");
    for node in all_four {
        assert!(!holds_text(node.dir()), "{}", node.origin());
        assert_eq!(node.console(&["log", "verify"]).unwrap()["ok"], true);
        let file = home.path().join(format!("{}.poskolog", node.origin()));
        let out = file.to_str().unwrap();
        node.console(&["log", "export", "32", "--out", out])
            .unwrap();
        assert!(!holds_text(&file));
        let checked = Command::new("python3")
            .arg("-B")
            .arg(&verifier)
            .arg(out)
            .output();
        let checked = checked.unwrap();
        let told = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(
            checked.status.success() && told.contains("1 withdrawn"),
            "{told}"
        );
    }

    println!("32 starts alone without its mark, and its duty officer accepts the risk");
    fs::remove_file(jabar.dir().join("mark")).unwrap();
    jabar.start().unwrap();
    let standing = || jabar.console(&["status"]).unwrap()["standing"].clone();
    assert_eq!(
        (&standing()["state"], &standing()["risk_accepted_by"]),
        (&"unproven".into(), &serde_json::Value::Null)
    );
    let accept = ["standing", "accept-risk", "--reason", "Jaringan putus"];
    jabar
        .console(&accept)
        .expect_err("the console is no named person");
    let accepted = jabar.posko(&accept).unwrap();
    let told = standing();
    assert_eq!(told["risk_accepted"], true);
    assert_eq!(told["risk_accepted_by"], accepted["outcome"]["stream_id"]);
    assert!(told["risk_accepted_at"].is_string());
}
