//! What goes wrong: crashes, restores, machines rolled back or cloned, links cut, peers that withhold.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Model, Slot,
    event::{Body, Each, Id, Origin},
    log::Disk,
    mix::Set,
    node::{Mark, Run},
    world::{Broken, Risk},
};

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fault {
    /// A backup is taken.
    Backup,
    /// An image of the running machine is taken.
    Image,
    /// The program ends and starts again.
    Crash,
    /// A person starts a fenced node again.
    Operator,
    /// The backup is put back.
    Restore,
    /// The disk is replaced by an empty one.
    Blank,
    /// The machine goes back to its image; the high-water mark is elsewhere and stays.
    RollBack,
    /// The machine goes back to its image with its mark.
    RollBackAll,
    /// The mark is lost.
    LoseMark,
    /// A copy of the machine runs beside it.
    Clone,
    /// The copy ends.
    EndClone,
    /// A node shows no more of one origin's log than it has now, or shows all again.
    Withhold,
    /// A person accepts the risk of an unproven start.
    AcceptRisk,
}

impl Fault {
    /// How often each is tried.
    const TRIED: [Self; 16] = [
        Self::Backup,
        Self::Backup,
        Self::Image,
        Self::Image,
        Self::Crash,
        Self::Operator,
        Self::Restore,
        Self::Blank,
        Self::RollBack,
        Self::RollBackAll,
        Self::LoseMark,
        Self::Clone,
        Self::EndClone,
        Self::Withhold,
        Self::Withhold,
        Self::AcceptRisk,
    ];

    /// Those that happen in every run.
    const ALWAYS: [Self; 4] = [Self::Backup, Self::Image, Self::Crash, Self::Operator];

    /// Says whether a promise may have to be broken after it.
    fn is_risky(self) -> bool {
        matches!(
            self,
            Self::RollBackAll | Self::Clone | Self::Withhold | Self::AcceptRisk
        )
    }

    /// Says whether a command post is busy, and often cut off, when it happens.
    fn is_a_disaster(self) -> bool {
        matches!(
            self,
            Self::Restore
                | Self::Blank
                | Self::RollBack
                | Self::RollBackAll
                | Self::LoseMark
                | Self::Clone
        )
    }
}

impl Fault {
    /// Says whether what a disk held may be gone after it.
    fn loses_a_disk(self) -> bool {
        matches!(
            self,
            Self::Restore | Self::Blank | Self::RollBack | Self::RollBackAll | Self::EndClone
        )
    }
}

/// An image of a machine: its disk, its mark, and what its program had in memory.
type Image = (Disk, Option<Mark>, Run);

/// What can go wrong in a run, and what was kept for it.
pub(super) struct Faults {
    possible: BTreeSet<Fault>,
    backups: Each<Option<Disk>>,
    images: Each<Option<Image>>,
    /// The pairs of copies that cannot reach each other.
    down: BTreeSet<(u32, u32)>,
}

impl Faults {
    /// Draws what can go wrong; without risky faults, no promise may be broken.
    pub(super) fn draw(random: &mut fastrand::Rng, size: u8, risky: bool) -> Self {
        let mut possible: BTreeSet<Fault> = Fault::TRIED.into();
        possible.retain(|fault| {
            (random.bool() || Fault::ALWAYS.contains(fault)) && (risky || !fault.is_risky())
        });
        Self {
            possible,
            backups: Each::of(size, None),
            images: Each::of(size, None),
            down: BTreeSet::new(),
        }
    }

    pub(super) fn are_linked(&self, a: u32, b: u32) -> bool {
        !self.down.contains(&(a.min(b), a.max(b)))
    }

    pub(super) fn link_all(&mut self) {
        self.down.clear();
    }
}

impl Model {
    /// Cuts a node off, links it again, or changes one of its links.
    pub(super) fn relink(&mut self, slot: Slot) {
        match self.world.random.u8(..10) {
            0..4 => self.cut_off(slot),
            4..7 => {
                let links = self.links_of(slot);
                self.faults.down.retain(|pair| !links.contains(pair));
            }
            _ => {
                let links = self.links_of(slot);
                if let Some(link) = self.world.random.choice(links)
                    && !self.faults.down.remove(&link)
                {
                    self.faults.down.insert(link);
                }
            }
        }
    }

    fn cut_off(&mut self, slot: Slot) {
        let links = self.links_of(slot);
        self.faults.down.extend(links);
    }

    fn links_of(&self, slot: Slot) -> Vec<(u32, u32)> {
        let copy = self.node(slot).copy;
        let others = self
            .running()
            .map(|other| self.node(other).copy)
            .filter(|other| *other != copy);
        others
            .map(|other| (copy.min(other), copy.max(other)))
            .collect()
    }

