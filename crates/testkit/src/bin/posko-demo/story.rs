//! The story, with real facts: BMKG's nowcast for Banten and Jawa Barat, and the earthquake of Cianjur on 21 November 2022.
//!
//! Node 32 takes the warnings in and everyone sees them; a gauge upstream warns Jakarta, and an alert is updated and
//! cancelled; 32's duty officer opens and runs the incident; Bekasi floods and
//! Jakarta is told; the link between them is cut, Banten relays, then headquarters' gateway alone, then nobody, and it
//! returns; headquarters directs and is answered; Jakarta's node is killed while it writes and comes back.

#![expect(
    clippy::indexing_slicing,
    reason = "what is indexed is JSON, which answers with null for a field that is not there"
)]

mod alert;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use posko_testkit::{
    Federation, GATEWAY, Node, ORIGINS, Publisher, Recording, Refused, check_going, eventually,
};
use serde_json::Value;
use uuid::Uuid;

use crate::report::Report;

/// How long replication over a live link may take.
const SOON: Duration = Duration::from_secs(20);
/// How long a picture may take to be marked as old: 30 s of silence, and some more.
const MARKED_WITHIN: Duration = Duration::from_secs(45);
/// How long what is recorded may take to be seen where a link is cut, or back: the promise, on a machine of its own.
const VISIBLE_WITHIN: Duration = Duration::from_secs(5);
/// How long a link may take to be used again: dials are at most 30 s apart.
const RETURNED_WITHIN: Duration = Duration::from_secs(75);

/// When the earth shook in Cianjur, by BMKG's catalogue.
const QUAKE_AT: &str = "2022-11-21T06:21:09Z";
/// The figures of BNPB, the national disaster agency, of the evening after.
const FIGURES: [(&str, u64); 3] = [("dead", 268), ("missing", 151), ("displaced", 58_362)];
const FIGURES_AS_OF: &str = "2022-11-22T17:00:00+07:00";

/// How many write at once while Jakarta's node is killed, and after how many answers that happens.
const WRITERS: usize = 4;
const KILL_AFTER: usize = 10;
const WRITES: usize = 24;

/// A federation in which the story is played.
pub(crate) struct Story {
    federation: Federation,
    recordings: Vec<Recording>,
    // It publishes as long as it is there.
    _publisher: Publisher,
}

impl Story {
    /// Makes and starts the three provinces' nodes and headquarters' gateway; 32 asks the publisher.
    pub(crate) fn begin(dir: &Path, feed: Option<&Path>, report: &mut Report) -> Result<Self> {
        let start = Instant::now();
        let federation = Federation::make_with_gateway(dir)?;
        report.check(
            "three provinces' nodes and headquarters' gateway are made, each with its own CA and keys",
            true,
            &seconds(start.elapsed()),
        );

        let publisher = Publisher::start(federation.runtime())?;
        publisher.publish_fixtures();
        let recordings = match feed {
            Some(folder) => publisher.publish_folder(folder)?,
            None => Vec::new(),
        };
        let mut feeds = publisher.fixture_feeds();
        for (index, Recording { kind, path }) in recordings.iter().enumerate() {
            // The publisher's limit of 60 requests a minute is for all feeds of a node together.
            feeds += &publisher.feed(&format!("rekaman-{index}"), kind, path, 3600);
        }
        federation.node("32")?.configure(|text| text + &feeds)?;

        let start = Instant::now();
        for node in federation.nodes() {
            node.start()?;
        }
        report.check(
            "four processes take connections",
            true,
            &seconds(start.elapsed()),
        );
        federation.introduce()?;
        let took = federation.await_sessions()?;
        report.check(
            "every pair accepted each other's card by its fingerprint and has a session with mutual TLS",
            true,
            &seconds(took),
        );
        for node in federation.nodes() {
            node.employ()?;
        }
        Ok(Self {
            federation,
            recordings,
            _publisher: publisher,
        })
    }

