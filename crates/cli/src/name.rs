//! The names of enum values on the command line and in JSON: snake_case, without the type's prefix.
//!
//! What it never does: translate; labels for people are in `label`.

use posko_proto::{
    blob::v1::{AttachmentKind, BlobState, MediaType, Metadata, PeerAnswer},
    common::v1::{Hazard, LinkState, Role},
    directive::v1::{self as directive, Priority},
    federation::v1::NodeRole,
    incident::v1::{
        self as incident, AgeBand, AssessmentForm, AssessmentKind, CancelReason, CodeSystem,
        CountedAge, EmergencyLevel, EmergencyState, EmergencyStatus, EscalationLevel, FigureBar,
        FigureSource, Measure, NeedProgress, Office, Post, RejectReason, Relation, ReopenReason,
        ReportChannel, Scale, Sector, Settlement, Sex, Status, Step, TimePrecision,
        TimelinePresence, Unit,
    },
    site::v1 as site,
    warning::v1::{
        self as warning, AlertStatus, AreaReach, Certainty, Fate, FeedHealth, FoundBy, NoteKind,
        Siaga, Source, State, Urgency, VolcanoLevel,
    },
};

/// Below this is the number of every value.
const GREATEST: i32 = 256;

/// An enum of the contract whose values have names.
pub(crate) trait Named: Copy + Sized {
    /// What a value is called in a message, `hazard`.
    const KIND: &'static str;
    /// The prefix of the values in the contract, `HAZARD_`.
    const PREFIX: &'static str;

    /// Returns the value's name in the contract.
    fn contract_name(self) -> &'static str;

    /// Returns the value of a name in the contract.
    fn from_contract_name(name: &str) -> Option<Self>;

    /// Returns the value of a number on the wire.
    fn from_number(number: i32) -> Option<Self>;

    /// Returns the value's name, `flash_flood`.
    fn name(self) -> String {
        let name = self.contract_name();
        name.strip_prefix(Self::PREFIX)
            .unwrap_or(name)
            .to_ascii_lowercase()
    }

    /// Returns every value but the unspecified one, in the contract's order.
    fn all() -> impl Iterator<Item = Self> {
        // Numbers may have gaps: values are added where there is room.
        (1..GREATEST).filter_map(Self::from_number)
    }
}

/// Reads a value by its name; blanks, hyphens and capitals do not matter.
pub(crate) fn parse<T: Named>(text: &str) -> Option<T> {
    let plain = text.trim().replace(['-', ' '], "_").to_ascii_uppercase();
    let specified = plain != "UNSPECIFIED";
    let known = || T::from_contract_name(&format!("{}{plain}", T::PREFIX));
    specified.then(known).flatten()
}

/// Returns the name of a number on the wire: nothing when unspecified, the number itself when this program does not know it.
pub(crate) fn of<T: Named>(number: i32) -> Option<String> {
    match T::from_number(number) {
        _ if number == 0 => None,
        Some(value) => Some(value.name()),
        None => Some(number.to_string()),
    }
}

macro_rules! named {
    ($($type:ty, $kind:literal, $prefix:literal;)*) => {
        $(impl Named for $type {
            const KIND: &'static str = $kind;
            const PREFIX: &'static str = $prefix;

            fn contract_name(self) -> &'static str {
                self.as_str_name()
            }

            fn from_contract_name(name: &str) -> Option<Self> {
                Self::from_str_name(name)
            }

            fn from_number(number: i32) -> Option<Self> {
                Self::try_from(number).ok()
            }
        })*

        #[cfg(test)]
        pub(crate) fn for_each_type(mut check: impl FnMut(&'static str, Vec<(String, bool)>)) {
            $(check($kind, <$type>::all().map(|value| {
                let name = value.name();
                let same = parse::<$type>(&name) == Some(value) && of::<$type>(value as i32) == Some(name.clone());
                (name, same)
            }).collect());)*
        }
    };
}

