//! A node: everything in its directory, started and stopped as one.

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context, ensure};
use arc_swap::ArcSwap;
use posko_domain::code::Refusal;
use posko_ledger::{
    chain::Identity,
    key::{PublicKey, SecretKey},
};
use posko_proto::{Id, warning::v1::Source};
use posko_store::{Command, Options, Start, Store, StoreError, reading::KeptReading};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_stream::{StreamExt, wrappers::TcpListenerStream};
use tonic::transport::Server;
use tracing::{error, info, warn};

use crate::{
    api::{self, auth_token_hash, random_token},
    automatic::{self, Automatic},
    config::Config,
    disk::{self, Disk},
    identity::{Keys, Leaf, NodeCard, ReloadingKey, Trust, tls::operator_server_config},
    intake::{self, Feeds, Held, Recorder, Take, gauge::Readings},
    peer::{
        MailKeys, Peers, PeersConfig,
        net::{self, Tcp},
    },
    report,
    time::{now, unix_now},
    timer::{self, Timer},
};

/// The file with the token of the machine's administrator.
pub const CONSOLE_TOKEN: &str = "operator.token";
/// The file with the node's card.
pub const CARD: &str = "card";
/// The store's file.
pub const STORE: &str = "posko.db";
/// The high-water mark of its log.
pub const MARK: &str = "mark";
const LOCK: &str = "lock";
/// How often the certificate's dates are looked at.
const RENEWAL_CHECK: Duration = Duration::from_hours(1);
/// How often it is looked for files that no event names.
const BLOB_SWEEP: Duration = Duration::from_hours(1);
/// How long a TLS handshake of an operator may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a stop waits for calls to end.
const CALLS_END: Duration = Duration::from_secs(2);

/// A node that runs.
pub struct Running {
    api: SocketAddr,
    report: Option<SocketAddr>,
    federation: SocketAddr,
    store: Store,
    peers: Peers,
    feeds: Arc<RwLock<Option<Feeds>>>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    dir: PathBuf,
    key: ReloadingKey,
    form_certificate: Option<Arc<report::Certificate>>,
    _lock: fs::File,
}

/// A node.
pub struct Node;

