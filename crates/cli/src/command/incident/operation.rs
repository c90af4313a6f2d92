//! How an incident's operation is shown: judgements, relations, posts, calls, periods, objectives.

use posko_proto::incident::v1::{
    EscalationLevel, Incident, Post, Priority, Relation, Settlement, Severity,
};

use crate::{
    json as view, label,
    output::{Context, Table, when},
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

pub(super) fn related(context: &Context, incident: &Incident) -> Table {
    let mut table = Table::new(context, &[label::RELATION, label::INCIDENT]);
    for related in &incident.related {
        let id = view::id(&related.incident_id).unwrap_or_default();
        table.row([
            label::of::<Relation>(related.relation, context.lang),
            format!("{}/{id}", related.origin),
        ]);
    }
    table
}

pub(super) fn posts(context: &Context, incident: &Incident) -> Table {
    let head = [label::POST, label::ACCOUNT, label::SINCE, label::UNTIL];
    let mut table = Table::new(context, &head);
    for holder in &incident.posts {
        table.row([
            label::of::<Post>(holder.post, context.lang),
            view::id(&holder.account_ref).unwrap_or_default(),
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