    /// Returns the federation.
    pub(crate) fn federation(&self) -> &Federation {
        &self.federation
    }

    /// Plays the story to its end.
    pub(crate) fn play(&self, report: &mut Report) -> Result<()> {
        let quake = self.warnings(report)?;
        self.river(report)?;
        self.superseded(report)?;
        let cianjur = self.incident(&quake, report)?;
        self.operation(&cianjur, report)?;
        self.flood(report)?;
        self.cut(&cianjur, report)?;
        self.direct(report)?;
        self.kill(report)?;
        self.agree(report)
    }

    /// 32 takes the publisher's warnings in, and everyone sees them. Returns the id of the earthquake.
    fn warnings(&self, report: &mut Report) -> Result<String> {
        let [dki, jabar, banten] = self.provinces()?;
        let (taken, took) = eventually(
            "node 32 takes in the nowcast and the earthquake",
            SOON,
            || {
                let listed = warnings(jabar)?;
                let quake = listed.iter().find(|warning| {
                    warning.pointer("/content/earthquake/origin_time") == Some(&QUAKE_AT.into())
                });
                let nowcast = |province: &str| {
                    listed.iter().any(|warning| {
                        warning["source"] == "bmkg_nowcast"
                            && warning.pointer("/content/areas/0/description")
                                == Some(&province.into())
                    })
                };
                Ok((nowcast("Banten") && nowcast("Jawa Barat"))
                    .then_some(())
                    .and(quake.cloned()))
            },
        )?;
        report.check(
            "node 32 took in BMKG's nowcast for Banten and Jawa Barat, and the earthquake",
            true,
            &seconds(took),
        );

        let facts = &taken["content"]["earthquake"];
        let right = facts["magnitude"] == 5.6
            && facts["depth_m"] == 11_000
            && facts["epicenter"]["latitude"] == -6.85
            && facts["epicenter"]["longitude"] == 107.03;
        let shown = format!(
            "M {}, {} m deep, {}",
            facts["magnitude"], facts["depth_m"], facts["epicenter"]
        );
        report.check(
            "the earthquake's facts are BMKG's: M 5.6, 11 km deep, 6.85 S 107.03 E",
            right,
            &shown,
        );

        if !self.recordings.is_empty() {
            self.recorded_feeds(jabar, report)?;
        }
        let (count, took) = eventually("31 and 36 see every warning of 32", SOON, || {
            let own = ids(&warnings(jabar)?, "warning_id");
            let seen = |node| Ok::<bool, anyhow::Error>(ids(&warnings(node)?, "warning_id") == own);
            Ok((seen(dki)? && seen(banten)?).then_some(own.len()))
        })?;
        report.check(
            "31 and 36 see every warning of 32",
            true,
            &format!("{count} warnings, {}", seconds(took)),
        );
        text(&taken, "warning_id")
    }

    /// Waits until every recorded list was asked once.
    fn recorded_feeds(&self, jabar: &Node, report: &mut Report) -> Result<()> {
        let limit = Duration::from_secs(150);
        let (figure, _) = eventually("every recorded feed was asked", limit, || {
            let answer = jabar.posko(&["feed", "list"])?;
            let feeds = list(&answer, "feeds")?;
            let asked = feeds
                .iter()
                .filter(|feed| matches!(feed["health"].as_str(), Some("ok" | "invalid")));
            let sum = |field: &str| {
                feeds
                    .iter()
                    .filter_map(|feed| feed[field].as_u64())
                    .sum::<u64>()
            };
            let figure = format!(
                "{} lists: {} taken, {} refused, {} elsewhere",
                self.recordings.len(),
                sum("taken"),
                sum("refused"),
                sum("outside")
            );
            Ok((asked.count() == feeds.len()).then_some(figure))
        })?;
        report.check(
            "every recorded list was read, and what is wrong in it was refused",
            true,
            &figure,
        );
        Ok(())
    }

