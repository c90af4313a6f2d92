//! Whatever two nodes do, and in whatever order: once each has the other's log, they agree.

use std::{collections::BTreeMap, path::PathBuf};

use posko_domain::context::stream_of;
use posko_proto::incident::v1::FigureSource;
use proptest::prelude::*;

use super::{
    Accepted, Answer, ApplyError, Id, IncidentCommand, MAX_GROUP_ENTRIES, Store, TempDir, accept,
    apply, command_id, digests_of, execute, mpsc, next_group, node, open, replicate, report,
    request,
};

const NAMES: [&str; 2] = ["31", "32"];
const REGIONS: [&str; 2] = ["31.71", "32.16"];

#[derive(Clone, Debug)]
enum Step {
    /// So many commands at once, of which every third is given twice.
    Command { side: usize, commands: u32 },
    /// Some groups of the other's log, in pages of so many entries; each second one is applied twice.
    Pull {
        side: usize,
        entries: usize,
        groups: usize,
    },
    /// The process ends and starts again.
    Restart { side: usize },
    /// The views are built anew, while the steps that follow go on.
    Rebuild { side: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = 0..2_usize;
    let step = prop_oneof![
        5 => (side.clone(), 1..8_u32).prop_map(|(side, commands)| Step::Command { side, commands }),
        1 => (side.clone(), 100..300_u32).prop_map(|(side, commands)| Step::Command { side, commands }),
        5 => (side.clone(), 1..40_usize, 1..4_usize)
            .prop_map(|(side, entries, groups)| Step::Pull { side, entries, groups }),
        1 => side.clone().prop_map(|side| Step::Pull { side, entries: 1024, groups: 9 }),
        2 => side.clone().prop_map(|side| Step::Restart { side }),
        1 => side.prop_map(|side| Step::Rebuild { side }),
    ];
    prop::collection::vec(step, 1..20)
}

struct World {
    dir: TempDir,
    stores: [Option<Store>; 2],
    runs: [u8; 2],
    given: u32,
    /// What each node answered to each command.
    answers: [BTreeMap<u32, Answer>; 2],
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            dir: TempDir::new().unwrap(),
            stores: [None, None],
            runs: [0; 2],
            given: 0,
            answers: [BTreeMap::new(), BTreeMap::new()],
        };
        for side in 0..2 {
            world.restart(side);
            accept(world.store(side), NAMES[1 - side]);
        }
        world
    }

    fn store(&self, side: usize) -> &Store {
        self.stores[side].as_ref().unwrap()
    }

    fn file(&self, side: usize) -> PathBuf {
        self.dir.path().join(format!("{}.db", NAMES[side]))
    }

    fn restart(&mut self, side: usize) {
        drop(self.stores[side].take());
        self.runs[side] += 1;
        self.stores[side] = Some(open(self.dir.path(), NAMES[side], self.runs[side]));
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Command { side, commands } => self.command(side, commands),
            Step::Pull {
                side,
                entries,
                groups,
            } => self.pull(side, entries, groups),
            Step::Restart { side } => self.restart(side),
            Step::Rebuild { side } => {
                // Its end is not awaited: a restart breaks it off, a second one is refused.
                self.store(side).rebuild_views(Box::new(|_| {}));
            }
        }
    }

    /// Reports incidents, and verifies and notes on those reported before.
    fn command(&mut self, side: usize, commands: u32) {
        let (answer, answered) = mpsc::channel();
        let first = self.given + 1;
        self.given += commands;
        let mut expected = 0;
        for number in first..=self.given {
            for _ in 0..=usize::from(number % 3 == 0) {
                let answer = answer.clone();
                let command = command(side, number);
                self.store(side).execute(command, move |outcome| {
                    answer.send((number, outcome)).unwrap();
                });
                expected += 1;
            }
        }
        for (number, outcome) in answered.iter().take(expected) {
            let before = self.answers[side].insert(number, outcome.clone());
            assert!(
                before.is_none_or(|before| before == outcome),
                "command {number}"
            );
        }
    }

    fn pull(&mut self, side: usize, entries: usize, groups: usize) {
        let (from, to) = (self.store(1 - side), self.store(side));
        let mut chain = to.chain(node(NAMES[1 - side])).unwrap();
        for turn in 0..groups {
            let Some(group) = next_group(from, &mut chain, entries) else {
                return;
            };
            apply(to, group.clone()).unwrap();
            if turn % 2 == 1 {
                let again = apply(to, group);
                assert!(matches!(again, Err(ApplyError::Moved { .. })), "{again:?}");
            }
        }
    }

    /// Catches both up, and checks that they agree.
    fn check(&mut self) {
        for side in 0..2 {
            replicate(
                self.store(1 - side),
                self.store(side),
                NAMES[1 - side],
                1024,
            );
        }
        for (owner, name) in NAMES.into_iter().enumerate() {
            let expected = digests_of(self.store(owner), name);
            assert_eq!(
                digests_of(self.store(1 - owner), name),
                expected,
                "the views of {name}"
            );
            for side in 0..2 {
                self.store(side)
                    .verify_log(node(name), &mut |_| {})
                    .unwrap();
                self.check_entries(side, owner);
            }
        }
        let before = [0, 1].map(|side| NAMES.map(|name| digests_of(self.store(side), name)));
        for (side, before) in before.into_iter().enumerate() {
            // Views of an older program are built anew from the logs alone.
            drop(self.stores[side].take());
            let file = rusqlite::Connection::open(self.file(side)).unwrap();
            file.execute("UPDATE view_version SET version = 0", [])
                .unwrap();
            drop(file);
            self.restart(side);
            let after = NAMES.map(|name| digests_of(self.store(side), name));
            assert_eq!(
                after, before,
                "the views of {} from the logs alone",
                NAMES[side]
            );
        }
        for side in 0..2 {
            for (number, answer) in &self.answers[side] {
                let again = execute(self.store(side), command(side, *number));
                assert_eq!(&again, answer, "command {number} once more");
            }
        }
    }

    /// Checks that a node holds each accepted command's events once, in order, and nothing else.
    fn check_entries(&self, side: usize, owner: usize) {
        let mut accepted: Vec<&Accepted> = self.answers[owner]
            .values()
            .filter_map(|answer| answer.as_ref().ok())
            .collect();
        accepted.sort_by_key(|accepted| (accepted.position.epoch, accepted.position.seq));
        let expected: Vec<Id> = accepted
            .iter()
            .flat_map(|accepted| accepted.event_ids.clone())
            .collect();
        assert_eq!(event_ids(self.store(side), NAMES[owner]), expected);
    }
}

fn command(side: usize, number: u32) -> super::Request {
    let earlier = stream_of(command_id(number.saturating_sub(number % 7).max(1)));
    match number % 7 {
        1 | 2 | 4 | 0 => report(number, REGIONS[side]),
        3 => request(
            number,
            earlier,
            IncidentCommand::Verify {
                source: FigureSource::Pmi,
            },
        ),
        _ => request(
            number,
            earlier,
            IncidentCommand::Note {
                text: format!("catatan {number}"),
            },
        ),
    }
}

fn event_ids(store: &Store, origin: &str) -> Vec<Id> {
    let mut chain = posko_ledger::chain::Chain::new(super::identity(origin));
    let mut found = Vec::new();
    while let Some(group) = next_group(store, &mut chain, MAX_GROUP_ENTRIES) {
        found.extend(group.entries().map(|(header, ..)| header.event_id));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_leaves_both_nodes_with_the_same_views_and_each_command_once(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.check();
    }
}
