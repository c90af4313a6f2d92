//! Promises: what is free, what may be decided now, and how orphaned promises are decided again.

use super::{
    event::{Body, Class, Ev, Event, Id, Item, Origin},
    ledger::Ledger,
    log::View,
    node::Node,
    rule::Rule,
    world::{Broken, World},
};

impl Node {
    pub(super) fn ledger(&self, origin: Origin) -> &Ledger {
        &self.views[origin].ledger
    }

    pub(super) fn own_ledger(&self) -> &Ledger {
        &self.own().ledger
    }

    /// Says whether scarce commands may run by what is known of the own log.
    pub(super) fn is_sure(&mut self, world: &mut World) -> bool {
        self.compare_mark(world);
        self.settle(world);
        !self.run.fenced
            && (!self.disk.unproven || self.run.risk_accepted || !world.rules.has(Rule::Gate))
    }

    /// Says whether scarce commands may run now: orphans are decided first, and nothing is missing.
    pub(super) fn may_promise(&mut self, world: &mut World) -> bool {
        self.is_sure(world)
            && !self.own_ledger().waits
            && (!world.rules.has(Rule::OrphansFirst)
                || self
                    .own()
                    .orphans
                    .values()
                    .all(|event| self.is_settled(world, event)))
    }

    // === what is free ===

    /// Returns how much of an escrow is back in its owner's hands.
    pub(super) fn back(&self, world: &World, owner: Origin, holder: Origin, escrow: Id) -> i64 {
        if world.rules.has(Rule::OwnAck) {
            self.ledger(owner).taken_back(escrow)
        } else {
            self.ledger(holder).given_up(escrow)
        }
    }

    /// Returns how much of an item its owner has promised.
    pub(super) fn promised(&self, world: &World, owner: Origin, of: Item) -> i64 {
        let ledger = self.ledger(owner);
        let promised = ledger.standing().map(|promise| match promise.body {
            Body::Granted { item, amount, .. } if item == of && ledger.is_live(promise.id) => {
                amount
            }
            Body::Escrow { holder, amount } if of == Item::Stock && ledger.is_live(promise.id) => {
                (amount - self.back(world, owner, holder, promise.id)).max(0)
            }
            _ => 0,
        });
        promised.sum()
    }

    fn free(&self, world: &World, item: Item) -> i64 {
        let have = match item {
            Item::Stock => self.own_ledger().on_hand,
            Item::Team | Item::Bed(_) => 1,
        };
        have - self.promised(world, self.origin, item)
    }

    /// Returns what a holder may still draw from an escrow.
    pub(super) fn balance(&self, holder: Origin, owner: Origin, escrow: Id) -> i64 {
        let (owner, holder) = (self.ledger(owner), self.ledger(holder));
        let given = match owner.kept.get(&escrow).map(|promise| &promise.body) {
            Some(Body::Escrow { amount, .. }) if owner.is_live(escrow) => *amount,
            _ => 0,
        };
        given - holder.drawn(escrow) - holder.given_up(escrow).max(owner.taken_back(escrow))
    }

    /// Returns the requester's selections for a referral that were not answered with a no, oldest first.
    pub(super) fn selections(&self, requester: Origin, referral: Id) -> Vec<Ev> {
        let open = |selection: &&Ev| {
            let Body::Selected { hospital, .. } = selection.body else {
                return false;
            };
            let answer = self.ledger(hospital).have.get(&answer_to(selection.id));
            answer.is_none_or(|answer| {
                matches!(answer.body, Body::Confirmed(_) | Body::Reinstated(_))
            })
        };
        self.ledger(requester)
            .selections(referral)
            .filter(open)
            .cloned()
            .collect()
    }

