//! May this be, as things stand?

use posko_domain::code::{Code, Refusal};
use posko_proto::{Id, NodeId, time::Millis};
use posko_store::{StoreError, aggregate::View};

use super::{Books, Command, Event, Item, Promise, answer};

/// Why a command about a promise is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejection {
    #[error("`{free}` are free where `{count}` are asked for")]
    TooFew { free: i64, count: u32 },
    #[error("promise `{0}` does not bind its units any more")]
    NotLive(Id),
    #[error("`{0}` is not known here")]
    Unknown(Id),
    #[error("hand-over `{0}` is over: nothing is drawn of it any more")]
    Ended(Id),
    #[error("referral `{0}` has a selection already")]
    Selected(Id),
    #[error("promise `{0}` can be kept")]
    Kept(Id),
    #[error("only the node itself records that")]
    NotACommand,
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let code = match rejection {
            Rejection::Unknown(_) => Code::NotFound,
            Rejection::NotACommand => Code::Invalid,
            _ => Code::Conflict,
        };
        Self {
            code,
            message: rejection.to_string(),
        }
    }
}

/// Returns a refusal when what the decision rests on is not whole here.
pub(super) fn incomplete(
    command: &Command,
    books: &Books,
    view: &View<'_>,
) -> Result<Option<Refusal>, StoreError> {
    let other = match command {
        Command::Do(
            Event::Drawn { owner, .. }
            | Event::Returned { owner, .. }
            | Event::Selected {
                hospital: owner, ..
            },
        ) => Some(*owner),
        Command::Decide { of, .. } | Command::Answer { of, .. } => Some(*of),
        Command::Repair { promise } => {
            (books.mine().promise(*promise)).and_then(|promise| match promise.event {
                Event::Drawn { owner, .. } => Some(owner),
                _ => None,
            })
        }
        Command::Do(_) => None,
    };
    if let Some(other) = other
        && !view.is_complete(other)?
    {
        return Ok(Some(waiting(&format!(
            "payloads of `{other}` are missing here"
        ))));
    }
    if let Command::Repair { promise } = command {
        for selection in rivals(books, *promise) {
            if let Event::Selected { hospital, .. } = selection.event
                && view.is_left_out(hospital, answer(selection.id))?
            {
                return Ok(Some(waiting(&format!(
                    "`{hospital}` is to record its answer to `{}` again",
                    selection.id
                ))));
            }
        }
    }
    Ok(None)
}

fn waiting(why: &str) -> Refusal {
    Refusal {
        code: Code::Unavailable,
        message: format!("waiting: {why}"),
    }
}

/// Returns the other selections for the referral of a selection.
fn rivals(books: &Books, promise: Id) -> impl Iterator<Item = &Promise> {
    let mine = books.mine();
    let of = mine.promise(promise).and_then(|known| match known.event {
        Event::Selected { referral, .. } => Some(referral),
        _ => None,
    });
    mine.standing().filter(move |known| {
        matches!(known.event, Event::Selected { referral, .. } if Some(referral) == of)
            && known.id != promise
    })
}

/// Returns the event that a command leads to.
pub(super) fn decide(command: &Command, books: &Books, now: Millis) -> Result<Event, Rejection> {
    let mine = books.mine();
    match command {
        Command::Do(event) => {
            fits(event, None, books, now)?;
            Ok(event.clone())
        }
        Command::Decide { ask, of, item } => {
            let asked = books.of(*of).asks.get(ask).map(|(event, _)| event);
            let (count, hold) = match asked {
                Some(Event::Requested { count, .. }) => (*count, false),
                Some(Event::Referred { .. }) => (1, true),
                _ => return Err(Rejection::Unknown(*ask)),
            };
            let granted = Event::Granted {
                item: *item,
                to: *of,
                count,
                ask: Some(*ask),
                hold,
            };
            let within = *item != Item::Stock
                || mine.consent.is_some_and(|(total, each)| {
                    mine.consented(None) + i64::from(count) <= i64::from(total)
                        && mine.consented(Some(*of)) + i64::from(count) <= i64::from(each)
                });
            Ok(match fits(&granted, None, books, now) {
                Ok(()) if within => granted,
                _ => Event::Refused { ask: *ask },
            })
        }
        Command::Answer { selection, of } => {
            let selected = books.of(*of).promise(*selection).map(|known| &known.event);
            let Some(Event::Selected { referral, hold, .. }) = selected else {
                return Err(Rejection::Unknown(*selection));
            };
            let confirmed = Event::Confirmed {
                hold: *hold,
                referral: *referral,
                to: *of,
                selection: *selection,
            };
            Ok(match fits(&confirmed, None, books, now) {
                Ok(()) => confirmed,
                Err(_) => Event::Lapsed {
                    selection: *selection,
                },
            })
        }
        Command::Repair { promise } => {
            let known = mine.promise(*promise).ok_or(Rejection::Unknown(*promise))?;
            let standing = !mine.is_over(known.id, &known.event);
            if !standing || !is_too_much(known, books) {
                return Err(Rejection::Kept(*promise));
            }
            Ok(over_committed(known.id, &known.event, books.own))
        }
    }
}

