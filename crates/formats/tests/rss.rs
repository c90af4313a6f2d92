//! What the RSS reader takes, and what it refuses.

use posko_formats::{bmkg, rss};

const NOWCAST: &str = include_str!("../fixtures/nowcast_rss.xml");

#[expect(clippy::expect_used, reason = "a test stops at the first surprise")]
fn refuse_changed(from: &str, to: &str, message: &str) {
    assert!(NOWCAST.contains(from), "the fixture does not hold {from:?}");
    let error =
        rss::parse(NOWCAST.replacen(from, to, 1).as_bytes()).expect_err("the list was read");
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_nowcast_list_is_read_with_its_links() {
    let channel = rss::parse(NOWCAST.as_bytes()).unwrap().value;
    assert_eq!(channel.title, "Peringatan Dini Cuaca BMKG");
    assert!(channel.refused.is_empty());
    let [banten, jawa_barat] = channel.items.as_slice() else {
        panic!("two items expected, not {}", channel.items.len());
    };
    assert_eq!(banten.title, "Hujan Lebat disertai Petir di Banten");
    assert_eq!(
        banten.guid.as_deref(),
        Some("2.49.0.1.360.0.2022.11.21.13.36.001")
    );
    assert_eq!(
        banten.published.unwrap().to_rfc3339(),
        "2022-11-21T13:30:00+07:00"
    );
    assert_eq!(banten.category.as_deref(), Some("Met"));
    let link = bmkg::nowcast_link(jawa_barat).unwrap();
    assert_eq!(link.host, "www.bmkg.go.id");
    assert_eq!(link.file, "CJB20221121002_alert.xml");
    assert_eq!(link.code, "CJB20221121002");
    assert_eq!(
        link.url,
        "https://www.bmkg.go.id/alerts/nowcast/id/CJB20221121002_alert.xml"
    );
}

#[test]
fn a_list_without_items_is_a_list() {
    let channel = rss::parse(b"<rss version='2.0'><channel><title>t</title></channel></rss>")
        .unwrap()
        .value;
    assert!(channel.items.is_empty() && channel.refused.is_empty());
}

#[test]
fn a_bad_item_is_refused_by_name_and_hides_no_good_one() {
    let document = NOWCAST.replacen("Mon, 21 Nov 2022 13:30", "Tue, 21 Nov 2022 13:30", 1);
    let channel = rss::parse(document.as_bytes()).unwrap().value;
    assert_eq!(channel.items.len(), 1);
    assert_eq!(
        channel.refused[0].to_string(),
        "element `pubDate` at line `21` column `9` says `Tue, 21 Nov 2022 13:30:00 +0700`, which is not a real time of RFC 2822",
    );
}

#[test]
fn another_document_is_not_a_list() {
    refuse_changed(
        "version=\"2.0\"",
        "version=\"0.91\"",
        "root element `rss` of version `0.91` at line `3` column `1` is not an RSS 2.0 list",
    );
    refuse_changed(
        "<title>Peringatan Dini Cuaca BMKG</title>",
        "",
        "element `title` is missing in `channel` at line `4` column `5`",
    );
    refuse_changed(
        "<channel>",
        "<channel/><channel>",
        "element `channel` at line `4` column `15` is a second one in its `rss`",
    );
    let cut = NOWCAST.trim_end();
    for end in 0..cut.len() {
        assert!(
            rss::parse(cut.as_bytes().get(..end).unwrap()).is_err(),
            "read although cut at byte {end}"
        );
    }
}

#[test]
fn a_link_of_another_shape_is_refused() {
    let mut item = rss::parse(NOWCAST.as_bytes())
        .unwrap()
        .value
        .items
        .remove(0);
    for link in [
        "ftp://www.bmkg.go.id/a/CBT1_alert.xml",
        "https:///a/CBT1_alert.xml",
        "https://user@www.bmkg.go.id/a/CBT1_alert.xml",
        "https://www.bmkg.go.id/a/../CBT1_alert.xml",
        "https://www.bmkg.go.id/a/CBT1_alert.xml?x=1",
        "https://www.bmkg.go.id/a/%2e_alert.xml",
        "https://www.bmkg.go.id/a/_alert.xml",
        "https://www.bmkg.go.id/a/CBT1.xml",
        "https://www.bmkg.go.id",
        "file:///a/CBT1_alert.xml",
    ] {
        item.link = Some(link.to_owned());
        assert_eq!(
            bmkg::nowcast_link(&item).unwrap_err().to_string(),
            format!(
                "link `{link}` of item `{}` is not `http(s)://HOST/…/CODE_alert.xml`",
                item.title
            ),
        );
    }
    item.link = Some("http://127.0.0.1:8080/nowcast/CBT1_alert.xml".to_owned());
    assert_eq!(bmkg::nowcast_link(&item).unwrap().host, "127.0.0.1:8080");
    item.link = None;
    assert_eq!(
        bmkg::nowcast_link(&item).unwrap_err().to_string(),
        "item `Hujan Lebat disertai Petir di Banten` has no link",
    );
}
