//! Warnings that move: a gauge upstream that warns Jakarta, and an alert that is updated and cancelled.

use std::fs;

use anyhow::{Context, Result, ensure};
use posko_node::time::now;
use posko_testkit::{Node, eventually};
use prost_types::Timestamp;
use serde_json::Value;

use super::{SOON, Story, list, seconds, text, warnings};
use crate::report::Report;

/// The gauge at the Ciliwung above Bogor, and a height at which it stands at Siaga I.
const GAUGE: [&str; 2] = ["Katulampa", "210"];
/// The kota of Jakarta that the water of the Ciliwung reaches.
const DOWNSTREAM: &str = "31.74";

impl Story {
    /// The gauge at Katulampa, in Jawa Barat, reaches Siaga I, and Jakarta sees when the water is expected there.
    pub(super) fn river(&self, report: &mut Report) -> Result<()> {
        let [dki, jabar, _] = self.provinces()?;
        let [station, level] = GAUGE;
        let taken = jabar.posko(&["warning", "gauge", station, "--level-cm", level])?;
        let id = text(&list(&taken, "items")?[0], "warning_id")?;
        let (arrival, took) = eventually("31 sees when the water reaches Jakarta", SOON, || {
            let warning = shown(dki, &id)?;
            let content = &warning["content"];
            ensure!(
                content["gauge"]["siaga"] == "i" && content["gauge"]["level_cm"] == 210.0,
                "31 sees {content}"
            );
            let zones = list(&warning, "zones")?;
            ensure!(zones.contains(&"Z1".into()), "31 sees {zones:?}");
            let areas = list(content, "areas")?.iter();
            let mut here = areas.filter(|area| {
                let codes = area["region_codes"].as_array();
                codes.is_some_and(|codes| codes.contains(&DOWNSTREAM.into()))
            });
            let arrival = here.find_map(|area| area["arrival_at"].as_str());
            Ok(Some(arrival.context("no arrival at Jakarta")?.to_owned()))
        })?;
        report.check(
            "the gauge at Katulampa reaches Siaga I, and 31 sees when the water is expected in Jakarta",
            true,
            &format!("at {DOWNSTREAM} {arrival}, seen after {}", seconds(took)),
        );
        Ok(())
    }

    /// An alert in BMKG's shape is replaced by its update, which is cancelled; all see both.
    pub(super) fn superseded(&self, report: &mut Report) -> Result<()> {
        let [dki, jabar, banten] = self.provinces()?;
        let alert = Message::new("001", "Alert", -1200, &[]);
        let update = Message::new("002", "Update", -600, &[&alert]);
        let cancel = Message::new("003", "Cancel", -60, &[&update]);
        let mut ids = Vec::new();
        for message in [&alert, &update] {
            let taken = message.give(jabar)?;
            let items = list(&taken["files"][0], "items")?;
            ids.push(text(&items[0], "warning_id")?);
        }
        let [first, second] = [&ids[0], &ids[1]];
        let ((), took) = eventually(
            "31 and 36 see the update in the alert's place",
            SOON,
            || {
                for node in [dki, banten] {
                    let (old, new) = (shown(node, first)?, shown(node, second)?);
                    ensure!(
                        old["state"] == "replaced"
                            && old["replaced_by_id"] == new["warning_id"]
                            && new["state"] == "in_force",
                        "at `{}`: {old} and {new}",
                        node.origin()
                    );
                }
                Ok(Some(()))
            },
        )?;
        report.check(
            "an alert of BMKG is replaced by its update, and 31 and 36 see by which",
            true,
            &seconds(took),
        );
        cancel.give(jabar)?;
        let ((), took) = eventually("31 and 36 see it cancelled", SOON, || {
            for node in [dki, banten] {
                let state = shown(node, second)?["state"].clone();
                ensure!(state == "cancelled", "at `{}`: {state}", node.origin());
                let in_force = warnings(node)?;
                let gone = |warning: &&Value| warning["warning_id"] == **second;
                let listed = in_force.iter().find(gone).map(|held| &held["state"]);
                ensure!(listed == Some(&"cancelled".into()), "listed as {listed:?}");
            }
            Ok(Some(()))
        })?;
        report.check(
            "the update is cancelled, and shown as such at 31 and 36",
            true,
            &seconds(took),
        );
        Ok(())
    }
}

/// A CAP message in the shape of BMKG's nowcast, with facts of its own.
struct Message {
    identifier: String,
    sent: String,
    document: String,
}

impl Message {
    /// Makes a message that was sent some seconds from now and refers to others.
    fn new(number: &str, kind: &str, sent: i64, refers_to: &[&Self]) -> Self {
        const SENDER: &str = "cuaca.ekstrem@bmkg.go.id";
        let identifier = format!("2.49.0.1.360.0.2026.demo.{number}");
        let (sent, expires) = (moment(sent), moment(7200));
        let references = if refers_to.is_empty() {
            String::new()
        } else {
            let all = refers_to
                .iter()
                .map(|other| format!("{SENDER},{},{}", other.identifier, other.sent));
            let all = all.collect::<Vec<_>>().join(" ");
            format!("<references>{all}</references>")
        };
        let document = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{identifier}</identifier><sender>{SENDER}</sender><sent>{sent}</sent>
  <status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{references}
  <info>
    <language>id</language><category>Met</category><event>Hujan Lebat dan Petir</event>
    <urgency>Immediate</urgency><severity>Moderate</severity><certainty>Observed</certainty>
    <effective>{sent}</effective><expires>{expires}</expires>
    <senderName>Badan Meteorologi Klimatologi dan Geofisika</senderName>
    <headline>Hujan Lebat disertai Petir di Banten</headline>
    <description>Hujan lebat &amp; petir berpotensi terjadi di Cibadak dan Rangkasbitung.</description>
    <area>
      <areaDesc>Banten</areaDesc>
      <polygon>-6.330,106.200 -6.330,106.290 -6.410,106.290 -6.410,106.200 -6.330,106.200</polygon>
    </area>
  </info>
</alert>
"#
        );
        Self {
            identifier,
            sent,
            document,
        }
    }

    /// Gives it to a node's duty officer as a file.
    fn give(&self, node: &Node) -> Result<Value> {
        let file = node.dir().join(format!("{}.xml", self.identifier));
        fs::write(&file, &self.document).with_context(|| format!("write `{}`", file.display()))?;
        let taken = node.posko(&["warning", "take", &file.to_string_lossy()]);
        fs::remove_file(&file).with_context(|| format!("remove `{}`", file.display()))?;
        taken
    }
}

/// Returns a moment some seconds from now as CAP writes it.
fn moment(seconds: i64) -> String {
    let at = Timestamp {
        seconds: now().plus_seconds(seconds).0.div_euclid(1000),
        nanos: 0,
    };
    at.to_string().replace('Z', "+00:00")
}

/// Returns a warning as a node shows it.
fn shown(node: &Node, id: &str) -> Result<Value> {
    Ok(node.posko(&["warning", "show", id])?["warning"].clone())
}
