//! Feeds: this node's as they are now, other nodes' as these recorded them.

use std::sync::PoisonError;

use posko_domain::warning::feed::FeedState;
use posko_proto::warning::v1::{Feed, FeedHealth};
use posko_store::{Store, view::feed::Found};
use tonic::Status;

use super::Api;
use crate::intake::Feeds;

impl Api {
    /// Returns this node's feeds, then those of other nodes that `wanted` keeps.
    pub(super) async fn feeds(&self, wanted: fn(&FeedState) -> bool) -> Result<Vec<Feed>, Status> {
        let own = self.own();
        let mut feeds = {
            let feeds = self.0.feeds.read().unwrap_or_else(PoisonError::into_inner);
            feeds.as_ref().map(Feeds::status).unwrap_or_default()
        };
        for feed in &mut feeds {
            feed.provenance = Some(self.provenance(own, None));
        }
        let others = self.ask(Store::feeds).await?;
        let others = others.iter().filter(|found| found.origin != own);
        let others = others.filter(|found| wanted(&found.state));
        feeds.extend(others.map(|found| self.feed(found)));
        Ok(feeds)
    }

    /// Returns a feed as its node recorded it.
    pub(super) fn feed(&self, found: &Found) -> Feed {
        let state = &found.state;
        let said = state.said.clone();
        Feed {
            name: said.name,
            kind: said.kind,
            health: said.health,
            since: said.since,
            // One that is well has answered since it was recorded; when, its node alone knows.
            last_success_at: said
                .last_success_at
                .filter(|_| said.health != i32::from(FeedHealth::Ok)),
            alarm: state.is_alarm(),
            config_kind: said.config_kind,
            period_seconds: said.period_seconds,
            provenance: Some(self.provenance_of(found, state.recorded_at)),
            ..Feed::default()
        }
    }
}
