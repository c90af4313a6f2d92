//! `posko incident assessment figures` and `posko incident assess --figures`: impact figures from an assessment.
//!
//! What it never does: record a figure without saying from which answer, or pass over an answer that gives none.

use std::fmt::Write as _;

use posko_proto::{
    Id,
    common::v1::CommandMeta,
    incident::v1::{
        AgeBand, Figure, FigureBar, FigureSource, GetAssessmentRequest, GetAssessmentResponse,
        ImpactFigure, Measure, OfferedFigures, RecordImpactRequest, Sex,
    },
};
use serde_json::{Value as Json, json};

use super::lookup;
use crate::{
    client::Client,
    command::{lost, outcome_of},
    failure::Failure,
    json as view, label, name,
    output::{Context, Table, grouped, when},
};

/// Records what an assessment offers, and returns what that was in JSON and on the screen.
pub(super) async fn record(
    context: &Context,
    client: &Client,
    (incident, assessment): (&str, Vec<u8>),
    (id, meta): (Id, CommandMeta),
) -> Result<(Json, String), Failure> {
    let mut service = client.incidents();
    let found = service
        .get_incident(lookup(client, incident)?)
        .await?
        .into_inner();
    let incident = found.incident.unwrap_or_default();
    let request = GetAssessmentRequest {
        incident_id: incident.incident_id.clone(),
        assessment_id: assessment.clone(),
    };
    let answered = service.get_assessment(request).await?.into_inner();
    if answered.missing {
        let name = view::id(&assessment).unwrap_or_default();
        return Err(Failure::refused(
            "not_found",
            format!("the answers of assessment `{name}` are not here so far"),
        ));
    }
    let figures: Vec<Figure> = (answered.figures.iter())
        .flat_map(|offered| offered.figures.iter().copied())
        .collect();
    let mut text = table(context, &answered, &incident.figures).render(context);
    let mut outcome = None;
    if figures.is_empty() {
        let _ = write!(text, "\n{}", context.say(label::NO_FIGURES));
    } else {
        let request = RecordImpactRequest {
            meta: Some(meta),
            incident_id: incident.incident_id,
            figures,
            source: FigureSource::Pmi.into(),
            as_of: answered.head.as_ref().and_then(|head| head.assessed_at),
            correction: false,
            assessment_id: assessment,
        };
        let answer = service.record_impact(request).await;
        let answer = answer.map_err(lost(id))?.into_inner();
        outcome = Some(outcome_of(id, answer.outcome)?);
    }
    let offered: Vec<Json> = answered.figures.iter().map(offered_json).collect();
    Ok((json!({ "outcome": outcome, "offered": offered }), text))
}

/// Returns which answer gives which figure, beside what PMI's figure is so far, and why others give none.
pub(super) fn table(
    context: &Context,
    answered: &GetAssessmentResponse,
    held: &[ImpactFigure],
) -> Table {
    let columns = [
        label::ID,
        label::MEASURE,
        label::SEX,
        label::AGE,
        label::COUNT,
        label::SAID_BEFORE,
        label::WHY,
    ];
    let mut table = Table::new(context, &columns);
    for offered in &answered.figures {
        let bar = label::of::<FigureBar>(offered.bar, context.lang);
        for figure in &offered.figures {
            let key = (figure.measure, figure.sex, figure.age_band);
            let before = held.iter().find(|held| {
                held.source == i32::from(FigureSource::Pmi)
                    && (held.measure, held.sex, held.age_band) == key
            });
            let before = before.map(|held| {
                format!(
                    "{}, {}",
                    grouped(held.count, context.lang),
                    when(held.as_of.as_ref())
                )
            });
            table.row([
                offered.question.clone(),
                label::of::<Measure>(figure.measure, context.lang),
                label::of::<Sex>(figure.sex, context.lang),
                label::of::<AgeBand>(figure.age_band, context.lang),
                grouped(figure.count, context.lang),
                before.unwrap_or_default(),
                String::new(),
            ]);
        }
        if offered.bar != 0 {
            let empty = String::new;
            table.row([
                offered.question.clone(),
                empty(),
                empty(),
                empty(),
                empty(),
                empty(),
                bar,
            ]);
        }
    }
    table
}

pub(super) fn offered_json(offered: &OfferedFigures) -> Json {
    let figures = offered.figures.iter().map(|figure| {
        json!({
            "measure": name::of::<Measure>(figure.measure),
            "count": figure.count,
            "sex": name::of::<Sex>(figure.sex),
            "age_band": name::of::<AgeBand>(figure.age_band),
        })
    });
    json!({
        "question": offered.question,
        "figures": figures.collect::<Vec<_>>(),
        "bar": name::of::<FigureBar>(offered.bar),
    })
}
