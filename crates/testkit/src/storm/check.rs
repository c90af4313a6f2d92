//! What must hold when all has healed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use posko_domain::event::LogEvent;
use posko_ledger::{
    MAX_GROUP_BYTES,
    engine::classes_of,
    entry::{Class, EntryHeader, HEADER_BYTES, Payload, chain_hash},
    epoch::Position,
};
use posko_proto::{Id, NodeId, common::v1::Envelope, federation::v1::NodeRole};
use posko_store::aggregate::settled_by;
use prost::Message;
use rusqlite::{Connection, OpenFlags};

use super::{
    node::{Node, ORIGINS},
    world::World,
};
use crate::{
    model::Risk,
    promise::{AREA, Books, Event, Item, Ledger, answer, decision},
};

pub(super) const ITEMS: [Item; 6] = [
    Item::Stock,
    Item::Person(0),
    Item::Person(1),
    Item::Person(2),
    Item::Bed(0),
    Item::Bed(1),
];

/// What somebody held before healing.
#[derive(Default)]
pub(super) struct Held {
    /// By origin: the events, and what settles each.
    entries: BTreeSet<(NodeId, Id, Id)>,
    /// The promises of which somebody had the payload, by origin and id, and the event that told of each: its own, or
    /// one that reinstated it.
    promises: BTreeSet<(NodeId, Id, Event, Id)>,
}

struct Row {
    origin: NodeId,
    header: EntryHeader,
    body: Option<Vec<u8>>,
}

fn rows(node: &Node) -> Result<Vec<Row>> {
    let file = Connection::open_with_flags(node.file("db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut entries = file.prepare(
        "SELECT epoch.origin, header, body FROM entry JOIN epoch ON epoch.id = entry.pos >> 40 LEFT JOIN payload USING (pos)",
    )?;
    let found = entries.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, [u8; HEADER_BYTES]>(1)?,
            row.get(2)?,
        ))
    })?;
    found
        .map(|row| {
            let (origin, header, body) = row?;
            Ok(Row {
                origin: origin.parse()?,
                header: EntryHeader::decode(&header)?,
                body,
            })
        })
        .collect()
}

/// Returns the events of a node's own log whose payload is missing and that something waits for.
pub(super) fn missing_payloads(node: &Node) -> Result<BTreeSet<Id>> {
    let left_out: BTreeSet<Id> = left_out(node)?.into_iter().collect();
    let path: BTreeSet<_> = (log(node, node.origin)?.iter())
        .map(|header| header.payload_commit)
        .collect();
    own_events(
        node,
        "SELECT header FROM payload_missing JOIN entry USING (pos) JOIN epoch ON epoch.id = entry.pos >> 40
         WHERE presence = 2 AND epoch.origin = ?1",
        |header| {
            header.class != Class::Local
                && (left_out.contains(&header.event_id) || path.contains(&header.payload_commit))
        },
    )
}

/// Returns the events that a node's own log left out and that it has not recorded again.
pub(super) fn left_out(node: &Node) -> Result<Vec<Id>> {
    let orphans = "SELECT header FROM orphan JOIN entry USING (pos) WHERE origin = ?1";
    Ok(own_events(node, orphans, |_| true)?.into_iter().collect())
}