    /// 32's duty officer opens the incident from the earthquake and runs it. Returns its id.
    fn incident(&self, quake: &str, report: &mut Report) -> Result<String> {
        let [dki, jabar, banten] = self.provinces()?;
        let warning = format!("32/{quake}");
        let opened = jabar.posko(&[
            "incident",
            "report",
            "--from-warning",
            &warning,
            "--region",
            "32.03",
            "--lat=-6.85",
            "--lon=107.03",
            "--severity",
            "extreme",
        ])?;
        let (number, id) = (
            text(&opened, "number")?,
            text(&opened["outcome"], "stream_id")?,
        );
        report.check(
            "32's duty officer opened an incident from the earthquake",
            true,
            &number,
        );

        jabar.posko(&["incident", "verify", &number, "--source", "government"])?;
        let figures: Vec<String> = FIGURES
            .iter()
            .map(|(measure, count)| format!("{measure}={count}"))
            .collect();
        let mut impact = vec![
            "incident",
            "impact",
            &number,
            "--source",
            "government",
            "--as-of",
            FIGURES_AS_OF,
        ];
        impact.extend(figures.iter().flat_map(|figure| ["--figure", figure]));
        jabar.posko(&impact)?;
        jabar.posko(&["incident", "activate", &number, "--scale", "large"])?;

        let ((), took) = eventually("31 and 36 see the incident activated", SOON, || {
            for node in [jabar, dki, banten] {
                let shown = node.posko(&["incident", "show", &id])?;
                let incident = &shown["incident"];
                ensure!(
                    incident["status"] == "activated",
                    "at `{}`: {}",
                    node.origin(),
                    incident["status"]
                );
                let sourced = list(incident, "figures")?.iter().filter(|figure| {
                    let known = FIGURES.iter().any(|(measure, count)| {
                        figure["measure"] == *measure && figure["count"] == *count
                    });
                    known
                        && figure["source"] == "government"
                        && figure["as_of"] == "2022-11-22T10:00:00Z"
                });
                ensure!(
                    sourced.count() == FIGURES.len(),
                    "at `{}`: {}",
                    node.origin(),
                    incident["figures"]
                );
            }
            Ok(Some(()))
        })?;
        let figure = format!(
            "government, as of {FIGURES_AS_OF}: {}; {}",
            figures.join(", "),
            seconds(took)
        );
        report.check(
            "verified, figures set with their source and time, activated, and so seen by all",
            true,
            &figure,
        );
        Ok(id)
    }

    /// 32 runs the operation: a commander, the departure, an objective, an evacuation site, and a figure corrected.
    fn operation(&self, incident: &str, report: &mut Report) -> Result<()> {
        let [dki, jabar, _] = self.provinces()?;
        jabar.posko(&["incident", "post", incident, "commander"])?;
        jabar.posko(&["incident", "step", incident, "team_departed"])?;
        let wording = "Semua pengungsi mendapat tempat tidur";
        let objective = ["--priority", "lifesaving", "--note", wording];
        jabar.posko(&[&["incident", "objective", incident], &objective[..]].concat())?;
        // A count of PMI's own, invented: two digits were swapped.
        let impact = [
            "incident",
            "impact",
            incident,
            "--source",
            "pmi",
            "--as-of",
            FIGURES_AS_OF,
        ];
        jabar.posko(&[&impact[..], &["--figure", "displaced=5400"]].concat())?;
        let correction = ["--correct", "--figure", "displaced=5040"];
        jabar.posko(&[&impact[..], &correction].concat())?;
        let site = [
            "--kind",
            "evacuation",
            "--region",
            "32.03",
            "--capacity",
            "300",
        ];
        let opened = ["site", "open", incident, "--name", "SDN Contoh 3"];
        let opened = jabar.posko(&[&opened[..], &site].concat())?;
        let site = text(&opened["outcome"], "stream_id")?;
        let people = [
            "--people",
            "212",
            "--people",
            "female=120",
            "--people",
            "male=92",
        ];
        jabar.posko(&[&["site", "count", &site], &people[..]].concat())?;

        let ((), took) = eventually("31 sees how 32 runs the operation", SOON, || {
            let shown = dki.posko(&["incident", "show", incident])?;
            let sites = dki.posko(&["site", "list", "--incident", incident])?;
            let seen = &shown["incident"];
            let worded = list(&shown, "notes")?.iter().any(|note| {
                note["text"] == wording && note["about"] == seen["objectives"][0]["objective_id"]
            });
            let corrected = list(seen, "figures")?
                .iter()
                .any(|figure| figure["corrected"] == true && figure["count"] == 5040);
            ensure!(
                seen["status"] == "responding"
                    && seen["posts"][0]["post"] == "commander"
                    && worded
                    && corrected
                    && sites["sites"][0]["occupancy"]["people"][0]["count"] == 212,
                "31 sees {seen} and {sites}"
            );
            Ok(Some(()))
        })?;
        report.check(
            "a commander, an objective, an evacuation site with its people, and a corrected figure are seen at 31",
            true,
            &seconds(took),
        );
        Ok(())
    }

