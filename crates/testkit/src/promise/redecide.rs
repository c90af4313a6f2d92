//! What becomes of a promise that a restored log left out.

use posko_proto::{Id, NodeId, time::Millis};
use posko_store::{StoreError, aggregate::View};

use super::{Books, Event, decide};

/// What must be known before a promise can be decided again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    Nothing,
    /// Whether its owner keeps the hand-over.
    Escrow {
        owner: NodeId,
        escrow: Id,
    },
    /// What these hospitals answered.
    Answers(Vec<NodeId>),
}

impl Waits {
    fn of(promise: &Event, books: &Books) -> Self {
        match promise {
            Event::Drawn { owner, escrow, .. } => Self::Escrow {
                owner: *owner,
                escrow: *escrow,
            },
            Event::Selected { referral, .. } => {
                let others = (books.mine().standing()).filter_map(|known| match known.event {
                    Event::Selected {
                        referral: selected,
                        hospital,
                        ..
                    } if selected == *referral => Some(hospital),
                    _ => None,
                });
                Self::Answers(others.collect())
            }
            _ => Self::Nothing,
        }
    }

    /// Returns whose log is waited for; none when all is known.
    pub(super) fn are_over(
        &self,
        books: &Books,
        view: &View<'_>,
    ) -> Result<Option<NodeId>, StoreError> {
        match self {
            Self::Nothing => Ok(None),
            Self::Escrow { owner, escrow } => {
                let theirs = books.of(*owner);
                let unknown = theirs.promise(*escrow).is_none()
                    && !theirs.not_kept().any(|(id, _)| id == escrow)
                    && (!view.is_caught_up(*owner) || view.is_left_out(*owner, *escrow)?);
                Ok((unknown || !view.is_complete(*owner)?).then_some(*owner))
            }
            Self::Answers(hospitals) => {
                let mut hospitals = hospitals.iter();
                Ok(hospitals.find(|other| !view.is_caught_up(**other)).copied())
            }
        }
    }
}

/// Returns what became of a promise, or what that waits for.
pub(super) fn redecide(
    id: Id,
    event: Event,
    books: &Books,
    waits: impl FnOnce(&Waits) -> Result<Option<NodeId>, StoreError>,
) -> Result<Result<Event, String>, StoreError> {
    // One that was decided again before is left out as the promise that it carries.
    let (id, promise) = match event {
        Event::Reinstated { id, promise } => (id, *promise),
        event => (id, event),
    };
    let mine = books.mine();
    let reinstated = |promise: Event| Event::Reinstated {
        id,
        promise: Box::new(promise),
    };
    let same = mine.promise(id).is_some_and(|known| known.event == promise);
    if promise.is_refusal() || (same && !mine.is_over(id, &promise)) {
        return Ok(Ok(reinstated(promise)));
    }
    if mine.is_over(id, &promise) {
        return Ok(Ok(decide::over_committed(id, &promise, books.own)));
    }
    if let Some(other) = waits(&Waits::of(&promise, books))? {
        return Ok(Err(format!(
            "promise `{id}` depends on the log of `{other}`"
        )));
    }
    // The same command may have been decided otherwise meanwhile: then its first answer is not kept.
    let taken = mine.has(id);
    let fits = || decide::fits(&promise, Some(id), books, Millis(0)).is_ok();
    Ok(Ok(if !taken && fits() {
        reinstated(promise)
    } else {
        decide::over_committed(id, &promise, books.own)
    }))
}
