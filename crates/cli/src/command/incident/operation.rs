//! How an incident's operation is shown: judgements, relations, posts, calls, periods, objectives.

use posko_proto::{
    Id,
    incident::v1::{
        EmergencyLevel, EmergencyState, EmergencyStatus, EndOperationResponse, EscalationLevel,
        FigureSource, GetIncidentResponse, Incident, NeedProgress, Office, Post, Priority, Related,
        Relation, Sector, Settlement, Severity, Unit,
    },
};
use serde_json::json;

use crate::{
    command::{named_code, outcome_fields, outcome_of},
    failure::Failure,
    json as view, label,
    output::{Answer, Context, Table, Tint, fields, since, until, when},
};

pub(super) fn judgements(context: &Context, incident: &Incident) -> Table {
    let mut table = Table::new(context, &[label::SEVERITY, label::SINCE]);
    // A single one stands above already.
    for judgement in incident
        .judgements
        .iter()
        .filter(|_| incident.judgements.len() > 1)
    {
        table.row([
            label::of::<Severity>(judgement.severity, context.lang),
            when(judgement.at.as_ref()),
        ]);
    }
    table
}

/// Shows how the incident stands to others, by their numbers where those are known here.
pub(super) fn related(context: &Context, found: &GetIncidentResponse) -> Table {
    let mut table = Table::new(context, &[label::RELATION, label::INCIDENT]);
    let name = |related: &Related| {
        let id = view::id(&related.incident_id).unwrap_or_default();
        if related.number.is_empty() {
            format!("{}/{id}", related.origin)
        } else {
            related.number.clone()
        }
    };
    for related in found.incident.iter().flat_map(|incident| &incident.related) {
        let relation = label::of::<Relation>(related.relation, context.lang);
        table.row([relation, name(related)]);
    }
    for child in &found.children {
        table.row([context.say(label::HAS_PART).into(), name(child)]);
    }
    table
}

/// Says that the operation has ended, and what is still open.
pub(super) fn ended(
    context: &Context,
    command: Id,
    answer: EndOperationResponse,
) -> Result<Answer, Failure> {
    let outcome = outcome_of(command, answer.outcome)?;
    let left = answer.unfinished.unwrap_or_default();
    let counted = |names: &[String]| match names {
        [] => String::new(),
        names => format!("{} ({})", names.len(), names.join(", ")),
    };
    let needs = Some(left.needs).filter(|needs| *needs > 0);
    let open = [
        (label::OPEN_SITES, counted(&left.sites)),
        (
            label::OPEN_NEEDS,
            needs.map(|needs| needs.to_string()).unwrap_or_default(),
        ),
        (label::OPEN_EMERGENCIES, counted(&left.decrees)),
    ];
    let [incident, version, position] = outcome_fields(label::INCIDENT, &outcome);
    let [sites, needs, statuses] = open;
    let said = [incident, version, position, sites, needs, statuses];
    let text = fields(context, said);
    Answer::new(
        json!({
            "outcome": outcome,
            "unfinished": {
                "sites": left.sites,
                "needs": left.needs,
                "decrees": left.decrees,
            },
        }),
        text,
    )
}

pub(super) fn posts(context: &Context, incident: &Incident) -> Table {
    let head = [label::POST, label::ACCOUNT, label::SINCE, label::UNTIL];
    let mut table = Table::new(context, &head);
    for holder in &incident.posts {
        table.row([
            label::of::<Post>(holder.post, context.lang),
            context.person(&holder.account_ref),
            when(holder.since.as_ref()),
            holder
                .until
                .as_ref()
                .map(|until| when(Some(until)))
                .unwrap_or_default(),
        ]);
    }
    table
}

pub(super) fn escalation(context: &Context, incident: &Incident) -> Table {
    let head = [
        label::LEVEL,
        label::CALLED,
        label::SINCE,
        label::ANSWER_BY,
        label::ANSWERED,
    ];
    let mut table = Table::new(context, &head);
    if let Some(call) = &incident.escalation {
        let called = call.called.iter();
        let called: Vec<String> = called
            .map(|post| label::of::<Post>(*post, context.lang))
            .collect();
        table.row([
            label::of::<EscalationLevel>(call.level, context.lang),
            called.join(", "),
            when(call.at.as_ref()),
            when(call.answer_by.as_ref()),
            when(call.answered_at.as_ref()),
        ]);
    }
    table
}

pub(super) fn periods(context: &Context, incident: &Incident) -> Table {
    let head = [label::PERIOD, label::FROM, label::UNTIL, label::APPROVED];
    let mut table = Table::new(context, &head);
    for period in &incident.periods {
        table.row([
            period.number.to_string(),
            when(period.from.as_ref()),
            when(period.until.as_ref()),
            when(period.approved_at.as_ref()),
        ]);
    }
    table
}

