//! What people at a node would like to do now.

use super::{
    event::{Body, Class, Ev, Event, Id, Item, Origin},
    node::Node,
    promise::decision,
    world::World,
};

/// A wish, before it is known of what.
#[derive(Clone, Copy)]
enum Wish {
    Receive,
    Request,
    Grant,
    Escrow,
    Draw,
    Issue,
    Ship,
    Free,
    Expire,
    Return,
    Refer,
    Select,
    EndEscrow,
}

impl Wish {
    /// How often each is wished.
    const WISHED: [Self; 22] = [
        Self::Receive,
        Self::Receive,
        Self::Request,
        Self::Request,
        Self::Grant,
        Self::Grant,
        Self::Grant,
        Self::Escrow,
        Self::Escrow,
        Self::Draw,
        Self::Draw,
        Self::Draw,
        Self::Issue,
        Self::Ship,
        Self::Free,
        Self::Free,
        Self::Free,
        Self::Expire,
        Self::Return,
        Self::Refer,
        Self::Select,
        Self::Select,
    ];
}

impl Node {
    /// Draws a command, as the event that it would write; none when there is nothing of what was wished.
    pub(super) fn wish(&mut self, world: &mut World) -> Option<Ev> {
        if self.is_gateway || world.random.f64() < 0.1 {
            return Some(world.event_of(Class::Regional, Body::Report));
        }
        let others: Vec<Origin> = world
            .provinces()
            .filter(|other| *other != self.origin)
            .collect();
        // One wish of 23 is that an escrow's time is over.
        let wish = match world.random.usize(..=Wish::WISHED.len()) {
            0 => Wish::EndEscrow,
            _ => world.random.choice(Wish::WISHED)?,
        };
        let other = world.random.choice(&others).copied()?;
        let few = world.random.i64(1..=3);
        let (item, amount) = if world.random.bool() {
            (Item::Stock, few)
        } else {
            (Item::Team, 1)
        };
        let new = match wish {
            Wish::Receive => Body::Received { amount: few + 1 },
            Wish::Issue => Body::Issued { amount: 1 },
            Wish::Request => Body::Request {
                owner: other,
                item,
                amount,
            },
            Wish::Grant => Body::Granted {
                item,
                to: other,
                amount,
                referral: None,
            },
            Wish::Escrow => Body::Escrow {
                holder: other,
                amount: few + 1,
            },
            Wish::Refer => {
                let hospitals = world.random.choose_multiple(&others, 2);
                let [one, two] = hospitals.as_slice() else {
                    return None;
                };
                let mut bed = || Item::Bed(world.random.u8(..2));
                Body::Referral {
                    asked: [(**one, bed()), (**two, bed())],
                }
            }
            Wish::Select => return self.select(world),
            Wish::Ship | Wish::Free | Wish::Expire => return self.end_grant(world, wish, few),
            Wish::Draw | Wish::Return | Wish::EndEscrow => {
                return self.use_escrow(world, wish, &others);
            }
        };
        Some(world.event(new))
    }

    fn end_grant(&self, world: &mut World, wish: Wish, few: i64) -> Option<Ev> {
        let ledger = self.own_ledger();
        let fits = |promise: &&Ev| {
            let Body::Granted { item, referral, .. } = promise.body else {
                return false;
            };
            ledger.is_live(promise.id)
                && match wish {
                    Wish::Ship => item == Item::Stock,
                    Wish::Free => item == Item::Team,
                    _ => referral.is_some() && few == 1,
                }
        };
        let promises: Vec<&Ev> = ledger.standing().filter(fits).collect();
        let promise = world.random.choice(promises)?;
        let (id, grant) = (promise.id, promise.id);
        let (id, body) = match (&promise.body, wish) {
            (Body::Granted { to, amount, .. }, Wish::Ship) => (
                id.then("shipped", ()),
                Body::Shipped {
                    grant,
                    to: *to,
                    amount: *amount,
                },
            ),
            (_, Wish::Free) => (id.then("freed", ()), Body::Freed { grant }),
            _ => (id.then("freed", ()), Body::Expired { grant }),
        };
        Some(Event::new(id, promise.class, body))
    }

    fn select(&self, world: &mut World) -> Option<Ev> {
        let ledger = self.own_ledger();
        let referrals: Vec<&Ev> = ledger
            .asks
            .values()
            .filter(|ask| matches!(ask.body, Body::Referral { .. }))
            .collect();
        let referral = world.random.choice(referrals)?;
        let Body::Referral { asked } = referral.body else {
            return None;
        };
        let holds: Vec<(Origin, Id)> = (asked.iter())
            .map(|(hospital, bed)| (*hospital, decision(referral.id, *hospital, *bed)))
            .filter(|(hospital, hold)| self.ledger(*hospital).is_live(*hold))
            .collect();
        let (hospital, hold) = world.random.choice(holds)?;
        let selected = |kept: &&Ev| matches!(kept.body, Body::Selected { referral: of, .. } if of == referral.id);
        let no = ledger.kept.values().filter(selected).count();
        let body = Body::Selected {
            referral: referral.id,
            hospital,
            hold,
        };
        Some(Event::new(
            referral.id.then("selected", no),
            referral.class,
            body,
        ))
    }

    fn use_escrow(&mut self, world: &mut World, wish: Wish, others: &[Origin]) -> Option<Ev> {
        let is_mine = |promise: &&Ev| matches!(promise.body, Body::Escrow { holder, .. } if holder == self.origin);
        let escrows: Vec<(Origin, Ev)> = (others.iter())
            .flat_map(|other| {
                self.ledger(*other)
                    .standing()
                    .filter(is_mine)
                    .map(|escrow| (*other, Ev::clone(escrow)))
            })
            .collect();
        let (owner, promise) = world.random.choice(escrows)?;
        let escrow = promise.id;
        match wish {
            Wish::Draw => {
                let amount = world.random.i64(1..=2);
                Some(world.event(Body::Draw {
                    owner,
                    escrow,
                    amount,
                }))
            }
            Wish::Return => {
                let amount = self.balance(self.origin, owner, escrow);
                let body = Body::Returned {
                    owner,
                    escrow,
                    amount,
                };
                Some(Event::new(escrow.then("returned", ()), promise.class, body))
            }
            _ => {
                self.disk.expired.insert(escrow);
                None
            }
        }
    }
}
