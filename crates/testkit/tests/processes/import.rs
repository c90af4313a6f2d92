//! An import of published records whose client, or whose node, is killed in the middle goes on when it is run again.

use std::{collections::BTreeSet, fmt::Write as _, fs, process::Child, time::Duration};

use posko_testkit::{Federation, Node, eventually};
use serde_json::Value;

const SOON: Duration = Duration::from_mins(2);
/// How many records the file has: so many that nobody is done before the kill.
const RECORDS: u64 = 6_000;
/// How many records must stand before the kill: some requests are durable, and most are not.
const BEFORE_THE_KILL: u64 = 500;

/// Writes a file in the shape of DIBI's table whose records begin with `serial`; all invented.
fn file(node: &Node, serial: &str) -> String {
    let mut text = String::from(
        "No.,Kode Identitas Bencana,ID Kabupaten,Tanggal Kejadian,Kejadian,Lokasi,Kabupaten,Provinsi,\
         Kronologi & Dokumentasi,Penyebab,Meninggal,Hilang,Terluka,Rumah Rusak,Rumah Terendam,Fasum Rusak\n",
    );
    for number in 0..RECORDS {
        let day = number % 28 + 1;
        writeln!(
            text,
            "{number},{serial}{number:06},3201,2021-03-{day:02},BANJIR,Desa Contoh,KAB. BOGOR,JAWA BARAT,\
             Air naik {number} cm,Hujan,0,0,{},-,{},0",
            number % 7,
            number % 90
        )
        .unwrap();
    }
    let path = node.dir().join(format!("{serial}.csv"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().into()
}

fn arguments(file: &str) -> [&str; 5] {
    ["incident", "import", file, "--map", "bnpb-dibi"]
}

/// Starts an import, and returns its process once some records stand, and most do not.
fn in_the_middle(node: &Node, file: &str) -> Child {
    let before = events(node);
    let mut client = node.begin(&arguments(file)).unwrap();
    eventually("some records stand", SOON, || {
        anyhow::ensure!(client.try_wait()?.is_none(), "the import ended by itself");
        Ok((events(node) >= before + BEFORE_THE_KILL).then_some(()))
    })
    .unwrap();
    client
}

/// Returns how many events the node's own log has.
fn events(node: &Node) -> u64 {
    let status = node.console(&["status"]).unwrap();
    let logs = status["origins"].as_array().unwrap();
    let own = logs.iter().find(|log| log["origin"] == node.origin());
    own.unwrap()["entries"].as_u64().unwrap()
}

/// Returns the ids of the records that begin with `serial`, each once; none may stand twice.
fn held(node: &Node, serial: &str) -> BTreeSet<String> {
    let list = ["incident", "list", "--historical", "--limit", "0"];
    let listed = node.console(&list).unwrap();
    let records = listed["incidents"].as_array().unwrap().iter();
    let ids = records.map(|incident| incident["record"]["record_id"].as_str().unwrap());
    let ids: Vec<&str> = ids.filter(|id| id.starts_with(serial)).collect();
    let once: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(once.len(), ids.len(), "a record stands twice");
    once
}

/// Runs the import again: it says how many stood already, and records the rest.
fn goes_on(node: &Node, file: &str, serial: &str) {
    let stood = held(node, serial).len() as u64;
    assert!(stood > 0 && stood < RECORDS, "{stood} stand");
    // The node still takes what it was sent; a second import waits for its end.
    let (done, _) = eventually("the import goes on", SOON, || {
        node.posko(&arguments(file)).map(Some)
    })
    .unwrap();
    let count = |name: &str| done["recorded"][name].as_u64().unwrap();
    assert!(count("unchanged") >= stood, "{done}");
    assert_eq!(count("unchanged") + count("recorded"), RECORDS, "{done}");
    assert_eq!(count("corrected"), 0, "{done}");
    assert_eq!(held(node, serial).len() as u64, RECORDS);
}

#[test]
fn an_import_whose_client_or_node_is_killed_goes_on_and_records_nothing_twice() {
    let home = tempfile::tempdir().unwrap();
    let federation = Federation::make_with_gateway(home.path()).unwrap();
    let node = federation.node("32").unwrap();
    node.start().unwrap();
    node.employ().unwrap();

    println!("the importing client is killed");
    let path = file(node, "3201101");
    let mut client = in_the_middle(node, &path);
    client.kill().unwrap();
    assert_eq!(
        client.wait().unwrap().code(),
        None,
        "it was ended by a signal"
    );
    goes_on(node, &path, "3201101");

    println!("the node is killed, and its client says so");
    let path = file(node, "3201202");
    let client = in_the_middle(node, &path);
    node.kill9().unwrap();
    let output = client.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("goes on when it is run again"), "{said}");
    node.start().unwrap();
    goes_on(node, &path, "3201202");

    println!("a third run finds everything");
    let done = node.posko(&arguments(&path)).unwrap();
    assert_eq!(done["recorded"]["unchanged"], Value::from(RECORDS));
    assert_eq!(done["recorded"]["recorded"], 0);
    let verified = node.console(&["log", "verify"]).unwrap();
    assert_eq!(verified["ok"], true, "{verified}");
}
