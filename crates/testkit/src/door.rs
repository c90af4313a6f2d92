//! A node's services over operator TLS, for tests that give many commands.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use hyper_util::rt::TokioIo;
use posko_node::identity::tls::operator_client_config;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::Node;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A channel that sends a bearer token with every request.
pub type Door = InterceptedService<Channel, Bearer>;

/// Puts the bearer token on a request.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Returns a channel to the node with its duty officer's token; it dials at the first call, and again when it was lost.
pub fn open(node: &Node) -> Result<Door> {
    open_with(
        node,
        &node.token().context("the node has no duty officer yet")?,
    )
}

/// Returns a channel to the node with the given token.
pub fn open_with(node: &Node, token: &str) -> Result<Door> {
    let bearer = format!("Bearer {token}")
        .parse()
        .map_err(|_| anyhow!("the token holds characters that no token has"))?;
    let ca = CertificateDer::from_pem_file(node.dir().join("keys/ca.pem"))
        .context("read the node's CA")?;
    let tls = operator_client_config(&ca).context("trust the node's CA")?;
    let address = node.api();
    let dial = tower::service_fn(move |_| {
        let tls = Arc::clone(&tls);
        async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
            TlsConnector::from(tls)
                .connect(name, stream)
                .await
                .map(TokioIo::new)
        }
    });
    // The scheme is plain to tonic: the connector above does the TLS.
    let channel = Endpoint::from_static("http://localhost")
        .connect_timeout(ANSWER_WITHIN)
        .timeout(ANSWER_WITHIN)
        .connect_with_connector_lazy(dial);
    Ok(InterceptedService::new(channel, Bearer(bearer)))
}
