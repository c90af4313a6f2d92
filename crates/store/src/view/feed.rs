//! Feeds of every node. They are few, and listed from their states; an index finds those.

use posko_domain::warning::feed::FeedState;

use crate::{Store, StoreError};

pub(super) const INDEXES: &str = "
    DROP INDEX IF EXISTS state_feed; CREATE INDEX state_feed ON state(origin, stream) WHERE area = 22;
";

/// A feed and how it is.
pub type Found = super::Found<FeedState>;

impl Store {
    /// Returns the feeds that nodes ask, in order of their nodes and names.
    pub fn feeds(&self) -> Result<Vec<Found>, StoreError> {
        self.read_things(|connection, reading| {
            let mut feeds = connection
                .prepare_cached("SELECT origin, stream, body FROM state WHERE area = 22")?;
            let mut rows = feeds.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let feed: Found = reading.found(row)?;
                if !feed.state.retired {
                    found.push(feed);
                }
            }
            found.sort_by(|one, other| {
                (one.origin, &one.state.said.name).cmp(&(other.origin, &other.state.said.name))
            });
            Ok(found)
        })
    }
}
