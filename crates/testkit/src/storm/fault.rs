//! What happens to machines, files and links, and what people do about it.

use std::{collections::BTreeSet, fs, mem, path::PathBuf};

use anyhow::{Context, Result, bail};
use posko_domain::log::LogCommand;
use posko_store::Start;

use super::{
    check::{self, ITEMS},
    node::{Node, ORIGINS},
    world::World,
};
use crate::{
    model::Risk,
    promise::{Command, Event, Scope},
};

/// How many of the origins are provinces.
const PROVINCES: usize = ORIGINS.len() - 1;

/// After these a promise may lawfully be taken back.
const RISKY: [&str; 5] = [
    "rollback with mark",
    "clone",
    "withhold",
    "override",
    "disown",
];
/// Those that happen in every storm.
const ALWAYS: [&str; 4] = ["backup", "image", "crash", "operator"];
/// How often each is tried.
const FAULTS: [&str; 23] = [
    "backup",
    "backup",
    "image",
    "image",
    "crash",
    "operator",
    "restore",
    "blank",
    "rollback",
    "rollback with mark",
    "mark lost",
    "clone",
    "twin dies",
    "suspend",
    "suspend",
    "wake",
    "wake",
    "withhold",
    "override",
    "override",
    "disown",
    "disown",
    "restart",
];

impl World {
    /// Chooses which faults this storm has: half of all storms have none that is risky.
    pub(super) fn choose_faults(&mut self) {
        let risky = self.is_risky();
        let mut chosen = BTreeSet::new();
        for fault in BTreeSet::from(FAULTS) {
            let is_chosen = self.dice.percent(50) || ALWAYS.contains(&fault);
            if is_chosen && (risky || !RISKY.contains(&fault)) {
                chosen.insert(fault);
            }
        }
        self.faults.extend(FAULTS);
        self.faults.retain(|fault| chosen.contains(fault));
    }

    /// Says whether a promise may have to be taken back in this storm.
    fn is_risky(&self) -> bool {
        self.seed.is_multiple_of(2)
    }

    /// Lets something happen to a node.
    pub(super) fn fault(&mut self, at: usize) -> Result<()> {
        match self.dice.pick(&self.faults).copied() {
            Some(fault) => self.try_fault(at, fault),
            None => Ok(()),
        }
    }

    /// Lets this happen, if it can.
    fn try_fault(&mut self, at: usize, fault: &'static str) -> Result<()> {
        let at = match fault {
            "override" => self.next(at, |node| {
                Ok(!node.is_gateway() && node.store()?.may_promise().is_err())
            })?,
            "disown" => self.next(at, |node| Ok(!check::left_out(node)?.is_empty()))?,
            _ => Some(at),
        };
        if let Some(at) = at
            && self.happen(at, fault)?
        {
            self.count(fault);
        }
        Ok(())
    }

    /// A person may let go what a log left out, before it is recorded again.
    pub(super) fn let_go(&mut self, at: usize) -> Result<()> {
        if self.faults.contains(&"disown") && self.dice.percent(20) {
            self.try_fault(at, "disown")?;
        }
        Ok(())
    }