impl Node {
    /// Starts the node of a directory; the sockets are bound when it returns.
    ///
    /// `on_fatal` is called when the disk or the file can no longer be trusted; the process must then end.
    pub async fn start(
        dir: &Path,
        config: Config,
        on_fatal: impl Fn(&StoreError) + Send + Sync + 'static,
    ) -> anyhow::Result<Running> {
        let lock = lock(dir)?;
        let mut keys = Keys::load(dir).context("read the node's keys")?;
        let identity = keys.identity();
        ensure!(
            identity.origin == config.origin && identity.federation == config.federation_id,
            "the configuration is of node `{}`, the keys are of node `{}` or another federation",
            config.origin,
            identity.origin
        );
        if keys.leaf.needs_renewal(unix_now()) {
            keys.leaf = Leaf::renew(dir, unix_now()).context("renew the node's certificate")?;
            info!("renewed the node's certificate");
        }
        let key = ReloadingKey::new(&keys.leaf).context("use the node's certificate")?;
        let store = open_store(dir, &keys, on_fatal).await?;
        let trust = Arc::new(ArcSwap::from_pointee(trust(&store, &keys)?));
        let token = random_token()?;
        write_secret(&dir.join(CONSOLE_TOKEN), &token)?;

        let listener = TcpListener::bind(config.federation.listen)
            .await
            .with_context(|| format!("listen for peers on `{}`", config.federation.listen))?;
        let federation = listener.local_addr()?;
        let api_listener = TcpListener::bind(config.api.listen)
            .await
            .with_context(|| format!("listen for operators on `{}`", config.api.listen))?;
        let api = api_listener.local_addr()?;

        let reports = match config.report.listen {
            None => None,
            Some(listen) => Some(
                TcpListener::bind(listen)
                    .await
                    .with_context(|| format!("listen for reports on `{listen}`"))?,
            ),
        };
        let report = reports.as_ref().map(TcpListener::local_addr).transpose()?;
        let form_certificate = match &config.report.tls {
            Some(files) if report.is_some() => {
                Some(Arc::new(report::Certificate::load(dir, files)?))
            }
            _ => None,
        };

        let moved = watch_moves(&store);
        let not_writing = Arc::new(RwLock::new(String::new()));
        let (room, disk) = watch::channel(Disk::unread(config.disk.floor_mib << 20));
        let peers = Peers::start(PeersConfig {
            store: store.clone(),
            trust: trust.clone(),
            key: key.clone(),
            network: Arc::new(Tcp),
            incoming: net::incoming(listener),
            own: identity,
            mail: MailKeys::of(&keys),
            software: crate::SOFTWARE.into(),
            not_writing: not_writing.clone(),
            disk: disk.clone(),
            max_blob_bytes: config.blob.max_mib << 20,
        })?;
        let feeds: Arc<RwLock<Option<Feeds>>> = Arc::default();
        let recorder = FeedRecorder {
            store: store.clone(),
            disk: disk.clone(),
        };
        let before = timer::feed::recorded(&store)?;
        let keeper = store.clone();
        let keep = move |reading: KeptReading| {
            let station = reading.station.clone();
            if let Err(error) = keeper.keep_gauge_reading(reading) {
                warn!("the reading of gauge {station} was not kept for the next start: {error}");
            }
        };
        let readings = Readings::new(store.gauge_readings()?, Some(Box::new(keep)));
        let running = Feeds::start(
            &config.feeds,
            &before,
            (&config.gauges, readings),
            recorder,
            Arc::new(now),
        );
        let watched = running.watched();
        *feeds.write().unwrap_or_else(PoisonError::into_inner) = Some(running);

        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let timer = Timer {
            store: store.clone(),
            disk: disk.clone(),
            clock: Arc::new(now),
            feeds: watched,
            moved: moved.clone(),
        };
        tasks.spawn(timer.watch(stopped.clone()));
        if let Some(certificate) = &form_certificate {
            tasks.spawn(report::follow(certificate.clone(), stopped.clone()));
        }
        if let Some(socket) = reports {
            let tls = form_certificate.as_ref();
            let tls = tls.map(|certificate| certificate.server_config());
            report::say_address(socket.local_addr()?, tls.is_some());
            let listener = report::Listener {
                store: store.clone(),
                disk: disk.clone(),
                not_writing: not_writing.clone(),
                config: config.report.clone(),
                node: identity.origin,
                tls: tls.transpose().context("serve the report form with TLS")?,
            };
            tasks.spawn(report::serve(socket, listener, stopped.clone()));
        }
        let shared = api::Shared {
            store: store.clone(),
            trust,
            peers: peers.clone(),
            feeds: feeds.clone(),
            own_warnings: api::own_warnings(&config),
            card: read_card(dir)?,
            dir: dir.to_owned(),
            console: auth_token_hash(&token),
            started_at: now(),
            moved,
            not_writing,
            disk,
            cards: Mutex::default(),
            logins: api::Throttle::default(),
            callers: api::Callers::default(),
            passwords: api::Passwords::default(),
            max_blob_bytes: config.blob.max_mib << 20,
            uploads: Semaphore::new(api::UPLOADS),
            importing: Arc::new(Semaphore::new(1)),
        };
        let server = operator_server_config(&key).context("serve operators")?;
        tasks.spawn(serve_api(
            api_listener,
            server,
            api::routes(shared)?,
            stopped.clone(),
        ));
        tasks.spawn(sweep_blobs(store.clone(), stopped.clone()));
        tasks.spawn(disk::watch(
            room,
            disk::free_of(dir.to_owned()),
            stopped.clone(),
        ));
        tasks.spawn(renew(dir.to_owned(), key.clone(), stopped));
        info!(node.id = %identity.origin, api = %api, federation = %federation, "node `{}` is ready", identity.origin);
        Ok(Running {
            api,
            report,
            federation,
            store,
            peers,
            feeds,
            stop,
            tasks,
            dir: dir.to_owned(),
            key,
            form_certificate,
            _lock: lock,
        })
    }
}

impl Running {
    /// Returns where operators reach it.
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// Returns where citizens and other systems report; none when it does not listen for them.
    pub fn report(&self) -> Option<SocketAddr> {
        self.report
    }

    /// Returns where peers reach it.
    pub fn federation(&self) -> SocketAddr {
        self.federation
    }

    /// Takes the certificates on disk into use, without dropping a session; on an error the old one stays in use.
    pub fn reload_certificate(&self) {
        reload(&self.key, &self.dir);
        if let Some(certificate) = &self.form_certificate {
            certificate.reread();
        }
    }

