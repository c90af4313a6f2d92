//! Which warnings an account is told of: by area and hazard and severity, all three together.
//!
//! What it never does: tell of a test, a draft or what is for the networks, or of an exercise to who did not ask for it.

use posko_proto::{
    Id,
    common::v1::Hazard,
    time::Millis,
    warning::v1::{self, AlertStatus, AreaReach, MessageKind, Severity, Source},
};
use serde::{Deserialize, Serialize};

use crate::{
    account::AccountRejection,
    region,
    warning::{WarningState, draft::regions, reach},
    wire, zone,
};

/// Which warnings an account is told of: those that fit in all that it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: Id,
    /// Where: a region code or a zone, or empty for everywhere.
    pub region: String,
    /// The kind of danger; unspecified for every kind.
    #[serde(with = "wire::number")]
    pub hazard: Hazard,
    /// The least severity; unspecified for any.
    #[serde(with = "wire::number")]
    pub severity: Severity,
    /// Whether exercises are told of too.
    pub exercises: bool,
    /// Since when.
    pub since: Millis,
}

/// How a warning fits a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Its area overlaps.
    Area,
    /// It names no region that is known, and the province that it was taken in for overlaps.
    UnknownArea,
}

impl Subscription {
    /// Reads a subscription: a region or zone that is known, and values that are.
    pub fn parse(
        asked: &v1::Subscription,
        id: Id,
        since: Millis,
    ) -> Result<Self, AccountRejection> {
        let region = &asked.region;
        if !region.is_empty() && zone::find(region).is_none() {
            region::parse(region).map_err(|error| {
                let expected =
                    format!("a zone such as `Z1`, a region code, or empty for everywhere; {error}");
                AccountRejection::invalid("subscription.region", region, expected)
            })?;
        }
        let known = "no value known to this version";
        let hazard = Hazard::try_from(asked.hazard);
        let hazard = hazard
            .map_err(|_| AccountRejection::invalid("subscription.hazard", asked.hazard, known))?;
        let severity = Severity::try_from(asked.severity);
        let severity = severity.map_err(|_| {
            AccountRejection::invalid("subscription.severity", asked.severity, known)
        })?;
        Ok(Self {
            id,
            region: region.clone(),
            hazard,
            severity,
            exercises: asked.exercises,
            since,
        })
    }

    /// Says whether and how a warning fits. `province` is the node that took it in: of a warning that names no known
    /// region, all of that node's province is taken to be meant.
    pub fn fits(&self, warning: &WarningState, province: &str) -> Option<Fit> {
        let content = &warning.content;
        let told = match content.status() {
            AlertStatus::Actual => !warning.exercise || self.exercises,
            AlertStatus::Exercise => self.exercises,
            AlertStatus::Unspecified
            | AlertStatus::System
            | AlertStatus::Test
            | AlertStatus::Draft => false,
        };
        let is_kind = self.hazard == Hazard::Unspecified || self.hazard == content.hazard();
        // What does not say how grave it is may be the gravest.
        let severity = content.severity();
        let is_grave =
            severity == Severity::Unspecified || i32::from(severity) >= i32::from(self.severity);
        // What only takes others back warns of nothing itself; what it took back is told.
        let is_word_only =
            content.message_kind() == MessageKind::Cancel && warning.source != Source::Own;
        if !told || !is_kind || !is_grave || is_word_only {
            return None;
        }
        let codes = regions(Some(content));
        let known: Vec<&String> = codes
            .iter()
            .filter(|code| region::find(code).is_some())
            .collect();
        if known.is_empty() && reach(content).area == AreaReach::Outside {
            return self.region.is_empty().then_some(Fit::Area);
        }
        if known.is_empty() {
            let everywhere = region::find(province).is_none();
            return (everywhere || self.overlaps(province)).then_some(Fit::UnknownArea);
        }
        let overlaps = known.into_iter().any(|code| self.overlaps(code));
        overlaps.then_some(Fit::Area)
    }

    /// Says whether a region lies in the subscription's, or the other way round.
    fn overlaps(&self, code: &str) -> bool {
        let either = |area: &str| region::within(code, area) || region::within(area, code);
        match zone::find(&self.region) {
            _ if self.region.is_empty() => true,
            Some(zone) => zone.regencies.iter().any(|regency| either(regency)),
            None => either(&self.region),
        }
    }
}

#[cfg(test)]
mod tests {
    use posko_proto::warning::v1::{Area, Content, DismissReason, Review};

    use super::*;

    fn subscription(region: &str) -> Subscription {
        Subscription {
            id: Id([1; 16]),
            region: region.into(),
            hazard: Hazard::Unspecified,
            severity: Severity::Unspecified,
            exercises: false,
            since: Millis(0),
        }
    }