    /// Says whether this may be decided as things stand; `again` for an orphan.
    fn fits(&self, world: &World, event: &Event, again: bool) -> bool {
        let ledger = self.own_ledger();
        match event.body {
            Body::Granted { item, amount, .. } => {
                again && ledger.is_done(event.id) || self.free(world, item) >= amount
            }
            Body::Escrow { amount, .. } => {
                self.free(world, Item::Stock) >= amount - ledger.taken_back(event.id)
            }
            Body::Issued { amount } => self.free(world, Item::Stock) >= amount,
            Body::Shipped { grant, .. } => ledger.is_live(grant),
            Body::Confirmed(answer) => ledger.is_live(answer.hold),
            Body::Expired { grant } => ledger.is_live(grant) && !ledger.is_confirmed(grant),
            Body::Draw {
                owner,
                escrow,
                amount,
            } => {
                let is_over =
                    self.disk.expired.contains(&escrow) || ledger.returned.contains_key(&escrow);
                self.balance(self.origin, owner, escrow) >= amount && (again || !is_over)
            }
            Body::Returned {
                owner,
                escrow,
                amount,
            } => {
                !ledger.returned.contains_key(&escrow)
                    && self.balance(self.origin, owner, escrow) == amount
            }
            Body::Selected {
                referral,
                hospital,
                hold,
            } => {
                self.selections(self.origin, referral).is_empty()
                    && (again || self.ledger(hospital).is_live(hold))
            }
            _ => true,
        }
    }

    // === orphans ===

    /// Says whether an orphan needs nothing more.
    fn is_settled(&self, world: &World, orphan: &Ev) -> bool {
        let ledger = self.own_ledger();
        let is_lost = ledger.lost.contains_key(&orphan.commit);
        if is_lost || !self.has(orphan) {
            return is_lost;
        }
        let promise = orphan.subject();
        if promise.body.is_promise() && world.rules.has(Rule::CompareBody) {
            return ledger.keeps(promise) || ledger.broke(promise);
        }
        self.own().ids.contains(&orphan.id)
    }

    /// Says whether it cannot be known yet whether an escrow's owner keeps it: it is not here, or is an orphan.
    fn is_undecided(&self, world: &World, owner: Origin, escrow: Id) -> bool {
        let ledger = self.ledger(owner);
        let is_known =
            ledger.kept.contains_key(&escrow) || ledger.over.values().any(|id| *id == escrow);
        ledger.waits
            || !is_known && (!self.has_caught(world, owner) || self.is_orphan(owner, escrow))
    }

    /// Says whether an origin gave all of its log in this run.
    fn has_caught(&self, world: &World, origin: Origin) -> bool {
        self.run.caught.contains(&origin) || !world.rules.has(Rule::WaitOthers)
    }

    /// Says whether an event of this id was left out, and not recorded again.
    fn is_orphan(&self, origin: Origin, id: Id) -> bool {
        let View {
            orphans,
            ledger,
            ids,
            ..
        } = &self.views[origin];
        let is_it = |orphan: &Ev| orphan.id == id && !ledger.lost.contains_key(&orphan.commit);
        !ids.contains(&id) && orphans.values().any(is_it)
    }

    /// Says whether a promise depends on what another log does not say yet, or has left out and not decided again.
    fn waits_for_others(&self, world: &World, promise: &Ev) -> bool {
        match promise.body {
            Body::Draw { owner, escrow, .. } => self.is_undecided(world, owner, escrow),
            Body::Selected { referral, .. } => {
                self.own_ledger().selections(referral).any(|selection| {
                    let Body::Selected { hospital, .. } = selection.body else {
                        return false;
                    };
                    !self.has_caught(world, hospital)
                        || self.is_orphan(hospital, answer_to(selection.id))
                })
            }
            _ => false,
        }
    }

    /// Records orphans again: facts as they were; then, in a proven start with every payload here, promises by a new
    /// decision; then what came late is repaired.
    pub(super) fn reissue(&mut self, world: &mut World) -> Result<(), Broken> {
        let is_sure = self.is_sure(world);
        if self.run.fenced
            || !world.rules.has(Rule::Reissue)
            || !(is_sure || self.run.epoch.is_some())
        {
            return Ok(());
        }
        let orphans: Vec<Ev> = self
            .own()
            .orphans
            .values()
            .filter(|event| self.has(event))
            .cloned()
            .collect();
        for event in &orphans {
            let body = &event.body;
            let is_fact = !body.is_promise() && !body.is_refusal() && !body.is_outcome();
            if is_fact && !self.is_settled(world, event) {
                self.write(world, event)?;
            }
        }
        let lost = &self.own_ledger().lost;
        let is_missing = |event: &Ev| !self.has(event) && !lost.contains_key(&event.commit);
        let waits =
            world.rules.has(Rule::WaitPayload) && self.own().orphans.values().any(is_missing);
        if waits || !is_sure || self.own_ledger().waits {
            return Ok(());
        }
        for event in &orphans {
            let promise = event.subject();
            if !promise.body.is_promise()
                || self.is_settled(world, event)
                || self.waits_for_others(world, promise)
            {
                continue;
            }
            // The same id with another body: the command was decided twice.
            let is_taken = self.own().ids.contains(&promise.id);
            let decided = if !world.rules.has(Rule::RecoveredPromises) {
                Ev::clone(promise)
            } else if !is_taken && self.fits(world, promise, true) {
                Event::new(
                    promise.id,
                    promise.class,
                    Body::Reinstated(Ev::clone(promise)),
                )
            } else {
                over_committed(promise, is_taken)
            };
            self.write(world, &decided)?;
        }
        for event in &orphans {
            if event.body.is_refusal() && !self.is_settled(world, event) {
                self.write(world, event)?;
            }
        }
        if world.rules.has(Rule::Repair) && world.rules.has(Rule::RecoveredPromises) {
            self.repair(world)?;
        }
        Ok(())
    }

