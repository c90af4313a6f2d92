//! Bad input through a real door: refused with what and where, nothing stored, nothing crashed.

use std::time::Duration;

use posko_testkit::{Federation, Node, Publisher, Refused, eventually};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);

/// Gives a command that must be refused, and returns the exit code, the error's code and its message.
fn refused(node: &Node, args: &[&str]) -> (i32, String, String) {
    let error = node.posko(args).expect_err("the command must be refused");
    let refused = error.downcast::<Refused>().unwrap();
    (refused.exit, refused.code, refused.message)
}

fn report<'a>(region: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec![
        "incident",
        "report",
        "--hazard",
        "flood",
        "--severity",
        "minor",
        "--channel",
        "branch",
    ];
    args.extend(["--region", region]);
    args.extend(more);
    args
}

fn entries(node: &Node) -> Value {
    let status = node.console(&["status"]).unwrap();
    let own = status["origins"]
        .as_array()
        .unwrap()
        .iter()
        .find(|origin| origin["link"] == "own")
        .cloned();
    own.unwrap()["entries"].clone()
}

#[test]
fn a_bad_command_is_refused_with_what_and_where_and_a_repeated_one_is_answered_as_the_first_time() {
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::start(dir.path(), |_| Ok(())).unwrap();
    let node = federation.node("32").unwrap();
    let opened = node.posko(&report("32.75", &[])).unwrap();
    let number = opened["number"].as_str().unwrap();
    let before = entries(node);

    let unknown = refused(node, &report("32.99", &[]));
    assert_eq!((unknown.0, unknown.1.as_str()), (3, "invalid_argument"));
    assert!(unknown.2.contains("`32.99`"), "{}", unknown.2);

    let foreign = refused(node, &report("31.71", &[]));
    assert!(matches!(foreign.0, 3 | 4), "{foreign:?}");

    println!("an empty list would read as if all were quiet where nothing is heard from at all");
    for list in ["incident", "warning"] {
        let nobody = refused(node, &[list, "list", "--origin", "99"]);
        assert_eq!((nobody.0, nobody.1.as_str()), (3, "not_found"));
        assert!(nobody.2.contains("`99`"), "{}", nobody.2);
    }

    let stale = refused(
        node,
        &["incident", "verify", number, "--expect-version", "7"],
    );
    assert_eq!(stale.0, 3, "{stale:?}");
    assert!(
        stale.2.contains('7') && stale.2.contains('1'),
        "{}",
        stale.2
    );

    println!(
        "an illegal change of state stays refused under its id, also when it has become legal"
    );
    let early = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b";
    let activate = [
        "incident",
        "activate",
        number,
        "--scale",
        "small",
        "--command-id",
        early,
    ];
    let first = refused(node, &activate);
    assert_eq!(first.0, 3, "{first:?}");
    assert_eq!(
        entries(node),
        before,
        "a refused command recorded something"
    );
    node.posko(&["incident", "verify", number]).unwrap();
    assert_eq!(refused(node, &activate), first);
    let other = refused(
        node,
        &[
            "incident",
            "activate",
            number,
            "--scale",
            "large",
            "--command-id",
            early,
        ],
    );
    assert_ne!(
        other, first,
        "another request under the same id is refused as such"
    );

    println!("an accepted command is answered as the first time, also after a kill");
    let id = "0c0c0c0c-0c0c-4c0c-8c0c-0c0c0c0c0c0c";
    let args = report("32.75.01", &["--command-id", id]);
    let answer = node.posko(&args).unwrap();
    let before = entries(node);
    assert_eq!(node.posko(&args).unwrap(), answer);
    node.kill9().unwrap();
    node.start().unwrap();
    assert_eq!(node.posko(&args).unwrap(), answer);
    assert_eq!(refused(node, &activate), first);
    assert_eq!(entries(node), before);
    federation.stop().unwrap();
}

