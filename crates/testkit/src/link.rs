//! One direction of a link between two nodes: a TCP proxy that can be cut.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::watch,
    task::JoinSet,
};

use crate::port::free_port;

/// The way by which one node dials another.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    open: watch::Sender<bool>,
    closed: watch::Receiver<bool>,
}

impl Link {
    /// Opens a link to a node that listens at `target`; it lives as long as this value.
    pub fn open(runtime: &Handle, target: SocketAddr) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let (open, wanted) = watch::channel(true);
        let (cut, closed) = watch::channel(false);
        runtime.spawn(run(address, target, listener, wanted, cut));
        Ok(Self {
            address,
            open,
            closed,
        })
    }

    /// Returns where to dial.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection and refuses new ones; it is so when this returns.
    pub fn cut(&self, runtime: &Handle) {
        self.set(runtime, true);
    }

    /// Takes connections again; it is so when this returns.
    pub fn restore(&self, runtime: &Handle) {
        self.set(runtime, false);
    }

    fn set(&self, runtime: &Handle, cut: bool) {
        self.open.send_replace(!cut);
        let mut closed = self.closed.clone();
        // A proxy that has ended is cut for good.
        let _ = runtime.block_on(closed.wait_for(|closed| *closed == cut));
    }
}

async fn run(
    address: SocketAddr,
    target: SocketAddr,
    first: TcpListener,
    mut wanted: watch::Receiver<bool>,
    cut: watch::Sender<bool>,
) {
    let mut listener = Some(first);
    loop {
        if let Some(listener) = listener.take() {
            cut.send_replace(false);
            carry(listener, target, &mut wanted).await;
        }
        cut.send_replace(true);
        if wanted.wait_for(|open| *open).await.is_err() {
            return;
        }
        // The port was this link's a moment ago; should another have taken it, the link stays cut until the next wish.
        listener = TcpListener::bind(address).await.ok();
        if listener.is_none() && wanted.changed().await.is_err() {
            return;
        }
    }
}

/// Carries connections until the link is cut or given up.
async fn carry(listener: TcpListener, target: SocketAddr, wanted: &mut watch::Receiver<bool>) {
    // Dropping the set ends every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A link that was given up is cut.
            _ = wanted.wait_for(|open| !open) => return,
            accepted = listener.accept() => {
                if let Ok((from, _)) = accepted {
                    connections.spawn(connect(from, target));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(mut from: TcpStream, target: SocketAddr) {
    let Ok(mut to) = TcpStream::connect(target).await else {
        return;
    };
    // A small frame must not wait for a full segment; how the connection ends is each end's own matter.
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net,
    };

    use super::*;

    #[test]
    fn a_cut_link_ends_its_connections_and_refuses_new_ones_until_it_is_restored() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let node = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let link = Link::open(runtime.handle(), node.local_addr().unwrap()).unwrap();
        let mut byte = [0];
        for _ in 0..2 {
            let mut dialler = net::TcpStream::connect(link.address()).unwrap();
            let (mut taken, _) = node.accept().unwrap();
            dialler.write_all(b"a").unwrap();
            taken.read_exact(&mut byte).unwrap();
            link.cut(runtime.handle());
            assert!(matches!(dialler.read(&mut byte), Ok(0) | Err(_)));
            assert!(net::TcpStream::connect(link.address()).is_err());
            link.restore(runtime.handle());
        }
    }
}