pub(super) fn objectives(
    context: &Context,
    incident: &Incident,
    wording: impl Fn(&[u8]) -> String,
) -> Table {
    let head = [
        label::OBJECTIVE,
        label::PRIORITY,
        label::PERIOD,
        label::POST,
        label::DUE,
        label::STATUS,
        label::ID,
    ];
    let mut table = Table::new(context, &head);
    for objective in &incident.objectives {
        let period = match objective.period {
            0 => String::new(),
            number => number.to_string(),
        };
        table.row([
            wording(&objective.objective_id),
            label::of::<Priority>(objective.priority, context.lang),
            period,
            label::of::<Post>(objective.post, context.lang),
            when(objective.due_at.as_ref()),
            label::of::<Settlement>(objective.settlement, context.lang),
            view::id(&objective.objective_id).unwrap_or_default(),
        ]);
    }
    table
}

pub(super) fn needs(
    context: &Context,
    incident: &Incident,
    wording: impl Fn(&[u8]) -> String,
) -> Table {
    let head = [
        label::NEED,
        label::SECTOR,
        label::QUANTITY,
        label::MET,
        label::STATUS,
        label::PRIORITY,
        label::PLACE,
        label::DUE,
        label::ID,
    ];
    let mut table = Table::new(context, &head);
    for need in &incident.needs {
        let unit = label::of::<Unit>(need.unit, context.lang);
        let quantity = match need.quantity {
            0 => String::new(),
            quantity => format!("{quantity} {unit}"),
        };
        let parts = need.parts.iter().map(|part| {
            let source = label::of::<FigureSource>(part.source, context.lang);
            match part.quantity {
                0 => source,
                quantity => format!("{source} {quantity}"),
            }
        });
        let code = need.place.as_ref().map(|place| place.region_code.as_str());
        let settled = need.settlement != 0;
        let status = if settled {
            label::of::<Settlement>(need.settlement, context.lang)
        } else {
            label::of::<NeedProgress>(need.progress, context.lang)
        };
        let presses = need.priority() == Priority::Lifesaving;
        let tint = match need.progress() {
            _ if settled => Tint::Plain,
            NeedProgress::Met => Tint::Good,
            _ if presses => Tint::Bad,
            _ => Tint::Warn,
        };
        table.tinted([
            (wording(&need.need_id), Tint::Plain),
            (label::of::<Sector>(need.sector, context.lang), Tint::Plain),
            (quantity, Tint::Plain),
            (parts.collect::<Vec<String>>().join(", "), Tint::Plain),
            (status, tint),
            (
                label::of::<Priority>(need.priority, context.lang),
                Tint::Plain,
            ),
            (
                code.map(|code| named_code(&need.region_name, code))
                    .unwrap_or_default(),
                Tint::Plain,
            ),
            (when(need.due_at.as_ref()), Tint::Plain),
            (view::id(&need.need_id).unwrap_or_default(), Tint::Plain),
        ]);
    }
    table
}

pub(super) fn emergencies(context: &Context, incident: &Incident) -> Table {
    let head = [
        label::EMERGENCY,
        label::LEVEL,
        label::AUTHORITY,
        label::DECREE,
        label::SINCE,
        label::UNTIL,
        label::STATE,
        label::AREA,
        label::ID,
    ];
    let mut table = Table::new(context, &head);
    for emergency in &incident.emergencies {
        let said = emergency.declared.clone().unwrap_or_default();
        let end = emergency.ended_at.as_ref();
        let end = end.map_or_else(|| until(said.until.as_ref()), |at| when(Some(at)));
        let tint = match emergency.state() {
            EmergencyState::InForce => Tint::Bad,
            EmergencyState::Unspecified
            | EmergencyState::Coming
            | EmergencyState::Expired
            | EmergencyState::Ended => Tint::Plain,
        };
        let cells = [
            label::of::<EmergencyStatus>(said.status, context.lang),
            label::of::<EmergencyLevel>(said.level, context.lang),
            label::of::<Office>(said.authority, context.lang),
            format!("{} ({})", said.decree_number, said.decree_date),
            since(said.from.as_ref()),
            end,
        ];
        let state = label::of::<EmergencyState>(emergency.state, context.lang);
        table.tinted(
            cells
                .map(|cell| (cell, Tint::Plain))
                .into_iter()
                .chain([(state, tint)])
                .chain(
                    [
                        said.region_codes.join(" "),
                        view::id(&said.declaration_id).unwrap_or_default(),
                    ]
                    .map(|cell| (cell, Tint::Plain)),
                ),
        );
    }
    table
}