    /// Says which of the youngest promises are not kept, where facts that came late left less than was promised.
    fn repair(&mut self, world: &mut World) -> Result<(), Broken> {
        let standing: Vec<Ev> = self.own_ledger().standing().rev().cloned().collect();
        for promise in standing {
            let is_short =
                |item| self.own_ledger().is_live(promise.id) && self.free(world, item) < 0;
            let breaks = match promise.body {
                Body::Granted { item, .. } => is_short(item),
                Body::Escrow { .. } => is_short(Item::Stock),
                Body::Draw { owner, escrow, .. } => {
                    !self.is_undecided(world, owner, escrow)
                        && self.balance(self.origin, owner, escrow) < 0
                }
                Body::Selected { referral, .. } if !self.waits_for_others(world, &promise) => self
                    .selections(self.origin, referral)
                    .iter()
                    .skip(1)
                    .any(|later| *later == promise),
                _ => false,
            };
            if breaks {
                self.write(world, &over_committed(&promise, true))?;
            }
        }
        Ok(())
    }

    // === commands ===

    /// Says whether a command of this id was decided, here or on a branch that was left out.
    pub(super) fn was_decided(&self, id: Id) -> bool {
        let own = self.own();
        let lost = &own.ledger.lost;
        own.ids.contains(&id)
            || own
                .orphans
                .values()
                .any(|orphan| orphan.id == id && !lost.contains_key(&orphan.commit))
    }

    /// Runs a command, given as the event that it would write, and says whether it is done, now or before.
    pub(super) fn execute(&mut self, world: &mut World, event: &Ev) -> Result<bool, Broken> {
        if self.was_decided(event.id) {
            return Ok(true);
        }
        let body = &event.body;
        let is_gated = body.is_scarce() && (!body.gives_up() || world.rules.has(Rule::GiveUps));
        if is_gated && !self.may_promise(world)
            || body.is_scarce() && !self.fits(world, event, false)
            || self.run.fenced
            || !world.move_goods(self.origin, event)
        {
            return Ok(false);
        }
        self.write(world, event)
    }

    /// Runs the automatic commands: those that answer what others' logs say.
    pub(super) fn react(&mut self, world: &mut World) -> Result<(), Broken> {
        if self.is_gateway {
            return self.reissue(world);
        }
        let others: Vec<Origin> = world
            .provinces()
            .filter(|other| *other != self.origin)
            .collect();
        for event in self.arrivals(&others) {
            self.execute(world, &event)?;
        }
        // After the facts, before any new promise.
        self.reissue(world)?;
        if !self.may_promise(world) {
            return Ok(());
        }
        for (yes, no) in self.questions(&others) {
            if !self.execute(world, &yes)? {
                self.execute(world, &no)?;
            }
        }
        if !world.rules.has(Rule::EscrowReturn) {
            self.take_escrows_by_the_clock(world)?;
        }
        for event in self.needless_holds() {
            self.execute(world, &event)?;
        }
        if self.may_promise(world) {
            self.check_own_promises(world)?;
        }
        Ok(())
    }