/// Says whether facts learnt late leave too little for a promise.
pub(super) fn is_too_much(promise: &Promise, books: &Books) -> bool {
    let mine = books.mine();
    match &promise.event {
        Event::Drawn { owner, escrow, .. } => {
            books.of(*owner).has(*escrow) && balance(books, *owner, *escrow) < 0
        }
        Event::Selected { referral, .. } => {
            let selections = selections(books, books.own, *referral);
            selections
                .iter()
                .skip(1)
                .any(|other| other.id == promise.id)
        }
        Event::Granted { item, .. } => mine.live(promise.id).is_some() && mine.free(*item) < 0,
        Event::HandedOver { .. } => mine.live(promise.id).is_some() && mine.free(Item::Stock) < 0,
        _ => false,
    }
}

/// Returns the event that says that a promise is not kept.
pub(super) fn over_committed(id: Id, event: &Event, own: NodeId) -> Event {
    Event::OverCommitted {
        id,
        promise: Box::new(event.clone()),
        who: event.promised_to().unwrap_or(own),
    }
}

/// Returns what the own node may still draw of a hand-over.
pub(super) fn balance(books: &Books, owner: NodeId, escrow: Id) -> i64 {
    let theirs = books.of(owner);
    let given = match theirs.live(escrow).map(|promise| &promise.event) {
        Some(Event::HandedOver { holder, count, .. }) if *holder == books.own => i64::from(*count),
        _ => 0,
    };
    let returned =
        (books.mine().returned.get(&escrow)).map_or(0, |(_, count, ..)| i64::from(*count));
    given - books.mine().drawn(escrow) - returned.max(theirs.back(escrow))
}

/// Returns the selections for a referral that were not answered with a no, oldest first.
pub(super) fn selections(books: &Books, of: NodeId, referral: Id) -> Vec<&Promise> {
    let mut found: Vec<&Promise> = (books.of(of).standing())
        .filter(|promise| match promise.event {
            Event::Selected {
                referral: selected,
                hospital,
                ..
            } => selected == referral && books.of(hospital).may_hold(promise.id),
            _ => false,
        })
        .collect();
    found.sort_by_key(|promise| promise.order);
    found
}

/// Says whether an event may be; `again` is the id of one that is decided again.
pub(super) fn fits(
    event: &Event,
    again: Option<Id>,
    books: &Books,
    now: Millis,
) -> Result<(), Rejection> {
    let mine = books.mine();
    let free = |item, count: u32| match mine.free(item) {
        free if free >= i64::from(count) => Ok(()),
        free => Err(Rejection::TooFew { free, count }),
    };
    let live = |id| mine.live(id).ok_or(Rejection::NotLive(id));
    match event {
        Event::Granted { item, count, .. } => match again {
            // Its units are gone, or free again, whatever is said now.
            Some(id) if mine.freed.contains(&id) || mine.shipped.contains_key(&id) => Ok(()),
            _ => free(*item, *count),
        },
        Event::HandedOver { count, .. } => {
            let back = again.map_or(0, |id| mine.back(id));
            free(
                Item::Stock,
                count.saturating_sub(u32::try_from(back).unwrap_or(u32::MAX)),
            )
        }
        Event::Issued(count) => free(Item::Stock, *count),
        Event::Shipped { grant, .. } | Event::Released { grant } => live(*grant).map(drop),
        Event::Confirmed { hold, .. } => live(*hold).map(drop),
        Event::Expired { grant } => {
            live(*grant)?;
            let confirmed = mine.standing().any(
                |promise| matches!(promise.event, Event::Confirmed { hold, .. } if hold == *grant),
            );
            if confirmed {
                Err(Rejection::Kept(*grant))
            } else {
                Ok(())
            }
        }
        Event::Drawn {
            owner,
            escrow,
            count,
        } => {
            let until = match books.of(*owner).promise(*escrow).map(|known| &known.event) {
                Some(Event::HandedOver { until, .. }) => *until,
                _ => return Err(Rejection::Unknown(*escrow)),
            };
            if again.is_none() && (now.0 >= until || mine.returned.contains_key(escrow)) {
                return Err(Rejection::Ended(*escrow));
            }
            match balance(books, *owner, *escrow) {
                free if free >= i64::from(*count) => Ok(()),
                free => Err(Rejection::TooFew {
                    free,
                    count: *count,
                }),
            }
        }
        Event::Returned {
            owner,
            escrow,
            count,
        } => {
            if mine.returned.contains_key(escrow) {
                return Err(Rejection::Ended(*escrow));
            }
            match balance(books, *owner, *escrow) {
                free if free == i64::from(*count) => Ok(()),
                free => Err(Rejection::TooFew {
                    free,
                    count: *count,
                }),
            }
        }
        Event::Selected {
            referral,
            hospital,
            hold,
        } => {
            if !selections(books, books.own, *referral).is_empty() {
                return Err(Rejection::Selected(*referral));
            }
            if again.is_none() && books.of(*hospital).live(*hold).is_none() {
                return Err(Rejection::NotLive(*hold));
            }
            Ok(())
        }
        Event::Received(_)
        | Event::Consented { .. }
        | Event::Requested { .. }
        | Event::Back { .. }
        | Event::Arrived { .. }
        | Event::Referred { .. } => Ok(()),
        Event::Refused { .. }
        | Event::Lapsed { .. }
        | Event::Reinstated { .. }
        | Event::OverCommitted { .. } => Err(Rejection::NotACommand),
    }
}
