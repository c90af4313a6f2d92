//! Taking peers: an accept loop with mutual TLS, and the service behind it.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt};
use posko_ledger::MAX_FRAME_BYTES;
use posko_proto::federation::v1::{
    Frame, SessionRequest, SessionResponse,
    federation_service_server::{FederationService, FederationServiceServer},
    frame::Body,
};
use rustls::{ServerConfig, pki_types::CertificateDer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Server, server::Connected},
};
use tracing::{debug, error, warn};

use super::{FAREWELL, Shared, lane::Lanes, session, told};
use crate::{
    identity::{Usage, judge},
    time::unix_now,
};

/// How long a TLS handshake may take.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);
/// The h2 windows, of a connection and of a stream: what a long link needs.
pub(super) const H2_WINDOW: u32 = 8 * 1024 * 1024;
pub(super) const PING: Duration = Duration::from_secs(15);
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest message: a frame and its envelope.
pub(super) const MAX_MESSAGE: usize = MAX_FRAME_BYTES + 1024;
/// How many handshakes may run at once.
const HANDSHAKES: usize = 64;

/// Takes peers until the node stops.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener, config: Arc<ServerConfig>) {
    let (streams, accepted) = mpsc::channel(HANDSHAKES);
    let accepting = accept(listener, TlsAcceptor::from(config), streams);
    let mut stop = shared.stop.subscribe();
    let service = FederationServiceServer::new(Service(shared.clone()))
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    let serving = Server::builder()
        .initial_connection_window_size(H2_WINDOW)
        .initial_stream_window_size(H2_WINDOW)
        .http2_keepalive_interval(Some(PING))
        .http2_keepalive_timeout(Some(PING_TIMEOUT))
        .max_concurrent_streams(4)
        .add_service(service)
        .serve_with_incoming_shutdown(ReceiverStream::new(accepted), async move {
            // A registry that is gone stops too.
            let _ = stop.wait_for(|stop| *stop).await;
        });
    tokio::select! {
        () = accepting => {}
        served = serving => {
            if let Err(cause) = served {
                error!(%cause, "taking peers ended");
            }
        }
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    streams: mpsc::Sender<io::Result<PeerStream>>,
) {
    loop {
        let (tcp, address) = match listener.accept().await {
            Ok(taken) => taken,
            Err(cause) => {
                // Out of file descriptors, as a rule: it passes when others close.
                warn!(%cause, "a peer could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = streams.clone().reserve_owned().await else {
            return;
        };
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A small frame must not wait for a full segment.
            let _ = tcp.set_nodelay(true);
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await {
                Ok(Ok(tls)) => {
                    place.send(Ok(PeerStream { tls, address }));
                }
                Ok(Err(cause)) => {
                    warn!(peer.address = %address, %cause, "the handshake with `{address}` failed: {cause}");
                }
                Err(_) => {
                    debug!(peer.address = %address, "the handshake with `{address}` took too long");
                }
            }
        });
    }
}

struct Service(Arc<Shared>);

#[tonic::async_trait]
impl FederationService for Service {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<SessionResponse, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let presented = request.extensions().get::<Presented>().cloned();
        let Presented { chain, address } =
            presented.ok_or_else(|| Status::internal("the connection has no peer"))?;
        let frames = request
            .into_inner()
            .map(|message| message.map(|message| message.frame.unwrap_or_default()));
        let lanes = Arc::new(Lanes::default());
        let outgoing = lanes
            .clone()
            .frames()
            .map(|frame| Ok(SessionResponse { frame: Some(frame) }));
        let verdict = judge(
            &chain,
            &self.0.trust.load(),
            None,
            Usage::Client,
            unix_now(),
        );
        match verdict {
            Ok(peer) => self.0.spawn(session::run(
                self.0.clone(),
                peer,
                chain,
                false,
                frames,
                lanes,
            )),
            Err(refusal) => {
                self.0.refused(None, &address.to_string(), &refusal);
                // Nothing else was pushed before, so there is room.
                let _ = lanes.push(
                    Body::Bye(refusal.goodbye()),
                    posko_ledger::engine::LaneKind::Control,
                );
                lanes.close();
                let address = address.to_string();
                self.0.spawn(async move {
                    if let Some(Body::Bye(bye)) = farewell(frames).await {
                        let (reason, detail) = (told(bye.reason()), bye.detail);
                        warn!(peer.address = %address, reason, "refused by the peer at `{address}` too: {detail}");
                    }
                });
            }
        }
        // The stream is returned before anything is read: two nodes that wait for each other's first frame never meet.
        Ok(Response::new(Box::pin(outgoing)))
    }
}

/// Reads until the peer ends, and returns its Goodbye: a stream dropped at once could take ours with it.
pub(super) async fn farewell(frames: impl Stream<Item = Result<Frame, Status>>) -> Option<Body> {
    let mut frames = std::pin::pin!(frames);
    let mut bye = None;
    let reading = async {
        while let Some(Ok(frame)) = frames.next().await {
            if let Some(body @ Body::Bye(_)) = frame.body {
                bye = Some(body);
            }
        }
    };
    // A peer that does not end is left.
    let _ = tokio::time::timeout(FAREWELL, reading).await;
    bye
}

/// A peer's connection, with the certificates that it proved to hold the key of.
struct PeerStream {
    tls: TlsStream<TcpStream>,
    address: SocketAddr,
}

/// What a peer presented.
#[derive(Clone)]
struct Presented {
    chain: Arc<Vec<CertificateDer<'static>>>,
    address: SocketAddr,
}

impl Connected for PeerStream {
    type ConnectInfo = Presented;

    fn connect_info(&self) -> Presented {
        let chain = self
            .tls
            .get_ref()
            .1
            .peer_certificates()
            .unwrap_or_default()
            .to_vec();
        Presented {
            chain: Arc::new(chain),
            address: self.address,
        }
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}
