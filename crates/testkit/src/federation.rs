//! The nodes of one federation, three provinces' and headquarters' gateway where it is wanted, and the links between them.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Link, Node, eventually, node::GATEWAY};

/// The nodes, in the order in which they are made: the first makes the federation.
pub const ORIGINS: [&str; 3] = ["31", "32", "36"];
/// The provinces' nodes and headquarters' gateway.
const WITH_GATEWAY: [&str; 4] = ["31", "32", "36", GATEWAY];

/// How long the nodes may take to have a session for every pair.
const CONNECTED_WITHIN: Duration = Duration::from_mins(1);

/// Nodes that dial each other through links; their processes end when it is dropped.
#[derive(Debug)]
pub struct Federation {
    program: PathBuf,
    nodes: BTreeMap<&'static str, Node>,
    links: BTreeMap<(&'static str, &'static str), Link>,
    runtime: Runtime,
}

impl Federation {
    /// Makes the nodes in `dir`, each in a directory of its name; none runs yet and none knows another.
    pub fn make(dir: &Path) -> Result<Self> {
        Self::direct(dir, &ORIGINS)?.linked()
    }

    /// Makes the provinces' nodes and headquarters' gateway in `dir`; none runs yet and none knows another.
    pub fn make_with_gateway(dir: &Path) -> Result<Self> {
        Self::direct(dir, &WITH_GATEWAY)?.linked()
    }

    /// Makes the nodes with a link between `31` and `32` alone: once it is cut, what they have of each other came through
    /// `36`, and through no proxy.
    pub fn make_relayed(dir: &Path) -> Result<Self> {
        let federation = Self::make_direct(dir)?;
        federation.linked_where(|pair| matches!(pair, ("31", "32") | ("32", "31")))
    }

    /// Puts a link between every two nodes, in each direction.
    fn linked(self) -> Result<Self> {
        self.linked_where(|_| true)
    }

    fn linked_where(mut self, is_linked: impl Fn((&str, &str)) -> bool) -> Result<Self> {
        let federation = &mut self;
        let mut pairs = federation.pairs();
        pairs.retain(|pair| is_linked(*pair));
        for (dialler, dialled) in pairs {
            let target = federation.node(dialled)?.federation();
            let link = Link::open(federation.runtime.handle(), target)
                .with_context(|| format!("open the link from `{dialler}` to `{dialled}`"))?;
            federation.links.insert((dialler, dialled), link);
        }
        Ok(self)
    }

    /// Makes the nodes without links between them: what is measured must not pass through a proxy.
    pub fn make_direct(dir: &Path) -> Result<Self> {
        Self::direct(dir, &ORIGINS)
    }

