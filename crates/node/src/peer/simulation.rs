//! Federations on a simulated network: cuts, also one-way and for good, delay, loss and crashes, by a seed.
//!
//! What runs is the node's own: certificates, sessions, sources, stores with their files. The network and its time are
//! turmoil's; the stores' threads are real, so that two runs of one seed meet the same network and not the same moments.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures::{StreamExt, future::BoxFuture, stream};
use posko_proto::federation::v1::NodeRole;
use tokio::runtime::Runtime;
use turmoil::{Builder, Sim, net as simulated};

use super::{
    net::{Connection, Dial, Incoming},
    tests::{FEDERATION, Node},
};

const PORT: u16 = 7431;
/// How far the network's time goes on at once.
const TICK: Duration = Duration::from_millis(20);
/// How long the nodes may take to agree, in the network's time.
const AGREED_WITHIN: Duration = Duration::from_mins(5);

/// The network of a simulation.
struct Network;

impl Dial for Network {
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Connection>> {
        Box::pin(async move {
            let stream = simulated::TcpStream::connect(address).await?;
            Ok(Box::pin(stream) as Connection)
        })
    }
}

fn incoming(listener: simulated::TcpListener) -> Incoming {
    let take = async |listener: simulated::TcpListener| {
        let taken: io::Result<(Connection, SocketAddr)> = (listener.accept().await)
            .map(|(stream, address)| (Box::pin(stream) as Connection, address));
        Some((taken, listener))
    };
    stream::unfold(listener, take).boxed()
}

fn host(name: &str) -> String {
    format!("posko-{name}")
}

/// Moments and choices, by a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        // Xorshift: enough to choose.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}

/// The nodes of a federation and the network between them.
struct Storm {
    seed: u64,
    sim: Sim<'static>,
    nodes: Vec<Arc<Mutex<Node>>>,
    hosts: Vec<String>,
    /// The pairs that are cut for good.
    cut: Vec<(usize, usize)>,
    written: u32,
    random: Random,
    /// Where commands are given: beside the network.
    beside: Runtime,
}

impl Storm {
    /// Makes a federation whose pairs in `cut` never meet.
    fn new(seed: u64, names: &[&'static str], cut: Vec<(usize, usize)>) -> Self {
        let mut sim = Builder::new()
            .rng_seed(seed)
            .tick_duration(TICK)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(300))
            .simulation_duration(Duration::from_hours(24))
            .build();
        let make = |name: &&str| {
            let role = match *name {
                "ims" => NodeRole::Gateway,
                _ => NodeRole::Node,
            };
            Node::make(name, role, FEDERATION, &format!("{}:{PORT}", host(name)))
        };
        let nodes: Vec<Node> = names.iter().map(make).collect();
        for node in &nodes {
            for other in nodes.iter().filter(|other| other.origin != node.origin) {
                node.accept(&other.card);
            }
        }
        let nodes: Vec<_> = (nodes.into_iter())
            .map(|node| Arc::new(Mutex::new(node)))
            .collect();
        for (name, node) in names.iter().zip(&nodes) {
            let node = node.clone();
            sim.host(host(name), move || {
                let node = node.clone();
                async move {
                    let listener = simulated::TcpListener::bind(("0.0.0.0", PORT)).await?;
                    (node.lock().unwrap()).start_on(Arc::new(Network), incoming(listener));
                    std::future::pending().await
                }
            });
        }
        let mut storm = Self {
            seed,
            sim,
            nodes,
            hosts: names.iter().map(|name| host(name)).collect(),
            cut,
            written: 0,
            random: Random(seed | 1),
            beside: Runtime::new().unwrap(),
        };
        storm.cut_for_good();
        storm
    }

    fn cut_for_good(&mut self) {
        for (a, b) in self.cut.clone() {
            (self.sim).partition(self.hosts[a].as_str(), self.hosts[b].as_str());
        }
    }

