//! The load: duty officers who write notes on node 32, and readers of the two replicas.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use hdrhistogram::Histogram;
use posko_proto::{
    common::v1::{CommandMeta, Hazard, Place},
    federation::v1::{
        GetStatusRequest, RebuildViewsRequest, WatchLogsRequest,
        node_service_client::NodeServiceClient,
    },
    incident::v1::{
        AddNoteRequest, ReportChannel, ReportIncidentRequest,
        incident_service_client::IncidentServiceClient,
    },
};
use posko_testkit::{Federation, door::Door};
use serde_json::{Value, json};
use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use uuid::Uuid;

const OWNER: &str = "32";
const REPLICAS: [&str; 2] = ["31", "36"];
const NOTE_CHARACTERS: usize = 300;
/// How many incidents take the notes.
const INCIDENTS: usize = 64;
/// How many writers share a connection.
const WRITERS_A_CONNECTION: usize = 8;
/// How many writers fill the log between measures.
const FILLERS: usize = 256;
/// How long replicas may take to show what the owner has.
const DRAIN: Duration = Duration::from_mins(10);

/// The writers of node 32.
pub(crate) struct Load<'a> {
    federation: &'a Federation,
    runtime: Runtime,
    incidents: Vec<Vec<u8>>,
}

impl<'a> Load<'a> {
    /// Reports the incidents that take the notes.
    pub(crate) fn new(federation: &'a Federation) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        // A channel spawns its worker where it is made.
        let entered = runtime.enter();
        let mut client = IncidentServiceClient::new(door(federation, OWNER)?);
        drop(entered);
        let incidents = runtime.block_on(async {
            let mut incidents = Vec::new();
            for _ in 0..INCIDENTS {
                let answer = client
                    .report_incident(ReportIncidentRequest {
                        meta: Some(meta()),
                        hazard: Hazard::Flood.into(),
                        place: Some(Place {
                            region_code: "32.75".into(),
                            ..Default::default()
                        }),
                        channel: ReportChannel::Branch.into(),
                        ..Default::default()
                    })
                    .await?;
                incidents.push(answer.into_inner().outcome.context("no outcome")?.stream_id);
            }
            anyhow::Ok(incidents)
        })?;
        Ok(Self {
            federation,
            runtime,
            incidents,
        })
    }

    /// Closed loop: each writer waits for its answer before its next note. The rate counts the events that the slower
    /// replica comes to show, from the window's start until it shows all that was answered in the window.
    pub(crate) fn throughput(
        &mut self,
        warm_up: Duration,
        window: Duration,
        writers: usize,
    ) -> Result<Value> {
        let runtime = self.runtime.handle().clone();
        runtime.block_on(async {
            let stop = Arc::new(AtomicBool::new(false));
            let recording = Arc::new(AtomicBool::new(false));
            let answered = Arc::new(AtomicU64::new(0));
            let mut tasks = self.write(writers, &stop, &recording, &answered, u64::MAX)?;
            sleep(warm_up).await;
            let base = self
                .entries_at(OWNER)
                .await?
                .saturating_sub(answered.load(Relaxed));
            recording.store(true, Relaxed);
            let (from, began) = (answered.load(Relaxed), Instant::now());
            let shown = self.shown().await?;
            let mut most_behind = 0;
            while began.elapsed() < window {
                sleep(Duration::from_millis(200).min(window.saturating_sub(began.elapsed()))).await;
                let so_far = base + answered.load(Relaxed);
                most_behind = most_behind.max(so_far.saturating_sub(self.shown().await?));
            }
            let (to, took) = (answered.load(Relaxed), began.elapsed());
            stop.store(true, Relaxed);
            self.await_shown(base + to).await?;
            let total = began.elapsed();
            let mut latency = histogram()?;
            while let Some(task) = tasks.join_next().await {
                latency.add(task??)?;
            }
            Ok(json!({
                "writers": writers,
                "events": (base + to).saturating_sub(shown),
                "events_per_s": crate::rate((base + to).saturating_sub(shown), total),
                "owner_events_per_s": crate::rate(to - from, took),
                "drain_s": total.saturating_sub(took).as_secs_f64(),
                "max_lag_events": most_behind,
                "ack_ms": summary(&latency),
            }))
        })
    }