    /// Returns what came back or came in, by others' logs.
    fn arrivals(&self, others: &[Origin]) -> Vec<Ev> {
        let mut events = Vec::new();
        let mut came = |cause: &Ev, what, body| {
            let id = cause.id.then(what, ());
            if !self.was_decided(id) {
                events.push(Event::new(id, cause.class, body));
            }
        };
        for other in others {
            let ledger = self.ledger(*other);
            for event in ledger.returned.values() {
                if let Body::Returned {
                    owner,
                    escrow,
                    amount,
                } = event.body
                    && owner == self.origin
                {
                    came(event, "back", Body::Back { escrow, amount });
                }
            }
            for event in ledger.shipped.values() {
                if let Body::Shipped { to, amount, .. } = event.body
                    && to == self.origin
                {
                    came(
                        event,
                        "arrived",
                        Body::Arrived {
                            shipment: event.id,
                            amount,
                        },
                    );
                }
            }
        }
        events
    }

    /// Returns what others ask and was not answered, each with the yes and the no.
    fn questions(&self, others: &[Origin]) -> Vec<(Ev, Ev)> {
        let mut found = Vec::new();
        let mut put = |id: Id, class: Class, yes: Body, no: Body| {
            if !self.was_decided(id) {
                found.push((Event::new(id, class, yes), Event::new(id, class, no)));
            }
        };
        for other in others {
            let ledger = self.ledger(*other);
            for ask in ledger.asks.values() {
                let mut grant = |owner: Origin, item, amount, referral| {
                    let yes = Body::Granted {
                        item,
                        to: *other,
                        amount,
                        referral,
                    };
                    if owner == self.origin {
                        put(
                            decision(ask.id, owner, item),
                            ask.class,
                            yes,
                            Body::Refused { request: ask.id },
                        );
                    }
                };
                match ask.body {
                    Body::Request {
                        owner,
                        item,
                        amount,
                    } => grant(owner, item, amount, None),
                    Body::Referral { asked } => {
                        for (hospital, bed) in asked {
                            grant(hospital, bed, 1, Some(ask.id));
                        }
                    }
                    _ => {}
                }
            }
            for selection in ledger.standing() {
                if let Body::Selected {
                    referral,
                    hospital,
                    hold,
                } = selection.body
                    && hospital == self.origin
                {
                    let answer = super::event::Answer {
                        hold,
                        referral,
                        requester: *other,
                        selection: selection.id,
                    };
                    put(
                        answer_to(selection.id),
                        selection.class,
                        Body::Confirmed(answer),
                        Body::Lapsed(answer),
                    );
                }
            }
        }
        found
    }

    /// Returns the releases of holds that were confirmed and are selected no more.
    fn needless_holds(&self) -> Vec<Ev> {
        let mine = self.own_ledger();
        let freed = mine.standing().filter_map(|promise| {
            let Body::Confirmed(answer) = promise.body else {
                return None;
            };
            let theirs = self.ledger(answer.requester);
            let still = theirs.kept.get(&answer.selection).is_some_and(|selection| {
                matches!(selection.body, Body::Selected { hold, .. } if hold == answer.hold)
                    && !theirs.broke(selection)
            });
            let is_known = !theirs.waits && theirs.have.contains_key(&answer.selection);
            let body = Body::Freed { grant: answer.hold };
            (is_known && mine.is_live(answer.hold) && !still)
                .then(|| Event::new(answer.hold.then("freed", ()), promise.class, body))
        });
        freed.collect()
    }

    /// What no owner may do: it takes back what was not drawn, as far as it knows.
    fn take_escrows_by_the_clock(&mut self, world: &mut World) -> Result<(), Broken> {
        let standing: Vec<Ev> = self.own_ledger().standing().cloned().collect();
        for promise in standing {
            if let Body::Escrow { holder, amount } = promise.body
                && world.random.f64() < 0.1
            {
                let amount = amount - self.ledger(holder).drawn(promise.id);
                let body = Body::Back {
                    escrow: promise.id,
                    amount,
                };
                self.execute(
                    world,
                    &Event::new(promise.id.then("clock", ()), promise.class, body),
                )?;
            }
        }
        Ok(())
    }
}

/// Returns the id of a request's or referral's decision.
pub(super) fn decision(ask: Id, owner: Origin, item: Item) -> Id {
    ask.then("decided", (owner, item))
}

/// Returns the id of the answer to a selection.
pub(super) fn answer_to(selection: Id) -> Id {
    selection.then("answered", ())
}

/// Returns the event that says that a promise is not kept: under the promise's own id, unless that is taken.
fn over_committed(promise: &Ev, is_taken: bool) -> Ev {
    let id = if is_taken {
        promise.id.then("over-committed", ())
    } else {
        promise.id
    };
    Event::new(id, promise.class, Body::OverCommitted(Ev::clone(promise)))
}
