//! Four thousand seeds, what each rule is for, and the sequences that chance is too slow to find.

use super::{
    Broken, Invariant, Model, Outcome, Risk, Rule, Rules, Slot,
    event::{Body, Class, Ev, Id, Item, Origin},
    faults::Faults,
    log::Disk,
    run,
    world::World,
};

/// The reasons that need no risky fault: of something, no copy was left.
const NO_COPY: [Risk; 3] = [Risk::PayloadLost, Risk::LastCopy, Risk::CameBack];

/// Ten thousand seeds and more are for `cargo xtask soak --storm model`.
fn holds(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let outcome = run(seed, Rules::ALL);
        assert!(outcome.broken.is_none(), "{outcome}");
        let is_calm = seed % 2 == 1;
        let broke = outcome.broke;
        assert!(
            !is_calm || broke.iter().all(|risk| NO_COPY.contains(risk)),
            "seed {seed}: a promise was broken in a calm run, for {broke:?}"
        );
    }
}

#[test]
fn every_invariant_holds_in_the_first_quarter_of_4_000_seeds() {
    holds(0..1_000);
}

#[test]
fn every_invariant_holds_in_the_second_quarter_of_4_000_seeds() {
    holds(1_000..2_000);
}

#[test]
fn every_invariant_holds_in_the_third_quarter_of_4_000_seeds() {
    holds(2_000..3_000);
}

#[test]
fn every_invariant_holds_in_the_last_quarter_of_4_000_seeds() {
    holds(3_000..4_000);
}

#[test]
fn the_same_seed_is_the_same_run_and_another_seed_another() {
    let digests: Vec<u64> = (0..40).map(|seed| run(seed, Rules::ALL).digest).collect();
    let again: Vec<Outcome> = (0..40).map(|seed| run(seed, Rules::ALL)).collect();
    assert_eq!(
        digests,
        again
            .iter()
            .map(|outcome| outcome.digest)
            .collect::<Vec<_>>()
    );
    assert_eq!(
        again,
        (0..40)
            .map(|seed| run(seed, Rules::ALL))
            .collect::<Vec<_>>()
    );
    let different: std::collections::BTreeSet<u64> = digests.into_iter().collect();
    assert_eq!(different.len(), 40);
}

#[test]
fn a_broken_run_is_told_with_the_command_that_replays_it() {
    let told = run(2, Rules::without(Rule::Gate));
    let outcome = Outcome {
        broken: Some(Broken {
            invariant: Invariant::Loss,
            found: "a".into(),
        }),
        ..told
    };
    assert_eq!(
        outcome.to_string(),
        "seed 2: Loss is broken: a; replay it with `cargo xtask soak --storm model --start 2 --seeds 1 --without gate`"
    );
}

// === sequences ===

const OWNER: Slot = Slot(0);
const A: Slot = Slot(1);
const B: Slot = Slot(2);
const GATEWAY: Slot = Slot(3);

/// A federation of three provinces and the gateway, to which happens what a test says.
struct Script(Model);

impl Script {
    fn new(rules: Rules) -> Self {
        let mut world = World::new(1, 4, rules);
        let faults = Faults::draw(&mut world.random, 4, false);
        Self(Model::of(world, faults))
    }

    fn meet(&mut self, pairs: &[(Slot, Slot)]) {
        for (a, b) in pairs {
            self.0.meet(*a, *b, usize::MAX, 4);
        }
    }

    /// The first asks the others what they know of its log, and the sessions are cut then.
    fn asks(&mut self, slot: Slot, others: &[Slot]) {
        for other in others {
            self.0.meet(slot, *other, usize::MAX, 2);
        }
    }

    /// Gives a command, and returns its event's id when it is done.
    fn does(&mut self, slot: Slot, body: Body) -> Result<Option<Id>, Broken> {
        let (world, node) = self.0.at(slot);
        let event: Ev = world.event_of(Class::Regional, body);
        Ok(node.execute(world, &event)?.then_some(event.id))
    }

    /// The owner promises its only team.
    fn grants_team(&mut self, to: u8) -> Result<bool, Broken> {
        let (item, to) = (Item::Team, Origin(to));
        let grant = Body::Granted {
            item,
            to,
            amount: 1,
            referral: None,
        };
        Ok(self.does(OWNER, grant)?.is_some())
    }