    /// Bekasi reports a flood in zone Z1, and Jakarta is told.
    fn flood(&self, report: &mut Report) -> Result<()> {
        let [dki, jabar, banten] = self.provinces()?;
        let flood = jabar.posko(&[
            "incident",
            "report",
            "--hazard",
            "flood",
            "--region",
            "32.75",
            "--severity",
            "severe",
            "--channel",
            "branch",
        ])?;
        let number = text(&flood, "number")?;
        let told = |node: &Node| -> Result<Option<Value>> {
            let answer = node.posko(&["incident", "notices"])?;
            let notices = list(&answer, "notices")?;
            Ok(notices
                .iter()
                .find(|notice| notice["number"] == *number)
                .cloned())
        };
        let (notice, took) = eventually("31 is told of the flood in Bekasi", SOON, || told(dki))?;
        let right = notice["zone_id"] == "Z1"
            && notice["origin"] == "32"
            && notice["region_code"] == "32.75";
        report.check(
            "Bekasi's flood is noticed at 31, which shares zone Z1",
            right,
            &format!("{number}, {}", seconds(took)),
        );

        eventually("36 sees the flood", SOON, || {
            Ok(incidents(banten, "32")?
                .contains(&text(&flood["outcome"], "stream_id")?)
                .then_some(()))
        })?;
        report.check(
            "36 sees the flood too, and gets no notice: it has no part in Z1",
            told(banten)?.is_none(),
            "0 notices",
        );
        Ok(())
    }