    /// Returns the next node, from one on, at which something can happen.
    fn next(&self, at: usize, can: impl Fn(&Node) -> Result<bool>) -> Result<Option<usize>> {
        let all = self.nodes.len();
        for at in (at..all).chain(0..at.min(all)) {
            if self.nodes.get(at).map(&can).transpose()? == Some(true) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Says whether it could happen.
    fn happen(&mut self, at: usize, fault: &str) -> Result<bool> {
        let now = self.now;
        let Some(node) = self.nodes.get(at) else {
            return Ok(false);
        };
        let (origin, dir) = (node.origin, node.dir.clone());
        let kept = self.dir.path().join(origin.as_str());
        let (backup, image) = (kept.join("backup"), kept.join("image"));
        let is_twin = at >= ORIGINS.len();
        let is_province = !is_twin && !node.is_gateway();
        match fault {
            "backup" => {
                drop(fs::remove_file(&backup));
                node.store()?.copy(&backup, now)?;
            }
            "image" => node.copy_to(&image)?,
            "crash" => {
                let crashed = dir.join("crashed");
                node.copy_to(&crashed)?;
                self.restart(at, |node| node.put_back(&crashed, true))?;
            }
            "restart" => self.restart(at, |_| Ok(()))?,
            "operator" if node.is_fenced()? => self.restart(at, |_| Ok(()))?,
            "restore" if backup.exists() => {
                self.cut_off(at);
                self.restart(at, |node| {
                    node.remove(false);
                    fs::copy(&backup, node.file("db"))?;
                    Ok(())
                })?;
            }
            "blank" => {
                self.cut_off(at);
                let mark = self.dice.percent(50);
                self.restart(at, |node| {
                    node.remove(mark);
                    Ok(())
                })?;
            }
            "rollback" if image.exists() && !is_twin => {
                self.cut_off(at);
                self.restart(at, |node| node.put_back(&image, false))?;
            }
            "rollback with mark" if image.exists() && !is_twin => {
                self.risk(origin, Risk::RolledBack);
                self.cut_off(at);
                self.restart(at, |node| node.put_back(&image, true))?;
                self.rush(at)?;
            }
            "mark lost" => drop(fs::remove_file(node.file("mark"))),
            "clone" if is_province && !self.has_twin(origin) => {
                let twin = self.copy_of(at)?;
                self.risk(origin, Risk::Cloned);
                self.nodes.push(twin);
                self.busy = Some(at);
                self.rush(at)?;
                self.rush(self.nodes.len() - 1)?;
            }
            "twin dies" if is_twin => {
                let mut twin = self.nodes.remove(at);
                twin.stop();
            }
            "suspend" if is_province && !self.asleep.contains_key(&origin) => {
                let copy = self.copy_of(at)?;
                let node = self.nodes.get_mut(at).context("a node is gone")?;
                self.asleep.insert(origin, mem::replace(node, copy));
            }
            "wake" if !is_twin => {
                let Some(woken) = self.asleep.remove(&origin) else {
                    return Ok(false);
                };
                self.wake(at, woken)?;
            }
            "withhold" if node.withholds().is_some() => {
                self.nodes
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(Node::show_all);
            }
            "withhold" if image.exists() && !is_twin => {
                let others = ORIGINS.iter().filter(|other| **other != origin.as_str());
                let others: Vec<_> = others.collect();
                let of = self.dice.pick(&others).context("nobody else is there")?;
                let (of, node) = (of.parse()?, self.nodes.get_mut(at));
                (node.context("a node is gone")?).withhold(of, &image)?;
            }
            "override" => {
                let ids = [self.next_id(), self.next_id()];
                let node = self.nodes.get(at).context("a node is gone")?;
                if node.accept_risk(ids, now)?.is_err() {
                    return Ok(false);
                }
                self.risk(origin, Risk::Accepted);
                self.busy = Some(at);
                self.rush(at)?;
            }
            "disown" => {
                let left_out = check::left_out(node)?;
                let Some(event) = self.dice.pick(&left_out).copied() else {
                    return Ok(false);
                };
                let said = LogCommand::Disown {
                    events: BTreeSet::from([event]),
                    reason: "bukan kejadian kami".into(),
                };
                let id = self.next_id();
                let node = self.nodes.get(at).context("a node is gone")?;
                if node.say(id, said, now)?.is_err() {
                    return Ok(false);
                }
                self.risk(origin, Risk::Disowned);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Starts a copy of a running machine, which is its own run.
    fn copy_of(&mut self, at: usize) -> Result<Node> {
        let node = self.nodes.get(at).context("a node is gone")?;
        self.copies += 1;
        let dir: PathBuf = self.dir.path().join(format!("copy-{}", self.copies));
        fs::create_dir_all(&dir)?;
        node.copy_to(&dir.join("copied"))?;
        let mut copy = Node::new(node.origin, dir.clone());
        copy.put_back(&dir.join("copied"), true)?;
        copy.start(Start::Later, self.dice.bytes(), self.now)?;
        self.count("starts");
        Ok(copy)
    }

    /// Lets a suspended machine go on with what its program had in memory: in the place of the copy that ran meanwhile, or
    /// beside it.
    fn wake(&mut self, at: usize, woken: Node) -> Result<()> {
        let origin = woken.origin;
        if self.is_risky() && !self.has_twin(origin) && self.dice.percent(30) {
            self.risk(origin, Risk::Cloned);
            self.nodes.push(woken);
            return Ok(());
        }
        let with_mark = self.is_risky() && self.dice.percent(50);
        let node = self.nodes.get_mut(at).context("a node is gone")?;
        let mut copy = mem::replace(node, woken);
        copy.stop();
        if with_mark {
            self.risk(origin, Risk::RolledBack);
            self.rush(at)?;
        } else {
            let (from, to) = (copy.file("mark"), node.file("mark"));
            drop(fs::remove_file(&to));
            if from.exists() {
                fs::copy(from, to)?;
            }
        }
        self.cut_off(at);
        Ok(())
    }

    /// Declares lost what nobody has any more of the payloads that a node's own log waits for; says whether anything was.
    pub(super) fn declare_lost(&mut self, at: usize) -> Result<bool> {
        let node = self.nodes.get(at).context("a node is gone")?;
        let origin = node.origin;
        let events = check::missing_payloads(node)?;
        if events.is_empty() {
            return Ok(false);
        }
        let lost = LogCommand::DeclareLost {
            events,
            reason: "tiada salinan".into(),
        };
        let id = self.next_id();
        let node = self.nodes.get(at).context("a node is gone")?;
        if let Err(refusal) = node.say(id, lost, self.now)? {
            bail!("I-settled: `{origin}` cannot give up what is lost: {refusal}");
        }
        self.risk(origin, Risk::PayloadLost);
        self.count("declared lost");
        Ok(true)
    }

    /// People at a node promise all that seems to be free there.
    fn rush(&mut self, at: usize) -> Result<()> {
        let node = self.nodes.get(at).context("a node is gone")?;
        if node.is_gateway() {
            return Ok(());
        }
        let (own, books) = (node.origin, node.books()?);
        for item in ITEMS {
            let count = u32::try_from(books.mine().free(item)).unwrap_or_default();
            let others = ORIGINS.iter().take(PROVINCES);
            let others: Vec<_> = others.filter(|other| **other != own.as_str()).collect();
            let to = self.dice.pick(&others).context("nobody else is there")?;
            let granted = Event::Granted {
                item,
                to: to.parse()?,
                count,
                ask: None,
                hold: false,
            };
            if count > 0 {
                self.give(at, Scope::Regional, Command::Do(granted))?;
            }
        }
        Ok(())
    }

    /// Lets people at a node have most to do from now on, and cuts it off from everybody in half of the cases.
    fn cut_off(&mut self, at: usize) {
        self.busy = Some(at);
        if self.dice.percent(50)
            && let Some(dir) = self.nodes.get(at).map(|node| node.dir.clone())
        {
            self.cut_from_all(&dir);
        }
    }

    /// Stops a node, changes its files and starts it again.
    pub(super) fn restart(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let (run, now) = (self.dice.bytes(), self.now);
        if let Some(node) = self.nodes.get_mut(at) {
            node.stop();
            change(node)?;
            node.start(Start::Later, run, now)?;
        }
        self.count("starts");
        Ok(())
    }
}