    /// Stops: feeds first, then operators and peers, each told, then the store.
    pub async fn shutdown(mut self) {
        let feeds = self
            .feeds
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(feeds) = feeds {
            feeds.shutdown().await;
        }
        // Nobody listens any more when every task has ended.
        let _ = self.stop.send(true);
        self.peers.shutdown().await;
        while self.tasks.join_next().await.is_some() {}
        let store = self.store.clone();
        if tokio::task::spawn_blocking(move || store.close())
            .await
            .is_err()
        {
            error!("the store did not close in good order");
        }
    }
}

/// Returns whose log the keys write.
pub(crate) fn log_identity(keys: &Keys, recovery: [u8; 32]) -> anyhow::Result<Identity> {
    let identity = keys.identity();
    Ok(Identity {
        federation: identity.federation.0,
        origin: identity.origin,
        recovery: PublicKey::from_bytes("recovery key", &recovery)?,
    })
}

/// Opens the store of a directory for writing.
pub(crate) async fn open_store(
    dir: &Path,
    keys: &Keys,
    on_fatal: impl Fn(&StoreError) + Send + Sync + 'static,
) -> anyhow::Result<Store> {
    let mut epoch_nonce = [0; 16];
    getrandom::fill(&mut epoch_nonce)
        .map_err(|error| anyhow::anyhow!("draw the epoch's nonce: {error}"))?;
    let card = read_card(dir)?
        .context("the node's card is not in its directory: make it with the recovery key")?;
    let options = Options {
        path: dir.join(STORE),
        mark: dir.join(MARK),
        // The configuration is written last: without it the node is just being made.
        start: if dir.join("config.toml").exists() {
            Start::Later
        } else {
            Start::First
        },
        identity: log_identity(keys, card.recovery_key().to_bytes())?,
        log_key: Arc::new(SecretKey::from_seed(&keys.log.to_bytes())),
        recovery_key: keys
            .recovery
            .as_ref()
            .map(|key| Arc::new(SecretKey::from_seed(&key.to_bytes()))),
        epoch_nonce,
        now: now(),
        areas: posko_store::Areas::default(),
        on_fatal: Box::new(on_fatal),
    };
    let opened = tokio::task::spawn_blocking(move || {
        Store::open(options, &mut |progress| {
            info!(
                done = progress.done,
                total = progress.total,
                "building views: {} of {}",
                progress.done,
                progress.total
            );
        })
    });
    opened.await?.context("open the store")
}

/// Reads the node's own card.
pub(crate) fn read_card(dir: &Path) -> anyhow::Result<Option<NodeCard>> {
    let path = dir.join(CARD);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).with_context(|| format!("read `{}`", path.display()))?;
    Ok(Some(
        NodeCard::from_text(&text).with_context(|| format!("read `{}`", path.display()))?,
    ))
}

/// Writes a file that only this user may read, whole or not at all.
pub(crate) fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let _ = fs::remove_file(&beside);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("write `{}`", path.display()))
}

/// Makes a node's directory, which only this user may enter; one that is there already stays as it is.
pub(crate) fn make_dir(dir: &Path) -> std::io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists || !dir.is_dir() => {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Takes the directory for this process: two writers of one log would fork it.
pub(crate) fn lock(dir: &Path) -> anyhow::Result<fs::File> {
    let path = dir.join(LOCK);
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("open `{}`", path.display()))?;
    file.try_lock().with_context(|| {
        format!(
            "`{}` is in use by another process of this node",
            dir.display()
        )
    })?;
    Ok(file)
}

/// Returns whom the node accepts.
pub(crate) fn trust(store: &Store, keys: &Keys) -> anyhow::Result<Trust> {
    let mut trust = Trust::new(keys.identity().federation);
    for peer in store.peers().context("read the accepted cards")? {
        let card = NodeCard::from_bytes(&peer.card)
            .with_context(|| format!("read the card of `{}`", peer.origin))?;
        trust.accept(card)?;
    }
    Ok(trust)
}

fn watch_moves(store: &Store) -> watch::Receiver<u64> {
    let (count, moved) = watch::channel(0);
    store.on_move(Box::new(move |_| {
        count.send_modify(|commits| *commits += 1);
    }));
    moved
}