    /// The link 31–32 is cut, and 32's log comes through 36; 36 goes too, and 31 marks the age of its picture; then the links
    /// return, and 31 is live directly again.
    fn cut(&self, cianjur: &str, report: &mut Report) -> Result<()> {
        let [dki, jabar, banten] = self.provinces()?;
        let ((), took) = eventually("31 hears 32's newest signed head", SOON, || {
            let status = dki.console(&["status"])?;
            Ok((find(&status, "origins", "32")?["link"] == "live").then_some(()))
        })?;
        report.check("31's picture of 32 is live", true, &seconds(took));

        self.federation.cut("31", "32")?;
        self.federation.cut("31", GATEWAY)?;
        report.tell("the links 31–32 and 31–ims are cut: only 36 is left");
        let relayed = report_landslide(jabar)?;
        let ((), took) = eventually("31 sees 32's incident through 36", SOON, || {
            Ok(incidents(dki, "32")?.contains(&relayed).then_some(()))
        })?;
        report.check(
            "an incident of 32 is visible at 31 through 36 within 5 s",
            took <= VISIBLE_WITHIN,
            &seconds(took),
        );
        let (origin, took) = eventually("31 says through whom it hears 32", SOON, || {
            let origin = find(&dki.console(&["status"])?, "origins", "32")?.clone();
            let relayed = origin["link"] == "live" && origin["source"] == "36";
            Ok(relayed.then_some(origin))
        })?;
        let told = origin["source_reason"] == "not_connected"
            && origin["source_since"].is_string()
            && list(&origin, "source_lacks")?.is_empty();
        report.check(
            "31's picture of 32 is live, and 31 says that it comes through 36, since when and why",
            told,
            &format!(
                "{}; not connected since {}",
                seconds(took),
                origin["source_since"]
            ),
        );

        self.federation.restore("31", GATEWAY)?;
        self.federation.cut("31", "36")?;
        report.tell("the link 31–ims returns and 31–36 is cut: only headquarters' gateway is left");
        let relayed = report_landslide(jabar)?;
        let (origin, took) = eventually("31 sees 32's incident through ims", SOON, || {
            let origin = find(&dki.console(&["status"])?, "origins", "32")?.clone();
            let seen = incidents(dki, "32")?.contains(&relayed) && origin["source"] == GATEWAY;
            Ok(seen.then_some(origin))
        })?;
        report.check(
            "through ims 31 gets headers and REGIONAL payloads only, and says what it lacks",
            *list(&origin, "source_lacks")? == ["provinces"],
            &format!("{}; lacks {}", seconds(took), origin["source_lacks"]),
        );

        let before = incidents(dki, "32")?;
        self.federation.cut("31", GATEWAY)?;
        report.tell("the link 31–ims is cut too; waiting until 31 calls its picture of 32 unknown");
        let missed = report_landslide(jabar)?;
        jabar.posko(&["incident", "note", cianjur, "Dapur umum dibuka di lapangan"])?;
        let alone = dki.posko(&[
            "incident",
            "report",
            "--hazard",
            "flood",
            "--region",
            "31.75",
            "--severity",
            "minor",
            "--channel",
            "citizen",
        ])?;
        let alone = text(&alone["outcome"], "stream_id")?;
        report.check("31 and 32 both record without a link", true, "3 commands");

        let (status, took) = eventually(
            "31 marks its picture of 32 as unknown",
            MARKED_WITHIN,
            || {
                let status = dki.console(&["status"])?;
                let origin = find(&status, "origins", "32")?;
                Ok((origin["link"] == "unknown").then_some(status))
            },
        )?;
        let origin = find(&status, "origins", "32")?;
        let peer = find(&status, "peers", "32")?;
        let why = origin["why"].as_str().unwrap_or_default();
        let marked = origin["entries_behind"].is_null()
            && origin["seconds_behind"].is_null()
            && origin["heard_at"].is_string()
            && origin["source"].is_null()
            && !why.is_empty()
            && peer["connected"] == false
            && peer["since"].is_string();
        report.check(
            "31 says that its picture of 32 is unknown, since when and why, and never a lag of 0",
            marked,
            &format!(
                "after {}; heard {}; {why}",
                seconds(took),
                origin["heard_at"]
            ),
        );
        let answer = dki.posko(&["incident", "list", "--origin", "32", "--limit", "0"])?;
        let kept = list(&answer, "incidents")?;
        let aged = kept.iter().all(|incident| {
            let provenance = &incident["provenance"];
            provenance["link"] == "unknown" && provenance["heard_at"].is_string()
        });
        let same = ids(kept, "incident_id") == before && !before.contains(&missed);
        report.check(
            "31 keeps 32's incidents, each with its age",
            same && aged,
            &format!("{} incidents", kept.len()),
        );

        self.federation.restore("31", "32")?;
        let ((), took) = eventually(
            "31 catches up after the link returns",
            RETURNED_WITHIN,
            || {
                let status = dki.console(&["status"])?;
                let origin = find(&status, "origins", "32")?;
                let live = origin["link"] == "live" && origin["source"] == "32";
                let caught_up = incidents(dki, "32")?.contains(&missed)
                    && incidents(jabar, "31")?.contains(&alone);
                Ok((live && caught_up).then_some(()))
            },
        )?;
        report.check(
            "the link returns, both catch up, and the picture is live directly again within 5 s",
            took <= VISIBLE_WITHIN,
            &seconds(took),
        );
        self.federation.restore("31", "36")?;
        self.federation.restore("31", GATEWAY)?;
        let ((), took) = eventually(
            "all see what 31 recorded, and 31 lacks nothing",
            RETURNED_WITHIN,
            || {
                let missing = find(&dki.console(&["status"])?, "origins", "32")?.clone();
                let mut all = missing["payloads_missing"] == 0;
                for node in [banten, self.federation.node(GATEWAY)?] {
                    all &= incidents(node, "31")?.contains(&alone);
                }
                Ok(all.then_some(()))
            },
        )?;
        report.check(
            "31 has met 36 again, and lacks no payload that it may have",
            true,
            &seconds(took),
        );
        Ok(())
    }