    fn reacts(&mut self, slot: Slot) -> Result<(), Broken> {
        let (world, node) = self.0.at(slot);
        node.react(world)
    }

    /// The disk is replaced by an empty one.
    fn blanks(&mut self, slot: Slot) {
        let (world, node) = self.0.at(slot);
        node.load(Disk::empty(4), world);
        node.start(world, false);
    }

    /// A copy of the machine runs beside it.
    fn clones(&mut self, slot: Slot) -> Slot {
        let clone = slot.clone_of(&self.0.world);
        let mut copy = self.0.node(slot).clone();
        copy.copy = self.0.world.next_copy();
        self.0.nodes[clone.0] = Some(copy);
        clone
    }

    fn is_proven(&mut self, slot: Slot) -> bool {
        !self.0.at(slot).1.disk.unproven
    }

    fn heals(&mut self) -> Result<(), Broken> {
        self.0.heal()?;
        self.0.check()
    }

    fn teams_promised_to(&mut self) -> Vec<Origin> {
        let (_, node) = self.0.at(OWNER);
        let ledger = node.own_ledger();
        let to = ledger.standing().filter_map(|promise| match promise.body {
            Body::Granted {
                item: Item::Team,
                to,
                ..
            } if ledger.is_live(promise.id) => Some(to),
            _ => None,
        });
        to.collect()
    }
}

/// The owner promised its team to A, which B alone knows, lost its disk, and opened a new epoch after it had asked A.
fn lost_promise(rules: Rules) -> Result<Script, Broken> {
    let mut script = Script::new(rules);
    script.does(OWNER, Body::Report)?;
    script.meet(&[(OWNER, A), (OWNER, GATEWAY)]);
    assert!(script.grants_team(1)?);
    script.meet(&[(OWNER, B)]);
    script.blanks(OWNER);
    script.meet(&[(OWNER, A)]);
    script.does(OWNER, Body::Report)?;
    Ok(script)
}

/// The promise moves from B, who was not yet asked, to A, who was; and B loses it.
fn promise_that_moved(rules: Rules) -> Result<Script, Broken> {
    let mut script = lost_promise(rules)?;
    script.meet(&[(OWNER, GATEWAY), (A, B)]);
    script.blanks(B);
    script.meet(&[(OWNER, B)]);
    script.grants_team(2)?;
    for _ in 0..2 {
        script.meet(&[(OWNER, A), (OWNER, GATEWAY), (OWNER, B)]);
    }
    assert!(script.is_proven(OWNER));
    script.grants_team(2)?;
    script.reacts(OWNER)?;
    script.heals()?;
    Ok(script)
}

/// The start is proven, the promise is an orphan that is known and not decided again, and a person asks for the team.
fn promise_not_decided_again(rules: Rules) -> Result<Script, Broken> {
    let mut script = lost_promise(rules)?;
    for _ in 0..3 {
        script.meet(&[(OWNER, B), (OWNER, GATEWAY), (OWNER, A)]);
    }
    assert!(script.is_proven(OWNER));
    script.grants_team(2)?;
    script.reacts(OWNER)?;
    script.heals()?;
    Ok(script)
}

#[test]
fn a_promise_that_moved_among_the_peers_while_they_were_asked_is_kept() {
    let mut script = promise_that_moved(Rules::ALL).unwrap();
    assert_eq!(script.teams_promised_to(), [Origin(1)]);
}

#[test]
fn a_promise_that_is_not_decided_again_keeps_a_new_one_waiting() {
    let mut script = promise_not_decided_again(Rules::ALL).unwrap();
    assert_eq!(script.teams_promised_to(), [Origin(1)]);
}

/// The owner drew from A's escrow, which B alone knows, lost its disk, and was proven before A's log was here again.
fn draw_without_its_escrow(rules: Rules) -> Result<Script, Broken> {
    let mut script = Script::new(rules);
    script.does(OWNER, Body::Report)?;
    script.meet(&[(OWNER, A), (OWNER, GATEWAY)]);
    script.does(A, Body::Received { amount: 5 })?;
    let escrow = script
        .does(
            A,
            Body::Escrow {
                holder: Origin(0),
                amount: 3,
            },
        )?
        .unwrap();
    script.meet(&[(OWNER, A)]);
    let owner = Origin(1);
    assert!(
        script
            .does(
                OWNER,
                Body::Draw {
                    owner,
                    escrow,
                    amount: 2
                }
            )?
            .is_some()
    );
    script.meet(&[(OWNER, B)]);
    script.blanks(OWNER);
    script.asks(OWNER, &[A]);
    script.does(OWNER, Body::Report)?;
    for _ in 0..3 {
        script.asks(OWNER, &[B, GATEWAY, A]);
    }
    assert!(script.is_proven(OWNER));
    script.reacts(OWNER)?;
    script.heals()?;
    assert_eq!(script.0.at(OWNER).1.own_ledger().drawn(escrow), 2);
    Ok(script)
}