async fn serve_api(
    listener: TcpListener,
    config: Arc<rustls::ServerConfig>,
    routes: tonic::service::Routes,
    mut stopped: watch::Receiver<bool>,
) {
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    let (streams, accepted) = tokio::sync::mpsc::channel(64);
    let (mut stop_accepting, mut stop_waiting) = (stopped.clone(), stopped.clone());
    let accepting = tokio::spawn(async move {
        let mut connections = TcpListenerStream::new(listener);
        loop {
            let connection = tokio::select! {
                connection = connections.next() => connection,
                _ = stop_accepting.wait_for(|stop| *stop) => return,
            };
            let Some(Ok(tcp)) = connection else { continue };
            let (acceptor, streams) = (acceptor.clone(), streams.clone());
            tokio::spawn(async move {
                // A small call must not wait for a full segment.
                let _ = tcp.set_nodelay(true);
                if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await
                {
                    // Nobody takes it any more when the server stops.
                    let _ = streams.send(Ok::<_, std::io::Error>(stream)).await;
                }
            });
        }
    });
    let served = Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(15)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .add_routes(routes)
        .serve_with_incoming_shutdown(
            tokio_stream::wrappers::ReceiverStream::new(accepted),
            async move {
                // A closed channel is a stop too.
                let _ = stopped.wait_for(|stop| *stop).await;
            },
        );
    // Watchers and followers keep their calls open for hours: a stop does not wait for them.
    let waited = async {
        let _ = stop_waiting.wait_for(|stop| *stop).await;
        tokio::time::sleep(CALLS_END).await;
    };
    tokio::select! {
        served = served => if let Err(cause) = served {
            error!(%cause, "serving operators ended");
        },
        () = waited => {}
    }
    accepting.abort();
}

/// Lets go what was not put here to its end when the last run ended, and then, hour by hour, files that no event names.
async fn sweep_blobs(store: Store, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(BLOB_SWEEP);
    let mut at_start = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        let swept = store.clone();
        let first = std::mem::take(&mut at_start);
        let swept = tokio::task::spawn_blocking(move || swept.sweep_blobs(first, now())).await;
        match swept {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(files)) => info!(files, "let `{files}` files go that no event names"),
            Ok(Err(cause)) => {
                warn!(%cause, "files that no event names could not be let go: {cause}");
            }
        }
    }
}

/// Renews the certificate when 30 days are left, and takes a pair that an administrator has put in place.
async fn renew(dir: PathBuf, key: ReloadingKey, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(RENEWAL_CHECK);
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        let Some(leaf) = reload(&key, &dir) else {
            continue;
        };
        if leaf.needs_renewal(unix_now()) {
            match Leaf::renew(&dir, unix_now()) {
                Ok(_) => drop(reload(&key, &dir)),
                Err(cause) => warn!(%cause, "the node's certificate was not renewed: {cause}"),
            }
        }
    }
}

/// Takes the pair on disk into use; on an error the old one stays, and the log says why.
fn reload(key: &ReloadingKey, dir: &Path) -> Option<Leaf> {
    match key.reload(dir, unix_now()) {
        Ok(leaf) => {
            info!("the node's certificate on disk is in use");
            Some(leaf)
        }
        Err(cause) => {
            warn!(%cause, "the node's certificate on disk was not taken, the old one stays in use: {cause}");
            None
        }
    }
}

/// Records what feeds publish, as the node itself.
struct FeedRecorder {
    store: Store,
    disk: watch::Receiver<Disk>,
}

impl Recorder for FeedRecorder {
    async fn record(&self, take: Take) -> Result<intake::Recorded, Refusal> {
        let command = Automatic {
            command_id: None,
            digest: [0; 32],
            stream: take.stream,
            now: now(),
            exercise: false,
            command: Command::Warning(take.command),
        };
        let accepted = automatic::execute(&self.store, &self.disk, command).await?;
        Ok(intake::Recorded {
            changed: !accepted.event_ids.is_empty(),
        })
    }

    async fn in_force(&self, source: Source) -> Result<Vec<Held>, Refusal> {
        api::held_in_force(&self.store, source, now()).await
    }

    async fn referring(&self, stream: Id) -> Result<Vec<Held>, Refusal> {
        api::held_referring(&self.store, stream).await
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn only_its_user_enters_a_nodes_directory_and_one_that_is_there_stays_as_it_is() {
        let above = tempfile::tempdir().unwrap();
        let made = above.path().join("posko/32");
        make_dir(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
        fs::set_permissions(&made, fs::Permissions::from_mode(0o750)).unwrap();
        make_dir(&made).unwrap();
        assert_eq!(mode(&made), 0o750);
        let file = made.join("berkas");
        fs::write(&file, "").unwrap();
        assert!(make_dir(&file).is_err());
    }
}
