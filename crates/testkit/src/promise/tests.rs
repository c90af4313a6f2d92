//! Given what the ledgers say, when something is asked, then this is promised.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use posko_proto::time::Millis;

use super::{decide::decide, *};

const NOW: Millis = Millis(1_790_000_000_000);

fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn id(number: u8) -> Id {
    Id([number; 16])
}

/// The same ledgers at every node.
#[derive(Default)]
struct Field(BTreeMap<NodeId, Ledger>);

impl Field {
    fn books(&self, own: &str) -> Books {
        Books {
            own: node(own),
            ledgers: self.0.clone(),
        }
    }

    fn record(&mut self, own: &str, id: Id, event: Event) {
        let ledger = self.0.entry(node(own)).or_default();
        ledger.fold(id, event, Class::Regional);
    }

    fn give(&mut self, own: &str, number: u8, event: Event) -> Result<(), String> {
        let decided = decide(&Command::Do(event), &self.books(own), NOW);
        self.record(own, id(number), decided.map_err(|why| why.to_string())?);
        Ok(())
    }

    /// Lets a node do what it does by itself.
    fn react(&mut self, own: &str) {
        loop {
            let mut did = false;
            for reaction in reactions(&self.books(own)) {
                let event = decide(&reaction.command, &self.books(own), NOW).unwrap();
                self.record(own, event_id(reaction.id, 0), event);
                did = true;
            }
            if !did {
                return;
            }
        }
    }

    fn again(&self, own: &str, number: u8, event: &Event) -> Event {
        redecide::redecide(id(number), event.clone(), &self.books(own), |_| Ok(None))
            .unwrap()
            .unwrap()
    }

    fn free(&self, own: &str) -> i64 {
        self.0[&node(own)].free(Item::Stock)
    }
}

fn granted(to: &str, count: u32) -> Event {
    Event::Granted {
        item: Item::Stock,
        to: node(to),
        count,
        ask: None,
        hold: false,
    }
}

fn handed_over(holder: &str, count: u32) -> Event {
    Event::HandedOver {
        holder: node(holder),
        count,
        until: NOW.0 + 1,
    }
}

fn stocked(count: u32) -> Field {
    let mut field = Field::default();
    field.give("32", 1, Event::Received(count)).unwrap();
    field
}

#[test]
fn what_is_granted_handed_over_or_shipped_is_not_free() {
    let mut field = stocked(10);
    field.give("32", 2, granted("31", 3)).unwrap();
    field.give("32", 3, handed_over("36", 4)).unwrap();
    assert_eq!(field.free("32"), 3);
    let refused = field.give("32", 4, granted("36", 4)).unwrap_err();
    assert_eq!(refused, "`3` are free where `4` are asked for");
    let shipped = Event::Shipped {
        grant: id(2),
        to: node("31"),
        count: 3,
    };
    field.give("32", 5, shipped.clone()).unwrap();
    assert_eq!(field.free("32"), 3);
    assert!(field.give("32", 6, shipped).is_err(), "it left already");
    field.react("31");
    assert_eq!(field.free("31"), 3);
}

#[test]
fn standing_consent_grants_up_to_its_caps_and_once_for_each_request() {
    let mut field = stocked(20);
    let request = |count| Event::Requested {
        owner: node("32"),
        item: Item::Stock,
        count,
    };
    field.give("31", 9, request(1)).unwrap();
    field.react("32");
    assert_eq!(field.free("32"), 20, "nobody consented");
    field
        .give("32", 2, Event::Consented { total: 6, each: 4 })
        .unwrap();
    for (own, number, count) in [("31", 10, 3), ("31", 11, 2), ("36", 12, 3), ("36", 13, 1)] {
        field.give(own, number, request(count)).unwrap();
        field.react("32");
        field.react("32");
    }
    let owner = &field.0[&node("32")];
    // The second would pass the cap of one requester, the fourth that of all.
    assert_eq!(owner.consented(Some(node("31"))), 3);
    assert_eq!(owner.consented(Some(node("36"))), 3);
    assert_eq!(field.free("32"), 14);
}

