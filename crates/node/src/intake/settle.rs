//! From what a publisher wants to commands: what is held already decides which warning an item is of, and what it ends.

use std::cmp::Ordering;

use posko_domain::{
    code::{Code, Refusal},
    region::{Point, haversine_km},
    warning::{Ending, WarningCommand, WarningState},
};
use posko_proto::{
    Id,
    time::Millis,
    warning::v1::{AlertStatus, Content, Earthquake, MessageKind, Reference},
};

use crate::intake::{
    Recorder, Take,
    wanted::{Effect, Wanted},
    wave,
};

/// How far apart the origin times of one earthquake may lie in two lists, in seconds: they are computed anew.
const SAME_EVENT_SECONDS: u64 = 60;

/// How far apart the epicenters of one earthquake may lie in two lists, in kilometers.
const SAME_EVENT_KM: f64 = 100.0;

/// How long a station's warning is left as it is while its level stays, in seconds.
const STATION_REPEAT_SECONDS: i64 = 3600;

/// A warning of this node that is held in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The warning.
    pub stream: Id,
    /// How it stands.
    pub state: WarningState,
}

/// What became of an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Settled {
    /// Whether something was recorded.
    pub changed: bool,
    /// The warning that it is of.
    pub stream: Option<Id>,
    /// What there is to say, such as what it refers to and is not held.
    pub told: Vec<String>,
}

/// Records what an item wants.
pub(crate) async fn settle<R: Recorder>(recorder: &R, wanted: Wanted) -> Result<Settled, Refusal> {
    let settling = Settling { recorder };
    match wanted.effect.clone() {
        Effect::Warn => settling.warn(wanted).await,
        Effect::Cancel => settling.cancel(wanted).await,
        Effect::Event => settling.event(wanted).await,
        Effect::EndEvent => settling.end_event(wanted).await,
        Effect::Station { key, warns } => settling.station(wanted, &key, warns).await,
    }
}

struct Settling<'r, R> {
    recorder: &'r R,
}

