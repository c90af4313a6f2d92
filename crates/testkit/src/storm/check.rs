//! What must hold when all has healed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use posko_ledger::{
    MAX_GROUP_BYTES,
    engine::classes_of,
    entry::{EntryHeader, HEADER_BYTES, Payload, chain_hash},
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
use crate::promise::{AREA, Books, Event, Item, Ledger, answer, decision};

const ITEMS: [Item; 4] = [Item::Stock, Item::Person(0), Item::Bed(0), Item::Bed(1)];

/// What somebody held before healing.
#[derive(Default)]
pub(super) struct Held {
    /// By origin: the events, and what settles each.
    entries: BTreeSet<(NodeId, Id, Id)>,
    /// The promises of which somebody had the payload, by origin and id.
    promises: BTreeSet<(NodeId, Id, Event)>,
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

fn promise_of(row: &Row) -> Option<(Id, Event)> {
    if row.header.type_id >> 8 != u32::from(AREA) {
        return None;
    }
    let envelope = Envelope::decode(row.body.as_deref()?).ok()?;
    let promise = match postcard::from_bytes(&envelope.event).ok()? {
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
        for (at, node) in self.nodes.iter().enumerate() {
            for row in rows(node)? {
                // What a copy alone has goes with it.
                if at >= ORIGINS.len() && row.origin == node.origin {
                    continue;
                }
                if let Some((id, promise)) = promise_of(&row) {
                    held.promises.insert((row.origin, id, promise));
                }
                let header = &row.header;
                (held.entries).insert((row.origin, header.event_id, settled_by(header)));
            }
        }
        self.held = held;
        Ok(())
    }

    /// Says whether a payload is missing somewhere that nobody has any more.
    pub(super) fn is_payload_lost(&self) -> Result<bool> {
        for node in &self.nodes {
            let classes = classes_of(node.role);
            let Some(missing) = node.store()?.missing(classes, 0, 1024)? else {
                continue;
            };
            let mut somewhere = BTreeSet::new();
            for other in &self.nodes {
                let given = (other.store()?).payloads(
                    missing.origin,
                    missing.epoch,
                    &missing.seqs,
                    usize::MAX,
                    classes,
                )?;
                for (seq, payload) in given {
                    if matches!(payload, Payload::Present { .. }) {
                        somewhere.insert(seq);
                    }
                }
            }
            if missing.seqs.iter().any(|seq| !somewhere.contains(seq)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Checks what must hold when all has healed.
    pub(super) fn check(&mut self) -> Result<()> {
        let whole = !self.counts.contains_key("payload lost");
        let mut books: Option<BTreeMap<NodeId, Ledger>> = None;
        for name in ORIGINS {
            let origin: NodeId = name.parse()?;
            let owner = (self.nodes.iter())
                .find(|node| node.origin == origin)
                .context("a node is gone")?;
            let end = owner.store()?.log(origin).map(|log| log.end);
            for node in &self.nodes {
                ensure!(
                    node.store()?.log(origin).map(|log| log.end) == end,
                    "I-same: the log of `{origin}` ends elsewhere at `{}`",
                    node.origin
                );
                if whole {
                    (node.store()?.verify_log(origin, &mut |_| {})).with_context(|| {
                        format!("I-log: the log of `{origin}` at `{}`", node.origin)
                    })?;
                }
            }
            let path = log(owner, origin)?;
            let ids: BTreeSet<Id> = path.iter().map(|header| header.event_id).collect();
            ensure!(
                ids.len() == path.len(),
                "I-once: an event of `{origin}` stands twice in its log"
            );
            for (_, event, settled) in self.held.entries.iter().filter(|held| held.0 == origin) {
                ensure!(
                    !whole
                        || ids.contains(settled)
                        || (ids.contains(event) && event == settled)
                        || on_path(&path, *event, *settled),
                    "I-loss: event `{event}` of `{origin}` was held before healing, and is lost (settled by `{settled}`)"
                );
            }
        }
        for node in &self.nodes {
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
                Some(first) if whole => ensure!(
                    *first == found.ledgers,
                    "I-same: the views of `{}` differ",
                    node.origin
                ),
                Some(_) => {}
            }
        }
        let Some(ledgers) = books else {
            bail!("no province is there")
        };
        if !whole {
            return Ok(());
        }
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
        for item in ITEMS {
            let (promised, there) = (mine.promised(item), mine.on_hand(item).max(0));
            ensure!(
                promised <= there,
                "I-promise: `{own}` promised {promised} of {item:?} where {there} are"
            );
        }
        for (_, id, promise) in self.held.promises.iter().filter(|held| held.0 == own) {
            let kept = mine
                .promise(*id)
                .is_some_and(|known| known.event == *promise);
            ensure!(
                kept || mine.is_over(*id, promise),
                "I-told: promise `{id}` of `{own}` is neither kept nor told: {promise:?}"
            );
        }
        let mut over = 0;
        for (id, promise) in mine.not_kept() {
            over += 1;
            let owner = promise.promised_to().unwrap_or(own);
            let risky = |origin| self.risks.get(origin).is_some_and(|why| !why.is_empty());
            ensure!(
                risky(&own) || risky(&owner),
                "I-gate: promise `{id}` of `{own}` is not kept though nothing risky happened: {promise:?}"
            );
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
                let hold = decision(referral, *bed);
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
        *self.counts.entry("promises not kept").or_default() += over;
        *self.counts.entry("promises kept").or_default() += mine.standing().count() as u64;
        Ok(())
    }
}

/// Says whether a scarce entry itself stands on the path.
fn on_path(path: &[EntryHeader], event: Id, settled: Id) -> bool {
    (path.iter()).any(|header| header.event_id == event && settled_by(header) == settled)
}