#[test]
fn a_draw_is_decided_again_once_its_escrow_is_known_again() {
    assert!(draw_without_its_escrow(Rules::ALL).is_ok());
}

/// The owner and its clone run, neither proven, and each writes whenever it has met B.
fn clones_that_outbid_each_other(rules: Rules) -> Result<Script, Broken> {
    let mut script = Script::new(rules);
    script.does(OWNER, Body::Report)?;
    script.meet(&[(OWNER, B)]);
    script.blanks(OWNER);
    let clone = script.clones(OWNER);
    for _ in 0..10 {
        for copy in [OWNER, clone] {
            script.meet(&[(copy, B)]);
            script.does(copy, Body::Report)?;
        }
    }
    script.heals()?;
    Ok(script)
}

#[test]
fn two_live_clones_do_not_outbid_each_other_for_ever() {
    let broken = clones_that_outbid_each_other(Rules::ALL).err();
    assert_eq!(broken, None);
}

// === what each rule is for ===

fn breaks(broken: Option<Broken>, invariant: Invariant) {
    assert_eq!(broken.map(|broken| broken.invariant), Some(invariant));
}

/// The seeds that break an invariant when a rule is taken away, and not with all of them.
macro_rules! without {
    ($($name:ident: $rule:ident, $seed:literal => $invariant:ident;)*) => {$(
        #[test]
        fn $name() {
            assert_eq!(run($seed, Rules::ALL).broken, None);
            breaks(run($seed, Rules::without(Rule::$rule)).broken, Invariant::$invariant);
        }
    )*};
}

without! {
    without_own_log_first_logs_differ: OwnLogFirst, 0 => Same;
    without_nonce_logs_differ: Nonce, 11 => Same;
    without_reissue_entries_are_lost: Reissue, 0 => Loss;
    without_gate_promises_are_broken: Gate, 11 => Gate;
    without_recovered_promises_too_much_is_promised: RecoveredPromises, 2 => Promise;
    without_fence_runs_outbid_each_other: Fence, 0 => Epochs;
    without_escrow_return_draws_are_broken: EscrowReturn, 3 => Gate;
    without_backfill_payloads_are_missing: Backfill, 0 => Payload;
    without_referral_confirm_a_referral_has_two_beds: ReferralConfirm, 0 => Referral;
    without_first_entry_logs_differ: FirstEntry, 15 => Same;
    without_sticky_mark_promises_are_broken: StickyMark, 326 => Gate;
    without_compare_mark_promises_are_broken: CompareMark, 35 => Gate;
    without_orphans_first_promises_are_broken: OrphansFirst, 2307 => Gate;
    without_give_ups_promises_are_broken: GiveUps, 1207 => Gate;
    without_wait_payload_promises_are_broken: WaitPayload, 523 => Gate;
    without_repair_too_much_is_promised: Repair, 117 => Promise;
    without_compare_body_nobody_is_told: CompareBody, 306 => Told;
    without_payload_lost_payloads_are_missing: PayloadLost, 0 => Payload;
    without_wait_others_promises_are_broken: WaitOthers, 4449 => Gate;
    without_own_ack_promises_are_broken: OwnAck, 237 => Gate;
}

#[test]
fn without_orphans_first_a_promise_not_decided_again_is_broken() {
    let broken = promise_not_decided_again(Rules::without(Rule::OrphansFirst)).err();
    breaks(broken, Invariant::Gate);
}

#[test]
fn without_wait_others_a_draw_is_broken() {
    let broken = draw_without_its_escrow(Rules::without(Rule::WaitOthers)).err();
    breaks(broken, Invariant::Gate);
}

#[test]
fn without_second_round_a_promise_that_moved_is_broken() {
    let broken = promise_that_moved(Rules::without(Rule::SecondRound)).err();
    breaks(broken, Invariant::Gate);
}
