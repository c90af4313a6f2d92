use posko_proto::{
    account::v1::{AddAccountRequest, Grant, LoginRequest, account_service_server::AccountService},
    common::v1::{CommandMeta, Role},
    warning::v1::{
        CancelWarningRequest, DraftStatus, ExportWarningRequest, GetDraftRequest,
        GetWarningInboxRequest, InboxChange, ListDraftsRequest, MarkWarningsSeenRequest,
        SubscribeWarningsRequest, Subscription, WatchWarningsRequest,
        warning_service_server::WarningService,
    },
};
use tokio_stream::StreamExt;
use tonic::Code;

use super::*;
use crate::api::ims::tests::{asked, started};

pub(in crate::api) fn frame(number: u8) -> CommandMeta {
    CommandMeta {
        command_id: vec![number; 16],
        ..CommandMeta::default()
    }
}

/// Makes an account with a role in an area, and returns its token.
pub(in crate::api) async fn person(api: &Api, number: u8, role: Role, scope: &str) -> String {
    let (login, password) = (format!("orang-{number}"), "kata sandi yang panjang");
    let request = AddAccountRequest {
        meta: Some(frame(number)),
        login: login.clone(),
        password: password.into(),
        grants: vec![Grant {
            role: role.into(),
            scope: scope.into(),
            ..Grant::default()
        }],
    };
    api.add_account(asked(request, "console")).await.unwrap();
    let login = LoginRequest {
        login,
        password: password.into(),
    };
    let answer = api.login(Request::new(login)).await.unwrap();
    answer.into_inner().token
}

fn flood(number: u8) -> DraftWarningRequest {
    DraftWarningRequest {
        meta: Some(frame(number)),
        kind: DraftKind::Issue.into(),
        template: "banjir".into(),
        regions: vec!["32.75".into()],
        content: Some(Content {
            severity: Severity::Severe.into(),
            expires_at: Some(now().plus_seconds(3600).into()),
            ..Content::default()
        }),
        level: "Siaga I".into(),
        observed: "TMA Katulampa 220 cm".into(),
        ..DraftWarningRequest::default()
    }
}

fn approval(number: u8, draft: &[u8]) -> ApproveDraftRequest {
    ApproveDraftRequest {
        meta: Some(frame(number)),
        draft_id: draft.to_vec(),
    }
}

/// Drafts, and returns the draft's id.
async fn drafted(api: &Api, token: &str, request: DraftWarningRequest) -> Vec<u8> {
    let answer = WarningService::draft_warning(api, asked(request, token)).await;
    answer.unwrap().into_inner().outcome.unwrap().stream_id
}

async fn inbox(api: &Api, token: &str) -> (Vec<InboxChange>, String) {
    let request = asked(GetWarningInboxRequest::default(), token);
    let inbox = api.get_warning_inbox(request).await.unwrap().into_inner();
    let changes = inbox.items.iter().map(wire::InboxItem::change);
    (changes.collect(), inbox.mark)
}

async fn exported(api: &Api, token: &str, warning: &[u8]) -> String {
    let request = ExportWarningRequest {
        warning_id: warning.to_vec(),
        origin: String::new(),
    };
    let answer = api.export_warning(asked(request, token)).await;
    answer.unwrap().into_inner().document
}