    fn warning(codes: &[&str]) -> WarningState {
        let area = Area {
            region_codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            ..Area::default()
        };
        WarningState {
            source: Source::BmkgNowcast,
            publisher: "BMKG".into(),
            identifier: "x".into(),
            content: Content {
                status: AlertStatus::Actual.into(),
                hazard: Hazard::Flood.into(),
                severity: Severity::Severe.into(),
                areas: vec![area],
                ..Content::default()
            },
            cancelled: false,
            cancelled_by: crate::warning::CancelledBy::default(),
            replaced: None,
            review: Review::Unspecified,
            dismissed: DismissReason::Unspecified,
            incident: None,
            exercise: false,
            version: 1,
            taken_at: Millis(0),
            recorded_at: Millis(0),
        }
    }

    #[test]
    fn an_area_fits_whether_it_is_larger_smaller_or_the_same() {
        for (region, codes, fits) in [
            ("32.75", &["32.75"][..], true),
            ("32.75", &["32.75.01"], true),
            ("32.75", &["32"], true),
            ("32.75", &["32.16", "32.75"], true),
            ("32.75", &["32.16"], false),
            ("32.75", &["31.75"], false),
            ("32", &["32.75.01"], true),
            ("", &["36.02"], true),
            ("Z1", &["31.75.01"], true),
            ("Z1", &["32"], true),
            ("Z1", &["36.02"], false),
        ] {
            let fit = subscription(region).fits(&warning(codes), "32");
            assert_eq!(fit, fits.then_some(Fit::Area), "{region} {codes:?}");
        }
    }

    #[test]
    fn a_warning_without_a_known_region_fits_every_region_of_its_province_and_says_so() {
        for codes in [&[][..], &["99.01"]] {
            let fit = |region: &str, province| subscription(region).fits(&warning(codes), province);
            assert_eq!(fit("32.75", "32"), Some(Fit::UnknownArea));
            assert_eq!(fit("32.75", "31"), None);
            assert_eq!(fit("Z1", "32"), Some(Fit::UnknownArea));
            assert_eq!(fit("", "36"), Some(Fit::UnknownArea));
            assert_eq!(fit("32.75", "uji"), Some(Fit::UnknownArea));
        }
    }

    #[test]
    fn a_warning_elsewhere_is_told_only_who_asked_for_everywhere() {
        let mut warning = warning(&[]);
        warning.content.areas[0].reach = AreaReach::Outside.into();
        assert_eq!(subscription("32.75").fits(&warning, "32"), None);
        assert_eq!(subscription("").fits(&warning, "32"), Some(Fit::Area));
    }

    #[test]
    fn a_message_that_takes_others_back_is_told_of_an_own_warning_alone() {
        let mut warning = warning(&["32.75"]);
        warning.content.message_kind = MessageKind::Cancel.into();
        assert_eq!(subscription("32.75").fits(&warning, "32"), None);
        warning.source = Source::Own;
        assert_eq!(subscription("32.75").fits(&warning, "32"), Some(Fit::Area));
    }

    #[test]
    fn hazard_and_severity_must_fit_too() {
        use Severity::{Extreme, Minor, Moderate, Severe, Unspecified};

        let fits = |hazard, severity, of: Severity| {
            let mut warning = warning(&["32.75"]);
            warning.content.severity = of.into();
            Subscription {
                hazard,
                severity,
                ..subscription("32.75")
            }
            .fits(&warning, "32")
            .is_some()
        };
        assert!(fits(Hazard::Flood, Severe, Severe) && fits(Hazard::Flood, Severe, Extreme));
        assert!(fits(Hazard::Unspecified, Unspecified, Minor));
        assert!(
            fits(Hazard::Flood, Extreme, Unspecified),
            "what does not say may be the gravest"
        );
        assert!(!fits(Hazard::Flood, Severe, Moderate) && !fits(Hazard::Landslide, Severe, Severe));
    }

    #[test]
    fn tests_never_fit_and_exercises_only_who_asked() {
        for status in [
            AlertStatus::Test,
            AlertStatus::Draft,
            AlertStatus::System,
            AlertStatus::Exercise,
        ] {
            let mut warning = warning(&["32.75"]);
            warning.content.status = status.into();
            let asked = Subscription {
                exercises: true,
                ..subscription("")
            };
            assert_eq!(subscription("").fits(&warning, "32"), None);
            assert_eq!(
                asked.fits(&warning, "32").is_some(),
                status == AlertStatus::Exercise
            );
        }
        let mut drill = warning(&["32.75"]);
        drill.exercise = true;
        assert_eq!(subscription("").fits(&drill, "32"), None);
    }
}
