//! All heals, and what must hold in every run is checked.

use super::{
    Model, Slot,
    event::{Body, Class, Ev, Item, Origin},
    mix::Set,
    node::Node,
    promise::{answer_to, decision},
    rule::Rule,
    world::{Broken, Invariant, Risk, World, need},
};

impl Node {
    /// Holds an owner that may promise against what it has promised.
    pub(super) fn check_own_promises(&self, world: &World) -> Result<(), Broken> {
        let on_hand = self.own_ledger().on_hand;
        for item in Item::ALL {
            let have = if item == Item::Stock { on_hand } else { 1 };
            let free = have - self.promised(world, self.origin, item);
            need(free >= on_hand.min(0), Invariant::Promise, || {
                format!("{:?} promised {} of {item:?} too much", self.origin, -free)
            })?;
        }
        Ok(())
    }
}

impl Model {
    /// All meet a few times, in order.
    fn rounds(&mut self, times: u8, reports: bool) -> Result<(), Broken> {
        for _ in 0..times {
            let running: Vec<Slot> = self.running().collect();
            for slot in &running {
                let (world, node) = self.at(*slot);
                if reports {
                    let report = world.event_of(Class::Regional, Body::Report);
                    node.execute(world, &report)?;
                }
                for other in &running {
                    if self.node(*slot).origin != self.node(*other).origin {
                        self.meet(*slot, *other, usize::MAX, 4);
                    }
                }
                let (world, node) = self.at(*slot);
                node.react(world)?;
            }
        }
        Ok(())
    }

    /// Links are mended, all is shown, copies end, and operators start what was fenced.
    pub(super) fn heal(&mut self) -> Result<(), Broken> {
        self.faults.link_all();
        let origins: Vec<Origin> = self.world.origins().collect();
        for node in self.nodes.iter_mut().flatten() {
            node.withholds = None;
            for origin in &origins {
                let view = &node.views[*origin];
                for event in view.entries.iter().chain(view.orphans.values()) {
                    self.held.insert((*origin, event.id));
                    if node.has(event) {
                        self.told.insert((*origin, event.commit), Ev::clone(event));
                    }
                }
            }
        }
        self.rounds(8, true)?;
        let size = usize::from(self.world.size);
        self.nodes
            .iter_mut()
            .skip(size)
            .for_each(|place| *place = None);
        for _ in 0..6 {
            for slot in origins.iter().copied().map(Slot::of) {
                let (world, node) = self.at(slot);
                if node.run.fenced {
                    node.start(world, true);
                }
            }
            self.rounds(3, false)?;
        }
        for origin in origins {
            self.declare_lost(origin)?;
        }
        self.rounds(4, false)
    }

    /// Every peer was asked, and none has a payload: it is void.
    fn declare_lost(&mut self, origin: Origin) -> Result<(), Broken> {
        let (world, node) = self.at(Slot::of(origin));
        let own = node.own();
        let gone: Vec<_> = (own.entries.iter().chain(own.orphans.values()))
            .filter(|event| !node.has(event))
            .map(|event| (event.id, event.commit))
            .collect();
        if gone.is_empty() || !world.rules.has(Rule::PayloadLost) {
            return Ok(());
        }
        let declared = world.event_of(Class::Regional, Body::PayloadLost(gone));
        if node.execute(world, &declared)? {
            world.risks[origin].insert(Risk::PayloadLost);
        }
        Ok(())
    }

    /// Checks every invariant.
    pub(super) fn check(&self) -> Result<(), Broken> {
        let world = &self.world;
        let [opens, starts, outbid, resumes] =
            ["opens", "starts", "outbid", "resumes"].map(|what| world.counted(what));
        need(
            opens <= starts + outbid + resumes,
            Invariant::Epochs,
            || {
                format!(
                    "{opens} epochs of {starts} starts, outbid {outbid} times, and {resumes} resumed runs"
                )
            },
        )?;
        need(
            world.most_outbid() < world.size.into(),
            Invariant::Epochs,
            || {
                format!(
                    "one run was outbid {} times by {} peers",
                    world.most_outbid(),
                    world.size - 1
                )
            },
        )?;
        for node in self.mains() {
            need(!node.run.fenced, Invariant::Frozen, || {
                format!("{:?} is still fenced", node.origin)
            })?;
        }
        world
            .origins()
            .try_for_each(|origin| self.check_log(origin))
    }