#[tokio::test]
async fn a_warning_goes_out_updated_and_cancelled_with_a_second_persons_word_each_time() {
    let (_node, api) = started().await;
    let author = person(&api, 1, Role::DutyOfficer, "").await;
    let second = person(&api, 2, Role::DutyOfficer, "32.75").await;
    let subscribe = SubscribeWarningsRequest {
        meta: Some(frame(3)),
        subscription: Some(Subscription {
            region: "Z1".into(),
            severity: Severity::Severe.into(),
            ..Subscription::default()
        }),
    };
    api.subscribe_warnings(asked(subscribe, &second))
        .await
        .unwrap();

    let draft = drafted(&api, &author, flood(4)).await;
    assert_eq!(
        inbox(&api, &second).await.0,
        [],
        "a draft is nobody's warning"
    );
    let own = api.approve_draft(asked(approval(5, &draft), &author)).await;
    assert_eq!(own.unwrap_err().code(), Code::PermissionDenied);
    let answer = api
        .approve_draft(asked(approval(6, &draft), &second))
        .await
        .unwrap();
    let warning = answer.into_inner().warning_id;
    let document = exported(&api, &author, &warning).await;
    assert!(
        document.contains("<msgType>Alert</msgType>")
            && document.contains("Siaga I: banjir di Kota Bekasi")
    );
    let (changes, mark) = inbox(&api, &second).await;
    assert_eq!(changes, [InboxChange::New]);

    let seen = MarkWarningsSeenRequest {
        meta: Some(frame(7)),
        mark: mark.clone(),
    };
    api.mark_warnings_seen(asked(seen, &second)).await.unwrap();
    assert_eq!(inbox(&api, &second).await.0, []);
    let watch = WatchWarningsRequest { since: mark };
    let mut watched = api
        .watch_warnings(asked(watch, &second))
        .await
        .unwrap()
        .into_inner();

    let update = DraftWarningRequest {
        kind: DraftKind::Update.into(),
        warning_id: warning.clone(),
        ..flood(8)
    };
    let draft = drafted(&api, &author, update).await;
    api.approve_draft(asked(approval(9, &draft), &second))
        .await
        .unwrap();
    assert!(
        exported(&api, &author, &warning)
            .await
            .contains("<msgType>Update</msgType>")
    );
    assert_eq!(inbox(&api, &second).await.0, [InboxChange::Updated]);
    let told = watched.next().await.unwrap().unwrap();
    assert_eq!(told.changes[0].warning_id, warning);

    let direct = CancelWarningRequest {
        meta: Some(frame(10)),
        warning_id: warning.clone(),
        note: "Salah dengar".into(),
    };
    let refused = api
        .cancel_warning(asked(direct, &author))
        .await
        .unwrap_err();
    assert!(
        refused.message().contains("a second person approves"),
        "{refused}"
    );
    let cancel = DraftWarningRequest {
        meta: Some(frame(11)),
        kind: DraftKind::Cancel.into(),
        warning_id: warning.clone(),
        ..DraftWarningRequest::default()
    };
    let draft = drafted(&api, &second, cancel).await;
    api.approve_draft(asked(approval(12, &draft), &author))
        .await
        .unwrap();
    let document = exported(&api, &author, &warning).await;
    assert!(document.contains("<msgType>Cancel</msgType>") && document.contains("Dibatalkan: "));
    let references = document.split("<references>").nth(1).unwrap();
    let references = references.split("</references>").next().unwrap();
    assert_eq!(references.split(' ').count(), 2, "{references}");
    assert_eq!(inbox(&api, &second).await.0, [InboxChange::Cancelled]);
}

#[tokio::test]
async fn who_may_not_warn_there_drafts_and_approves_nothing() {
    let (_node, api) = started().await;
    let author = person(&api, 1, Role::DutyOfficer, "").await;
    let elsewhere = person(&api, 2, Role::DutyOfficer, "32.01").await;
    let volunteer = person(&api, 3, Role::Volunteer, "").await;
    for token in [&elsewhere, &volunteer] {
        let refused = WarningService::draft_warning(&api, asked(flood(20), token)).await;
        assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    }
    let draft = drafted(&api, &author, flood(4)).await;
    for (number, token) in [(21, &elsewhere), (22, &volunteer)] {
        let refused = api
            .approve_draft(asked(approval(number, &draft), token))
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    }
    let open = ListDraftsRequest {
        open_only: true,
        ..ListDraftsRequest::default()
    };
    let drafts = api
        .list_drafts(asked(open.clone(), &author))
        .await
        .unwrap()
        .into_inner()
        .drafts;
    assert_eq!(drafts[0].status(), DraftStatus::Open);
    let withdraw = WithdrawDraftRequest {
        meta: Some(frame(23)),
        draft_id: draft,
    };
    WarningService::withdraw_draft(&api, asked(withdraw, &author))
        .await
        .unwrap();
    let drafts = api
        .list_drafts(asked(open, &author))
        .await
        .unwrap()
        .into_inner()
        .drafts;
    assert_eq!(drafts.len(), 0);
}

/// Returns what a draft says: its headline, its description and its English description.
async fn said(api: &Api, token: &str, draft: &[u8]) -> [String; 3] {
    let request = GetDraftRequest {
        draft_id: draft.to_vec(),
    };
    let answer = api.get_draft(asked(request, token)).await.unwrap();
    let drafted = answer.into_inner().draft.unwrap().drafted.unwrap();
    let content = drafted.content.unwrap();
    let english = content.texts.first().map(|text| text.description.clone());
    [
        content.headline,
        content.description,
        english.unwrap_or_default(),
    ]
}

