//! The free space of the store's file system, and what the node does when it gets short.
//!
//! ```text
//!  free ≥ floor          everything
//!  floor > free ≥ ½      no entries of other nodes are taken: they are theirs and can wait
//!  ½ floor > free        no commands either; queries go on
//! ```
//! It recovers by itself, with an eighth more than what was too little, so that it does not go to and fro.
//! What it never does: delete anything.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::watch;
use tracing::{error, info, warn};

/// How often the free space is looked at.
const PERIOD: Duration = Duration::from_secs(5);
const MIB: u64 = 1024 * 1024;

/// How much room there is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Room {
    /// Too little even for commands.
    Full,
    /// Enough for commands, too little for entries of other nodes.
    Short,
    /// Enough.
    Enough,
}

/// The free space as it was last read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disk {
    /// The free bytes; 0 until they could be read.
    pub free: u64,
    /// Below how many free bytes entries of other nodes are not taken; below half of it, commands neither.
    pub floor: u64,
    /// What that means.
    pub room: Room,
}

impl Disk {
    /// Returns a disk of which nothing is known yet, which stops nothing.
    pub fn unread(floor: u64) -> Self {
        Self {
            free: 0,
            floor,
            room: Room::Enough,
        }
    }

    /// Returns the disk with other free bytes.
    #[must_use]
    pub fn with(self, free: u64) -> Self {
        // What is taken already goes on to the limit; what was stopped begins again an eighth above it.
        let limit = |limit: u64, allows: Room| {
            if self.room >= allows {
                limit
            } else {
                limit.saturating_add(limit / 8)
            }
        };
        let room = if free >= limit(self.floor, Room::Enough) {
            Room::Enough
        } else if free >= limit(self.floor / 2, Room::Short) {
            Room::Short
        } else {
            Room::Full
        };
        Self { free, room, ..self }
    }

    /// Says why entries of other nodes are not taken.
    pub fn no_entries(&self) -> Option<String> {
        (self.room < Room::Enough).then(|| {
            let (free, floor) = (self.free / MIB, self.floor / MIB);
            format!("the disk has `{free}` MiB free, below `{floor}` MiB no entries of other nodes are taken")
        })
    }

    /// Says why commands are not taken.
    pub fn no_commands(&self) -> Option<String> {
        (self.room < Room::Short).then(|| {
            let (free, floor) = (self.free / MIB, self.floor / 2 / MIB);
            format!("the disk has `{free}` MiB free, below `{floor}` MiB no commands are taken")
        })
    }
}

/// Returns a reader of the free bytes, for this user, of the file system where a path is.
pub fn free_of(path: PathBuf) -> impl Fn() -> io::Result<u64> + Send + Sync + 'static {
    move || {
        let found = rustix::fs::statvfs(&path)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

/// Reads the free space regularly and publishes it, until the node stops.
pub async fn watch(
    disk: watch::Sender<Disk>,
    free: impl Fn() -> io::Result<u64> + Send + Sync + 'static,
    mut stop: watch::Receiver<bool>,
) {
    let free = Arc::new(free);
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut readable = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            // A closed channel is a stop too.
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let free = free.clone();
        // A network file system may keep its answer waiting.
        let read = tokio::task::spawn_blocking(move || free()).await;
        match read.map_err(io::Error::other).flatten() {
            Ok(free) => {
                readable = true;
                let before = *disk.borrow();
                let now = before.with(free);
                disk.send_replace(now);
                if now.room != before.room {
                    tell(&now);
                }
            }
            Err(cause) if readable => {
                readable = false;
                warn!(%cause, "the free space of the disk cannot be read: {cause}");
            }
            Err(_) => {}
        }
    }
}

fn tell(disk: &Disk) {
    if let Some(why) = disk.no_commands() {
        error!(disk.free_bytes = disk.free, "{why}");
    } else if let Some(why) = disk.no_entries() {
        warn!(disk.free_bytes = disk.free, "{why}");
    } else {
        info!(
            disk.free_bytes = disk.free,
            "the disk has enough free space again"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_others_stop_first_then_commands_and_both_begin_again_a_little_above() {
        let mut disk = Disk::unread(1024 * MIB);
        let mut room = |mib: u64| {
            disk = disk.with(mib * MIB);
            (
                disk.room,
                disk.no_entries().is_some(),
                disk.no_commands().is_some(),
            )
        };
        assert_eq!(room(1024), (Room::Enough, false, false));
        assert_eq!(room(1023), (Room::Short, true, false));
        assert_eq!(room(1024), (Room::Short, true, false));
        assert_eq!(room(1152), (Room::Enough, false, false));
        assert_eq!(room(512), (Room::Short, true, false));
        assert_eq!(room(511), (Room::Full, true, true));
        assert_eq!(room(520), (Room::Full, true, true));
        assert_eq!(room(576), (Room::Short, true, false));
        assert_eq!(room(1152), (Room::Enough, false, false));
    }

    #[test]
    fn the_reason_names_what_is_free_and_what_is_needed() {
        let disk = Disk::unread(1024 * MIB).with(300 * MIB);
        assert_eq!(
            disk.no_commands().unwrap(),
            "the disk has `300` MiB free, below `512` MiB no commands are taken"
        );
        assert_eq!(
            disk.no_entries().unwrap(),
            "the disk has `300` MiB free, below `1024` MiB no entries of other nodes are taken"
        );
    }

    #[tokio::test]
    async fn what_is_read_is_published_until_the_node_stops() {
        let (disk, mut published) = watch::channel(Disk::unread(1000));
        let (stop, stopped) = watch::channel(false);
        let watching = tokio::spawn(watch(disk, || Ok(10), stopped));
        let full = published.wait_for(|disk| disk.room == Room::Full).await;
        assert_eq!(full.unwrap().free, 10);
        stop.send_replace(true);
        watching.await.unwrap();
    }

    #[tokio::test]
    async fn a_disk_that_cannot_be_read_stops_nothing() {
        let (disk, published) = watch::channel(Disk::unread(1000));
        let (stop, stopped) = watch::channel(false);
        let (asked, mut was_asked) = watch::channel(false);
        let reader = move || {
            asked.send_replace(true);
            Err(io::Error::other("no such disk"))
        };
        let watching = tokio::spawn(watch(disk, reader, stopped));
        was_asked.wait_for(|asked| *asked).await.unwrap();
        stop.send_replace(true);
        watching.await.unwrap();
        assert_eq!(*published.borrow(), Disk::unread(1000));
    }

    #[test]
    fn the_space_of_a_directory_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_of(dir.path().to_owned())().unwrap() > 0);
        assert!(free_of(dir.path().join("none"))().is_err());
    }
}
