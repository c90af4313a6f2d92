//! `posko directive`: headquarters' directives, issued at its gateway and read at every node.

use clap::{Args, Subcommand};
use posko_proto::{
    Id,
    common::v1::Provenance,
    directive::v1::{
        Directive, DirectiveIssued, GetDirectiveRequest, IssueDirectiveRequest,
        ListDirectivesRequest, Priority, State, WithdrawDirectiveRequest,
    },
};
use prost_types::Timestamp;
use serde_json::json;

use super::{disputed, freshness, listed, lost, owner, pages, recorded};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::{self, Frame},
    json as view, label,
    output::{Answer, Context, Table, Tint, fields, when},
    word,
};

/// Issues, withdraws and shows headquarters' directives
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko directive list --open
  posko directive show 0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko directive issue --priority urgent --province 32 --province 36 \\
    --title \"Siapkan dapur umum\" --body \"Satu di setiap wilayah perbatasan\"")]
pub(crate) struct DirectiveArgs {
    #[command(subcommand)]
    command: DirectiveCommand,
}

#[derive(Debug, Subcommand)]
enum DirectiveCommand {
    /// Issues a directive; only at headquarters' gateway
    #[command(after_help = "Examples:
  posko directive issue --priority routine \\
    --title \"Laporan mingguan\" --body \"Kirim setiap Jumat sebelum pukul 15\"
  posko directive issue --priority immediate --zone Z1 \\
    --title \"Siaga banjir\" --body \"Tempatkan satu tim di setiap pos\" \\
    --valid-until 2026-01-05T18:00:00+07:00")]
    Issue {
        /// What is asked, in one line
        #[arg(long)]
        title: String,
        /// The whole text; it names an office, never a person
        #[arg(long)]
        body: String,
        /// routine, urgent or immediate
        #[arg(long, value_parser = word::parse::<Priority>)]
        priority: Priority,
        /// Code of a province that it is addressed to; may be repeated [default: all]
        #[arg(long = "province", value_name = "CODE")]
        provinces: Vec<String>,
        /// Border zone that it is addressed to; may be repeated
        #[arg(long = "zone", value_name = "ZONE")]
        zones: Vec<String>,
        /// Until when it holds, such as 14:00 or "2026-11-29 14:00" (WIB) [default: until it is withdrawn]
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        valid_until: Option<Timestamp>,
        #[command(flatten)]
        frame: Frame,
    },
    /// Withdraws a directive; only at the gateway that issued it
    #[command(after_help = "Examples:
  posko directive withdraw 0192f3c4-5a6b-7c8d-9e0f-112233445566 \\
    --reason \"Diganti dengan arahan baru\"")]
    Withdraw {
        /// The directive's id
        #[arg(value_parser = input::id)]
        directive: Id,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        frame: Frame,
    },
    /// Lists directives, newest first
    #[command(after_help = "Examples:
  posko directive list --open
  posko directive list --limit 0 --json")]
    List {
        /// Leave out expired and withdrawn ones
        #[arg(long)]
        open: bool,
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Shows one directive in full
    #[command(after_help = "Examples:
  posko directive show 0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko directive show 0192f3c4-5a6b-7c8d-9e0f-112233445566 --json")]
    Show {
        /// The directive's id
        #[arg(value_parser = input::id)]
        directive: Id,
    },
}

impl DirectiveArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let client = Client::connect(context, Who::Anyone).await?;
        match self.command {
            DirectiveCommand::Issue {
                title,
                body,
                priority,
                provinces,
                zones,
                valid_until,
                frame,
            } => {
                let (id, meta) = frame.meta();
                let directive = DirectiveIssued {
                    title,
                    body,
                    province_codes: provinces,
                    zone_ids: zones,
                    priority: priority.into(),
                    valid_until,
                };
                let request = IssueDirectiveRequest {
                    meta: Some(meta),
                    directive: Some(directive),
                };
                let answer = client.directives().issue_directive(request).await;
                let outcome = answer.map_err(lost(id))?.into_inner().outcome;
                recorded(context, label::DIRECTIVE, id, outcome)
            }
            DirectiveCommand::Withdraw {
                directive,
                reason,
                frame,
            } => {
                let (id, meta) = frame.meta();
                let request = WithdrawDirectiveRequest {
                    meta: Some(meta),
                    directive_id: directive.to_vec(),
                    reason,
                };
                let answer = client.directives().withdraw_directive(request).await;
                let outcome = answer.map_err(lost(id))?.into_inner().outcome;
                recorded(context, label::DIRECTIVE, id, outcome)
            }
            DirectiveCommand::List { open, limit } => list(context, &client, open, limit).await,
            DirectiveCommand::Show { directive } => {
                let request = GetDirectiveRequest {
                    directive_id: directive.to_vec(),
                };
                let answer = client.directives().get_directive(request).await?;
                let directive = answer.into_inner().directive.unwrap_or_default();
                let text = render(context, &directive);
                Answer::new(
                    json!({ "directive": view::directive::Directive::from(directive) }),
                    text,
                )
            }
        }
    }
}

