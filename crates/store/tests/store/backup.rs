//! A copy for a backup is of one moment, also while its node writes, and knows that it is one.

use std::{fs, os::unix::fs::PermissionsExt, thread};

use posko_store::{Standing, backup::CopyError};

use super::*;

#[test]
fn a_copy_taken_while_the_node_writes_verifies_and_starts_unproven_and_its_source_does_not() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path(), "32", 1);
    accepted(&store, report(1, "32.75.01"));
    let other = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 2..200 {
                accepted(&store, report(number, "32.75.01"));
            }
        });
        for copy in 0..5 {
            let file = other.path().join(format!("{copy}.db"));
            store.copy(&file, NOW).unwrap();
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    });
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 5);
    let entries = store.log(node("32")).unwrap().entries;
    store.close();
    let mut before = 0;
    for copy in 0..5 {
        let file = other.path().join(format!("{copy}.db"));
        fs::rename(file, other.path().join("32.db")).unwrap();
        let copied = open(other.path(), "32", 2 + copy);
        let verified = copied.verify_log(node("32"), &mut |_| {}).unwrap();
        assert!((before.max(1)..=entries).contains(&verified.entries));
        before = verified.entries;
        let Standing::Unproven { why, .. } = copied.standing() else {
            panic!("{:?}", copied.standing());
        };
        assert_eq!(why, "the file is a backup copy");
        copied.close();
    }
    assert_eq!(open(home.path(), "32", 9).standing(), Standing::Clean);
}

#[test]
fn a_copy_overwrites_no_file() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path(), "32", 1);
    let file = home.path().join("copy.db");
    fs::write(&file, "kept").unwrap();
    let error = store.copy(&file, NOW).unwrap_err();
    assert!(matches!(error, CopyError::File { .. }), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"kept");
}
