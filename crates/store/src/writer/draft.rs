//! Drafts of the node's own warnings: a decision that may change two things, the draft and the warning.

use posko_domain::{
    code::Refusal,
    context::Context,
    event::Event,
    warning::draft::{self, DraftCommand},
};
use posko_proto::Id;
use rusqlite::Connection;

use super::{Decided, Writer};
use crate::{
    StoreError,
    fold::{self, Stored},
    view::Tables,
};

impl Writer {
    /// Decides a command about a draft, with the warning that it issues or changes.
    pub(super) fn decide_draft(
        &self,
        connection: &Connection,
        draft: Id,
        state: Option<&Stored>,
        command: &DraftCommand,
        context: &Context,
    ) -> Result<Result<Decided, Refusal>, StoreError> {
        let own = self.options.identity.origin;
        let state = fold::draft(state)?;
        let target = match draft::looks_at(state.as_ref(), draft, command, context) {
            Some(warning) => {
                let stored = fold::state(connection, Tables::LIVE, own, warning)?;
                fold::warning(stored.as_ref())?
            }
            None => None,
        };
        let decision = draft::decide(state.as_ref(), draft, target.as_ref(), command, context);
        Ok(decision.map_err(Refusal::from).map(|decision| {
            let events = decision.draft.into_iter().map(Event::Draft);
            let mut decided = Decided::of(draft, events.collect());
            if let Some((warning, events)) = decision.warning {
                decided.add(warning, events.into_iter().map(Event::Warning).collect());
            }
            decided
        }))
    }
}