named! {
    Hazard, "hazard", "HAZARD_";
    LinkState, "link state", "LINK_STATE_";
    Role, "role", "ROLE_";
    NodeRole, "node role", "NODE_ROLE_";
    incident::Severity, "severity", "SEVERITY_";
    ReportChannel, "report channel", "REPORT_CHANNEL_";
    Scale, "scale", "SCALE_";
    Status, "status", "STATUS_";
    RejectReason, "reason", "REJECT_REASON_";
    CancelReason, "reason", "CANCEL_REASON_";
    ReopenReason, "reason", "REOPEN_REASON_";
    Step, "step", "STEP_";
    Relation, "relation", "RELATION_";
    Post, "post", "POST_";
    incident::Priority, "priority", "PRIORITY_";
    Settlement, "settlement", "SETTLEMENT_";
    EscalationLevel, "level", "ESCALATION_LEVEL_";
    Sex, "sex", "SEX_";
    AgeBand, "age", "AGE_BAND_";
    Measure, "measure", "MEASURE_";
    FigureSource, "figure source", "FIGURE_SOURCE_";
    TimePrecision, "time precision", "TIME_PRECISION_";
    CodeSystem, "code system", "CODE_SYSTEM_";
    warning::ResponseType, "response type", "RESPONSE_TYPE_";
    warning::Severity, "severity", "SEVERITY_";
    AlertStatus, "alert status", "ALERT_STATUS_";
    Certainty, "certainty", "CERTAINTY_";
    Urgency, "urgency", "URGENCY_";
    Source, "source", "SOURCE_";
    State, "warning state", "STATE_";
    FeedHealth, "feed health", "FEED_HEALTH_";
    AreaReach, "reach", "AREA_REACH_";
    Fate, "fate", "FATE_";
    FoundBy, "way of finding", "FOUND_BY_";
    NoteKind, "kind of note", "NOTE_KIND_";
    Siaga, "alert level", "SIAGA_";
    VolcanoLevel, "level", "VOLCANO_LEVEL_";
    warning::Channel, "channel", "CHANNEL_";
    warning::DismissReason, "reason", "DISMISS_REASON_";
    warning::DraftKind, "kind of draft", "DRAFT_KIND_";
    warning::DraftStatus, "draft status", "DRAFT_STATUS_";
    warning::InboxChange, "change", "INBOX_CHANGE_";
    warning::Review, "review", "REVIEW_";
    Priority, "priority", "PRIORITY_";
    directive::State, "directive state", "STATE_";
    site::Kind, "kind of site", "KIND_";
    site::NeedKind, "need", "NEED_KIND_";
    AttachmentKind, "kind of attachment", "ATTACHMENT_KIND_";
    MediaType, "type of file", "MEDIA_TYPE_";
    BlobState, "state of a file", "BLOB_STATE_";
    PeerAnswer, "answer", "PEER_ANSWER_";
    Metadata, "metadata", "METADATA_";
    Sector, "sector", "SECTOR_";
    Unit, "unit", "UNIT_";
    FigureBar, "bar", "FIGURE_BAR_";
    NeedProgress, "progress", "NEED_PROGRESS_";
    EmergencyStatus, "emergency status", "EMERGENCY_STATUS_";
    EmergencyLevel, "emergency level", "EMERGENCY_LEVEL_";
    EmergencyState, "emergency state", "EMERGENCY_STATE_";
    Office, "office", "OFFICE_";
    AssessmentForm, "form", "ASSESSMENT_FORM_";
    AssessmentKind, "kind of assessment", "ASSESSMENT_KIND_";
    CountedAge, "age", "COUNTED_AGE_";
    TimelinePresence, "presence", "TIMELINE_PRESENCE_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_every_enum_comes_back_from_its_name() {
        let mut types = 0;
        for_each_type(|kind, values| {
            types += 1;
            assert!(values.len() >= 2, "{kind}: {values:?}");
            for (name, same) in values {
                assert!(same, "{kind} {name}");
                assert!(
                    name.chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                    "{kind} {name}"
                );
            }
        });
        assert_eq!(types, 64);
    }

    #[test]
    fn no_value_of_the_contract_is_left_out() {
        assert_eq!(Hazard::all().count(), 19);
        assert_eq!(Role::all().count(), 15);
        assert_eq!(Measure::all().count(), 26);
        assert_eq!(Status::all().count(), 11);
    }

    #[test]
    fn names_forgive_hyphens_and_capitals_only() {
        assert_eq!(parse::<Hazard>("Flash-Flood"), Some(Hazard::FlashFlood));
        assert_eq!(parse::<Scale>("unspecified"), None);
        assert_eq!(parse::<Hazard>(""), None);
    }

    #[test]
    fn an_unspecified_value_has_no_name_and_an_unknown_one_its_number() {
        assert_eq!(of::<Hazard>(0), None);
        assert_eq!(of::<Hazard>(99), Some("99".into()));
    }
}