impl<R: Recorder> Settling<'_, R> {
    async fn give(&self, stream: Id, command: WarningCommand) -> Result<bool, Refusal> {
        let take = Take { stream, command };
        Ok(self.recorder.record(take).await?.changed)
    }

    /// Records a warning, and what follows for those that it refers to and those that refer to it.
    async fn warn(&self, wanted: Wanted) -> Result<Settled, Refusal> {
        let mut settled = self.take(&wanted).await?;
        if wanted.content.status() != AlertStatus::Actual {
            return Ok(settled);
        }
        if wanted.content.message_kind() == MessageKind::Update {
            for reference in &wanted.content.references {
                let Some(earlier) = self.own_reference(reference, &wanted, &mut settled) else {
                    continue;
                };
                let replace = WarningCommand::Replace {
                    by: wanted.stream,
                    ending: ending(&wanted.identifier, &wanted.content),
                };
                match self.give(earlier, replace).await {
                    Ok(changed) => settled.changed |= changed,
                    Err(refusal) if refusal.code == Code::NotFound => {
                        settled.told.push(not_held(reference));
                    }
                    // What was taken back already stays so.
                    Err(refusal) if refusal.code == Code::Conflict => {}
                    Err(refusal) if refusal.code == Code::Forbidden => {
                        settled.told.push(refusal.message);
                    }
                    Err(refusal) => return Err(refusal),
                }
            }
        }
        if settled.changed {
            self.be_referred_to(&wanted, &mut settled).await?;
        }
        Ok(settled)
    }

    /// Ends a warning that comes after the message that replaces it or takes it back.
    async fn be_referred_to(&self, wanted: &Wanted, settled: &mut Settled) -> Result<(), Refusal> {
        for later in self.recorder.referring(wanted.stream).await? {
            let content = &later.state.content;
            let is_own = later.stream != wanted.stream && content.sender == wanted.content.sender;
            // Of two that refer to each other the one that was sent later stands, or else this one.
            let is_later = match sent(content).cmp(&sent(&wanted.content)) {
                Ordering::Greater => true,
                Ordering::Equal => !refers_to(&wanted.content, later.stream),
                Ordering::Less => false,
            };
            if !is_own || !is_later || content.status() != AlertStatus::Actual {
                continue;
            }
            let ending = ending(&later.state.identifier, content);
            let command = match content.message_kind() {
                MessageKind::Cancel => WarningCommand::Cancel(ending),
                MessageKind::Update => WarningCommand::Replace {
                    by: later.stream,
                    ending,
                },
                MessageKind::Alert | MessageKind::Unspecified => continue,
            };
            match self.give(wanted.stream, command).await {
                Ok(_) => settled.told.push(format!(
                    "`{}`, which came before, has ended it",
                    later.state.identifier
                )),
                // It is over already, or what came before is another host's and ends nothing here.
                Err(refusal) if matches!(refusal.code, Code::Conflict | Code::Invalid) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }

    /// Takes back what a message refers to, and what has replaced that since; a message that refers to what is not held is
    /// kept itself.
    async fn cancel(&self, wanted: Wanted) -> Result<Settled, Refusal> {
        let mut settled = Settled::default();
        let mut waits = false;
        let mut ended: Vec<Id> = Vec::new();
        for reference in &wanted.content.references {
            let Some(earlier) = self.own_reference(reference, &wanted, &mut settled) else {
                continue;
            };
            let ending = ending(&wanted.identifier, &wanted.content);
            if self.take_back(earlier, ending, &mut settled).await? {
                ended.push(earlier);
            } else {
                settled.told.push(not_held(reference));
                waits = true;
            }
        }
        // Taking back what was replaced already can only mean what stands in its place.
        let mut at = 0;
        while let Some(earlier) = ended.get(at).copied() {
            at += 1;
            for later in self.recorder.referring(earlier).await? {
                let content = &later.state.content;
                let stands_in_its_place = content.message_kind() == MessageKind::Update
                    && content.sender == wanted.content.sender
                    && content.status() == AlertStatus::Actual
                    && content.carried_by == wanted.content.carried_by
                    && sent(content) <= sent(&wanted.content)
                    && !ended.contains(&later.stream);
                let ending = ending(&wanted.identifier, &wanted.content);
                if stands_in_its_place && self.take_back(later.stream, ending, &mut settled).await?
                {
                    ended.push(later.stream);
                }
            }
        }
        if waits {
            let kept = self.take(&wanted).await?;
            settled.changed |= kept.changed;
            settled.stream = settled.stream.or(kept.stream);
        }
        Ok(settled)
    }

    /// Takes a warning back; says whether it is held. One that was taken back already stays so.
    async fn take_back(
        &self,
        stream: Id,
        ending: Ending,
        settled: &mut Settled,
    ) -> Result<bool, Refusal> {
        match self.give(stream, WarningCommand::Cancel(ending)).await {
            Ok(changed) => settled.changed |= changed,
            Err(refusal) if refusal.code == Code::NotFound => return Ok(false),
            Err(refusal) if refusal.code == Code::Conflict => {}
            Err(refusal) => return Err(refusal),
        }
        settled.stream = Some(stream);
        Ok(true)
    }

    async fn event(&self, mut wanted: Wanted) -> Result<Settled, Refusal> {
        if let Some(held) = self.held_event(&wanted).await? {
            wanted.stream = held.stream;
            wanted.identifier = held.state.identifier;
        }
        self.take(&wanted).await
    }

    async fn end_event(&self, wanted: Wanted) -> Result<Settled, Refusal> {
        let Some(held) = self.held_event(&wanted).await? else {
            return Ok(Settled {
                told: vec!["it ends a warning that is not held in force here".into()],
                ..Settled::default()
            });
        };
        let cancel = WarningCommand::Cancel(ending(&wanted.identifier, &wanted.content));
        let changed = self.give(held.stream, cancel).await?;
        Ok(Settled {
            changed,
            stream: Some(held.stream),
            told: Vec::new(),
        })
    }

    async fn held_event(&self, wanted: &Wanted) -> Result<Option<Held>, Refusal> {
        let held = self.recorder.in_force(wanted.source).await?;
        let same = |held: &Held| {
            held.state.content.status == wanted.content.status
                && is_same_event(&held.state.content, &wanted.content)
        };
        Ok(held.into_iter().find(same))
    }

    async fn station(
        &self,
        mut wanted: Wanted,
        key: &str,
        warns: bool,
    ) -> Result<Settled, Refusal> {
        let held = self.recorder.in_force(wanted.source).await?;
        let is_gauge = wanted.content.gauge.is_some();
        // What is only under way goes on by itself.
        let held = held.into_iter().find(|held| {
            held.state.identifier.starts_with(key)
                && !(is_gauge && wave::recedes(&held.state.content))
        });
        let Some(held) = held else {
            let told = is_gauge.then(|| wave::told(&wanted.content));
            let settled = if warns {
                self.take(&wanted).await?
            } else {
                Settled::default()
            };
            return Ok(Settled {
                told: told.into_iter().collect(),
                ..settled
            });
        };
        let known = Settled {
            stream: Some(held.stream),
            ..Settled::default()
        };
        if sent(&wanted.content) < sent(&held.state.content) {
            return Ok(known);
        }
        if is_gauge {
            return self.wave(wanted, &held).await;
        }
        if !warns {
            let cancel = WarningCommand::Cancel(ending(&wanted.identifier, &wanted.content));
            let changed = self.give(held.stream, cancel).await?;
            return Ok(Settled { changed, ..known });
        }
        if repeats(&held.state.content, &wanted.content) {
            return Ok(known);
        }
        wanted.stream = held.stream;
        wanted.identifier = held.state.identifier;
        self.take(&wanted).await
    }

    /// Records a newer reading of a gauge of whose water is warned.
    async fn wave(&self, wanted: Wanted, held: &Held) -> Result<Settled, Refusal> {
        let (before, after) = (&held.state.content, &wanted.content);
        let mut settled = Settled {
            stream: Some(held.stream),
            told: vec![wave::told(after)],
            ..Settled::default()
        };
        let again = |content: Content| Wanted {
            stream: held.stream,
            identifier: held.state.identifier.clone(),
            content,
            ..wanted.clone()
        };
        if before.severity() <= after.severity() {
            if !repeats(before, after) {
                let risen = again(wave::risen(before, after));
                settled.changed = self.take(&risen).await?.changed;
            }
            return Ok(settled);
        }
        if let Some(content) = wave::fallen(before, after) {
            settled.told.push(wave::told_under_way(&content));
            settled.changed = self.take(&again(content)).await?.changed;
        } else {
            let cancel = WarningCommand::Cancel(ending(&wanted.identifier, after));
            settled.changed = self.give(held.stream, cancel).await?;
        }
        if wave::is_reached(after) {
            settled.changed |= self.take(&wanted).await?.changed;
            settled.stream = Some(wanted.stream);
        }
        Ok(settled)
    }

    async fn take(&self, wanted: &Wanted) -> Result<Settled, Refusal> {
        let changed = self.give(wanted.stream, wanted.command()?).await?;
        Ok(Settled {
            changed,
            stream: Some(wanted.stream),
            told: Vec::new(),
        })
    }

    /// Returns what a reference is here, unless it is of another sender, who alone may end it, or of the message itself.
    #[expect(clippy::unused_self, reason = "it is a step of settling")]
    fn own_reference(
        &self,
        reference: &Reference,
        wanted: &Wanted,
        settled: &mut Settled,
    ) -> Option<Id> {
        let earlier = Id::try_from(reference.warning_id.as_slice()).ok()?;
        if reference.sender != wanted.content.sender {
            settled.told.push(format!(
                "refers to `{}` of another sender, which that sender alone ends",
                reference.identifier
            ));
            return None;
        }
        let said = reference.sent_at.as_ref();
        let said = said.and_then(|at| Millis::try_from(at).ok());
        if said.is_some_and(|at| at > sent(&wanted.content)) {
            settled.told.push(format!(
                "refers to `{}` as sent after itself, and does not end it",
                reference.identifier
            ));
            return None;
        }
        (earlier != wanted.stream).then_some(earlier)
    }
}

fn refers_to(content: &Content, stream: Id) -> bool {
    let mut references = content.references.iter();
    references.any(|reference| reference.warning_id == stream.as_bytes())
}

/// Returns what a message says of itself where it ends another.
fn ending(identifier: &str, content: &Content) -> Ending {
    let message = &content.message_identifier;
    Ending {
        identifier: if message.is_empty() {
            identifier.into()
        } else {
            message.clone()
        },
        carried_by: content.carried_by.clone(),
        sent: Some(sent(content)),
    }
}

/// Says whether a station's newer reading says the same too soon to be told again.
fn repeats(held: &Content, newer: &Content) -> bool {
    let apart = sent(newer).0 - sent(held).0;
    held.severity == newer.severity && apart < STATION_REPEAT_SECONDS * 1_000
}

fn not_held(reference: &Reference) -> String {
    format!(
        "refers to `{}`, which is not held here",
        reference.identifier
    )
}

/// Says whether two contents are of the same earthquake: it began in the same minute, and not far away.
fn is_same_event(held: &Content, wanted: &Content) -> bool {
    let (Some(held), Some(wanted)) = (&held.earthquake, &wanted.earthquake) else {
        return false;
    };
    let seconds = |earthquake: &Earthquake| {
        let origin_time = earthquake.origin_time.as_ref();
        origin_time.map_or(0, |at| at.seconds)
    };
    let apart = seconds(held).abs_diff(seconds(wanted));
    let far = match (held.epicenter, wanted.epicenter) {
        (Some(held), Some(wanted)) => {
            haversine_km(Point::from(held).degrees(), Point::from(wanted).degrees())
        }
        _ => 0.0,
    };
    apart <= SAME_EVENT_SECONDS && far <= SAME_EVENT_KM
}

/// Returns when a message was sent; at the beginning of time where nothing says.
fn sent(content: &Content) -> Millis {
    let sent = content.sent_at.as_ref();
    sent.and_then(|at| Millis::try_from(at).ok())
        .unwrap_or(Millis(0))
}
