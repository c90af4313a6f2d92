//! The connection to the node: TLS with the node's own CA, and the bearer token of whoever asks.
//!
//! What it never does: show a token, or connect to a node whose certificate is not of the directory's CA.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hyper_util::rt::TokioIo;
use posko_proto::{
    account::v1::account_service_client::AccountServiceClient,
    blob::v1::blob_service_client::BlobServiceClient,
    directive::v1::directive_service_client::DirectiveServiceClient,
    federation::v1::node_service_client::NodeServiceClient,
    incident::v1::incident_service_client::IncidentServiceClient,
    log::v1::log_service_client::LogServiceClient,
    site::v1::site_service_client::SiteServiceClient,
    warning::v1::warning_service_client::WarningServiceClient,
};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{self, ClientConfig, pki_types::ServerName},
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::{
    failure::Failure,
    offline::{self, Home},
    output::Context,
};

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// A channel that sends the bearer token with every request.
pub(crate) type Door = InterceptedService<Channel, Bearer>;

/// Puts the bearer token, if there is one, on a request.
#[derive(Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// Which token a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The environment's token, else the one saved by `posko login`, else the console's.
    Anyone,
    /// The environment's token, else the one saved by `posko login`: a console is not logged out.
    LoggedIn,
    /// No token.
    Nobody,
}

/// The services of the node in the directory.
pub(crate) struct Client {
    door: Door,
    /// The node.
    pub(crate) origin: String,
    /// The node's origin and CA in short, by which a saved token is found.
    pub(crate) key: String,
}

impl Client {
    /// Connects to the node of the directory.
    pub(crate) async fn connect(context: &Context, who: Who) -> Result<Self, Failure> {
        let home = offline::home(&context.dir)?;
        let bearer = bearer(context, &home.key, who)?;
        let channel = channel(&home).await?;
        Ok(Self {
            door: InterceptedService::new(channel, bearer),
            origin: home.origin,
            key: home.key,
        })
    }

    /// Returns the service about incidents.
    pub(crate) fn incidents(&self) -> IncidentServiceClient<Door> {
        IncidentServiceClient::new(self.door.clone())
    }

    /// Returns the service about files beside the logs.
    pub(crate) fn blobs(&self) -> BlobServiceClient<Door> {
        BlobServiceClient::new(self.door.clone())
    }

    /// Returns the service about warnings.
    pub(crate) fn warnings(&self) -> WarningServiceClient<Door> {
        WarningServiceClient::new(self.door.clone())
    }

    /// Returns the service about directives.
    pub(crate) fn directives(&self) -> DirectiveServiceClient<Door> {
        DirectiveServiceClient::new(self.door.clone())
    }

    /// Returns the service about sites.
    pub(crate) fn sites(&self) -> SiteServiceClient<Door> {
        SiteServiceClient::new(self.door.clone())
    }

    /// Returns the service about logs.
    pub(crate) fn logs(&self) -> LogServiceClient<Door> {
        LogServiceClient::new(self.door.clone())
    }

    /// Returns the service about accounts.
    pub(crate) fn accounts(&self) -> AccountServiceClient<Door> {
        AccountServiceClient::new(self.door.clone())
    }

    /// Returns the service about the node itself.
    pub(crate) fn node(&self) -> NodeServiceClient<Door> {
        NodeServiceClient::new(self.door.clone())
    }
}

async fn channel(home: &Home) -> Result<Channel, Failure> {
    let address = home.api_address.clone();
    let tls = home.tls.clone();
    // The scheme is plain to tonic: the connector below does the TLS, with the node's own CA.
    let endpoint = Endpoint::from_static("http://localhost")
        .connect_timeout(CONNECT_WITHIN)
        .timeout(ANSWER_WITHIN)
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(10));
    let dial = tower::service_fn(move |_| dial(address.clone(), Arc::clone(&tls)));
    endpoint
        .connect_with_connector(dial)
        .await
        .map_err(|error| not_reached(home, &error))
}

/// Says why the node of the directory was not reached: it does not run, another runs there, or what else it is.
fn not_reached(home: &Home, error: &(dyn std::error::Error + 'static)) -> Failure {
    let (origin, address) = (&home.origin, &home.api_address);
    let io = std::iter::successors(Some(error), |error| error.source())
        .find_map(|cause| cause.downcast_ref::<io::Error>());
    let kind = io.map(io::Error::kind);
    let stranger =
        (io.and_then(io::Error::get_ref)).and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let cause = root(error);
    Failure::unreachable(if kind == Some(io::ErrorKind::ConnectionRefused) {
        format!("node `{origin}` at `{address}` does not run: start it with `posko serve`")
    } else if kind == Some(io::ErrorKind::TimedOut) {
        format!("node `{origin}` at `{address}` does not answer")
    } else if stranger.is_some() {
        format!("what listens at `{address}` is not node `{origin}`: {cause}")
    } else {
        format!("node `{origin}` at `{address}`: {cause}")
    })
}

async fn dial(
    address: String,
    tls: Arc<ClientConfig>,
) -> io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    TlsConnector::from(tls)
        .connect(name, stream)
        .await
        .map(TokioIo::new)
}

fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

fn bearer(context: &Context, node: &str, who: Who) -> Result<Bearer, Failure> {
    let Some(token) = token(context, node, who)? else {
        return Ok(Bearer(None));
    };
    let mut value: MetadataValue<Ascii> = format!("Bearer {token}")
        .parse()
        .map_err(|_| Failure::usage("the token holds characters that no token has"))?;
    value.set_sensitive(true);
    Ok(Bearer(Some(value)))
}

fn token(context: &Context, node: &str, who: Who) -> Result<Option<String>, Failure> {
    if who == Who::Nobody {
        return Ok(None);
    }
    if let Some(token) = context
        .token
        .as_deref()
        .map(str::trim)
        .filter(|token| !token.is_empty())
    {
        return Ok(Some(token.into()));
    }
    if let Some(file) = token_file(context, node)
        && let Some(token) = read_token(&file)?
    {
        return Ok(Some(token));
    }
    if who == Who::Anyone {
        return read_token(&console_token(&context.dir));
    }
    Ok(None)
}

/// Returns where `serve` leaves the token of the machine's administrator.
pub(crate) fn console_token(dir: &Path) -> PathBuf {
    dir.join("operator.token")
}

/// Returns where `posko login` keeps the token of a node, if there is a home for it.
///
/// A node is named with its CA: two federations on one machine have nodes of the same name.
pub(crate) fn token_file(context: &Context, node: &str) -> Option<PathBuf> {
    context
        .token_dir
        .as_ref()
        .map(|dir| dir.join(format!("{node}.token")))
}

fn read_token(file: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(file) {
        Ok(token) => Ok(Some(token.trim().to_owned()).filter(|token| !token.is_empty())),
        // The console's token is its administrator's alone: to others it is as if it were not there.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Failure::internal(
            anyhow::Error::new(error).context(format!("read `{}`", file.display())),
        )),
    }
}

/// Keeps a token where only its owner reads it.
pub(crate) fn save_token(file: &Path, token: &str) -> Result<(), Failure> {
    let save = || -> io::Result<()> {
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir)?;
        }
        // A new file is moved over the old one, whose mode may have been another.
        let fresh = file.with_extension("token.new");
        delete_token(&fresh)?;
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        writeln!(out, "{token}")?;
        out.sync_all()?;
        std::fs::rename(&fresh, file)
    };
    save().map_err(|error| {
        Failure::internal(anyhow::Error::new(error).context(format!("write `{}`", file.display())))
    })
}

/// Deletes a token, also one that is not there.
pub(crate) fn delete_token(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{label::Lang, output};

    fn context(home: &Path) -> Context {
        Context {
            dir: home.join("node"),
            token_dir: Some(home.join("tokens")),
            ..output::tests::context(Lang::Id)
        }
    }

    #[test]
    fn a_saved_token_is_its_owners_alone() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("posko/32.token");
        save_token(&file, "first").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        save_token(&file, "second").unwrap();
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(read_token(&file).unwrap().as_deref(), Some("second"));
        delete_token(&file).unwrap();
        delete_token(&file).unwrap();
        assert_eq!(read_token(&file).unwrap(), None);
    }

    #[test]
    fn the_environment_comes_before_a_login_and_a_login_before_the_console() {
        let home = tempfile::tempdir().unwrap();
        let mut context = context(home.path());
        let sent = |context: &Context, node, who| token(context, node, who).unwrap();
        assert_eq!(sent(&context, "32", Who::Anyone), None);
        save_token(&console_token(&context.dir), "console").unwrap();
        assert_eq!(
            sent(&context, "32", Who::Anyone).as_deref(),
            Some("console")
        );
        assert_eq!(sent(&context, "32", Who::LoggedIn), None);
        save_token(&token_file(&context, "32").unwrap(), "login").unwrap();
        assert_eq!(sent(&context, "32", Who::Anyone).as_deref(), Some("login"));
        assert_eq!(
            sent(&context, "32", Who::LoggedIn).as_deref(),
            Some("login")
        );
        assert_eq!(
            sent(&context, "31", Who::Anyone).as_deref(),
            Some("console")
        );
        context.token = Some("environment".into());
        assert_eq!(
            sent(&context, "32", Who::Anyone).as_deref(),
            Some("environment")
        );
        assert_eq!(sent(&context, "32", Who::Nobody), None);
    }

    #[test]
    fn a_token_with_a_line_end_inside_is_refused_without_showing_it() {
        let home = tempfile::tempdir().unwrap();
        let mut context = context(home.path());
        context.token = Some("secret\nx: y".into());
        let Err(failure) = bearer(&context, "32", Who::Anyone) else {
            panic!("taken")
        };
        assert!(!failure.message.contains("secret"));
    }
}
