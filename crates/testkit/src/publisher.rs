//! A publisher of warnings on loopback, which answers as BMKG's servers do.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
};

/// The largest request that is read, in bytes.
const MAX_REQUEST: usize = 16 * 1024;

/// The nowcast's list, and the two alerts in it.
const NOWCAST: [(&str, &[u8]); 3] = [
    (
        "/alerts/nowcast/id/rss.xml",
        include_bytes!("../../formats/fixtures/nowcast_rss.xml"),
    ),
    (
        "/alerts/nowcast/id/CBT20221121001_alert.xml",
        include_bytes!("../../formats/fixtures/CBT20221121001_alert.xml"),
    ),
    (
        "/alerts/nowcast/id/CJB20221121002_alert.xml",
        include_bytes!("../../formats/fixtures/CJB20221121002_alert.xml"),
    ),
];

/// The earthquake of Cianjur in BMKG's two lists.
const EARTHQUAKE: [(&str, &[u8]); 2] = [
    (
        "/DataMKG/TEWS/autogempa.json",
        include_bytes!("../../formats/fixtures/autogempa.json"),
    ),
    (
        "/DataMKG/TEWS/gempadirasakan.json",
        include_bytes!("../../formats/fixtures/gempadirasakan.json"),
    ),
];

type Documents = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A server of documents; it answers as long as its runtime lives.
#[derive(Debug)]
pub struct Publisher {
    address: SocketAddr,
    documents: Documents,
}

/// A list found in a folder of recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// What a node calls its kind: `bmkg-nowcast` or `bmkg-earthquake`.
    pub kind: &'static str,
    /// Where it is served.
    pub path: String,
}

impl Publisher {
    /// Starts a publisher that has nothing to say yet.
    pub fn start(runtime: &Handle) -> io::Result<Self> {
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let documents = Documents::default();
        let served = documents.clone();
        runtime.spawn(async move {
            // A publisher that cannot accept any more is down, which a feed must bear.
            while let Ok((stream, _)) = listener.accept().await {
                let documents = served.clone();
                tokio::spawn(async move {
                    // A client that goes away is its own matter.
                    let _ = answer(stream, &documents).await;
                });
            }
        });
        Ok(Self { address, documents })
    }

    /// Publishes the nowcast for Banten and Jawa Barat and the earthquake of Cianjur.
    pub fn publish_fixtures(&self) {
        for (path, document) in NOWCAST.into_iter().chain(EARTHQUAKE) {
            self.publish(path, document);
        }
    }

    /// Publishes a document, in place of what was there.
    pub fn publish(&self, path: &str, document: impl Into<Vec<u8>>) {
        let mut documents = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        documents.insert(path.into(), document.into());
    }

    /// Publishes every list in a folder of recordings, with the alerts that it names, and returns the lists.
    pub fn publish_folder(&self, folder: &Path) -> Result<Vec<Recording>> {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let alerts: Vec<(String, &[u8])> = files
            .iter()
            .filter_map(|(_, document)| {
                Some((between(document, "<identifier>", "</")?, &**document))
            })
            .collect();
        let mut lists = Vec::new();
        for (index, (name, document)) in files.iter().enumerate() {
            let base = format!("/feed/{index}");
            let path = format!("{base}/{name}");
            let text = String::from_utf8_lossy(document);
            let kind = if is_of(name, "json") && text.contains("\"Infogempa\"") {
                "bmkg-earthquake"
            } else if text.contains("<rss") {
                for item in text.split("<item>").skip(1) {
                    self.publish_alert(&base, item, &alerts);
                }
                "bmkg-nowcast"
            } else {
                continue;
            };
            self.publish(&path, document.clone());
            lists.push(Recording { kind, path });
        }
        Ok(lists)
    }

    /// Publishes the alert of an item under the name by which the item links to it, if it was recorded.
    fn publish_alert(&self, base: &str, item: &str, alerts: &[(String, &[u8])]) {
        let item = item.as_bytes();
        let link = between(item, "<link>", "</");
        let guid =
            between(item, "<guid", "</").and_then(|guid| guid.split('>').nth(1).map(str::to_owned));
        let (Some(link), Some(guid)) = (link, guid) else {
            return;
        };
        let file = link.rsplit('/').next().unwrap_or_default();
        if let Some((_, alert)) = alerts.iter().find(|(identifier, _)| *identifier == guid) {
            self.publish(&format!("{base}/{file}"), *alert);
        }
    }

    /// Returns the address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns a `[[feed]]` section for a node's configuration.
    pub fn feed(&self, name: &str, kind: &str, path: &str, period_seconds: u32) -> String {
        format!(
            "\n[[feed]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl = \"{}\"\nperiod_seconds = {period_seconds}\n",
            self.url(path)
        )
    }

    /// Returns the feeds of the fixtures.
    pub fn fixture_feeds(&self) -> String {
        [
            ("bmkg-cuaca", "bmkg-nowcast", NOWCAST[0].0),
            ("bmkg-gempa", "bmkg-earthquake", EARTHQUAKE[0].0),
            ("bmkg-dirasakan", "bmkg-earthquake", EARTHQUAKE[1].0),
        ]
        .map(|(name, kind, path)| self.feed(name, kind, path, 30))
        .concat()
    }
}

fn collect(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let shown = || format!("read `{}`", folder.display());
    for entry in fs::read_dir(folder).with_context(shown)? {
        let path = entry.with_context(shown)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            collect(&path, files)?;
        } else if is_of(&name, "json") || is_of(&name, "xml") {
            let document = fs::read(&path).with_context(|| format!("read `{}`", path.display()))?;
            files.push((name, document));
        }
    }
    Ok(())
}

fn is_of(name: &str, kind: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(kind))
}

fn between(document: &[u8], start: &str, end: &str) -> Option<String> {
    let text = String::from_utf8_lossy(document);
    let (_, rest) = text.split_once(start)?;
    let (found, _) = rest.split_once(end)?;
    Some(found.trim().to_owned())
}

async fn answer(mut stream: TcpStream, documents: &Documents) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > MAX_REQUEST || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let line = String::from_utf8_lossy(&request);
    let path = line.split_whitespace().nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let found = documents
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(path)
        .cloned();
    let (status, body) = match found {
        Some(document) => ("200 OK", document),
        None => ("404 Not Found", b"not found".to_vec()),
    };
    let kind = if is_of(path, "json") {
        "application/json"
    } else {
        "application/xml"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_published_with_the_alerts_that_its_lists_name() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let publisher = Publisher::start(runtime.handle()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
        write("a.json", EARTHQUAKE[0].1);
        write("banten.xml", NOWCAST[1].1);
        write("list.xml", NOWCAST[0].1);
        write("other.json", b"{}");
        let lists = publisher.publish_folder(folder.path()).unwrap();
        let paths: Vec<_> = lists.iter().map(|list| list.path.as_str()).collect();
        assert_eq!(paths, ["/feed/0/a.json", "/feed/2/list.xml"]);
        let documents = publisher.documents.lock().unwrap();
        assert_eq!(documents["/feed/2/CBT20221121001_alert.xml"], NOWCAST[1].1);
    }
}
