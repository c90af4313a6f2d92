//! Who may do what, in one table, and the check of an account against it.

use std::fmt;

use posko_proto::{Id, common::v1::Role, time::Millis};

use crate::{
    account::{AccountRejection, AccountState, Denial, Grant},
    region, zone,
};

/// What an account may ask of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Open an incident.
    ReportIncident,
    /// Confirm an incident.
    VerifyIncident,
    /// Say that an incident is false or a duplicate.
    RejectIncident,
    /// Activate response teams.
    ActivateIncident,
    /// Set impact figures.
    RecordImpact,
    /// Write a log note.
    AddNote,
    /// Attach a photo, a decree, a form.
    AttachFile,
    /// End an operation.
    EndOperation,
    /// Close an incident.
    CloseIncident,
    /// Judge an incident anew, cancel or reopen it, fill its posts, call them, plan its operation.
    RunIncident,
    /// Take published records of the past as historical incidents.
    ImportIncidents,
    /// Hand a rapid assessment of an incident in.
    SubmitAssessment,
    /// Open, count and close the sites of incidents.
    RunSite,
    /// Record a warning.
    RecordWarning,
    /// Take a warning back.
    CancelWarning,
    /// Draft a warning of the province's own, and give a draft up.
    DraftWarning,
    /// Approve another person's draft.
    ApproveWarning,
    /// Judge a citizen's or a branch's report.
    JudgeReport,
    /// Read the regional picture: incidents, warnings, feeds, notices, zones.
    ReadRegion,
    /// Read which accounts the node has: their login names and roles.
    ListAccounts,
    /// Read the sessions of others.
    ReadAccounts,
    /// Make and change accounts, end others' sessions.
    ManageAccounts,
    /// Change the node: peers, configuration, views.
    ManageNode,
    /// Read the node's state: peers, lag, logs.
    ReadNode,
    /// Follow the region's changes and take snapshots, as headquarters' IMS does.
    FollowChanges,
    /// Issue a directive.
    IssueDirective,
    /// Withdraw a directive.
    WithdrawDirective,
    /// Have a payload deleted everywhere.
    WithdrawPayload,
    /// Let the node promise in an unproven start.
    AcceptRisk,
    /// Leave entries out of the node's log for good, or declare payloads of it lost.
    AmendLog,
}

/// In which role, scope and delegation an action is done, for the event's envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The role.
    pub role: Role,
    /// Where it is held: a region code, a zone id, or empty for the whole node.
    pub scope: String,
    /// The account on whose behalf it is held.
    pub delegation: Option<Id>,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Says whether the role has the right. The one table of rights.
pub fn allows(role: Role, action: Action) -> bool {
    use Action::{
        AcceptRisk, ActivateIncident, AddNote, AmendLog, ApproveWarning, AttachFile, CancelWarning,
        CloseIncident, DraftWarning, EndOperation, FollowChanges, ImportIncidents, IssueDirective,
        JudgeReport, ListAccounts, ManageAccounts, ManageNode, ReadAccounts, ReadNode, ReadRegion,
        RecordImpact, RecordWarning, RejectIncident, ReportIncident, RunIncident, RunSite,
        SubmitAssessment, VerifyIncident, WithdrawDirective, WithdrawPayload,
    };
    let rights: &[Action] = match role {
        Role::DutyOfficer => &[
            ReportIncident,
            VerifyIncident,
            RejectIncident,
            ActivateIncident,
            RecordImpact,
            AddNote,
            AttachFile,
            EndOperation,
            CloseIncident,
            RunIncident,
            // Facts under the province's name, in whose scope they lie: IT, whom the console's token stands for, records
            // none.
            ImportIncidents,
            SubmitAssessment,
            RunSite,
            RecordWarning,
            CancelWarning,
            DraftWarning,
            ApproveWarning,
            JudgeReport,
            WithdrawPayload,
            AcceptRisk,
            // Command is handed over to a person, and a draft is approved that a person wrote.
            ListAccounts,
            ReadRegion,
            ReadNode,
        ],
        Role::Volunteer => &[
            ReportIncident,
            AddNote,
            AttachFile,
            ReadRegion,
            SubmitAssessment,
        ],
        Role::VolunteerCoordinator
        | Role::Warehouse
        | Role::Dispatcher
        | Role::Crew
        | Role::HospitalDesk
        | Role::Training => &[AddNote, AttachFile, ReadRegion],
        Role::Board => &[
            AddNote,
            ApproveWarning,
            AttachFile,
            ListAccounts,
            ReadRegion,
        ],
        Role::Viewer => &[ReadRegion],
        Role::Auditor => &[ReadRegion, ListAccounts, ReadAccounts, ReadNode],
        Role::It => &[
            ReadRegion,
            ListAccounts,
            ReadAccounts,
            ReadNode,
            ManageAccounts,
            ManageNode,
            AmendLog,
        ],
        Role::Feed => &[RecordWarning, CancelWarning],
        Role::Ims => &[FollowChanges, ReadRegion],
        Role::Headquarters => &[IssueDirective, WithdrawDirective, ReadRegion, ReadNode],
        Role::Unspecified => &[],
    };
    rights.contains(&action)
}

