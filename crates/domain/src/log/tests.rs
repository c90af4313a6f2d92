use std::collections::BTreeSet;

use posko_proto::{
    Id,
    log::v1::{DeclareLostRequest, DisownRequest, PayloadWithdrawn, WithdrawPayloadRequest},
    time::Millis,
};
use proptest::prelude::*;

use crate::{
    code::{Code, Rejection},
    context::{Context, Recorded},
    event::{Event, IllegalEvent, KINDS, LogEvent},
    log::{Held, HeldPayload, LogCommand, LogRejection, Statement, apply, decide},
};

const NOW: Millis = Millis(1_669_012_200_000);
const EVENT: Id = Id([5; 16]);

fn context() -> Context {
    Context {
        node: "32".parse().unwrap(),
        now: NOW,
        occurred_at: NOW,
        exercise: false,
        last_number: 0,
    }
}

fn recorded() -> Recorded {
    Recorded {
        origin: "32".parse().unwrap(),
        at: NOW,
        occurred_at: NOW,
        actor: Id([9; 16]),
        exercise: false,
        version: 1,
    }
}

fn note() -> Held {
    Held {
        event: EVENT,
        epoch_no: 3,
        epoch_nonce: [4; 16],
        seq: 17,
        left_out: false,
        withdrawable: true,
        payload: HeldPayload::Here,
        payload_commit: [8; 32],
    }
}

fn reason() -> String {
    "Menyebut nama pasien".into()
}

fn withdraw() -> LogCommand {
    LogCommand::Withdraw {
        stream: Id([1; 16]),
        event: EVENT,
        reason: reason(),
        legal_basis: "UU 27/2022 pasal 8".into(),
    }
}

fn disown() -> LogCommand {
    LogCommand::Disown {
        events: BTreeSet::from([EVENT]),
        reason: reason(),
    }
}

fn lost() -> LogCommand {
    LogCommand::DeclareLost {
        events: BTreeSet::from([EVENT]),
        reason: reason(),
    }
}

fn missing(not_asked: &[&str]) -> Held {
    let not_asked = not_asked.iter().map(|name| name.parse().unwrap()).collect();
    Held {
        payload: HeldPayload::Missing { not_asked },
        ..note()
    }
}

fn said(command: &LogCommand, held: Held) -> Result<LogEvent, LogRejection> {
    decide(None, command, &[held], &context()).map(|mut events| events.remove(0))
}

#[test]
fn a_withdrawal_names_the_event_and_where_its_entry_stands() {
    let expected = PayloadWithdrawn {
        event_id: EVENT.to_vec(),
        epoch_no: 3,
        epoch_nonce: vec![4; 16],
        seq: 17,
        reason: reason(),
        legal_basis: "UU 27/2022 pasal 8".into(),
    };
    let event = said(&withdraw(), note()).unwrap();
    assert_eq!(event, LogEvent::PayloadWithdrawn(expected));
    let statement = apply(None, &event, &recorded()).unwrap();
    assert_eq!((statement.events, statement.by), (vec![EVENT], Id([9; 16])));
    // One that is missing here may be elsewhere.
    said(&withdraw(), missing(&["31"])).unwrap();
}

#[test]
fn only_a_note_that_is_there_is_withdrawn_and_only_once() {
    let fact = Held {
        withdrawable: false,
        ..note()
    };
    let gone = Held {
        payload: HeldPayload::Gone,
        ..note()
    };
    assert_eq!(
        said(&withdraw(), fact),
        Err(LogRejection::NotWithdrawable { event: EVENT })
    );
    assert_eq!(
        said(&withdraw(), gone),
        Err(LogRejection::GoneAlready { event: EVENT })
    );
    let unknown = decide(None, &withdraw(), &[], &context()).unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[test]
fn only_what_the_log_leaves_out_is_disowned() {
    let left_out = Held {
        left_out: true,
        ..note()
    };
    assert!(matches!(
        said(&disown(), left_out),
        Ok(LogEvent::Disowned(said)) if said.event_ids == [EVENT.to_vec()] && said.reason == reason()
    ));
    assert_eq!(
        said(&disown(), note()),
        Err(LogRejection::NotLeftOut { event: EVENT })
    );
}

#[test]
fn a_payload_is_lost_only_once_every_accepted_peer_was_asked_for_it() {
    let waits = said(&lost(), missing(&["31", "36"])).unwrap_err();
    assert_eq!(waits.code(), Code::Unavailable);
    assert_eq!(
        waits.to_string(),
        "waiting: `31`, `36` not yet asked for the payload of event `05050505-0505-0505-0505-050505050505`"
    );
    assert!(matches!(
        said(&lost(), missing(&[])),
        Ok(LogEvent::PayloadLost(_))
    ));
    assert_eq!(
        said(&lost(), note()),
        Err(LogRejection::NotMissing { event: EVENT })
    );
}

#[test]
fn a_drill_says_nothing_about_a_log() {
    let drill = Context {
        exercise: true,
        ..context()
    };
    assert_eq!(
        decide(None, &withdraw(), &[note()], &drill),
        Err(LogRejection::Exercise)
    );
    let of_a_drill = Recorded {
        exercise: true,
        ..recorded()
    };
    let event = said(&withdraw(), note()).unwrap();
    assert_eq!(
        apply(None, &event, &of_a_drill),
        Err(IllegalEvent::ExerciseMixed {
            event: "PayloadWithdrawn"
        })
    );
}

#[test]
fn a_bad_request_is_refused_with_the_field_and_what_is_expected() {
    let refused = |result: Result<LogCommand, LogRejection>| result.unwrap_err().to_string();
    let request = WithdrawPayloadRequest {
        meta: None,
        stream_id: vec![1; 16],
        event_id: vec![5; 16],
        reason: reason(),
        legal_basis: " ".into(),
    };
    assert_eq!(
        refused(LogCommand::try_from(&request)),
        "field `legal_basis` is ``: it must not be empty"
    );
    let request = DisownRequest {
        meta: None,
        event_ids: vec![vec![5; 16]],
        reason: "x".repeat(501),
    };
    assert_eq!(
        refused(LogCommand::try_from(&request)),
        "field `reason` has `501` characters: at most 500"
    );
    assert_eq!(
        refused(LogCommand::try_from(&DeclareLostRequest::default())),
        "field `event_ids` is `0`: 1 to 1,000 events"
    );
}

#[test]
fn a_statement_survives_being_kept_and_is_made_once() {
    let event = said(&withdraw(), note()).unwrap();
    let statement = apply(None, &event, &recorded()).unwrap();
    let kept = postcard::to_stdvec(&statement).unwrap();
    assert_eq!(postcard::from_bytes::<Statement>(&kept).unwrap(), statement);
    assert_eq!(
        decide(Some(&statement), &withdraw(), &[note()], &context()),
        Err(LogRejection::AlreadySaid)
    );
    assert_eq!(
        apply(Some(&statement), &event, &recorded()),
        Err(IllegalEvent::AlreadyBegun {
            event: "PayloadWithdrawn"
        })
    );
}

proptest! {
    #[test]
    fn apply_takes_any_event_without_a_panic(
        at in 0..KINDS.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..96),
    ) {
        let kind = KINDS[at];
        if let Ok(Event::Log(event)) = Event::decode(kind.type_id, kind.type_version, &bytes) {
            let _ = apply(None, &event, &recorded());
        }
    }
}