fn own_events(
    node: &Node,
    sql: &str,
    counts: impl Fn(&EntryHeader) -> bool,
) -> Result<BTreeSet<Id>> {
    let file = Connection::open_with_flags(node.file("db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut entries = file.prepare(sql)?;
    let found = entries.query_map([node.origin.as_str()], |row| {
        row.get::<_, [u8; HEADER_BYTES]>(0)
    })?;
    let mut events = BTreeSet::new();
    for header in found {
        let header = EntryHeader::decode(&header?)?;
        if counts(&header) {
            events.insert(header.event_id);
        }
    }
    Ok(events)
}

fn event_of(row: &Row) -> Option<Event> {
    if row.header.type_id >> 8 != u32::from(AREA) {
        return None;
    }
    let envelope = Envelope::decode(row.body.as_deref()?).ok()?;
    postcard::from_bytes(&envelope.event).ok()
}

fn promise_of(row: &Row) -> Option<(Id, Event)> {
    let promise = match event_of(row)? {
        Event::Reinstated { id, promise } => (id, *promise),
        event => (row.header.event_id, event),
    };
    promise.1.is_promise().then_some(promise)
}

/// Returns the headers of a log's path.
fn log(node: &Node, origin: NodeId) -> Result<Vec<EntryHeader>> {
    let store = node.store()?;
    let mut after = Position::START;
    let mut found = Vec::new();
    loop {
        let page = store.page(origin, after, 1024, MAX_GROUP_BYTES, u32::MAX)?;
        if page.records.is_empty() {
            return Ok(found);
        }
        after = page.prev;
        for record in &page.records {
            after.hash = chain_hash(&after.hash, &record.header);
            after.seq += 1;
            found.push(EntryHeader::decode(&record.header)?);
        }
    }
}

impl World {
    /// Notes what anybody holds, just before all heals.
    pub(super) fn note_held(&mut self) -> Result<()> {
        let mut held = Held::default();
        // What a copy alone has goes with it: fenced, it does not even give another's log away.
        for node in self.nodes.iter().take(ORIGINS.len()) {
            for row in rows(node)? {
                if let Some((id, promise)) = promise_of(&row) {
                    let told = row.header.event_id;
                    held.promises.insert((row.origin, id, promise, told));
                }
                let header = &row.header;
                (held.entries).insert((row.origin, header.event_id, settled_by(header)));
            }
        }
        self.held = held;
        Ok(())
    }

    /// Checks what must hold when all has healed.
    pub(super) fn check(&mut self) -> Result<()> {
        for name in ORIGINS {
            let origin: NodeId = name.parse()?;
            let owner = self.node_of(origin)?;
            let end = owner.store()?.log(origin).map(|log| log.end);
            for node in &self.nodes {
                ensure!(
                    node.store()?.log(origin).map(|log| log.end) == end,
                    "I-same: the log of `{origin}` ends elsewhere at `{}`",
                    node.origin
                );
                (node.store()?.verify_log(origin, &mut |_| {})).with_context(|| {
                    format!("I-log: the log of `{origin}` at `{}`", node.origin)
                })?;
            }
            let said = Said::of(owner, origin)?;
            for node in &self.nodes {
                ensure!(
                    Said::of(node, origin)? == said,
                    "I-told: `{}` does not list what `{origin}` says of its log",
                    node.origin
                );
            }
            let path = log(owner, origin)?;
            // What was given up is decided anew under its id.
            let stands = path.iter().map(|header| header.event_id);
            let stands = stands.filter(|event| !said.lost.contains(event));
            let stands: Vec<Id> = stands.collect();
            let once: BTreeSet<Id> = stands.iter().copied().collect();
            let ids: BTreeSet<Id> = path.iter().map(|header| header.event_id).collect();
            ensure!(
                once.len() == stands.len(),
                "I-once: an event of `{origin}` stands twice in its log"
            );
            for (_, event, settled) in self.held.entries.iter().filter(|held| held.0 == origin) {
                ensure!(
                    ids.contains(settled)
                        || on_path(&path, *event, *settled)
                        || said.disowned.contains(event)
                        || (said.lost.contains(event) && event != settled),
                    "I-loss: event `{event}` of `{origin}` was held before healing, and is lost (settled by `{settled}`)"
                );
            }
        }
        let mut books: Option<BTreeMap<NodeId, Ledger>> = None;
        for node in &self.nodes {
            for name in ORIGINS {
                let lacks = lacking(node, name.parse()?)?;
                ensure!(
                    lacks.is_empty(),
                    "I-payload: `{}` lacks payloads of `{name}` that it may have: {lacks:?}",
                    node.origin
                );
            }
            if node.role == NodeRole::Gateway {
                let foreign = rows(node)?.into_iter().find(|row| {
                    row.body.is_some()
                        && row.header.class.bit() & classes_of(node.role) == 0
                        && row.origin != node.origin
                });
                ensure!(
                    foreign.is_none(),
                    "I-class: the gateway holds a payload that it may not have"
                );
                continue;
            }
            let found = node.books()?;
            match &books {
                None => books = Some(found.ledgers),
                Some(first) => ensure!(
                    *first == found.ledgers,
                    "I-same: the views of `{}` differ from those of `{}`: {:?}",
                    node.origin,
                    ORIGINS[0],
                    differences(first, &found.ledgers)
                ),
            }
        }
        let Some(ledgers) = books else {
            bail!("no province is there")
        };
        let origins: Vec<NodeId> = ledgers.keys().copied().collect();
        for own in origins {
            let books = Books {
                own,
                ledgers: ledgers.clone(),
            };
            self.check_promises(&books)?;
        }
        Ok(())
    }

    fn check_promises(&mut self, books: &Books) -> Result<()> {
        let own = books.own;
        let mine = books.mine();
        let said = Said::of(self.node_of(own)?, own)?;
        for item in ITEMS {
            let (promised, there) = (mine.promised(item), mine.on_hand(item).max(0));
            ensure!(
                promised <= there,
                "I-promise: `{own}` promised {promised} of {item:?} where {there} are"
            );
        }
        for (_, id, promise, told) in self.held.promises.iter().filter(|held| held.0 == own) {
            let kept = mine
                .promise(*id)
                .is_some_and(|known| known.event == *promise);
            ensure!(
                kept || mine.is_over(*id, promise) || said.disowned.contains(told),
                "I-told: promise `{id}` of `{own}` is neither kept nor told: {promise:?}"
            );
        }
        let mut broke = BTreeSet::new();
        for (id, promise) in mine.not_kept() {
            let promised = promise.promised_to().unwrap_or(own);
            for side in [own, promised] {
                let told = self.node_of(side)?.books()?;
                ensure!(
                    told.not_kept().any(|known| known == (own, *id, promise)),
                    "I-told: `{side}` does not list that promise `{id}` of `{own}` is not kept: {promise:?}"
                );
            }
            let mut involved = BTreeSet::from([own, promised]);
            if let Event::Selected { referral, .. } = promise
                && let Some(Event::Referred { asks }) = mine.ask(*referral)
            {
                // What one hospital gave up decides about the selection of another.
                involved.extend(asks.iter().map(|(hospital, _)| *hospital));
            }
            let reasons: BTreeSet<Risk> = (involved.iter())
                .filter_map(|origin| self.risks.get(origin))
                .flatten()
                .copied()
                .collect();
            ensure!(
                !reasons.is_empty(),
                "I-gate: promise `{id}` of `{own}` is not kept though nothing risky happened: {promise:?}"
            );
            broke.extend(reasons);
        }
        for promise in mine.standing() {
            match &promise.event {
                Event::HandedOver { holder, count, .. } => {
                    let drawn = books.of(*holder).drawn(promise.id);
                    let given = i64::from(*count) - mine.back(promise.id);
                    ensure!(
                        drawn <= given,
                        "I-escrow: `{holder}` drew {drawn} of {given} that `{own}` handed over"
                    );
                }
                Event::Selected { hospital, .. } => ensure!(
                    books.of(*hospital).has(answer(promise.id)),
                    "I-answer: selection `{}` of `{own}` has no answer",
                    promise.id
                ),
                _ => {}
            }
        }
        for (referral, event) in mine.asks() {
            let Event::Referred { asks } = event else {
                continue;
            };
            let sure = asks.iter().filter(|(hospital, bed)| {
                let theirs = books.of(*hospital);
                let hold = decision(referral, *hospital, *bed);
                theirs.live(hold).is_some()
                    && theirs.standing().any(|known| {
                        matches!(known.event, Event::Confirmed { hold: confirmed, .. } if confirmed == hold)
                    })
            });
            ensure!(
                sure.count() <= 1,
                "I-referral: two beds for referral `{referral}` of `{own}`"
            );
        }
        let not_kept = mine.not_kept().count();
        let kept = mine.standing().count();
        for (what, count) in [("promises not kept", not_kept), ("promises kept", kept)] {
            *self.counts.entry(what).or_default() += count as u64;
        }
        self.broke.extend(broke);
        self.count_decided(own)
    }

    /// Counts what became of promises that were left out, and what the owner said of its log.
    fn count_decided(&mut self, own: NodeId) -> Result<()> {
        let node = self.node_of(own)?;
        let path: BTreeSet<Id> = (log(node, own)?.iter().map(|header| header.event_id)).collect();
        let rows = rows(node)?.into_iter().filter(|row| row.origin == own);
        let on_path = rows.filter(|row| path.contains(&row.header.event_id));
        let decided: Vec<Event> = on_path.filter_map(|row| event_of(&row)).collect();
        let said = Said::of(node, own)?;
        let reinstated = decided
            .iter()
            .filter(|event| matches!(event, Event::Reinstated { .. }));
        let over = decided
            .iter()
            .filter(|event| matches!(event, Event::OverCommitted { .. }));
        for (what, count) in [
            ("reinstated", reinstated.count()),
            ("overcommitted", over.count()),
            ("disowned", said.disowned.len()),
            ("payloads lost", said.lost.len()),
        ] {
            *self.counts.entry(what).or_default() += count as u64;
        }
        Ok(())
    }

    fn node_of(&self, origin: NodeId) -> Result<&Node> {
        let mut nodes = self.nodes.iter();
        nodes
            .find(|node| node.origin == origin)
            .context("a node is gone")
    }
}

/// What an owner says of its log, as a node lists it.
#[derive(Default, PartialEq, Eq)]
struct Said {
    disowned: BTreeSet<Id>,
    lost: BTreeSet<Id>,
}

impl Said {
    fn of(node: &Node, origin: NodeId) -> Result<Self> {
        let mut said = Self::default();
        let mut after = None;
        loop {
            let page = node.store()?.statements(false, after.as_deref(), 100)?;
            for found in page.rows.into_iter().filter(|found| found.origin == origin) {
                match found.state.said {
                    LogEvent::Disowned(_) => said.disowned.extend(found.state.events),
                    LogEvent::PayloadLost(_) => said.lost.extend(found.state.events),
                    LogEvent::PayloadWithdrawn(_) => {}
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(said);
            }
        }
    }
}

/// Returns the events on a log's path whose payload a node may have and lacks, though nobody declared it lost.
fn lacking(node: &Node, origin: NodeId) -> Result<Vec<Id>> {
    let mut found = Vec::new();
    let mut after = Position::START;
    loop {
        let page = (node.store()?).page(origin, after, 1024, MAX_GROUP_BYTES, u32::MAX)?;
        if page.records.is_empty() {
            return Ok(found);
        }
        after = page.prev;
        for record in page.records {
            let header = EntryHeader::decode(&record.header)?;
            after.hash = chain_hash(&after.hash, &record.header);
            after.seq += 1;
            let may_have = header.class.bit() & classes_of(node.role) != 0;
            if may_have && record.payload == Payload::Withheld {
                found.push(header.event_id);
            }
        }
    }
}

/// Returns which events of which logs only one of two nodes has folded.
fn differences(
    one: &BTreeMap<NodeId, Ledger>,
    other: &BTreeMap<NodeId, Ledger>,
) -> Vec<(NodeId, Vec<Id>)> {
    let mut found = Vec::new();
    for (origin, ledger) in one {
        let Some(theirs) = other.get(origin).filter(|theirs| *theirs != ledger) else {
            continue;
        };
        let only =
            |a: &Ledger, b: &Ledger| -> Vec<Id> { a.folded().filter(|id| !b.has(*id)).collect() };
        let mut events = only(ledger, theirs);
        events.extend(only(theirs, ledger));
        found.push((*origin, events));
    }
    found
}

/// Says whether a scarce entry itself stands on the path.
fn on_path(path: &[EntryHeader], event: Id, settled: Id) -> bool {
    (path.iter()).any(|header| header.event_id == event && settled_by(header) == settled)
}