/// Returns the role in which the account may do the action at this moment, or why it may not.
/// `target` is the region code that the action is about; an action without one is not bound to a scope.
/// Of several fitting grants an own one goes before a delegated one, then the earlier given.
pub fn authorize(
    state: &AccountState,
    action: Action,
    target: Option<&str>,
    now: Millis,
) -> Result<Held, AccountRejection> {
    let forbidden = |denial| Err(AccountRejection::Forbidden { action, denial });
    if state.disabled {
        return forbidden(Denial::Disabled);
    }
    let grants = state.grants.iter().map(|held| &held.grant);
    let able: Vec<&Grant> = grants.filter(|grant| allows(grant.role, action)).collect();
    if able.is_empty() {
        return forbidden(Denial::NoRole);
    }
    let current: Vec<&Grant> = able
        .into_iter()
        .filter(|grant| grant.in_force(now))
        .collect();
    if current.is_empty() {
        return forbidden(Denial::NotInForce);
    }
    let fitting = current
        .into_iter()
        .filter(|grant| target.is_none_or(|target| covers(&grant.scope, target)));
    match fitting.min_by_key(|grant| grant.delegated_by.is_some()) {
        Some(grant) => Ok(Held {
            role: grant.role,
            scope: grant.scope.clone(),
            delegation: grant.delegated_by,
        }),
        None => forbidden(Denial::OutsideScope {
            target: target.unwrap_or_default().into(),
        }),
    }
}

/// Returns the role in which the account may do the action in every one of the regions; where there are none, anywhere.
/// What lies outside of `home`, the node's own province, is no part of what the node's roles divide among them: one that
/// holds in the whole province covers it too.
pub fn authorize_in(
    state: &AccountState,
    action: Action,
    regions: &[String],
    home: Option<&str>,
    now: Millis,
) -> Result<Held, AccountRejection> {
    let mut held = None;
    for region in regions {
        let there = authorize(state, action, Some(region), now);
        let is_outside = |home: &&str| !region::within(region, home);
        let found = match home.filter(is_outside) {
            Some(home) => there
                .or_else(|denied| authorize(state, action, Some(home), now).map_err(|_| denied))?,
            None => there?,
        };
        held.get_or_insert(found);
    }
    held.map_or_else(|| authorize(state, action, None, now), Ok)
}

/// Says whether the scope covers the region: the whole node, a region's own part, or a zone's kab/kota.
fn covers(scope: &str, target: &str) -> bool {
    let in_zone = || zone::find(scope).is_some_and(|zone| zone.contains(target));
    scope.is_empty() || region::within(target, scope) || in_zone()
}