    /// Open loop: events start on a fixed schedule, whatever became of the earlier ones. Latency runs from an event's
    /// start until a watcher of the slower replica is told of it.
    pub(crate) fn propagation(
        &mut self,
        warm_up: Duration,
        window: Duration,
        per_second: u32,
    ) -> Result<Value> {
        let runtime = self.runtime.handle().clone();
        runtime.block_on(async {
            let clock = Instant::now();
            let mut watchers = Vec::new();
            for replica in REPLICAS {
                watchers.push(Watcher::start(door(self.federation, replica)?, clock).await?);
            }
            let count = |time: Duration| (time.as_secs_f64() * f64::from(per_second)) as usize;
            let (warm, all) = (count(warm_up), count(warm_up + window));
            let mut clients = Vec::new();
            for _ in 0..8 {
                clients.push(IncidentServiceClient::new(door(self.federation, OWNER)?));
            }
            let mut ticks = interval(Duration::from_secs(1) / per_second);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut tasks = JoinSet::new();
            for index in 0..all {
                ticks.tick().await;
                let start = clock.elapsed();
                let mut client = clients.get(index % 8).context("no client")?.clone();
                let incident = self.incident(index)?;
                tasks.spawn(async move {
                    let answer = client.add_note(note(incident)).await?.into_inner();
                    let position = answer
                        .outcome
                        .and_then(|outcome| outcome.position)
                        .context("no position")?;
                    anyhow::Ok((
                        index,
                        start,
                        clock.elapsed().saturating_sub(start),
                        position.seq,
                    ))
                });
            }
            let (mut latency, mut acks) = (histogram()?, histogram()?);
            let mut events = Vec::new();
            while let Some(task) = tasks.join_next().await {
                let (index, start, ack, seq) = task??;
                if index >= warm {
                    events.push((start, seq));
                    acks.record(ack.as_micros() as u64)?;
                }
            }
            let last = events.iter().map(|(_, seq)| *seq).max().unwrap_or_default();
            for watcher in &watchers {
                watcher.await_seq(last).await?;
            }
            for (start, seq) in &events {
                let mut slower = Duration::ZERO;
                for watcher in &watchers {
                    slower = slower.max(watcher.arrival(*seq)?);
                }
                latency.record(slower.saturating_sub(*start).as_micros() as u64)?;
            }
            Ok(json!({
                "events": events.len(),
                "events_per_s": per_second,
                "latency_ms": summary(&latency),
                "ack_ms": summary(&acks),
            }))
        })
    }

    /// Writes that many events as fast as may be, and returns how many and how long it took.
    pub(crate) fn fill(&mut self, events: u64) -> Result<(u64, f64)> {
        if events == 0 {
            return Ok((0, 0.0));
        }
        let runtime = self.runtime.handle().clone();
        runtime.block_on(async {
            let began = Instant::now();
            let (stop, answered) = (Arc::default(), Arc::new(AtomicU64::new(0)));
            let mut tasks = self.write(FILLERS, &stop, &Arc::default(), &answered, events)?;
            while let Some(task) = tasks.join_next().await {
                task??;
            }
            Ok((answered.load(Relaxed), began.elapsed().as_secs_f64()))
        })
    }

    /// Returns how many entries the owner's log has.
    pub(crate) fn entries(&self) -> Result<u64> {
        self.runtime.block_on(self.entries_at(OWNER))
    }

    /// Has the owner build its views anew, and returns how many entries were folded.
    pub(crate) fn rebuild(&self) -> Result<u64> {
        let token =
            std::fs::read_to_string(self.federation.node(OWNER)?.dir().join("operator.token"))?;
        self.runtime.block_on(async {
            let console = posko_testkit::door::open_with(self.federation.node(OWNER)?, &token)?;
            let mut steps = NodeServiceClient::new(console)
                .rebuild_views(RebuildViewsRequest {})
                .await?
                .into_inner();
            while let Some(step) = steps.message().await? {
                if step.swapped {
                    return Ok(step.done);
                }
            }
            bail!("the rebuild ended before its swap")
        })
    }

    /// Waits until the owner answers.
    pub(crate) fn await_answer(&self) -> Result<()> {
        self.runtime.block_on(async {
            timeout(DRAIN, async {
                while self.entries_at(OWNER).await.is_err() {
                    sleep(Duration::from_millis(10)).await;
                }
            })
            .await
        })?;
        Ok(())
    }

    fn incident(&self, index: usize) -> Result<Vec<u8>> {
        self.incidents
            .get(index % INCIDENTS)
            .cloned()
            .context("no incident")
    }

    fn write(
        &self,
        writers: usize,
        stop: &Arc<AtomicBool>,
        recording: &Arc<AtomicBool>,
        answered: &Arc<AtomicU64>,
        most: u64,
    ) -> Result<JoinSet<Result<Histogram<u64>>>> {
        let mut tasks = JoinSet::new();
        let begun = Arc::new(AtomicU64::new(0));
        let mut shared = None;
        for writer in 0..writers {
            if writer % WRITERS_A_CONNECTION == 0 {
                shared = Some(IncidentServiceClient::new(door(self.federation, OWNER)?));
            }
            let mut client = shared.clone().context("no connection")?;
            let incident = self.incident(writer)?;
            let (stop, recording) = (stop.clone(), recording.clone());
            let (answered, begun) = (answered.clone(), begun.clone());
            tasks.spawn(async move {
                let mut latency = histogram()?;
                while !stop.load(Relaxed) && begun.fetch_add(1, Relaxed) < most {
                    let started = Instant::now();
                    client.add_note(note(incident.clone())).await?;
                    answered.fetch_add(1, Relaxed);
                    if recording.load(Relaxed) {
                        latency.record(started.elapsed().as_micros() as u64)?;
                    }
                }
                Ok(latency)
            });
        }
        Ok(tasks)
    }

