//! A backup is found out in every byte, and makes the node that it was made of.

use std::os::unix::fs::PermissionsExt;

use posko_proto::federation::v1::NodeRole;
use posko_store::Standing;
use tempfile::TempDir;

use super::*;
use crate::{
    node::open_store,
    offline::{InitOptions, init, verify_logs},
};

const NOW: Millis = Millis(1_790_000_000_000);

/// A node with its recovery key in a safe, and a backup of it.
struct Drill {
    home: TempDir,
}

impl Drill {
    async fn new() -> Self {
        let drill = Self {
            home: tempfile::tempdir().unwrap(),
        };
        init(InitOptions {
            dir: drill.at("32"),
            role: NodeRole::Node,
            origin: "32".parse().unwrap(),
            join: None,
            api_address: "127.0.0.1:7430".into(),
            federation_address: "127.0.0.1:7431".into(),
            public_address: Some("posko.jabar.example:7431".into()),
            names: Vec::new(),
        })
        .await
        .unwrap();
        fs::rename(drill.at("32/keys/recovery.key"), drill.safe()).unwrap();
        create(&drill.at("32"), &drill.file(), NOW).unwrap();
        drill
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.at("32.backup")
    }

    fn safe(&self) -> PathBuf {
        self.at("safe.key")
    }