    /// Lets something go wrong at a node, if it can in this run, and notes which events it leaves no copy of.
    pub(super) fn fail(&mut self, slot: Slot) -> Result<(), Broken> {
        let Some(fault) = self
            .world
            .random
            .choice(Fault::TRIED)
            .filter(|fault| self.faults.possible.contains(fault))
        else {
            return Ok(());
        };
        if !fault.loses_a_disk() {
            return self.happen(slot, fault);
        }
        let had = self.held();
        self.happen(slot, fault)?;
        let has = self.held();
        let gone = &mut self.world.gone;
        for (origin, _) in has.difference(&had).filter(|event| gone.contains(event)) {
            self.world.risks[*origin].insert(Risk::CameBack);
        }
        gone.extend(had.difference(&has));
        Ok(())
    }

    /// Returns the events that some node holds.
    fn held(&self) -> Set<(Origin, Id)> {
        let mut held = Set::default();
        for node in self.nodes.iter().flatten() {
            for origin in self.world.origins() {
                let view = &node.views[origin];
                let orphans = view.orphans.values().map(|event| &event.id);
                held.extend(view.ids.iter().chain(orphans).map(|id| (origin, *id)));
            }
        }
        held
    }

    fn happen(&mut self, slot: Slot, fault: Fault) -> Result<(), Broken> {
        if fault.is_a_disaster() {
            self.busy = Some(slot);
            if self.world.random.bool() {
                self.cut_off(slot);
            }
        }
        let origin = self.node(slot).origin;
        let goes_on = self.world.random.bool();
        self.world.trace(&(slot.0, fault as u8));
        let Self {
            world,
            nodes,
            faults,
            ..
        } = self;
        let Some(Some(node)) = nodes.get_mut(slot.0) else {
            return Ok(());
        };
        match fault {
            Fault::Backup => {
                faults.backups[origin] = Some(Disk {
                    copied: true,
                    ..node.disk.clone()
                });
            }
            Fault::Image => {
                faults.images[origin] = Some((node.disk.clone(), node.mark, node.run.clone()));
            }
            Fault::Crash => node.start(world, true),
            Fault::Operator if node.run.fenced => node.start(world, true),
            Fault::Restore => {
                if let Some(backup) = faults.backups[origin].clone() {
                    node.load(backup, world);
                    node.start(world, true);
                }
            }
            Fault::Blank => {
                node.load(Disk::empty(world.size), world);
                if goes_on {
                    node.mark = None;
                }
                node.start(world, false);
            }
            Fault::RollBack | Fault::RollBackAll => {
                let image = faults.images[origin]
                    .clone()
                    .filter(|_| slot.is_main(world));
                let Some((disk, mark, run)) = image else {
                    return Ok(());
                };
                node.load(disk, world);
                if fault == Fault::RollBackAll {
                    node.mark = mark;
                    world.risks[origin].insert(Risk::RolledBack);
                }
                if goes_on {
                    world.count("resumes");
                    node.run = run;
                } else {
                    node.start(world, true);
                }
            }
            Fault::LoseMark => node.mark = None,
            Fault::Clone => {
                let free = slot.is_main(world) && !node.is_gateway;
                let mut copy = node.clone();
                let Some(place @ None) = nodes.get_mut(slot.clone_of(world).0).filter(|_| free)
                else {
                    return Ok(());
                };
                copy.copy = world.next_copy();
                copy.withholds = None;
                world.risks[origin].insert(Risk::Cloned);
                if goes_on {
                    world.count("resumes");
                } else {
                    copy.start(world, true);
                }
                *place = Some(copy);
            }
            Fault::EndClone => {
                let clone = if slot.is_main(world) {
                    slot.clone_of(world)
                } else {
                    slot
                };
                if let Some(place) = nodes.get_mut(clone.0) {
                    *place = None;
                }
            }
            Fault::Withhold => {
                let of = Origin(world.random.u8(..world.size));
                let lengths: BTreeMap<_, _> = (node.disk.logs[of].epochs.iter())
                    .map(|(epoch, log)| (*epoch, log.len()))
                    .collect();
                let withholds = node.withholds.is_none() && of != origin;
                node.withholds = withholds.then_some((of, lengths));
            }
            Fault::AcceptRisk => {
                let asks = world.random.f64() < 0.3 && !node.is_gateway;
                if asks && !node.is_sure(world) && node.disk.unproven {
                    let accepted = world.event(Body::RiskAccepted);
                    if node.write(world, &accepted)? {
                        node.run.risk_accepted = node.disk.unproven;
                        world.risks[origin].insert(Risk::Accepted);
                    }
                }
            }
            Fault::Operator => {}
        }
        Ok(())
    }
}
