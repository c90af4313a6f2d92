//! What a command is held against beside the incident: what is still open, what was opened before, and what lies above.

use std::collections::BTreeMap;

use posko_proto::incident::v1::Relation;

use super::{
    response::{declared, met, need, settled},
    *,
};
use crate::incident::{Related, Unfinished, no_cycle, opened_once};

#[test]
fn what_is_still_open_is_named_and_counted() {
    let left = |commands: &[IncidentCommand], sites: &[&str]| {
        let sites = sites.iter().map(|site| (*site).to_owned()).collect();
        Unfinished::of(&after(commands), sites, NOW.plus_seconds(60)).refuse()
    };
    assert_eq!(left(&[], &[]), Ok(()));
    let refusal = left(&[need(), met(), declared()], &["GOR Bekasi", "SDN 3"]);
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.code(), Code::Conflict);
    for named in [
        "`2` sites (GOR Bekasi, SDN 3)",
        "`1` needs",
        "`1` legal statuses (360/Kep.1-BPBD/2022)",
        "`--confirmed`",
    ] {
        assert!(refusal.to_string().contains(named), "{refusal}");
    }
    assert_eq!(left(&[need(), settled()], &[]), Ok(()));
    // A status whose time is over keeps nothing open.
    let later = NOW.plus_seconds(15 * 86_400);
    let over = Unfinished::of(&after(&[declared()]), Vec::new(), later);
    assert_eq!(over.refuse(), Ok(()));
}

#[test]
fn a_warning_opens_one_incident_at_a_place_until_that_is_over_or_somebody_confirms() {
    let IncidentCommand::Report {
        warning: Some(warning),
        ..
    } = from_warning(AlertStatus::Actual)
    else {
        panic!()
    };
    let first = after(&[]);
    let again = |code, warning: &WarningRef, opened: &IncidentState| {
        opened_once(warning, &place(code), [opened])
    };
    assert_eq!(
        again("32.03.22", &warning, &first),
        Err(IncidentRejection::OpenedAlready {
            number: first.number.clone()
        })
    );
    assert_eq!(again("32.04", &warning, &first), Ok(()));
    assert_eq!(again("32.03", &warning, &after(&[FALSE])), Ok(()));
    let confirmed = WarningRef {
        confirmed: true,
        ..warning
    };
    assert_eq!(again("32.03", &confirmed, &first), Ok(()));
}

#[test]
fn nothing_is_a_part_of_itself_over_however_many() {
    let id = |number: u8| (node(), Id([number; 16]));
    let part = |number: u8, of: Option<u8>| {
        let related = of.map(|of| Related {
            relation: Relation::Parent,
            origin: node(),
            incident: Id([of; 16]),
        });
        let state = IncidentState {
            number: format!("PMI-32-2022-00000{number}"),
            related: related.into_iter().collect(),
            ..after(&[])
        };
        (id(number), state)
    };
    // 3 is a part of 2, and 2 of 1; 5 and 6 are parts of each other by now.
    let held = BTreeMap::from([
        part(1, None),
        part(2, Some(1)),
        part(3, Some(2)),
        part(5, Some(6)),
        part(6, Some(5)),
    ]);
    let parent_of = |of| Ok(held.get(&of).cloned());
    let under = |incident, parent| -> Result<(), IncidentRejection> {
        no_cycle(id(incident), id(parent), parent_of)
    };
    let number = "PMI-32-2022-000003".to_owned();
    assert_eq!(under(1, 3), Err(IncidentRejection::PartOfItself { number }));
    assert_eq!(under(4, 3), Ok(()));
    assert_eq!(under(3, 1), Ok(()));
    assert_eq!(under(1, 9), Ok(()), "nothing is known of it here");
    assert_eq!(under(1, 5).unwrap_err().code(), Code::Conflict);
}