    fn tar(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        open(&self.file()).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Returns what is in the home directory.
    fn names(&self) -> Vec<String> {
        names(self.home.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Returns where each file's content lies in the archive.
fn contents(tar: &[u8]) -> Vec<(String, usize, usize)> {
    let mut archive = tar::Archive::new(tar);
    (archive.entries().unwrap())
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let from = entry.raw_file_position() as usize;
            (name, from, from + entry.size() as usize)
        })
        .collect()
}

fn judge(tar: &[u8], recovery: &SigningKey) -> Result<Checked, BackupError> {
    unpack(tar, Some(recovery), &mut io::sink(), &mut io::sink())
}

#[tokio::test]
async fn a_backup_makes_the_same_node_whose_log_verifies_and_whose_start_is_unproven() {
    let drill = Drill::new().await;
    let mode = fs::metadata(drill.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(drill.names(), ["32", "32.backup", "safe.key"]);

    let restored = drill.at("new/32");
    let result = restore(&drill.file(), &restored, &drill.safe(), false).await;
    let Restored { checked, sightings } = result.unwrap();
    assert_eq!(sightings, []);
    for dir in [drill.at("32"), restored.clone()] {
        assert_eq!(youngest(&dir), Some(checked.manifest.clone()));
    }
    assert!(checked.opened());
    assert_eq!(checked.manifest.origin, "32");
    assert_eq!(checked.manifest.made_ms, NOW.0);
    for name in ["card", "config.toml"] {
        assert_eq!(
            fs::read(drill.at("32").join(name)).unwrap(),
            fs::read(restored.join(name)).unwrap(),
            "{name}"
        );
    }
    assert_eq!(names(&drill.at("32/keys")), names(&restored.join(KEYS)));
    for name in names(&restored.join(KEYS)) {
        let read = |dir: &Path| fs::read(dir.join(KEYS).join(&name)).unwrap();
        assert_eq!(read(&drill.at("32")), read(&restored), "{name}");
    }

    let checks = verify_logs(&restored, &mut |_, _| {}).unwrap();
    assert!(checks.iter().all(|check| check.found.is_ok()));
    let keys = Keys::load(&restored).unwrap();
    let store = open_store(&restored, &keys, |error| panic!("{error}"))
        .await
        .unwrap();
    let Standing::Unproven { why, .. } = store.standing() else {
        panic!("{:?}", store.standing());
    };
    assert_eq!(why, "the file is a backup copy");
    tokio::task::spawn_blocking(move || store.close())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_byte_changed_in_any_part_is_found_and_the_part_named() {
    let drill = Drill::new().await;
    let recovery = read_recovery(&drill.safe()).unwrap();
    let mut tar = drill.tar();
    judge(&tar, &recovery).unwrap();
    let contents = contents(&tar);
    let order: Vec<&str> = contents.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(
        order,
        [MANIFEST, SIGNATURE, CARD, SEALED, CONFIG, STORE].as_slice()
    );
    for (name, from, to) in contents {
        // The database is long, and one sum holds all of it.
        let step = if name == STORE { 997 } else { 1 };
        let named = if name == SIGNATURE { MANIFEST } else { &name };
        for place in (from..to).step_by(step) {
            tar[place] ^= 1;
            let error = judge(&tar, &recovery).unwrap_err();
            let newer = matches!(error, BackupError::Newer { .. }) && name == MANIFEST;
            assert!(
                newer || error.to_string().contains(&format!("`{named}`")),
                "{name} at {}: {error}",
                place - from
            );
            tar[place] ^= 1;
        }
    }
    judge(&tar, &recovery).unwrap();
}

#[tokio::test]
async fn an_archive_that_was_cut_off_or_added_to_is_refused() {
    let drill = Drill::new().await;
    let whole = fs::read(drill.file()).unwrap();
    let spoilt = drill.at("spoilt.backup");
    for length in (0..whole.len()).step_by(whole.len() / 50) {
        fs::write(&spoilt, &whole[..length]).unwrap();
        assert!(check(&spoilt, None).is_err(), "{length} bytes");
    }

    let recovery = read_recovery(&drill.safe()).unwrap();
    let tar = drill.tar();
    let (_, _, end) = contents(&tar).pop().unwrap();
    let mut more = tar::Builder::new(tar[..end.next_multiple_of(512)].to_vec());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    more.append_data(&mut header, "../more", &b"x"[..])
        .unwrap_err();
    more.append_data(&mut header, "more", &b"x"[..]).unwrap();
    let error = judge(&more.into_inner().unwrap(), &recovery).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`manifest.toml` of the backup is damaged: the archive holds more than it names"
    );
}

#[tokio::test]
async fn another_recovery_key_opens_nothing_and_leaves_nothing() {
    let drill = Drill::new().await;
    let other = drill.at("other.key");
    fs::write(&other, format!("{}\n", "5a".repeat(32))).unwrap();
    let to = drill.at("new");
    let error = restore(&drill.file(), &to, &other, false)
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::WrongKey { .. }), "{error}");
    assert!(!to.exists());
    let error = check(&drill.file(), Some(&other)).unwrap_err();
    assert!(matches!(error, BackupError::WrongKey { .. }), "{error}");

    fs::write(&other, "half a key").unwrap();
    let error = restore(&drill.file(), &to, &other, false)
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::NoKey(_)), "{error}");
}

#[tokio::test]
async fn keys_sealed_to_one_node_are_not_read_with_the_card_of_another() {
    let (one, other) = (Drill::new().await, Drill::new().await);
    let (tar, key) = (one.tar(), read_recovery(&one.safe()).unwrap());
    let (_, from, to) = contents(&tar)
        .into_iter()
        .find(|(name, ..)| name == SEALED)
        .unwrap();
    let card = |drill: &Drill| {
        NodeCard::from_text(&fs::read_to_string(drill.at("32/card")).unwrap()).unwrap()
    };
    unseal(&card(&one), &key, &tar[from..to]).unwrap();
    unseal(&card(&other), &key, &tar[from..to]).unwrap_err();
    let stolen = read_recovery(&other.safe()).unwrap();
    unseal(&card(&one), &stolen, &tar[from..to]).unwrap_err();
}

#[tokio::test]
async fn no_secret_key_can_be_read_in_the_archive() {
    let drill = Drill::new().await;
    let tar = drill.tar();
    let holds = |text: &str| {
        tar.windows(text.len())
            .any(|found| found == text.as_bytes())
    };
    assert!(holds("posko-card-1:"));
    assert!(!holds("PRIVATE KEY"));
    for name in ["log.key", "sealing.key"] {
        let secret = fs::read_to_string(drill.at("32/keys").join(name)).unwrap();
        assert!(!holds(secret.trim()), "{name}");
    }
    let secret = fs::read_to_string(drill.safe()).unwrap();
    assert!(!holds(secret.trim()));
}

