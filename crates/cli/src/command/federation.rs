//! `posko federation`: what logs leave out or lack, and what an owner says about its own.

use clap::{Args, Subcommand};
use posko_proto::{
    Id, NodeId,
    log::v1::{
        DeclareLostRequest, DisownRequest, Gap, GapKind, ListGapsRequest, ListStatementsRequest,
        Statement,
    },
};
use serde_json::json;

use super::{listed, lost, named, owner, pages, recorded};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::{self, Frame},
    json::{self as view, log},
    label,
    output::{Answer, Context, Table, when},
};

/// Shows what logs leave out, and leaves entries out of this node's log for good
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko federation gaps
  posko federation gaps 32 --json
  posko federation disown --all --reason \"Mesin uji yang tersambung keliru\"")]
pub(crate) struct FederationArgs {
    #[command(subcommand)]
    command: FederationCommand,
}

#[derive(Debug, Subcommand)]
enum FederationCommand {
    /// Lists entries that a log leaves out, and those whose payload is missing here
    #[command(after_help = "Examples:
  posko federation gaps
  posko federation gaps 32 --json")]
    Gaps {
        /// Whose log [default: this node's]
        #[arg(value_parser = input::node)]
        origin: Option<NodeId>,
    },
    /// Says that entries which this node's log leaves out are never to be recorded again
    #[command(after_help = "Examples:
  posko federation disown --all --reason \"Mesin uji yang tersambung keliru\"
  posko federation disown 0192f3c4-5a6b-7c8d-9e0f-112233445566 \\
    --reason \"Mesin uji yang tersambung keliru\" --yes

Without --yes it only lists what would be disowned. It cannot be taken back.
A log leaves entries out when its node came back from a backup and wrote before it met
its peers. They are recorded again by themselves; disown them before that, or what is
only decided again by a person. Every peer shows them as withheld until then.")]
    Disown {
        /// Events of the entries
        #[arg(value_name = "EVENT_ID", value_parser = input::id, required_unless_present = "all")]
        events: Vec<Id>,
        /// All that the log leaves out
        #[arg(long, conflicts_with = "events")]
        all: bool,
        /// Why; it names nobody, since every province reads it
        #[arg(long)]
        reason: String,
        /// Disown what is listed
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        frame: Frame,
    },
}

impl FederationArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let client = Client::connect(context, Who::Anyone).await?;
        match self.command {
            FederationCommand::Gaps { origin } => {
                let found = gaps(&client, origin).await?;
                shown(context, found)
            }
            FederationCommand::Disown {
                events,
                all,
                reason,
                yes,
                frame,
            } => {
                let mut found = gaps(&client, None).await?;
                found.retain(|gap| {
                    gap.kind() == GapKind::LeftOut
                        && (all || events.iter().any(|event| gap.event_id == event.to_vec()))
                });
                if !yes {
                    let nothing = found.is_empty();
                    let answer = shown(context, found)?;
                    if nothing {
                        return Ok(answer);
                    }
                    let text = format!("{}\n\n{}", answer.text, context.say(label::REPEAT_YES));
                    return Ok(Answer { text, ..answer });
                }
                let event_ids = if all {
                    found.into_iter().map(|gap| gap.event_id).collect()
                } else {
                    events.into_iter().map(Id::to_vec).collect()
                };
                let (id, meta) = frame.meta();
                let request = DisownRequest {
                    meta: Some(meta),
                    event_ids,
                    reason,
                };
                let answer = client.logs().disown(request).await;
                let outcome = answer.map_err(lost(id))?.into_inner().outcome;
                recorded(context, label::STATEMENT, id, outcome)
            }
        }
    }
}

async fn gaps(client: &Client, origin: Option<NodeId>) -> Result<Vec<Gap>, Failure> {
    let origin = named(origin);
    let request = ListGapsRequest { origin };
    Ok(client.logs().list_gaps(request).await?.into_inner().gaps)
}

fn shown(context: &Context, gaps: Vec<Gap>) -> Result<Answer, Failure> {
    let text = table(context, &gaps).render(context);
    let gaps: Vec<log::Gap> = gaps.into_iter().map(Into::into).collect();
    Answer::new(json!({ "gaps": gaps }), text)
}

