//! What a node does by itself when it learns what others did. Each command's id follows from the event that caused it.

use posko_ledger::entry::event_id;
use posko_proto::{Id, NodeId};

use super::{Books, Command, Event, Item, Scope, decide, deciding, follows};

/// An automatic command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Its id.
    pub id: Id,
    /// The event that caused it.
    pub cause: Id,
    /// Who may know of it.
    pub scope: Scope,
    /// What is asked.
    pub command: Command,
}

impl Reaction {
    fn new(what: &str, cause: Id, scope: Scope, command: Command) -> Self {
        Self {
            id: follows(what, cause, None),
            cause,
            scope,
            command,
        }
    }
}

/// Returns what the own node is to do: facts first, then answers, then repairs.
pub fn reactions(books: &Books) -> Vec<Reaction> {
    let mut found = Vec::new();
    let others = || (books.ledgers.keys().copied()).filter(|origin| *origin != books.own);
    for other in others() {
        facts(books, other, &mut found);
    }
    for other in others() {
        answers(books, other, &mut found);
    }
    releases(books, &mut found);
    repairs(books, &mut found);
    found.retain(|reaction| !books.mine().has(event_id(reaction.id, 0)));
    found
}

fn facts(books: &Books, other: NodeId, found: &mut Vec<Reaction>) {
    let theirs = books.of(other);
    for (escrow, (owner, count, cause, scope)) in &theirs.returned {
        if *owner == books.own {
            let back = Command::Do(Event::Back {
                escrow: *escrow,
                count: *count,
            });
            found.push(Reaction::new("back", *cause, *scope, back));
        }
    }
    for (grant, (to, count, scope)) in &theirs.shipped {
        if *to == books.own {
            let arrived = Command::Do(Event::Arrived {
                grant: *grant,
                count: *count,
            });
            found.push(Reaction::new("arrive", *grant, *scope, arrived));
        }
    }
}

fn answers(books: &Books, other: NodeId, found: &mut Vec<Reaction>) {
    let theirs = books.of(other);
    for (ask, (event, scope)) in &theirs.asks {
        let items: Vec<Item> = match event {
            Event::Requested { owner, item, .. } if *owner == books.own => vec![*item],
            Event::Referred { asks } => (asks.iter())
                .filter(|(owner, _)| *owner == books.own)
                .map(|(_, item)| *item)
                .collect(),
            _ => Vec::new(),
        };
        for item in items {
            let decide = Command::Decide {
                ask: *ask,
                of: other,
                item,
            };
            found.push(Reaction {
                id: deciding(*ask, books.own, item),
                cause: *ask,
                scope: *scope,
                command: decide,
            });
        }
    }
    for selection in theirs.standing() {
        if let Event::Selected { hospital, .. } = selection.event
            && hospital == books.own
        {
            let answer = Command::Answer {
                selection: selection.id,
                of: other,
            };
            found.push(Reaction::new(
                "answer",
                selection.id,
                selection.scope,
                answer,
            ));
        }
    }
}

/// Beds that were confirmed and are selected no more.
fn releases(books: &Books, found: &mut Vec<Reaction>) {
    let mine = books.mine();
    for confirmed in mine.standing() {
        let Event::Confirmed {
            hold,
            to,
            selection,
            ..
        } = confirmed.event
        else {
            continue;
        };
        let theirs = books.of(to);
        let selected = theirs.promise(selection).is_some_and(|known| {
            matches!(known.event, Event::Selected { hold: selected, .. } if selected == hold)
                && !theirs.is_over(known.id, &known.event)
        });
        if theirs.has(selection) && mine.live(hold).is_some() && !selected {
            let release = Command::Do(Event::Released { grant: hold });
            found.push(Reaction::new("release", hold, confirmed.scope, release));
        }
    }
}

/// The youngest promise for which too little is left: the next is looked at after it.
fn repairs(books: &Books, found: &mut Vec<Reaction>) {
    let too_much = (books.mine().standing())
        .filter(|promise| decide::is_too_much(promise, books))
        .max_by_key(|promise| promise.order);
    if let Some(promise) = too_much {
        let repair = Command::Repair {
            promise: promise.id,
        };
        found.push(Reaction::new(
            "repair",
            follows(&format!("{:?}", promise.event), promise.id, None),
            promise.scope,
            repair,
        ));
    }
}