    /// Headquarters issues a directive, and the provinces to which it is addressed see it.
    fn direct(&self, report: &mut Report) -> Result<()> {
        let gateway = self.federation.node(GATEWAY)?;
        let issued = gateway.posko(&[
            "directive",
            "issue",
            "--priority",
            "urgent",
            "--title",
            "Siapkan dapur umum",
            "--body",
            "Satu di setiap wilayah perbatasan",
            "--province",
            "32",
            "--province",
            "36",
        ])?;
        let id = text(&issued["outcome"], "stream_id")?;
        let ((), took) = eventually("every province sees the directive", SOON, || {
            for node in self.provinces()? {
                let shown = node.posko(&["directive", "show", &id])?["directive"].clone();
                let here = shown["addressed_here"] == (node.origin() != "31");
                ensure!(here, "at `{}`: {shown}", node.origin());
            }
            Ok(Some(()))
        })?;
        report.check(
            "headquarters directs 32 and 36 from a log of its own, and every province sees whom",
            true,
            &seconds(took),
        );
        Ok(())
    }

    /// 31 is killed with `kill -9` while it writes, and comes back complete.
    fn kill(&self, report: &mut Report) -> Result<()> {
        let [dki, jabar, banten] = self.provinces()?;
        let before = incidents(dki, "31")?;
        let writing = Writing::default();
        let mut back = Duration::ZERO;
        thread::scope(|scope| -> Result<()> {
            let writers: Vec<_> = (0..WRITERS)
                .map(|_| scope.spawn(|| writing.write(dki)))
                .collect();
            let killed = eventually("31 answers its writers", SOON, || {
                Ok((writing.acknowledged.load(Ordering::Relaxed) >= KILL_AFTER).then_some(()))
            })
            .and_then(|_| {
                dki.kill9()?;
                let start = Instant::now();
                dki.start()?;
                back = start.elapsed();
                Ok(())
            });
            writing.stop.store(killed.is_err(), Ordering::Relaxed);
            for writer in writers {
                match writer.join() {
                    Ok(written) => written?,
                    Err(_) => bail!("a writer panicked"),
                }
            }
            killed
        })?;
        let answered = writing
            .answered
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let lost = writing.lost.load(Ordering::Relaxed);
        report.check(
            "31 was killed with kill -9 while it wrote, and takes connections again",
            true,
            &format!(
                "{}; {lost} answers lost on the way and asked for again",
                seconds(back)
            ),
        );
        let distinct: BTreeSet<String> = answered.iter().cloned().collect();
        let ((), took) = eventually(
            "every acknowledged command of 31 is there once, on every node",
            RETURNED_WITHIN,
            || {
                for node in [dki, jabar, banten] {
                    let answer =
                        node.posko(&["incident", "list", "--origin", "31", "--limit", "0"])?;
                    let listed = list(&answer, "incidents")?;
                    let now = ids(listed, "incident_id");
                    let numbers = ids(listed, "number");
                    ensure!(
                        now == before.union(&distinct).cloned().collect()
                            && now.len() == listed.len()
                            && numbers.len() == listed.len(),
                        "`{}` lists {} incidents of 31, expected {} and {}",
                        node.origin(),
                        listed.len(),
                        before.len(),
                        distinct.len()
                    );
                }
                Ok(Some(()))
            },
        )?;
        report.check(
            "every acknowledged command is there exactly once, on every node",
            distinct.len() == answered.len() && answered.len() == WRITES,
            &format!("{} of {WRITES} commands, {}", answered.len(), seconds(took)),
        );
        Ok(())
    }