#[tokio::test]
async fn nothing_that_is_there_is_overwritten() {
    let drill = Drill::new().await;
    let error = create(&drill.at("32"), &drill.file(), NOW).unwrap_err();
    assert!(matches!(error, BackupError::AlreadyThere(_)), "{error}");

    let before = fs::read(drill.at("32/keys/log.key")).unwrap();
    let error = restore(&drill.file(), &drill.at("32"), &drill.safe(), false)
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::NotEmpty(_)), "{error}");
    assert_eq!(fs::read(drill.at("32/keys/log.key")).unwrap(), before);
    assert_eq!(drill.names(), ["32", "32.backup", "safe.key"]);
}

#[tokio::test]
async fn what_an_attempt_left_is_used_up_unless_it_still_goes_on() {
    let drill = Drill::new().await;
    let (again, part) = (drill.at("again.backup"), drill.at("again.backup.part"));
    fs::write(&part, vec![7; 1_000_000]).unwrap();
    fs::write(drill.at("again.backup.db.part"), "half").unwrap();
    let other = File::open(&part).unwrap();
    other.lock().unwrap();
    let error = create(&drill.at("32"), &again, NOW).unwrap_err();
    assert!(matches!(error, BackupError::InUse(_)), "{error}");
    drop(other);

    create(&drill.at("32"), &again, NOW).unwrap();
    check(&again, Some(&drill.safe())).unwrap();
    assert_eq!(
        drill.names(),
        ["32", "32.backup", "again.backup", "safe.key"]
    );
}

#[tokio::test]
async fn a_restore_that_finds_damage_late_leaves_the_directory_empty() {
    let drill = Drill::new().await;
    let mut tar = drill.tar();
    let (_, _, end) = contents(&tar).pop().unwrap();
    tar[end - 1] ^= 1;
    let spoilt = drill.at("spoilt.backup");
    fs::write(&spoilt, zstd::encode_all(tar.as_slice(), 1).unwrap()).unwrap();
    let to = drill.at("empty");
    fs::create_dir(&to).unwrap();
    let error = restore(&spoilt, &to, &drill.safe(), false)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`posko.db`"), "{error}");
    assert!(names(&to).is_empty());
}

#[tokio::test]
async fn a_backup_of_a_newer_program_is_refused_by_its_format() {
    let drill = Drill::new().await;
    let mut tar = drill.tar();
    let (_, from, _) = contents(&tar).remove(0);
    let format = b"format = 1";
    assert_eq!(&tar[from..from + format.len()], format);
    tar[from + format.len() - 1] = b'2';
    let error = judge(&tar, &read_recovery(&drill.safe()).unwrap()).unwrap_err();
    assert!(matches!(error, BackupError::Newer { found: 2 }), "{error}");
}

#[test]
fn a_node_that_a_peer_heard_of_within_five_minutes_is_alive_and_one_that_nobody_could_ask_of_is_not()
 {
    let sighting = |peer: &str, seen| Sighting {
        peer: peer.parse().unwrap(),
        seen,
    };
    let ago = |seconds| Ok(Some((NOW, Duration::from_secs(seconds))));
    let own = "32".parse().unwrap();
    let away = || sighting("31", Err("not reached".into()));
    check_gone(own, &[]).unwrap();
    check_gone(
        own,
        &[away(), sighting("36", Ok(None)), sighting("ims", ago(300))],
    )
    .unwrap();
    let alive = [away(), sighting("36", ago(299)), sighting("ims", ago(2))];
    let error = check_gone(own, &alive).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`ims` has heard of node `32` 2 s ago"),
        "{error}"
    );
}
