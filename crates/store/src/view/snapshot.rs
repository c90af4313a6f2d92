//! A snapshot of the region: every thing as it stands, in order of its key.
//!
//! It is read in pages, each in a transaction of its own. A key never moves, so that a thing that was there before the
//! first page is in one of them, whatever changes meanwhile; what a list is sorted by does move.

use posko_domain::{
    directive::DirectiveState,
    event::Area,
    incident::IncidentState,
    site::SiteState,
    warning::{WarningState, feed::FeedState},
};
use posko_proto::{Id, NodeId};
use rusqlite::{Row, named_params};

use super::{Found, Reading};
use crate::{Store, StoreError, fold};

/// A thing of the region.
#[expect(
    clippy::large_enum_variant,
    reason = "a thing is read once and sent once"
)]
#[derive(Debug, Clone)]
pub enum Thing {
    /// A warning.
    Warning(Found<WarningState>),
    /// An incident.
    Incident(Found<IncidentState>),
    /// A directive.
    Directive(Found<DirectiveState>),
    /// A site.
    Site(Found<SiteState>),
    /// A feed.
    Feed(Found<FeedState>),
}

impl Thing {
    /// Returns its place in the order: whose it is, and its id.
    pub fn key(&self) -> (NodeId, Id) {
        match self {
            Self::Warning(found) => (found.origin, found.id),
            Self::Incident(found) => (found.origin, found.id),
            Self::Directive(found) => (found.origin, found.id),
            Self::Site(found) => (found.origin, found.id),
            Self::Feed(found) => (found.origin, found.id),
        }
    }
}

impl Store {
    /// Returns the things of these areas that follow a key, at most `limit`; accounts are no things of the region, and what owners say about their logs is in the feed alone.
    pub fn things(
        &self,
        areas: &[Area],
        after: Option<(NodeId, Id)>,
        limit: usize,
    ) -> Result<Vec<Thing>, StoreError> {
        let wanted = |area| areas.contains(&area).then(|| fold::area_number(area));
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(
                "SELECT origin, stream, body, area
                 FROM state
                 WHERE (origin, stream) > (:origin, :stream) AND area IN (:warning, :incident, :directive, :site, :feed)
                 ORDER BY origin, stream
                 LIMIT :limit",
            )?;
            let mut rows = statement.query(named_params! {
                ":origin": after.map_or_else(String::new, |(origin, _)| origin.to_string()),
                ":stream": after.map(|(_, id)| id.to_vec()).unwrap_or_default(),
                ":warning": wanted(Area::Warning),
                ":incident": wanted(Area::Incident),
                ":directive": wanted(Area::Directive),
                ":site": wanted(Area::Site),
                ":feed": wanted(Area::Feed),
                ":limit": limit as i64,
            })?;
            let mut things = Vec::new();
            while let Some(row) = rows.next()? {
                things.extend(thing(reading, row)?);
            }
            Ok(things)
        })
    }
}

fn thing(reading: &Reading<'_>, row: &Row<'_>) -> Result<Option<Thing>, StoreError> {
    Ok(match fold::area_of(row.get(3)?) {
        Some(Area::Warning) => Some(Thing::Warning(reading.found(row)?)),
        Some(Area::Incident) => Some(Thing::Incident(reading.found(row)?)),
        Some(Area::Directive) => Some(Thing::Directive(reading.found(row)?)),
        Some(Area::Site) => Some(Thing::Site(reading.found(row)?)),
        Some(Area::Feed) => Some(Thing::Feed(reading.found(row)?)),
        Some(Area::Account | Area::Log | Area::Draft) | None => None,
    })
}