    async fn entries_at(&self, node: &str) -> Result<u64> {
        entries(&mut NodeServiceClient::new(door(self.federation, node)?)).await
    }

    /// Returns how many events the slower replica shows.
    async fn shown(&self) -> Result<u64> {
        let mut least = u64::MAX;
        for replica in REPLICAS {
            least = least.min(self.entries_at(replica).await?);
        }
        Ok(least)
    }

    async fn await_shown(&self, events: u64) -> Result<()> {
        timeout(DRAIN, async {
            while self.shown().await? < events {
                sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        })
        .await?
    }
}

/// What one node shows of the owner's log.
pub(crate) struct Seen<'a> {
    federation: &'a Federation,
    node: &'static str,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(federation: &'a Federation, node: &'static str) -> Self {
        Self { federation, node }
    }

    /// Waits until the node shows more than it had, and returns when.
    pub(crate) fn await_more_than(&self, had: u64) -> Result<Instant> {
        self.until(|entries| entries > had)
    }

    /// Waits until the node shows that many entries, and returns when.
    pub(crate) fn await_entries(&self, wanted: u64) -> Result<Instant> {
        self.until(|entries| entries >= wanted)
    }

    fn until(&self, reached: impl Fn(u64) -> bool) -> Result<Instant> {
        self.federation.runtime().block_on(async {
            let mut client = NodeServiceClient::new(door(self.federation, self.node)?);
            timeout(DRAIN, async {
                loop {
                    if let Ok(entries) = entries(&mut client).await
                        && reached(entries)
                    {
                        return Instant::now();
                    }
                    sleep(Duration::from_millis(5)).await;
                }
            })
            .await
            .context("the node did not come that far")
        })
    }
}

/// Notes when a replica's positions moved.
struct Watcher {
    arrivals: Arc<Mutex<Vec<(u64, Duration)>>>,
    task: JoinHandle<()>,
}

impl Watcher {
    async fn start(door: Door, clock: Instant) -> Result<Self> {
        let mut positions = NodeServiceClient::new(door)
            .watch_logs(WatchLogsRequest {})
            .await?
            .into_inner();
        let arrivals: Arc<Mutex<Vec<(u64, Duration)>>> = Arc::default();
        let noted = arrivals.clone();
        let task = tokio::spawn(async move {
            while let Ok(Some(moved)) = positions.message().await {
                let at = clock.elapsed();
                let seq = moved
                    .positions
                    .iter()
                    .find(|position| position.origin == OWNER)
                    .map(|position| position.seq);
                let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(seq) = seq.filter(|seq| noted.last().is_none_or(|(last, _)| seq > last))
                {
                    noted.push((seq, at));
                }
            }
        });
        Ok(Self { arrivals, task })
    }

    async fn await_seq(&self, seq: u64) -> Result<()> {
        timeout(DRAIN, async {
            while self.arrival(seq).is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await?;
        Ok(())
    }

    /// Returns when the replica first showed the entry.
    fn arrival(&self, seq: u64) -> Result<Duration> {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let at = arrivals.partition_point(|(shown, _)| *shown < seq);
        arrivals
            .get(at)
            .map(|(_, at)| *at)
            .ok_or_else(|| anyhow!("entry {seq} was not seen"))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn door(federation: &Federation, origin: &str) -> Result<Door> {
    posko_testkit::door::open(federation.node(origin)?)
}

async fn entries(client: &mut NodeServiceClient<Door>) -> Result<u64> {
    let status = client.get_status(GetStatusRequest {}).await?.into_inner();
    let owner = status
        .origins
        .into_iter()
        .find(|origin| origin.origin == OWNER);
    Ok(owner
        .context("the node does not hold the owner's log")?
        .entries)
}

fn meta() -> CommandMeta {
    CommandMeta {
        command_id: Uuid::new_v4().into_bytes().to_vec(),
        ..Default::default()
    }
}

/// A note of characters that do not pack.
fn note(incident_id: Vec<u8>) -> AddNoteRequest {
    let mut text = String::with_capacity(NOTE_CHARACTERS + 32);
    while text.len() < NOTE_CHARACTERS {
        text.push_str(&Uuid::new_v4().simple().to_string());
    }
    text.truncate(NOTE_CHARACTERS);
    AddNoteRequest {
        meta: Some(meta()),
        incident_id,
        text,
    }
}

fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 600_000_000, 3)?)
}

fn summary(latency: &Histogram<u64>) -> Value {
    let ms = |micros: u64| micros as f64 / 1000.0;
    json!({
        "p50": ms(latency.value_at_quantile(0.5)),
        "p90": ms(latency.value_at_quantile(0.9)),
        "p99": ms(latency.value_at_quantile(0.99)),
        "max": ms(latency.max()),
    })
}