#[test]
fn a_hostile_feed_is_invalid_at_every_node_and_stores_nothing() {
    const LIST: &str = r#"<rss version="2.0"><channel><title>x</title></channel></rss>"#;
    let bomb = format!(
        "<!DOCTYPE rss [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;\">]><rss><channel><title>&b;</title></channel></rss>",
        "x".repeat(1000)
    );
    let stolen = r#"<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><channel><title>&f;</title></channel></rss>"#;
    let mut oversized = String::from("<rss version=\"2.0\"><channel><title>");
    oversized.extend(std::iter::repeat_n('x', 17 * 1024 * 1024));
    oversized.push_str("</title></channel></rss>");
    let quake = |time: &str| {
        format!(
            r#"{{"Infogempa":{{"gempa":{{"Tanggal":"21 Nov 2099","Jam":"13:21:09 WIB","DateTime":"{time}","Coordinates":"-6.85,107.03","Lintang":"6.85 LS","Bujur":"107.03 BT","Magnitude":"5.6","Kedalaman":"11 km","Wilayah":"Cianjur"}}}}}}"#
        )
    };
    let future = quake("2099-11-21T06:21:09+00:00");
    let cut = &future[..future.len() / 2];
    let documents: [(&str, &str, &str); 7] = [
        ("entities", "bmkg-nowcast", &bomb),
        ("stolen", "bmkg-nowcast", stolen),
        ("oversized", "bmkg-nowcast", &oversized),
        ("malformed", "bmkg-nowcast", &LIST[..40]),
        ("no-list", "bmkg-nowcast", "<html></html>"),
        ("truncated", "bmkg-earthquake", cut),
        ("future", "bmkg-earthquake", &future),
    ];
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let publisher = Publisher::start(runtime.handle()).unwrap();
    let mut feeds = String::new();
    for (name, kind, document) in documents {
        publisher.publish(&format!("/{name}"), document);
        feeds += &publisher.feed(name, kind, &format!("/{name}"), 10);
    }
    let federation = Federation::start(dir.path(), |node| match node.origin() {
        "36" => node.configure(|text| text + &feeds),
        _ => Ok(()),
    })
    .unwrap();

    let node = federation.node("36").unwrap();
    let (listed, _) = eventually("every feed is called invalid", SOON, || {
        let answer = node.posko(&["feed", "list"])?;
        let feeds = answer["feeds"].as_array().cloned().unwrap_or_default();
        for feed in &feeds {
            anyhow::ensure!(feed["health"] == "invalid", "{feed}");
        }
        Ok(Some(feeds))
    })
    .unwrap();
    assert_eq!(listed.len(), documents.len());
    for feed in &listed {
        println!("{}: {}", feed["name"], feed["last_error"]);
        assert!(
            feed["last_error"]
                .as_str()
                .is_some_and(|error| !error.is_empty()),
            "{feed}"
        );
        assert_eq!(feed["taken"], 0, "{feed}");
    }
    let warnings = node.posko(&["warning", "list", "--limit", "0"]).unwrap();
    assert_eq!(warnings["warnings"], Value::Array(Vec::new()));
    node.check_alive().unwrap();

    println!("31 knows it too, also after 36 has gone, and 36 after its start as before it");
    let known = |node: &Node| {
        eventually("every feed of 36 is an alarm", SOON, || {
            let answer = node.posko(&["feed", "list"])?;
            let feeds = answer["feeds"].as_array().cloned().unwrap_or_default();
            let mut since = Vec::new();
            for feed in &feeds {
                anyhow::ensure!(
                    feed["alarm"] == true && feed["provenance"]["origin"] == "36",
                    "{feed}"
                );
                since.push((feed["name"].to_string(), feed["since"].to_string()));
            }
            anyhow::ensure!(since.len() == documents.len(), "{since:?}");
            since.sort();
            Ok(Some(since))
        })
        .unwrap()
        .0
    };
    let dki = federation.node("31").unwrap();
    let since = known(node);
    assert_eq!(known(dki), since);
    node.stop().unwrap();
    assert_eq!(known(dki), since);
    let told = dki.console(&["warning", "list", "--in-force"]).unwrap();
    assert_eq!(told["feeds"].as_array().unwrap().len(), documents.len());
    node.start().unwrap();
    assert_eq!(known(node), since);
    federation.stop().unwrap();
}
