//! Directives in JSON.

use posko_proto::directive::v1 as directive;
use serde::Serialize;

use super::{Provenance, id, text, time};
use crate::name;

/// A directive as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Directive {
    #[serde(rename = "directive_id")]
    id: Option<String>,
    title: String,
    body: String,
    priority: Option<String>,
    province_codes: Vec<String>,
    zone_ids: Vec<String>,
    valid_until: Option<String>,
    state: Option<String>,
    withdrawn_because: Option<String>,
    addressed_here: bool,
    exercise: bool,
    version: u32,
    issued_at: Option<String>,
    provenance: Option<Provenance>,
}

impl From<directive::Directive> for Directive {
    fn from(directive: directive::Directive) -> Self {
        let issued = directive.issued.unwrap_or_default();
        Self {
            id: id(&directive.directive_id),
            title: issued.title,
            body: issued.body,
            priority: name::of::<directive::Priority>(issued.priority),
            province_codes: issued.province_codes,
            zone_ids: issued.zone_ids,
            valid_until: time(issued.valid_until.as_ref()),
            state: name::of::<directive::State>(directive.state),
            withdrawn_because: text(&directive.withdrawn_because),
            addressed_here: directive.addressed_here,
            exercise: directive.exercise,
            version: directive.version,
            issued_at: time(directive.issued_at.as_ref()),
            provenance: directive.provenance.map(Provenance::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_names_every_field_and_what_is_absent_is_null() {
        let directive = directive::Directive {
            directive_id: vec![7; 16],
            issued: Some(directive::DirectiveIssued {
                title: "Siaga banjir".into(),
                body: "Tempatkan satu tim".into(),
                priority: directive::Priority::Immediate.into(),
                zone_ids: vec!["Z1".into()],
                ..Default::default()
            }),
            state: directive::State::Open.into(),
            version: 1,
            ..Default::default()
        };
        assert_eq!(
            serde_json::to_value(Directive::from(directive)).unwrap(),
            serde_json::json!({
                "directive_id": "07070707-0707-0707-0707-070707070707",
                "title": "Siaga banjir",
                "body": "Tempatkan satu tim",
                "priority": "immediate",
                "province_codes": [],
                "zone_ids": ["Z1"],
                "valid_until": null,
                "state": "open",
                "withdrawn_because": null,
                "addressed_here": false,
                "exercise": false,
                "version": 1,
                "issued_at": null,
                "provenance": null,
            })
        );
    }
}
