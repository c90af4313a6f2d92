//! Requests for commands: which right each asks for, which thing it is about, and the frame that all share.
//!
//! What it never does: decide, or read a request that needs more than itself to be understood.

use posko_domain::{account::Action, code::Refusal, context::stream_of};
use posko_proto::{
    common::v1::{CommandMeta, Outcome},
    directive::v1::{IssueDirectiveRequest, WithdrawDirectiveRequest},
    incident::v1::{
        ActivateIncidentRequest, AddNoteRequest, AttachFileRequest, ChangeIncidentRequest,
        CloseIncidentRequest, EndOperationRequest, RecordImpactRequest, RejectIncidentRequest,
        SubmitAssessmentRequest, VerifyIncidentRequest,
    },
    log::v1::{DeclareLostRequest, DisownRequest, WithdrawPayloadRequest},
    site::v1::ChangeSiteRequest,
    warning::v1::{CancelWarningRequest, DismissReportRequest},
};
use posko_store::Command;
use prost::Message;
use tonic::{Request, Status};

use super::{Api, Asked, Framed, digest, id, outcome, refused};

/// A request that says a whole command.
pub(super) trait Asks: Message {
    /// The name of its call, which its digest carries.
    const CALL: &'static str;
    /// The right that it needs.
    const ACTION: Action;
    /// Returns the command's frame.
    fn meta(&self) -> Option<&CommandMeta>;
    /// Returns the field that names the thing that it is about; none when it makes one.
    fn thing(&self) -> Option<(&'static str, &[u8])>;
    /// Returns the command.
    fn command(&self) -> Result<Command, Refusal>;
}

macro_rules! asks {
    ($($request:ident: $call:literal $action:ident $area:ident $(of $thing:ident)?;)*) => {
        $(impl Asks for $request {
            const CALL: &'static str = $call;
            const ACTION: Action = Action::$action;

            fn meta(&self) -> Option<&CommandMeta> {
                self.meta.as_ref()
            }

            fn thing(&self) -> Option<(&'static str, &[u8])> {
                None$(.or(Some((stringify!($thing), self.$thing.as_slice()))))?
            }

            fn command(&self) -> Result<Command, Refusal> {
                Ok(Command::$area(self.try_into()?))
            }
        })*
    };
}

asks! {
    VerifyIncidentRequest:    "VerifyIncident"    VerifyIncident    Incident  of incident_id;
    RejectIncidentRequest:    "RejectIncident"    RejectIncident    Incident  of incident_id;
    ActivateIncidentRequest:  "ActivateIncident"  ActivateIncident  Incident  of incident_id;
    RecordImpactRequest:      "RecordImpact"      RecordImpact      Incident  of incident_id;
    AddNoteRequest:           "AddNote"           AddNote           Incident  of incident_id;
    AttachFileRequest:        "AttachFile"        AttachFile        Incident  of incident_id;
    EndOperationRequest:      "EndOperation"      EndOperation      Incident  of incident_id;
    CloseIncidentRequest:     "CloseIncident"     CloseIncident     Incident  of incident_id;
    ChangeIncidentRequest:    "ChangeIncident"    RunIncident       Incident  of incident_id;
    SubmitAssessmentRequest:  "SubmitAssessment"  SubmitAssessment  Incident  of incident_id;
    CancelWarningRequest:     "CancelWarning"     CancelWarning     Warning   of warning_id;
    DismissReportRequest:     "DismissReport"     JudgeReport       Warning   of warning_id;
    IssueDirectiveRequest:    "IssueDirective"    IssueDirective    Directive;
    WithdrawDirectiveRequest: "WithdrawDirective" WithdrawDirective Directive of directive_id;
    ChangeSiteRequest:        "ChangeSite"        RunSite           Site      of site_id;
    DisownRequest:            "Disown"            AmendLog          Log;
    DeclareLostRequest:       "DeclareLost"       AmendLog          Log;
    WithdrawPayloadRequest:   "WithdrawPayload"   WithdrawPayload   Log;
}

impl Api {
    /// Takes a command from its request to its outcome.
    pub(super) async fn command<R: Asks>(
        &self,
        request: Request<R>,
    ) -> Result<Option<Outcome>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta())?;
        let (stream, authority) = match request.thing() {
            // A thing that is there is judged where it is.
            Some((field, bytes)) => (id(field, bytes)?, caller.account_for(R::ACTION)),
            None => (
                stream_of(framed.command_id),
                caller.may(R::ACTION, None)?.into(),
            ),
        };
        let command = request.command().map_err(|refusal| refused(&refusal))?;
        let asked = Asked {
            digest: digest(R::CALL, &request),
            framed,
            stream,
            authority,
            command,
            credential: None,
        };
        let accepted = self.execute(asked).await?;
        Ok(Some(outcome(self.own(), &accepted)))
    }
}