    fn node(&self, at: usize) -> MutexGuard<'_, Node> {
        self.nodes[at].lock().unwrap()
    }

    fn pass(&mut self, time: Duration) {
        for _ in 0..time.as_millis() / TICK.as_millis() {
            self.sim.step().unwrap();
        }
    }

    fn write(&mut self, at: usize) {
        self.written += 1;
        let node = self.nodes[at].lock().unwrap();
        self.beside.block_on(node.report(self.written));
    }

    /// Ends a node's process at once, and starts it again after a while.
    fn crash(&mut self, at: usize) {
        let down = Duration::from_millis(self.random.below(30_000) as u64);
        self.sim.crash(self.hosts[at].as_str());
        self.node(at).peers = None;
        self.pass(down);
        self.node(at).reopen();
        self.sim.bounce(self.hosts[at].as_str());
    }

    /// Lets something happen, with writing before and after it.
    fn suffer(&mut self) {
        let many = self.hosts.len();
        let (a, mut b) = (self.random.below(many), self.random.below(many - 1));
        b += usize::from(b >= a);
        let (one, other) = (self.hosts[a].as_str(), self.hosts[b].as_str());
        match self.random.below(10) {
            0 => self.sim.partition(one, other),
            1 | 2 => self.sim.partition_oneway(one, other),
            3 => self.sim.hold(one, other),
            4 => self.sim.release(one, other),
            5 | 6 => self.sim.repair(one, other),
            7 => self.sim.set_link_fail_rate(one, other, 0.002),
            8 => {
                let slow = Duration::from_secs(2);
                self.sim.set_link_max_message_latency(one, other, slow);
            }
            _ => self.crash(a),
        }
        self.cut_for_good();
        for _ in 0..=self.random.below(3) {
            let at = self.random.below(many);
            self.write(at);
        }
        let while_ = Duration::from_millis(self.random.below(8000) as u64);
        self.pass(while_);
    }

    fn heal(&mut self) {
        let many = self.hosts.len();
        for a in 0..many {
            for b in 0..a {
                let (one, other) = (self.hosts[a].as_str(), self.hosts[b].as_str());
                self.sim.set_link_fail_rate(one, other, 0.0);
                self.sim.release(one, other);
                self.sim.repair(one, other);
            }
        }
        self.cut_for_good();
    }

    /// Waits until every node has the whole log of every other, and none lacks a payload that it may have.
    fn agree(&mut self) {
        let begun = self.sim.elapsed();
        loop {
            let apart = self.apart();
            let Some((at, of)) = apart else { break };
            let elapsed = self.sim.elapsed().saturating_sub(begun);
            assert!(
                elapsed < AGREED_WITHIN,
                "seed {}: `{at}` has not all of `{of}` after {elapsed:?}:\n{}",
                self.seed,
                self.picture(&of)
            );
            self.pass(Duration::from_millis(500));
        }
        for node in &self.nodes {
            let node = node.lock().unwrap();
            assert_eq!(*node.not_writing.read().unwrap(), "", "{}", node.origin);
            for log in node.store.logs() {
                node.store.verify_log(log.origin, &mut |_| {}).unwrap();
            }
        }
    }

    /// Returns a node that lacks something of another.
    fn apart(&self) -> Option<(String, String)> {
        let nodes: Vec<_> = (0..self.hosts.len()).map(|at| self.node(at)).collect();
        for node in &nodes {
            let classes = node.peers.as_ref()?.classes();
            for other in &nodes {
                let missing = node.store.count_missing(other.origin, classes).unwrap();
                if !node.has_all_of(other) || missing > 0 {
                    return Some((node.origin.to_string(), other.origin.to_string()));
                }
            }
        }
        None
    }

    /// Tells how far each node has a log, and through whom.
    fn picture(&self, of: &str) -> String {
        let of = of.parse().unwrap();
        let line = |node: &Arc<Mutex<Node>>| {
            let node = node.lock().unwrap();
            let peers = node.peers.as_ref().unwrap();
            let connected = peers.status().into_iter().filter(|peer| peer.connected);
            let connected: Vec<_> = connected.map(|peer| peer.origin.to_string()).collect();
            let (log, source) = (node.store.log(of), peers.source(of));
            let (end, best) = log.map_or_else(Default::default, |log| {
                (
                    log.end.to_string(),
                    log.best.map(|head| head.head.position.to_string()),
                )
            });
            format!(
                "{}: at {end} of {best:?} through {:?}, connected to {connected:?}\n",
                node.origin,
                source.map(|source| (source.peer.to_string(), source.why)),
            )
        };
        self.nodes.iter().map(line).collect()
    }

    /// Lets so many things happen, heals what is not cut for good, and waits until all agree.
    fn run(mut self, faults: u32) {
        for _ in 0..faults {
            self.suffer();
        }
        self.heal();
        self.agree();
    }
}

#[test]
fn four_nodes_agree_after_cuts_loss_delay_and_crashes_though_two_never_meet() {
    for seed in 1..=2 {
        Storm::new(seed, &["31", "32", "36", "ims"], vec![(0, 1)]).run(40);
    }
}

#[test]
fn twelve_nodes_of_which_each_meets_two_agree_after_cuts_loss_delay_and_crashes() {
    let names = [
        "31", "32", "36", "33", "34", "35", "51", "52", "53", "61", "62", "ims",
    ];
    let many = names.len();
    let pairs = (0..many).flat_map(|a| (0..a).map(move |b| (a, b)));
    let cut = pairs.filter(|(a, b)| a - b != 1 && a - b != many - 1);
    Storm::new(12, &names, cut.collect()).run(30);
}
