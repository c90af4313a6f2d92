//! A link is cut, and a log comes through a third node; that goes too, and the node says what it no longer hears.

use std::time::Duration;

use anyhow::Result;
use posko_testkit::{Federation, Node, eventually};
use serde_json::Value;

/// Ten times what the demo measures.
const SOON: Duration = Duration::from_secs(50);
/// A picture is old after 30 s of silence.
const MARKED_WITHIN: Duration = Duration::from_secs(90);

fn report(node: &Node) -> String {
    let region = if node.origin() == "32" {
        "32.03"
    } else {
        "31.75"
    };
    let args = [
        "incident",
        "report",
        "--hazard",
        "landslide",
        "--region",
        region,
    ];
    let more = ["--severity", "moderate", "--channel", "branch"];
    let reported = node.posko(&[&args[..], &more].concat()).unwrap();
    reported["outcome"]["stream_id"].as_str().unwrap().into()
}

fn sees(node: &Node, incident: &str) -> Result<Option<()>> {
    node.posko(&["incident", "show", incident])
        .map(|_| Some(()))
}

/// Returns how it stands at `31` with the log of `32`, once `is` says so.
fn stands(dki: &Node, what: &str, within: Duration, is: impl Fn(&Value) -> bool) -> Value {
    let look = || {
        let status = dki.console(&["status"])?;
        let origins = status["origins"].as_array().unwrap();
        let origin = origins.iter().find(|origin| origin["origin"] == "32");
        let origin = origin.unwrap().clone();
        anyhow::ensure!(is(&origin), "{origin}");
        Ok(Some(origin))
    };
    eventually(what, within, look).unwrap().0
}

#[test]
fn a_log_whose_link_is_cut_comes_through_another_node_and_directly_again_when_the_link_returns() {
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::start(dir.path(), |_| Ok(())).unwrap();
    let [dki, jabar] = ["31", "32"].map(|origin| federation.node(origin).unwrap());

    println!("the link 31–32 is cut: 36 relays");
    let direct = report(jabar);
    eventually("31 sees it directly", SOON, || sees(dki, &direct)).unwrap();
    federation.cut("31", "32").unwrap();
    let relayed = report(jabar);
    eventually("31 sees it through 36", SOON, || sees(dki, &relayed)).unwrap();
    let answered = report(dki);
    eventually("32 sees 31 through 36", SOON, || sees(jabar, &answered)).unwrap();
    let through = stands(dki, "31 says through whom", SOON, |origin| {
        origin["link"] == "live" && origin["source"] == "36"
    });
    assert_eq!(through["source_reason"], "not_connected");
    assert!(through["source_since"].is_string());
    assert_eq!(through["source_lacks"], serde_json::json!([]));

    println!("36 goes too: 31 says what it no longer hears");
    federation.node("36").unwrap().stop().unwrap();
    let missed = report(jabar);
    let lost = stands(
        dki,
        "31 calls its picture unknown",
        MARKED_WITHIN,
        |origin| origin["link"] == "unknown" && origin["source"].is_null(),
    );
    assert_eq!(lost["source_reason"], "not_connected");
    assert!(lost["entries_behind"].is_null());
    assert!(lost["heard_at"].is_string() && lost["source_since"].is_string());
    assert!(sees(dki, &missed).is_err());

    println!("the link returns: 31 is live directly");
    federation.restore("31", "32").unwrap();
    eventually("31 sees what it missed", SOON, || sees(dki, &missed)).unwrap();
    stands(dki, "31 is live directly", SOON, |origin| {
        origin["link"] == "live" && origin["source_reason"] == "direct"
    });

    println!("36 comes back with the same logs");
    federation.node("36").unwrap().start().unwrap();
    eventually("36 sees what it missed", SOON, || {
        sees(federation.node("36").unwrap(), &missed)
    })
    .unwrap();
    for node in federation.nodes() {
        assert_eq!(node.console(&["log", "verify"]).unwrap()["ok"], true);
    }
    federation.stop().unwrap();
}

#[test]
fn where_only_headquarters_gateway_is_left_a_log_comes_through_it_and_the_node_says_what_it_lacks()
{
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::make_with_gateway(dir.path()).unwrap();
    let federation = federation.begin(|_| Ok(())).unwrap();
    let [dki, jabar] = ["31", "32"].map(|origin| federation.node(origin).unwrap());

    println!("the link 31–32 is cut and 36 is away: only the gateway is left");
    federation.cut("31", "32").unwrap();
    federation.node("36").unwrap().stop().unwrap();
    let relayed = report(jabar);
    eventually("31 sees it through ims", SOON, || sees(dki, &relayed)).unwrap();
    let through = stands(dki, "31 says through whom", SOON, |origin| {
        origin["source"] == "ims"
    });
    assert_eq!(through["source_lacks"], serde_json::json!(["provinces"]));

    println!("36 comes back: it gives all, and nothing is missing");
    federation.node("36").unwrap().start().unwrap();
    let through = stands(dki, "36 relays", SOON, |origin| origin["source"] == "36");
    assert_eq!(through["source_lacks"], serde_json::json!([]));
    assert_eq!(through["payloads_missing"], 0);
    federation.stop().unwrap();
}
