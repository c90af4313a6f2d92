//! The network between peers: TCP, and in tests a simulated one.

use std::{io, net::SocketAddr, pin::Pin};

use futures::{StreamExt, future::BoxFuture, stream::BoxStream};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_stream::wrappers::TcpListenerStream;

/// What carries the bytes of one connection.
pub trait Carry: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carry for T {}

/// A connection with a peer.
pub(crate) type Connection = Pin<Box<dyn Carry>>;

/// The connections that come in, each with where it comes from.
pub(crate) type Incoming = BoxStream<'static, io::Result<(Connection, SocketAddr)>>;

/// How peers are dialled.
pub trait Dial: Send + Sync {
    /// Connects to an address, host:port.
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Connection>>;
}

/// The network of the machine.
pub(crate) struct Tcp;

impl Dial for Tcp {
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Connection>> {
        Box::pin(async move { Ok(carried(TcpStream::connect(address).await?)) })
    }
}

/// Returns the connections that a socket takes.
pub(crate) fn incoming(listener: TcpListener) -> Incoming {
    let taken = |stream: io::Result<TcpStream>| {
        let stream = stream?;
        let address = stream.peer_addr()?;
        Ok((carried(stream), address))
    };
    TcpListenerStream::new(listener).map(taken).boxed()
}

fn carried(stream: TcpStream) -> Connection {
    // A small frame must not wait for a full segment.
    let _ = stream.set_nodelay(true);
    Box::pin(stream)
}
