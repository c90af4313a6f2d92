//! What happens to machines, files and links.

use std::fs;

use anyhow::Result;
use posko_store::Start;

use super::{node::Node, world::World};

/// After these a promise may lawfully be taken back.
const RISKY: [&str; 3] = ["rollback with mark", "clone", "override"];
const FAULTS: [&str; 15] = [
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
    "override",
    "restart",
];

impl World {
    /// Chooses which faults this storm has: half of all storms have none that is risky.
    pub(super) fn choose_faults(&mut self) {
        let risky = self.seed.is_multiple_of(2);
        for fault in FAULTS {
            let always = matches!(fault, "backup" | "image" | "crash" | "operator");
            let chosen = self.dice.percent(50);
            if (chosen || always) && (risky || !RISKY.contains(&fault)) {
                self.faults.insert(fault);
            }
        }
    }

    /// Lets something happen to a node.
    pub(super) fn fault(&mut self, at: usize) -> Result<()> {
        let Some(fault) = self.dice.pick(&FAULTS).copied() else {
            return Ok(());
        };
        if !self.faults.contains(fault) {
            return Ok(());
        }
        let now = self.now;
        let Some(node) = self.nodes.get(at) else {
            return Ok(());
        };
        let (origin, dir) = (node.origin, node.dir.clone());
        let (backup, image) = (dir.join("backup"), dir.join("image"));
        let is_twin = at >= super::node::ORIGINS.len();
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
            "rollback" if image.exists() => {
                self.cut_off(at);
                self.restart(at, |node| node.put_back(&image, false))?;
            }
            "rollback with mark" if image.exists() => {
                self.risk(origin, fault);
                self.cut_off(at);
                self.restart(at, |node| node.put_back(&image, true))?;
            }
            "mark lost" => drop(fs::remove_file(node.file("mark"))),
            "clone" if !is_twin && !node.is_gateway() && !self.has_twin(origin) => {
                let copy = self
                    .dir
                    .path()
                    .join(format!("twin-{}", self.counts.values().sum::<u64>()));
                fs::create_dir_all(&copy)?;
                node.copy_to(&copy.join("copied"))?;
                let mut twin = Node::new(origin, copy.clone());
                twin.put_back(&copy.join("copied"), true)?;
                self.risk(origin, fault);
                let run = self.dice.bytes();
                twin.start(Start::Later, run, now)?;
                self.nodes.push(twin);
            }
            "twin dies" if is_twin => {
                let mut twin = self.nodes.remove(at);
                twin.stop();
            }
            "override" if !node.is_gateway() && node.store()?.may_promise().is_err() => {
                let ids = [self.next_id(), self.next_id()];
                if let Some(node) = self.nodes.get(at)
                    && node.accept_risk(ids, now)?.is_ok()
                {
                    self.risk(origin, fault);
                }
            }
            _ => return Ok(()),
        }
        self.count(fault);
        Ok(())
    }

    /// Cuts a node off from everybody in half of the cases.
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
