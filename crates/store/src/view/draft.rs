//! Drafts of the node's own warnings. They are few, and listed from their states; an index finds those.

use posko_domain::warning::draft::DraftState;
use posko_proto::{Id, NodeId};
use rusqlite::named_params;

use crate::{Store, StoreError, fold};

pub(super) const INDEXES: &str = "
    DROP INDEX IF EXISTS state_draft; CREATE INDEX state_draft ON state(origin, stream) WHERE area = 21;
";

/// A draft and how it stands.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its id.
    pub id: Id,
    /// How it stands.
    pub state: DraftState,
}

impl Store {
    /// Returns a draft of this node.
    pub fn draft(&self, id: Id) -> Result<Option<Found>, StoreError> {
        let own = self.identity().origin;
        self.read(|connection| {
            let stored = fold::state(connection, super::Tables::LIVE, own, id)?;
            let state = fold::draft(stored.as_ref())?;
            Ok(state.map(|state| Found { id, state }))
        })
    }

    /// Returns the drafts of this node that `keep` keeps, newest first, after the token.
    pub fn drafts(
        &self,
        keep: impl Fn(&DraftState) -> bool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<crate::query::PageOf<Found>, StoreError> {
        let own: NodeId = self.identity().origin;
        let (before_ms, before_id) = crate::query::cursor(after)?;
        self.read(|connection| {
            let mut drafts = connection.prepare_cached(
                "SELECT stream, body FROM state WHERE area = 21 AND origin = :own",
            )?;
            let mut rows = drafts.query(named_params! { ":own": own.as_str() })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let id = crate::id(&row.get::<_, Vec<u8>>(0)?)?;
                let state: DraftState = fold::decode_body(&row.get::<_, Vec<u8>>(1)?)?;
                let at = (state.drafted_at.0, id.as_bytes().to_vec());
                if keep(&state) && at < (before_ms, before_id.clone()) {
                    found.push((at, Found { id, state }));
                }
            }
            found.sort_by(|(one, _), (other, _)| other.cmp(one));
            let mut page = crate::query::PageOf::new(limit);
            for ((at_ms, _), draft) in found.into_iter().take(limit + 1) {
                let token = crate::query::token(at_ms, draft.id);
                page.push(draft, token);
            }
            Ok(page)
        })
    }
}