    fn direct(dir: &Path, origins: &[&'static str]) -> Result<Self> {
        let program = path_to_program()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("start a runtime for links")?;
        let mut nodes: BTreeMap<&'static str, Node> = BTreeMap::new();
        let mut first_card = None;
        for &origin in origins {
            let node = Node::make(&program, &dir.join(origin), origin, first_card.as_deref())?;
            if first_card.is_none() {
                first_card = Some(node.card(node.federation())?.0);
            }
            nodes.insert(origin, node);
        }
        Ok(Self {
            program,
            nodes,
            links: BTreeMap::new(),
            runtime,
        })
    }

    /// Makes the nodes, starts them, and has every pair accept each other; `configure` sees each node before its start.
    pub fn start(dir: &Path, configure: impl Fn(&Node) -> Result<()>) -> Result<Self> {
        Self::make(dir)?.begin(configure)
    }

    /// Starts the nodes, and has every pair accept each other; `configure` sees each node before its start.
    pub fn begin(self, configure: impl Fn(&Node) -> Result<()>) -> Result<Self> {
        let federation = self;
        for node in federation.nodes() {
            configure(node)?;
            node.launch()?;
        }
        for node in federation.nodes() {
            await_ready(node)?;
        }
        federation.introduce()?;
        for node in federation.nodes() {
            node.employ()?;
        }
        federation.await_sessions()?;
        Ok(federation)
    }

    /// Has every node accept the card of every other, each with the address of its own link to it.
    pub fn introduce(&self) -> Result<()> {
        for (dialler, dialled) in self.pairs() {
            let link = self.links.get(&(dialler, dialled)).map(Link::address);
            let node = self.node(dialled)?;
            let (card, fingerprint) = node.card(link.unwrap_or(node.federation()))?;
            self.node(dialler)?
                .console(&["peer", "add", &card, "--fingerprint", &fingerprint])?;
        }
        Ok(())
    }

    /// Waits until every pair has a session, and returns how long that took.
    pub fn await_sessions(&self) -> Result<Duration> {
        let ((), took) = eventually(
            "every pair of nodes has a session",
            CONNECTED_WITHIN,
            || {
                for node in self.nodes() {
                    let status = node.console(&["status"])?;
                    let peers = status
                        .get("peers")
                        .and_then(Value::as_array)
                        .context("no peers")?;
                    ensure!(
                        peers.len() == self.nodes.len() - 1,
                        "`{}` has {} peers",
                        node.origin(),
                        peers.len()
                    );
                    for peer in peers {
                        ensure!(
                            peer.get("connected") == Some(&Value::Bool(true)),
                            "`{}` is not connected: {peer}",
                            node.origin()
                        );
                    }
                }
                Ok(Some(()))
            },
        )?;
        Ok(took)
    }

    /// Returns every ordered pair of nodes: who dials, and who is dialled.
    fn pairs(&self) -> Vec<(&'static str, &'static str)> {
        let of = |dialler| self.nodes.keys().map(move |dialled| (dialler, *dialled));
        self.nodes
            .keys()
            .flat_map(|dialler| of(*dialler))
            .filter(|(dialler, dialled)| dialler != dialled)
            .collect()
    }

    /// Returns a node.
    pub fn node(&self, origin: &str) -> Result<&Node> {
        self.nodes
            .get(origin)
            .with_context(|| format!("there is no node `{origin}`"))
    }

    /// Returns all nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// Returns the way by which one node dials another.
    pub fn link(&self, from: &str, to: &str) -> Result<&Link> {
        let found = self.links.iter().find(|(pair, _)| **pair == (from, to));
        found
            .map(|(_, link)| link)
            .with_context(|| format!("there is no link from `{from}` to `{to}`"))
    }

    /// Cuts the link between two nodes in both directions.
    pub fn cut(&self, a: &str, b: &str) -> Result<()> {
        self.link(a, b)?.cut(self.runtime());
        self.link(b, a)?.cut(self.runtime());
        Ok(())
    }

    /// Restores the link between two nodes in both directions.
    pub fn restore(&self, a: &str, b: &str) -> Result<()> {
        self.link(a, b)?.restore(self.runtime());
        self.link(b, a)?.restore(self.runtime());
        Ok(())
    }

    /// Stops every node in order.
    pub fn stop(&self) -> Result<()> {
        self.nodes().try_for_each(Node::stop)
    }

    /// Returns the program that the nodes are.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the runtime in which links and publishers run.
    pub fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }
}

fn await_ready(node: &Node) -> Result<()> {
    let what = format!("node `{}` takes connections", node.origin());
    eventually(&what, CONNECTED_WITHIN, || {
        node.check_alive()?;
        Ok(std::net::TcpStream::connect(node.api()).ok().map(drop))
    })?;
    Ok(())
}

/// Returns the program `posko`: `POSKO_PROGRAM` names it, else it lies beside this one in the target folder.
pub fn path_to_program() -> Result<PathBuf> {
    if let Some(program) = env::var_os("POSKO_PROGRAM").map(PathBuf::from) {
        let shown = program.display();
        ensure!(
            program.is_file(),
            "`POSKO_PROGRAM` names no program: `{shown}`"
        );
        return std::path::absolute(&program).with_context(|| format!("find `{shown}`"));
    }
    let own = env::current_exe().context("find this program")?;
    // A test's program lies one folder deeper than the house's.
    for folder in own.ancestors().skip(1).take(2) {
        let program = folder.join("posko");
        if program.is_file() {
            return Ok(program);
        }
    }
    bail!("`posko` is not built: run `cargo build -p posko-cli`, or name it in `POSKO_PROGRAM`")
}