/// Returns a request for an update that gives nothing but what it is given.
fn update(number: u8, warning: &[u8], content: Content) -> DraftWarningRequest {
    DraftWarningRequest {
        meta: Some(frame(number)),
        kind: DraftKind::Update.into(),
        warning_id: warning.to_vec(),
        content: Some(content),
        ..DraftWarningRequest::default()
    }
}

fn until(hours: i64) -> Content {
    Content {
        expires_at: Some(now().plus_seconds(hours * 3600).into()),
        ..Content::default()
    }
}

#[tokio::test]
async fn an_update_that_holds_longer_never_says_the_old_end() {
    let (_node, api) = started().await;
    let author = person(&api, 1, Role::DutyOfficer, "").await;
    let second = person(&api, 2, Role::DutyOfficer, "").await;
    let draft = drafted(&api, &author, flood(3)).await;
    let answer = api.approve_draft(asked(approval(4, &draft), &second)).await;
    let warning = answer.unwrap().into_inner().warning_id;
    let [_, before, _] = said(&api, &author, &draft).await;

    // What a template wrote is written anew, with what it was known from; the update is one that can be updated again.
    let longer = until(6);
    let ends = longer.expires_at.and_then(|at| Millis::try_from(&at).ok());
    let draft = drafted(&api, &author, update(5, &warning, longer)).await;
    let [headline, description, english] = said(&api, &author, &draft).await;
    assert_eq!(headline, "Siaga I: banjir di Kota Bekasi");
    assert_ne!(description, before);
    for (text, language) in [(&description, "id"), (&english, "en")] {
        let end = template::said_time(ends.unwrap(), language);
        assert!(
            text.contains(&end) && text.contains("TMA Katulampa 220 cm"),
            "{text}"
        );
    }
    let approved = api.approve_draft(asked(approval(6, &draft), &second)).await;
    approved.unwrap();
    let graver = Content {
        severity: Severity::Extreme.into(),
        ..until(9)
    };
    let draft = drafted(&api, &author, update(7, &warning, graver)).await;
    let [headline, again, _] = said(&api, &author, &draft).await;
    assert_eq!(
        headline, "Awas: banjir di Kota Bekasi",
        "another severity has a word of its own"
    );
    assert!(again.contains("TMA Katulampa 220 cm") && again != description);
}

#[tokio::test]
async fn a_text_by_hand_that_names_a_time_is_written_anew_when_the_times_change() {
    let (_node, api) = started().await;
    let author = person(&api, 1, Role::DutyOfficer, "").await;
    let second = person(&api, 2, Role::DutyOfficer, "").await;
    let by_hand = |number, description: &str| {
        let mut request = flood(number);
        let content = request.content.as_mut().unwrap();
        content.description = description.into();
        request
    };
    let draft = drafted(
        &api,
        &author,
        by_hand(3, "Tanggul retak. Waspada sampai pukul 18.00."),
    )
    .await;
    let answer = api.approve_draft(asked(approval(4, &draft), &second)).await;
    let warning = answer.unwrap().into_inner().warning_id;

    let refused =
        WarningService::draft_warning(&api, asked(update(5, &warning, until(6)), &author)).await;
    assert_eq!(
        refused.unwrap_err().message(),
        "field `content.description` is kept from the warning and says `pukul 18.00`, while it is to hold at other \
         times: give it anew, or name a template"
    );
    let shorter = Content {
        description: "Tanggul retak.".into(),
        ..until(6)
    };
    let draft = drafted(&api, &author, update(6, &warning, shorter)).await;
    let [headline, description, english] = said(&api, &author, &draft).await;
    assert_eq!(headline, "Siaga I: banjir di Kota Bekasi");
    assert_eq!(
        (description.as_str(), english.as_str()),
        ("Tanggul retak.", "")
    );
    // A text without a time stands as it was, and so does one of which only the instruction changes.
    api.approve_draft(asked(approval(7, &draft), &second))
        .await
        .unwrap();
    let draft = drafted(&api, &author, update(8, &warning, until(9))).await;
    assert_eq!(said(&api, &author, &draft).await[1], "Tanggul retak.");
}