async fn list(
    context: &Context,
    client: &Client,
    open: bool,
    limit: u32,
) -> Result<Answer, Failure> {
    let mut service = client.directives();
    let ask = async |page_size, page_token| {
        let request = ListDirectivesRequest {
            page_size,
            page_token,
            open_only: open,
        };
        service.list_directives(request).await
    };
    let (directives, more, page) = pages(limit, ask).await?;
    let text = render_list(context, &directives, more, &page.origins);
    let directives: Vec<view::directive::Directive> =
        directives.into_iter().map(Into::into).collect();
    let origins: Vec<view::Provenance> = page.origins.into_iter().map(Into::into).collect();
    Answer::new(
        json!({ "directives": directives, "more": more, "origins": origins }),
        text,
    )
}

fn render_list(
    context: &Context,
    directives: &[Directive],
    more: bool,
    origins: &[Provenance],
) -> String {
    format!(
        "{}{}",
        listed(context, &table(context, directives), more),
        freshness(context, origins)
    )
}

/// Returns directives as a table; one that is addressed to this node stands out.
pub(super) fn table(context: &Context, directives: &[Directive]) -> Table {
    let head = [
        label::STATE,
        label::PRIORITY,
        label::ISSUED,
        label::UNTIL,
        label::ADDRESSED_TO,
        label::TITLE,
        label::DIRECTIVE,
    ];
    let mut table = Table::new(context, &head);
    for directive in directives {
        let said = directive.issued.clone().unwrap_or_default();
        let is_open = directive.state == i32::from(State::Open);
        let is_disputed = (directive.provenance.as_ref()).is_some_and(|said| said.disputed);
        let tint = match said.priority() {
            _ if !is_open || !directive.addressed_here => Tint::Plain,
            Priority::Immediate => Tint::Bad,
            Priority::Urgent => Tint::Warn,
            Priority::Routine | Priority::Unspecified => Tint::Plain,
        };
        table.tinted([
            (
                label::of::<State>(directive.state, context.lang),
                Tint::Plain,
            ),
            (label::of::<Priority>(said.priority, context.lang), tint),
            (when(directive.issued_at.as_ref()), Tint::Plain),
            (when(said.valid_until.as_ref()), Tint::Plain),
            (addressees(context, &said), Tint::Plain),
            (
                format!(
                    "{}{}{}",
                    drill(context, directive),
                    said.title,
                    disputed(context, is_disputed)
                ),
                tint,
            ),
            (
                view::id(&directive.directive_id).unwrap_or_default(),
                Tint::Plain,
            ),
        ]);
    }
    table
}

fn addressees(context: &Context, said: &DirectiveIssued) -> String {
    let named: Vec<&str> = (said.province_codes.iter().chain(&said.zone_ids))
        .map(String::as_str)
        .collect();
    if named.is_empty() {
        context.say(label::EVERYONE).into()
    } else {
        named.join(", ")
    }
}

/// Returns what stands before the title of a directive of a drill.
fn drill(context: &Context, directive: &Directive) -> String {
    if directive.exercise {
        format!("[{}] ", context.say(label::EXERCISE))
    } else {
        String::new()
    }
}

fn render(context: &Context, directive: &Directive) -> String {
    let said = directive.issued.clone().unwrap_or_default();
    let provenance = directive.provenance.clone().unwrap_or_default();
    fields(
        context,
        [
            (
                label::DIRECTIVE,
                view::id(&directive.directive_id).unwrap_or_default(),
            ),
            (
                label::TITLE,
                format!("{}{}", drill(context, directive), said.title),
            ),
            (
                label::STATE,
                label::of::<State>(directive.state, context.lang),
            ),
            (label::WHY, directive.withdrawn_because.clone()),
            (
                label::PRIORITY,
                label::of::<Priority>(said.priority, context.lang),
            ),
            (label::ADDRESSED_TO, addressees(context, &said)),
            (label::ISSUED, when(directive.issued_at.as_ref())),
            (label::UNTIL, when(said.valid_until.as_ref())),
            (label::DESCRIPTION, said.body),
            (label::ORIGIN, owner(context, &provenance)),
            (label::HEARD, when(provenance.heard_at.as_ref())),
            (label::VERSION, directive.version.to_string()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    fn directive() -> Directive {
        Directive {
            directive_id: vec![7; 16],
            issued: Some(DirectiveIssued {
                title: "Siapkan dapur umum".into(),
                priority: Priority::Urgent.into(),
                ..DirectiveIssued::default()
            }),
            state: State::Open.into(),
            ..Directive::default()
        }
    }

    #[test]
    fn a_directive_without_an_addressee_is_for_all() {
        let text = render_list(&context(Lang::Id), &[directive()], false, &[]);
        assert!(
            text.contains("semua") && text.contains("Siapkan dapur umum"),
            "{text}"
        );
    }

    #[test]
    fn an_empty_list_still_shows_the_age_of_the_picture() {
        let origins = [Provenance {
            origin: "ims".into(),
            link: 4,
            ..Provenance::default()
        }];
        let text = render_list(&context(Lang::En), &[], false, &origins);
        assert!(
            text.contains("nothing matches") && text.contains("ims"),
            "{text}"
        );
    }

    #[test]
    fn a_drill_is_marked_before_its_title() {
        let drill = Directive {
            exercise: true,
            ..directive()
        };
        let text = render(&context(Lang::Id), &drill);
        assert!(text.contains("[LATIHAN] Siapkan"), "{text}");
    }
}