    /// All logs verify, and all nodes' views of each origin are identical.
    fn agree(&self, report: &mut Report) -> Result<()> {
        let mut entries = 0;
        let mut intact = true;
        for node in self.federation.nodes() {
            let verified = node.console(&["log", "verify"])?;
            let logs = list(&verified, "logs")?;
            intact &= verified["ok"] == true && logs.len() == self.federation.nodes().count();
            entries += logs
                .iter()
                .filter_map(|log| log["entries"].as_u64())
                .sum::<u64>();
        }
        report.check(
            "every log verifies on every node",
            intact,
            &format!("{entries} entries"),
        );

        let (digests, took) = eventually(
            "the digests are the same on all nodes",
            RETURNED_WITHIN,
            || {
                let mut all = self
                    .federation
                    .nodes()
                    .map(digests)
                    .collect::<Result<Vec<_>>>()?;
                let first = all.pop().context("no nodes")?;
                ensure!(
                    all.iter().all(|other| *other == first),
                    "{first:?} and {all:?}"
                );
                Ok(Some(first))
            },
        )?;
        let origins: BTreeSet<&String> = digests.keys().map(|(_, origin)| origin).collect();
        report.check(
            "the views of each origin are identical on all nodes",
            origins.len() >= ORIGINS.len(),
            &format!(
                "{} digests of {} origins, {}",
                digests.len(),
                origins.len(),
                seconds(took)
            ),
        );
        check_going()
    }

    /// Tells where to look and what to try.
    pub(crate) fn invite(&self) {
        let posko = self.federation.program().display();
        let mut lines = vec![
            String::new(),
            "The four nodes run until Ctrl-C. Look and try, in another terminal:".into(),
        ];
        let mut dirs = BTreeMap::new();
        for node in self.federation.nodes() {
            let dir = node.dir().display().to_string();
            lines.push(format!(
                "  node {}: {dir}  (log: {dir}/serve.log, operators: {})",
                node.origin(),
                node.api()
            ));
            dirs.insert(node.origin(), (dir, node.token().unwrap_or_default()));
        }
        let token = |origin: &str| {
            dirs.get(origin)
                .map(|(_, token)| token.clone())
                .unwrap_or_default()
        };
        let on = |origin: &str| {
            let dir = dirs
                .get(origin)
                .map(|(dir, _)| dir.as_str())
                .unwrap_or_default();
            format!("  {posko} --dir {dir}")
        };
        lines.extend([
            String::new(),
            "See the whole region from Jakarta, what it is told, and how fresh that is:".into(),
            format!("{} incident list", on("31")),
            format!("{} incident notices", on("31")),
            format!("{} status", on("31")),
            format!("{} warning list", on("36")),
            String::new(),
            "Report something as Jawa Barat's duty officer, and see it at the others:".into(),
            format!("  export POSKO_TOKEN={}", token("32")),
            format!("{} incident report --hazard flood --region 32.75.01 --severity severe --channel branch", on("32")),
            "  unset POSKO_TOKEN".into(),
            format!("{} incident list --origin 32", on("36")),
            String::new(),
            "Check every hash and signature, and compare the nodes' pictures:".into(),
            format!("{} log verify", on("36")),
            format!("{} views digest", on("31")),
            format!("{} views digest", on("32")),
        ]);
        for line in lines {
            Report::tell_plain(&line);
        }
    }

