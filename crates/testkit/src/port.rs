//! Ports on loopback that stay free while a process is down.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Mutex, PoisonError},
};

/// The ports that are given: below those from which systems take a dialler's own port, so that a node which is
/// killed finds its port free again.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Returns a port on 127.0.0.1 that nobody listens on, each at most once a process.
pub fn free_port() -> io::Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..COUNT {
        let (drawn, _) = uuid::Uuid::new_v4().as_u64_pair();
        let port = FIRST + (drawn % u64::from(COUNT)) as u16;
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    Err(io::Error::other("no port on 127.0.0.1 is free"))
}