    fn check_log(&self, origin: Origin) -> Result<(), Broken> {
        let owner = self.node(Slot::of(origin));
        let own = owner.own();
        for node in self.mains() {
            let view = &node.views[origin];
            need(view.entries == own.entries, Invariant::Same, || {
                let lengths = (view.entries.len(), own.entries.len());
                format!(
                    "{:?}'s copy of {origin:?}'s log has {} entries, not {}",
                    node.origin, lengths.0, lengths.1
                )
            })?;
        }
        let lost = &own.ledger.lost;
        let mut ids = Set::default();
        for event in own
            .entries
            .iter()
            .filter(|event| !lost.contains_key(&event.commit))
        {
            need(ids.insert(event.id), Invariant::Once, || {
                format!("{:?} stands twice in {origin:?}'s log", event.id)
            })?;
        }
        let void: Set<_> = lost.values().copied().collect();
        for (of, id) in &self.held {
            let is_there = *of != origin || ids.contains(id) || void.contains(id);
            need(is_there, Invariant::Loss, || {
                format!("{id:?} was held and is not in {origin:?}'s log")
            })?;
        }
        let moved = self
            .world
            .moved
            .iter()
            .filter(|(id, (at, _))| *at == origin && own.ledger.have.contains_key(id));
        let on_shelf: i64 = moved.map(|(_, (_, amount))| amount).sum();
        need(own.ledger.on_hand == on_shelf, Invariant::Goods, || {
            format!(
                "{origin:?} has {} by its books, {on_shelf} by what moved",
                own.ledger.on_hand
            )
        })?;
        for node in self.mains() {
            let view = &node.views[origin];
            let lacks = |event: &&Ev| {
                node.is_entitled(event) && !node.has(event) && !lost.contains_key(&event.commit)
            };
            let missing = view.entries.iter().find(lacks);
            need(
                missing.is_none() && !view.ledger.waits,
                Invariant::Payload,
                || format!("{:?} lacks {missing:?} of {origin:?}", node.origin),
            )?;
            if node.is_gateway {
                let all = view.entries.iter().chain(view.orphans.values());
                let secret = all
                    .into_iter()
                    .find(|event| node.has(event) && !node.is_entitled(event));
                need(secret.is_none(), Invariant::Class, || {
                    format!("the gateway has {secret:?}")
                })?;
            } else if origin != self.world.gateway() {
                self.check_promises(node, origin)?;
            }
        }
        Ok(())
    }

    fn check_promises(&self, at: &Node, origin: Origin) -> Result<(), Broken> {
        let world = &self.world;
        let ledger = at.ledger(origin);
        for item in Item::ALL {
            let have = if item == Item::Stock {
                ledger.on_hand.max(0)
            } else {
                1
            };
            let promised = at.promised(world, origin, item);
            need(promised <= have, Invariant::Promise, || {
                format!(
                    "{origin:?} promised {promised} of {item:?} and has {have}, by {:?}",
                    at.origin
                )
            })?;
        }
        for ((of, commit), event) in &self.told {
            let is_told = *of != origin
                || !event.body.is_promise()
                || ledger.lost.contains_key(commit)
                || ledger.keeps(event)
                || ledger.broke(event);
            need(is_told, Invariant::Told, || {
                format!("{origin:?} neither keeps nor breaks {event:?}")
            })?;
        }
        for promise in ledger.kept.values() {
            self.check_promise(at, origin, promise)?;
        }
        for ask in ledger.asks.values() {
            let Body::Referral { asked } = ask.body else {
                continue;
            };
            let selections = at.selections(origin, ask.id).len();
            need(selections <= 1, Invariant::Select, || {
                format!("{ask:?} has {selections} selections")
            })?;
            let has_bed = |(hospital, bed): &&(Origin, Item)| {
                let (theirs, hold) = (at.ledger(*hospital), decision(ask.id, *hospital, *bed));
                let confirms = world.rules.has(Rule::ReferralConfirm);
                theirs.is_live(hold) && (theirs.is_confirmed(hold) || !confirms)
            };
            let beds = asked.iter().filter(has_bed).count();
            need(beds <= 1, Invariant::Referral, || {
                format!("{ask:?} has {beds} beds")
            })?;
        }
        Ok(())
    }

    fn check_promise(&self, at: &Node, origin: Origin, promise: &Ev) -> Result<(), Broken> {
        let broke = at.ledger(origin).broke(promise);
        match promise.body {
            Body::Escrow { holder, amount } => {
                let drawn = at.ledger(holder).drawn(promise.id);
                let back = at.back(&self.world, origin, holder, promise.id);
                let given = if broke { 0 } else { amount - back };
                need(drawn <= given, Invariant::Escrow, || {
                    format!("{drawn} drawn of {given} by {promise:?}")
                })
            }
            Body::Selected { hospital, .. } if !broke => {
                let is_answered = at
                    .ledger(hospital)
                    .have
                    .contains_key(&answer_to(promise.id));
                need(is_answered, Invariant::Answer, || {
                    format!("{promise:?} has no answer")
                })
            }
            _ => Ok(()),
        }
    }
}