    fn provinces(&self) -> Result<[&Node; 3]> {
        Ok([
            self.federation.node("31")?,
            self.federation.node("32")?,
            self.federation.node("36")?,
        ])
    }
}

/// Several people who report at once, each repeating a command until it is answered.
#[derive(Default)]
struct Writing {
    next: AtomicUsize,
    acknowledged: AtomicUsize,
    lost: AtomicUsize,
    stop: AtomicBool,
    answered: Mutex<Vec<String>>,
}

impl Writing {
    fn write(&self, node: &Node) -> Result<()> {
        while self.next.fetch_add(1, Ordering::Relaxed) < WRITES {
            let id = self.report(node, &Uuid::new_v4().to_string())?;
            let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
            answered.push(id);
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Gives one command until it is answered, each time with the same id.
    fn report(&self, node: &Node, command_id: &str) -> Result<String> {
        let (id, _) = eventually(
            "31 answers a command that is repeated",
            RETURNED_WITHIN,
            || {
                ensure!(
                    !self.stop.load(Ordering::Relaxed),
                    "the node did not come back"
                );
                let asked = node.posko(&[
                    "incident",
                    "report",
                    "--hazard",
                    "flood",
                    "--region",
                    "31.72",
                    "--severity",
                    "minor",
                    "--channel",
                    "citizen",
                    "--command-id",
                    command_id,
                ]);
                match asked {
                    Ok(answer) => text(&answer["outcome"], "stream_id").map(Some),
                    Err(error) => {
                        self.lost.fetch_add(1, Ordering::Relaxed);
                        let refused = error
                            .downcast_ref::<Refused>()
                            .is_some_and(|refused| matches!(refused.exit, 2..=4));
                        ensure!(!refused, "{error:#}");
                        Ok(None)
                    }
                }
            },
        )?;
        Ok(id)
    }
}

/// Reports a landslide in Cianjur, and returns the incident's id.
fn report_landslide(node: &Node) -> Result<String> {
    let reported = node.posko(&[
        "incident",
        "report",
        "--hazard",
        "landslide",
        "--region",
        "32.03",
        "--severity",
        "moderate",
        "--channel",
        "branch",
    ])?;
    text(&reported["outcome"], "stream_id")
}

fn warnings(node: &Node) -> Result<Vec<Value>> {
    let answer = node.posko(&["warning", "list", "--limit", "0"])?;
    list(&answer, "warnings").cloned()
}

fn incidents(node: &Node, origin: &str) -> Result<BTreeSet<String>> {
    let answer = node.posko(&["incident", "list", "--origin", origin, "--limit", "0"])?;
    Ok(ids(list(&answer, "incidents")?, "incident_id"))
}

/// Returns a node's digests by view and origin, with the rows.
fn digests(node: &Node) -> Result<BTreeMap<(String, String), (u64, String)>> {
    let answer = node.console(&["views", "digest"])?;
    let read = |digest: &Value| {
        let key = (text(digest, "view")?, text(digest, "origin")?);
        let rows = digest["rows"].as_u64().context("a digest without rows")?;
        Ok((key, (rows, text(digest, "sha256")?)))
    };
    list(&answer, "digests")?.iter().map(read).collect()
}

fn list<'a>(answer: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    answer
        .get(field)
        .and_then(Value::as_array)
        .with_context(|| format!("the answer has no list `{field}`: {answer}"))
}

fn text(answer: &Value, field: &str) -> Result<String> {
    let found = answer.get(field).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("the answer has no text `{field}`: {answer}"))
}

fn find<'a>(answer: &'a Value, field: &str, origin: &str) -> Result<&'a Value> {
    let found = list(answer, field)?
        .iter()
        .find(|found| found["origin"] == origin);
    found.with_context(|| format!("`{field}` has no `{origin}`"))
}

fn ids(rows: &[Value], field: &str) -> BTreeSet<String> {
    rows.iter()
        .filter_map(|row| row.get(field)?.as_str())
        .map(str::to_owned)
        .collect()
}

fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
