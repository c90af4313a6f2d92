//! `posko incident notices`: what this node is told of other provinces' incidents in shared zones.

use posko_proto::{
    common::v1::{Hazard, Provenance},
    incident::v1::{ListNoticesRequest, Notice, Status},
};
use serde_json::json;

use super::{drill, status_tint};
use crate::{
    client::Client,
    command::{freshness, link_tint, listed, owner, pages},
    failure::Failure,
    json as view, label,
    output::{Answer, Context, Table, Tint, when},
};

/// Lists what this node is told.
pub(super) async fn run(context: &Context, client: &Client, limit: u32) -> Result<Answer, Failure> {
    let mut service = client.incidents();
    let ask = async |page_size, page_token| {
        let request = ListNoticesRequest {
            page_size,
            page_token,
        };
        service.list_notices(request).await
    };
    let (notices, more, page) = pages(limit, ask).await?;
    let text = render_notices(context, &notices, more, &page.origins);
    let notices: Vec<view::incident::Notice> = notices.into_iter().map(Into::into).collect();
    let origins: Vec<view::Provenance> = page.origins.into_iter().map(Into::into).collect();
    Answer::new(
        json!({ "notices": notices, "more": more, "origins": origins }),
        text,
    )
}

pub(super) fn render_notices(
    context: &Context,
    notices: &[Notice],
    more: bool,
    origins: &[Provenance],
) -> String {
    let head = [
        label::NUMBER,
        label::STATUS,
        label::HAZARD,
        label::AREA,
        label::ZONE,
        label::REPORTED,
        label::ORIGIN,
        label::INCIDENT,
    ];
    let mut table = Table::new(context, &head);
    for notice in notices {
        let known = origins.iter().find(|known| known.origin == notice.origin);
        let provenance = Provenance {
            origin: notice.origin.clone(),
            disputed: notice.disputed,
            ..known.cloned().unwrap_or_default()
        };
        table.tinted([
            (
                format!("{}{}", notice.number, drill(context, notice.exercise)),
                Tint::Plain,
            ),
            (
                label::of::<Status>(notice.status, context.lang),
                status_tint(notice.status),
            ),
            (
                label::of::<Hazard>(notice.hazard, context.lang),
                Tint::Plain,
            ),
            (notice.region_code.clone(), Tint::Plain),
            (notice.zone_id.clone(), Tint::Plain),
            (when(notice.reported_at.as_ref()), Tint::Plain),
            (owner(context, &provenance), link_tint(provenance.link)),
            (
                view::id(&notice.incident_id).unwrap_or_default(),
                Tint::Plain,
            ),
        ]);
    }
    format!(
        "{}{}",
        listed(context, &table, more),
        freshness(context, origins)
    )
}
