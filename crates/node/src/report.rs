//! Reports of citizens and branches: by telephone, typed in; by the web form and by other systems, over HTTP.
//!
//! ```text
//! telephone ──▶ the API ─┐
//! web form  ──▶ listener ┼──▶ Report ──▶ a warning that nobody has verified ──▶ a duty officer opens an incident,
//! webhook   ──▶ listener ┘                                                      or dismisses it
//! ```
//! Who calls or writes is never recorded: there is no field for it, and a text that looks like a telephone number, a NIK
//! or an address of mail is refused over HTTP. What it never does: acknowledge what is not durable yet.

mod certificate;
mod form;
mod limit;
mod listener;
mod read;

use posko_domain::{
    code::Refusal,
    hazard, region,
    warning::{WarningCommand, locate_as_given},
};
use posko_proto::{
    common::v1::{self as common, Hazard},
    time::Millis,
    warning::v1::{AlertStatus, Area, Certainty, Channel, Circle, Content, Severity},
};

pub use self::certificate::{CertificateFault, check_certificate};
pub(crate) use self::{
    certificate::{Certificate, follow},
    limit::{Lines, line_of},
    listener::{Listener, say_address, serve},
};
use crate::outgoing::named;

/// Who told a report, where no office did.
const CITIZEN: &str = "Warga";

/// A report, read at the door.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// How it came.
    pub(crate) channel: Channel,
    /// The kind of danger.
    pub(crate) hazard: Hazard,
    /// Where.
    pub(crate) place: region::Place,
    /// How grave it is said to be.
    pub(crate) severity: Severity,
    /// What was told.
    pub(crate) text: String,
    /// The office that told it; empty for a citizen.
    pub(crate) reporter: String,
    /// When it was seen; none for now.
    pub(crate) at: Option<Millis>,
    /// The id by which the same report is known again.
    pub(crate) identifier: String,
    /// Whether it belongs to a drill.
    pub(crate) exercise: bool,
}

impl Report {
    /// Returns the command that records it.
    pub(crate) fn command(&self, now: Millis) -> WarningCommand {
        let code = self.place.region_code.as_str();
        let circle = self.place.point.map(|point| Circle {
            center: Some(common::Point::from(point)),
            radius_m: 0,
        });
        let area = Area {
            description: named(code),
            region_codes: vec![code.to_owned()],
            circles: circle.into_iter().collect(),
            ..Area::default()
        };
        let kind = hazard::indonesian(self.hazard);
        let mut content = Content {
            status: if self.exercise {
                AlertStatus::Exercise.into()
            } else {
                AlertStatus::Actual.into()
            },
            hazard: self.hazard.into(),
            severity: self.severity.into(),
            // One person's word: at most half sure.
            certainty: Certainty::Possible.into(),
            sent_at: Some(now.into()),
            effective_at: self.at.filter(|at| *at <= now).map(Into::into),
            headline: format!("Laporan: {kind} di {}", named(code)),
            language: "id".into(),
            event: kind.into(),
            channel: self.channel.into(),
            areas: vec![area],
            ..Content::default()
        };
        locate_as_given(&mut content);
        let reporter = if self.reporter.is_empty() {
            CITIZEN.to_owned()
        } else {
            self.reporter.clone()
        };
        WarningCommand::Report {
            reporter,
            identifier: self.identifier.clone(),
            content,
            text: Some(self.text.trim().to_owned()).filter(|text| !text.is_empty()),
        }
    }
}

/// Refuses a report about another province than the node's.
fn check_province(place: &region::Place, node: &str) -> Result<(), Refusal> {
    let code = place.region_code.as_str();
    if region::find(node).is_none() || region::within(code, node) {
        return Ok(());
    }
    Err(Refusal {
        code: posko_domain::code::Code::Invalid,
        message: format!("`{code}` lies outside of province `{node}`: report it to its own posko"),
    })
}

/// Refuses what is about another province; for the API.
pub(crate) fn check(report: &Report, node: &str) -> Result<(), Refusal> {
    check_province(&report.place, node)
}
