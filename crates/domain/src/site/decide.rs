//! What follows from a command about a site.

use posko_proto::{
    site::v1::{SiteNeedSet, SiteOccupancyCounted},
    time::Millis,
};

use crate::{
    context::Context,
    event::SiteEvent,
    region,
    site::{SiteCommand, SiteRejection, SiteState, state::change},
};

/// Decides on a command: the events that follow from it, or why there are none.
pub fn decide(
    state: Option<&SiteState>,
    command: &SiteCommand,
    context: &Context,
) -> Result<Vec<SiteEvent>, SiteRejection> {
    not_in_future("meta.occurred_at", context.occurred_at, context)?;
    let now = Some(context.now.into());
    let event = match command.event() {
        SiteEvent::Opened(opened) => {
            if state.is_some() {
                return Err(SiteRejection::AlreadyOpened);
            }
            let code = opened
                .place
                .as_ref()
                .map(|place| place.region_code.as_str());
            let code = code.unwrap_or_default();
            if !region::within(code, context.node.as_str()) {
                return Err(SiteRejection::OutsideProvince {
                    region_code: code.into(),
                    node: context.node,
                });
            }
            return Ok(vec![SiteEvent::Opened(opened.clone())]);
        }
        SiteEvent::OccupancyCounted(counted) => SiteEvent::OccupancyCounted(SiteOccupancyCounted {
            as_of: counted.as_of.or(now),
            ..counted.clone()
        }),
        SiteEvent::NeedSet(set) => SiteEvent::NeedSet(SiteNeedSet {
            as_of: set.as_of.or(now),
            ..*set
        }),
        event => event.clone(),
    };
    for (field, at) in times_of(&event) {
        not_in_future(field, at, context)?;
    }
    let state = state.ok_or(SiteRejection::NotFound)?;
    if state.exercise != context.exercise {
        return Err(SiteRejection::ExerciseMixed {
            site: state.exercise,
        });
    }
    let mut next = state.clone();
    change(&mut next, &event, context.occurred_at)?;
    // What changes nothing is no fact.
    Ok(if next == *state {
        Vec::new()
    } else {
        vec![event]
    })
}

/// The times that an event tells of.
fn times_of(event: &SiteEvent) -> impl Iterator<Item = (&'static str, Millis)> {
    let told = match event {
        SiteEvent::OccupancyCounted(counted) => Some(("count_occupancy.as_of", counted.as_of)),
        SiteEvent::NeedSet(set) => Some(("set_need.as_of", set.as_of)),
        SiteEvent::OutputReported(report) => Some(("report_output.until", report.until)),
        SiteEvent::Opened(_)
        | SiteEvent::CapacitySet(_)
        | SiteEvent::NeedMet(_)
        | SiteEvent::Closed(_) => None,
    };
    told.into_iter()
        .filter_map(|(field, at)| Some((field, Millis::try_from(&at?).ok()?)))
}

fn not_in_future(field: &'static str, at: Millis, context: &Context) -> Result<(), SiteRejection> {
    if at > context.latest() {
        return Err(SiteRejection::InFuture {
            field,
            at,
            now: context.now,
        });
    }
    Ok(())
}