#[test]
fn what_was_handed_over_is_drawn_by_its_holder_alone_and_comes_back_by_both_logs() {
    let mut field = stocked(5);
    field.give("32", 2, handed_over("31", 5)).unwrap();
    let drawn = |count| Event::Drawn {
        owner: node("32"),
        escrow: id(2),
        count,
    };
    assert!(field.give("36", 3, drawn(1)).is_err(), "it is another's");
    field.give("31", 3, drawn(3)).unwrap();
    assert!(field.give("31", 4, drawn(3)).is_err());
    let returned = |count| Event::Returned {
        owner: node("32"),
        escrow: id(2),
        count,
    };
    assert!(field.give("31", 5, returned(1)).is_err(), "not the rest");
    field.give("31", 5, returned(2)).unwrap();
    assert!(field.give("31", 6, drawn(1)).is_err(), "it was given back");
    assert_eq!(field.free("32"), 0, "the owner has not acknowledged it");
    field.react("32");
    assert_eq!(field.free("32"), 2);
}

#[test]
fn an_end_stops_the_holder_and_gives_nothing_back_by_itself() {
    let mut field = stocked(5);
    let over = Event::HandedOver {
        holder: node("31"),
        count: 5,
        until: NOW.0,
    };
    field.give("32", 2, over).unwrap();
    let drawn = Event::Drawn {
        owner: node("32"),
        escrow: id(2),
        count: 1,
    };
    assert!(field.give("31", 3, drawn.clone()).is_err());
    field.react("32");
    assert_eq!(field.free("32"), 0);
    // What was drawn before its end and left out since holds again.
    assert!(matches!(
        field.again("31", 4, &drawn),
        Event::Reinstated { .. }
    ));
}

#[test]
fn of_several_holds_one_is_selected_and_confirmed_and_a_hold_that_is_gone_lapses() {
    let mut field = Field::default();
    let bed = Item::Bed(0);
    let asks = vec![(node("32"), bed), (node("36"), bed)];
    field.give("31", 1, Event::Referred { asks }).unwrap();
    for hospital in ["32", "36"] {
        field.react(hospital);
    }
    let hold = |hospital| decision(id(1), node(hospital), bed);
    let selected = |hospital| Event::Selected {
        referral: id(1),
        hospital: node(hospital),
        hold: hold(hospital),
    };
    field.give("31", 2, selected("32")).unwrap();
    assert!(field.give("31", 3, selected("36")).is_err(), "one is taken");
    let expired = |hospital| Event::Expired {
        grant: hold(hospital),
    };
    field.give("32", 4, expired("32")).unwrap();
    field.react("32");
    assert!(!field.0[&node("32")].may_hold(id(2)), "it lapsed");
    field.give("31", 3, selected("36")).unwrap();
    field.react("36");
    assert!(field.0[&node("36")].may_hold(id(3)));
    assert!(field.give("36", 5, expired("36")).is_err());
}

#[test]
fn a_promise_that_was_left_out_holds_again_where_it_fits_and_is_told_where_it_does_not() {
    let mut field = stocked(5);
    let lost = granted("31", 4);
    let again = field.again("32", 2, &lost);
    assert_eq!(
        again,
        Event::Reinstated {
            id: id(2),
            promise: Box::new(lost.clone()),
        }
    );
    field.give("32", 3, granted("36", 3)).unwrap();
    let told = Event::OverCommitted {
        id: id(2),
        promise: Box::new(lost.clone()),
        who: node("31"),
    };
    assert_eq!(field.again("32", 2, &lost), told);
    field.record("32", id(9), told.clone());
    // Once told it stays so, also when there is room again.
    field.give("32", 4, Event::Received(9)).unwrap();
    assert_eq!(field.again("32", 2, &lost), told);
    assert_eq!(field.free("32"), 11);
}

#[test]
fn a_promise_is_known_by_its_id_and_its_body() {
    let mut field = stocked(9);
    field.give("32", 2, granted("31", 2)).unwrap();
    assert!(matches!(
        field.again("32", 2, &granted("31", 2)),
        Event::Reinstated { .. }
    ));
    // The same command led to another promise in the run that was lost.
    assert!(matches!(
        field.again("32", 2, &granted("31", 3)),
        Event::OverCommitted { .. }
    ));
}

#[test]
fn the_youngest_promise_is_not_kept_when_facts_learnt_late_leave_too_little() {
    let mut field = stocked(5);
    field.give("32", 2, granted("31", 3)).unwrap();
    field.give("32", 3, granted("36", 2)).unwrap();
    field.record("32", id(4), Event::Issued(1));
    field.react("32");
    let over: Vec<Id> = field.0[&node("32")].not_kept().map(|(id, _)| *id).collect();
    assert_eq!(over, [id(3)]);
}