fn table(context: &Context, gaps: &[Gap]) -> Table {
    let head = [
        label::STATE,
        label::EVENT,
        label::TYPE,
        label::POSITION,
        label::TIME,
        label::NOT_ASKED,
    ];
    let mut table = Table::new(context, &head);
    for gap in gaps {
        let kind = match gap.kind() {
            GapKind::LeftOut => context.say(label::LEFT_OUT).into(),
            GapKind::OtherBranch => context.say(label::EVIDENCE).into(),
            GapKind::PayloadMissing => context.say(label::PAYLOAD_MISSING).into(),
            GapKind::Unspecified => String::new(),
        };
        let name = if gap.r#type.is_empty() {
            format!("{:#06x}", gap.type_id)
        } else {
            gap.r#type.clone()
        };
        table.row([
            kind,
            view::id(&gap.event_id).unwrap_or_default(),
            name,
            gap.position
                .as_ref()
                .map(view::position)
                .unwrap_or_default(),
            when(gap.recorded_at.as_ref()),
            gap.not_asked.join(", "),
        ]);
    }
    table
}

/// Declares payloads of this node's log lost.
pub(super) async fn declare_lost(
    context: &Context,
    events: Vec<Id>,
    reason: String,
    frame: Frame,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let (id, meta) = frame.meta();
    let request = DeclareLostRequest {
        meta: Some(meta),
        event_ids: events.into_iter().map(Id::to_vec).collect(),
        reason,
    };
    let answer = client.logs().declare_lost(request).await;
    let outcome = answer.map_err(lost(id))?.into_inner().outcome;
    recorded(context, label::STATEMENT, id, outcome)
}

/// Lists what owners said about their logs.
pub(super) async fn statements(
    context: &Context,
    withdrawals_only: bool,
    limit: u32,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let mut service = client.logs();
    let ask = async |page_size, page_token| {
        let request = ListStatementsRequest {
            page_size,
            page_token,
            withdrawals_only,
        };
        service.list_statements(request).await
    };
    let (statements, more, _) = pages(limit, ask).await?;
    let text = listed(context, &statement_table(context, &statements), more);
    let statements: Vec<log::Statement> = statements.into_iter().map(Into::into).collect();
    Answer::new(json!({ "statements": statements, "more": more }), text)
}

fn statement_table(context: &Context, statements: &[Statement]) -> Table {
    let head = [
        label::STATE,
        label::ORIGIN,
        label::TIME,
        label::ACTOR,
        label::EVENT,
        label::WHY,
        label::LEGAL_BASIS,
        label::NOT_APPLIED,
    ];
    let mut table = Table::new(context, &head);
    for statement in statements {
        let said = log::Statement::from(statement.clone());
        let kind = match said.kind {
            "disowned" => context.say(label::DISOWNED).into(),
            "payload_lost" => context.say(label::LOST).into(),
            "payload_withdrawn" => context.say(label::WITHDRAWN).into(),
            other => other.to_owned(),
        };
        let events: Vec<String> = said.event_ids.into_iter().flatten().collect();
        let events = match events.as_slice() {
            [first, others @ ..] if !others.is_empty() => format!("{first} +{}", others.len()),
            other => other.concat(),
        };
        let provenance = statement.provenance.clone().unwrap_or_default();
        table.row([
            kind,
            owner(context, &provenance),
            when(statement.said_at.as_ref()),
            view::id(&statement.said_by).unwrap_or_default(),
            events,
            said.reason,
            said.legal_basis.unwrap_or_default(),
            statement.waiting.join(", "),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use posko_proto::log::v1::{Disowned, statement::Said};

    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn a_gap_names_its_event_and_who_was_not_asked_for_it() {
        let gap = Gap {
            kind: GapKind::PayloadMissing.into(),
            event_id: vec![7; 16],
            type_id: 0x0201,
            r#type: "IncidentReported".into(),
            not_asked: vec!["31".into(), "36".into()],
            ..Gap::default()
        };
        let context = context(Lang::Id);
        let text = table(&context, &[gap]).render(&context);
        for part in [
            "isi tiada",
            "07070707-0707-0707-0707-070707070707",
            "IncidentReported",
            "31, 36",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_statement_counts_its_events_and_names_who_has_not_applied_it() {
        let said = Disowned {
            event_ids: vec![vec![7; 16], vec![8; 16], vec![9; 16]],
            reason: "mesin uji".into(),
        };
        let statement = Statement {
            said: Some(Said::Disowned(said)),
            waiting: vec!["36".into()],
            ..Statement::default()
        };
        let context = context(Lang::En);
        let text = statement_table(&context, &[statement]).render(&context);
        for part in ["disowned", "070707070707 +2", "mesin uji", "36"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
