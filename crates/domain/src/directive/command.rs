//! What may be asked of a directive, read from the wire at the door.

use posko_proto::{
    directive::v1::{DirectiveIssued, IssueDirectiveRequest, Priority, WithdrawDirectiveRequest},
    time::Millis,
};

use crate::{
    directive::DirectiveRejection,
    region,
    text::{PLAIN, is_plain},
    zone,
};

const TITLE_CHARACTERS: usize = 200;
const BODY_CHARACTERS: usize = 20_000;
const REASON_CHARACTERS: usize = 2_000;
const ADDRESSEES: usize = 100;

/// What may be asked of a directive.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectiveCommand {
    /// Issue it.
    Issue(DirectiveIssued),
    /// Withdraw it.
    Withdraw {
        /// Why.
        reason: String,
    },
}

impl DirectiveCommand {
    /// Says whether the command promises or gives up what there is only one of: none does.
    pub fn is_scarce(&self) -> bool {
        match self {
            Self::Issue(_) | Self::Withdraw { .. } => false,
        }
    }

    /// Returns the texts that a person wrote.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Issue(issued) => vec![&issued.title, &issued.body],
            Self::Withdraw { reason } => vec![reason],
        }
    }
}

impl TryFrom<&IssueDirectiveRequest> for DirectiveCommand {
    type Error = DirectiveRejection;

    fn try_from(request: &IssueDirectiveRequest) -> Result<Self, DirectiveRejection> {
        let said = request.directive.as_ref();
        let said = said.ok_or(DirectiveRejection::invalid(
            "directive",
            "",
            "it must be given",
        ))?;
        text("directive.title", &said.title, TITLE_CHARACTERS)?;
        if !is_plain(&said.title) {
            return Err(DirectiveRejection::invalid("directive.title", "…", PLAIN));
        }
        text("directive.body", &said.body, BODY_CHARACTERS)?;
        check_addressees(said)?;
        match Priority::try_from(said.priority) {
            Ok(Priority::Routine | Priority::Urgent | Priority::Immediate) => {}
            Ok(Priority::Unspecified) | Err(_) => {
                return Err(DirectiveRejection::invalid(
                    "directive.priority",
                    said.priority,
                    "it must be routine, urgent or immediate",
                ));
            }
        }
        if let Some(until) = &said.valid_until
            && Millis::try_from(until).is_err()
        {
            return Err(DirectiveRejection::invalid(
                "directive.valid_until",
                format!("{} s", until.seconds),
                "a time within the years 1 to 9999",
            ));
        }
        Ok(Self::Issue(said.clone()))
    }
}

impl TryFrom<&WithdrawDirectiveRequest> for DirectiveCommand {
    type Error = DirectiveRejection;

    fn try_from(request: &WithdrawDirectiveRequest) -> Result<Self, DirectiveRejection> {
        text("reason", &request.reason, REASON_CHARACTERS)?;
        Ok(Self::Withdraw {
            reason: request.reason.clone(),
        })
    }
}

fn check_addressees(said: &DirectiveIssued) -> Result<(), DirectiveRejection> {
    let given = said.province_codes.len() + said.zone_ids.len();
    if given > ADDRESSEES {
        return Err(DirectiveRejection::invalid(
            "directive.province_codes",
            given,
            "at most 100 provinces and zones",
        ));
    }
    for code in &said.province_codes {
        if region::parse(code)?.province() != code {
            return Err(DirectiveRejection::invalid(
                "directive.province_codes",
                code,
                "the code of a province, such as `32`",
            ));
        }
    }
    for id in &said.zone_ids {
        if zone::find(id).is_none() {
            return Err(DirectiveRejection::invalid(
                "directive.zone_ids",
                id,
                "no such border zone",
            ));
        }
    }
    Ok(())
}

fn text(field: &'static str, text: &str, limit: usize) -> Result<(), DirectiveRejection> {
    if text.trim().is_empty() {
        return Err(DirectiveRejection::invalid(
            field,
            "",
            "it must not be empty",
        ));
    }
    let characters = text.chars().count();
    if characters > limit {
        return Err(DirectiveRejection::TooLong {
            field,
            characters,
            limit,
        });
    }
    Ok(())
}
