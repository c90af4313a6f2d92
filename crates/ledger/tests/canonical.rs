//! The canonical log as a function of what is held: its worked cases, and what holds of any tree of epochs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::convert::Infallible;

use posko_ledger::{
    Hash,
    canonical::{Held, Stretch, canonical},
    epoch::{Epoch, EpochOpen, Position, Reason},
    key::SecretKey,
};
use proptest::prelude::*;

/// An epoch of a made-up tree: what it continues, how long it is, where it was forked.
#[derive(Clone, Debug)]
struct Twig {
    open: EpochOpen,
    entries: u64,
    forked_at: Option<u64>,
}

/// The hash after an entry is made of its place alone.
fn hash_of(epoch: Epoch, seq: u64) -> Hash {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&epoch.no.to_be_bytes());
    hash[8] = epoch.nonce[0];
    hash[16..24].copy_from_slice(&seq.to_be_bytes());
    hash
}

fn twig(no: u64, nonce: u8, parent: Option<(&Twig, u64)>, entries: u64) -> Twig {
    let key = SecretKey::from_seed(&[1; 32]);
    let parent = parent.map_or(Position::START, |(twig, seq)| Position {
        epoch: twig.open.epoch,
        seq,
        hash: match seq {
            0 => twig.open.hash(),
            seq => hash_of(twig.open.epoch, seq),
        },
    });
    let open = EpochOpen::sign(
        [7; 16],
        "32".parse().unwrap(),
        Epoch {
            no,
            nonce: [nonce; 16],
        },
        parent,
        Reason::Start,
        0,
        1,
        &key,
        &key,
    );
    Twig {
        open,
        entries,
        forked_at: None,
    }
}

fn check(twigs: &[Twig]) -> Vec<(u64, u8, u64)> {
    path(twigs)
        .iter()
        .map(|stretch| (stretch.epoch.no, stretch.epoch.nonce[0], stretch.entries))
        .collect()
}

fn path(twigs: &[Twig]) -> Vec<Stretch> {
    let held: Vec<Held<'_>> = twigs
        .iter()
        .map(|twig| Held {
            open: &twig.open,
            entries: twig.entries,
            forked_at: twig.forked_at,
        })
        .collect();
    let hash_at = |epoch: Epoch, seq| {
        let twig = twigs.iter().find(|twig| twig.open.epoch == epoch);
        let hash = twig.filter(|twig| seq <= twig.entries);
        Ok::<_, Infallible>(hash.map(|_| hash_of(epoch, seq)))
    };
    canonical(&held, hash_at).unwrap()
}

#[test]
fn the_highest_epoch_cuts_what_it_does_not_continue() {
    let first = twig(1, 0xa, None, 5);
    let low = twig(2, 0xb, Some((&first, 5)), 9);
    let high = twig(2, 0xc, Some((&first, 3)), 2);
    assert_eq!(check(&[]), []);
    assert_eq!(check(std::slice::from_ref(&first)), [(1, 0xa, 5)]);
    assert_eq!(
        check(&[first.clone(), low.clone()]),
        [(1, 0xa, 5), (2, 0xb, 9)]
    );
    assert_eq!(check(&[first, low, high]), [(1, 0xa, 3), (2, 0xc, 2)]);
}

#[test]
fn an_epoch_counts_once_it_has_an_entry() {
    let first = twig(1, 0xa, None, 5);
    let empty = twig(2, 0xb, Some((&first, 3)), 0);
    let above = twig(3, 0xc, Some((&empty, 0)), 1);
    assert_eq!(check(&[first.clone(), empty.clone()]), [(1, 0xa, 5)]);
    assert_eq!(
        check(&[first, empty, above]),
        [(1, 0xa, 3), (2, 0xb, 0), (3, 0xc, 1)]
    );
}

#[test]
fn a_parent_that_is_missing_shorter_or_another_leads_nowhere() {
    let first = twig(1, 0xa, None, 5);
    let lost = twig(2, 0xb, Some((&first, 5)), 1);
    let orphan = twig(3, 0xc, Some((&lost, 1)), 1);
    let beyond = twig(3, 0xd, Some((&first, 6)), 1);
    let mut other = twig(3, 0xe, Some((&first, 4)), 1);
    other.open.parent.hash[0] ^= 1;
    for top in [orphan, beyond, other] {
        assert_eq!(check(&[first.clone(), top]), [(1, 0xa, 5)]);
    }
}

#[test]
fn nobody_goes_on_after_a_proven_fork() {
    let mut first = twig(1, 0xa, None, 5);
    let after = twig(2, 0xb, Some((&first, 4)), 2);
    let before = twig(2, 0xa, Some((&first, 3)), 1);
    first.forked_at = Some(4);
    assert_eq!(check(std::slice::from_ref(&first)), [(1, 0xa, 3)]);
    assert_eq!(check(&[first.clone(), after.clone()]), [(1, 0xa, 3)]);
    assert_eq!(check(&[first, after, before]), [(1, 0xa, 3), (2, 0xa, 1)]);
}

prop_compose! {
    /// Any tree: each epoch continues any earlier one, also beyond what is held of it.
    fn tree()(shape in prop::collection::vec((any::<prop::sample::Index>(), 0..6u64, 0..5u64, 0..8u64), 1..12)) -> Vec<Twig> {
        let mut twigs: Vec<Twig> = Vec::new();
        for (number, (parent, at, entries, fork)) in (1..).zip(shape) {
            let next = match twigs.get(parent.index(twigs.len().max(1))) {
                Some(parent) => twig(parent.open.epoch.no + 1, number, Some((parent, at)), entries),
                None => twig(1, number, None, entries),
            };
            twigs.push(Twig { forked_at: (1..4).contains(&fork).then_some(fork), ..next });
        }
        twigs
    }
}

proptest! {
    #[test]
    fn the_order_in_which_epochs_came_decides_nothing(twigs in tree(), turn in any::<prop::sample::Index>()) {
        let mut turned = twigs.clone();
        turned.rotate_left(turn.index(twigs.len()));
        prop_assert_eq!(path(&turned), path(&twigs));
    }

    #[test]
    fn it_is_one_chain_of_what_is_held(twigs in tree()) {
        let path = path(&twigs);
        let found = |stretch: &Stretch| twigs.iter().find(|twig| twig.open.epoch == stretch.epoch).unwrap();
        for pair in path.windows(2) {
            let parent = found(&pair[1]).open.parent;
            prop_assert_eq!((parent.epoch, parent.seq), (pair[0].epoch, pair[0].entries));
        }
        for stretch in &path {
            let twig = found(stretch);
            prop_assert!(stretch.entries <= twig.entries);
            prop_assert!(twig.forked_at.is_none_or(|at| stretch.entries < at));
        }
        prop_assert!(path.first().is_none_or(|first| found(first).open.parent.is_start()));
    }

    #[test]
    fn more_entries_at_its_end_only_make_it_longer(twigs in tree()) {
        let before = path(&twigs);
        let Some(top) = before.last() else { return Ok(()) };
        let mut longer = twigs.clone();
        let twig = longer.iter_mut().find(|twig| twig.open.epoch == top.epoch).unwrap();
        if twig.entries != top.entries { return Ok(()) }
        twig.entries += 1;
        let kept = |path: &[Stretch]| path.iter().map(|stretch| stretch.epoch).collect::<Vec<_>>();
        let after = path(&longer);
        // A higher epoch may have waited for just that entry.
        if after.last().unwrap().epoch == top.epoch {
            prop_assert_eq!(kept(&after), kept(&before));
        }
        prop_assert!(after.last().unwrap().epoch >= top.epoch);
    }
}
