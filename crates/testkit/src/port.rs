//! Ports on loopback that stay free while a process is down.

use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Mutex, PoisonError},
};

/// The ports that are given: below those from which systems take a dialler's own port, so that a node which is
/// killed finds its port free again.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;
/// Where the processes of one machine tell each other which ports they have given, as locked files.
const GIVEN_IN: &str = "posko-ports";

/// The ports that this process has given: a lock ends with the process, however it ends.
static GIVEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// Returns a port on 127.0.0.1 that nobody listens on, and that is given to nobody else while this process runs.
pub fn free_port() -> io::Result<u16> {
    let dir = env::temp_dir().join(GIVEN_IN);
    fs::create_dir_all(&dir)?;
    for _ in 0..COUNT {
        let (drawn, _) = uuid::Uuid::new_v4().as_u64_pair();
        let port = FIRST + (drawn % u64::from(COUNT)) as u16;
        let lock = File::create(dir.join(port.to_string()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
            given.push(lock);
            return Ok(port);
        }
    }
    Err(io::Error::other("no port on 127.0.0.1 is free"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_given_is_kept_from_other_processes_also_while_nobody_listens_on_it() {
        let port = free_port().unwrap();
        drop(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        let file = File::open(env::temp_dir().join(GIVEN_IN).join(port.to_string())).unwrap();
        assert!(matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
    }
}
