//! How the file is opened: one writer, and readers that can only read.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, Instant},
};

use posko_ledger::chain::Identity;
use rusqlite::{Connection, OpenFlags, OptionalExtension, named_params};

use crate::{error::StoreError, view};

/// How long a query may take.
pub(crate) const READ_DEADLINE: Duration = Duration::from_secs(5);

const MIGRATIONS: [&str; 7] = [
    include_str!("migration/0001_event_log.sql"),
    include_str!("migration/0002_recovery.sql"),
    include_str!("migration/0003_promises.sql"),
    include_str!("migration/0004_untold_arrivals.sql"),
    include_str!("migration/0005_blobs.sql"),
    include_str!("migration/0006_told_warnings.sql"),
    include_str!("migration/0007_gauge_readings.sql"),
];
/// The first version whose log reset is safe with several connections (sqlite.org, 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;
/// How many statements are kept prepared: more than the writer has.
const STATEMENTS: usize = 128;

/// Opens the writer's connection, making and migrating the file.
pub(crate) fn open_writer(path: &Path, identity: &Identity) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite(rusqlite::version().to_owned()));
    }
    // The file holds password hashes: it is made for its owner alone, and SQLite gives its log the same mode.
    fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(StoreError::Create)?;
    let mut connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA page_size = 4096;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 8000;
         PRAGMA cache_size = -65536;",
    )?;
    // What a killed process left in the log may not be on the disk yet: nothing is told of it before it is.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    migrate(&mut connection)?;
    let transaction = connection.transaction()?;
    claim(&transaction, identity)?;
    view::create_missing(&transaction)?;
    transaction.commit()?;
    Ok(connection)
}

/// How long emptying the write-ahead log waits for readers.
const EMPTYING: Duration = Duration::from_millis(50);

/// Brings the write-ahead log into the file and empties it; says whether nobody held it.
pub(crate) fn empty_log(writer: &Connection) -> Result<bool, StoreError> {
    writer.busy_timeout(EMPTYING)?;
    let held: Result<bool, _> =
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    writer.busy_timeout(READ_DEADLINE)?;
    Ok(!held?)
}

/// Opens a connection that can only read.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(READ_DEADLINE)?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16384;",
    )?;
    Ok(connection)
}

/// Gives a reader's next query its time.
pub(crate) fn set_deadline(connection: &Connection) -> Result<(), StoreError> {
    let until = Instant::now() + READ_DEADLINE;
    connection.progress_handler(10_000, Some(move || Instant::now() >= until))?;
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", index as u32 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Makes the file this node's, or checks that it is.
fn claim(connection: &Connection, identity: &Identity) -> Result<(), StoreError> {
    let origin = identity.origin.as_str();
    let found: Option<(Vec<u8>, String)> = connection
        .query_row("SELECT federation, origin FROM node", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match found {
        Some((federation, name)) if federation == identity.federation && name == origin => Ok(()),
        Some((_, name)) => Err(StoreError::OtherNode {
            expected: origin.into(),
            found: name,
        }),
        None => {
            connection.execute(
                "INSERT INTO node(one, federation, origin) VALUES (1, :federation, :origin)",
                named_params! { ":federation": identity.federation.as_slice(), ":origin": origin },
            )?;
            connection.execute(
                "INSERT INTO origin(name, recovery) VALUES (:name, :recovery)",
                named_params! { ":name": origin, ":recovery": identity.recovery.to_bytes().as_slice() },
            )?;
            Ok(())
        }
    }
}
