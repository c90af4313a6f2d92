//! One module a noun: its arguments, what it asks of the node, and both forms of the answer.
//!
//! What it never does: print an answer, or decide an exit code.

pub(crate) mod backup;
pub(crate) mod config;
pub(crate) mod directive;
pub(crate) mod federation;
pub(crate) mod feed;
pub(crate) mod incident;
pub(crate) mod init;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod peer;
pub(crate) mod region;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod site;
pub(crate) mod standing;
pub(crate) mod status;
pub(crate) mod user;
pub(crate) mod views;
pub(crate) mod warning;
pub(crate) mod zone;

use std::io::{self, BufRead, IsTerminal};

use posko_proto::{
    Id, NodeId,
    account::v1::{Account, ListAccountsResponse},
    common::v1::{self as common, LinkState, Provenance},
    directive::v1::{Directive, ListDirectivesResponse},
    incident::v1::{
        Incident, ListIncidentsResponse, ListNoticesResponse, ListTimelineResponse, Notice,
        TimelineEntry,
    },
    log::v1::{ListStatementsResponse, Statement},
    site::v1::{ListSitesResponse, Site},
    warning::v1::{
        Draft, GetWarningInboxResponse, InboxItem, ListDraftsResponse, ListWarningsResponse,
        Warning,
    },
};
use serde_json::json;
use tonic::{Response, Status};

use crate::{
    failure::Failure,
    json,
    label::{self, Label},
    name::{self, Named},
    output::{Answer, Context, Table, Tint, fields, when},
};

/// The most that a node lists at once.
const PAGE: u32 = 500;

/// Returns how many to ask for next: what is still missing to the limit, 0 meaning all.
fn page_size(limit: u32, have: usize) -> u32 {
    let have = u32::try_from(have).unwrap_or(u32::MAX);
    if limit == 0 {
        PAGE
    } else {
        limit.saturating_sub(have).min(PAGE)
    }
}

/// Returns whether the limit is reached, 0 meaning none.
fn enough(limit: u32, have: usize) -> bool {
    limit != 0 && page_size(limit, have) == 0
}

/// An answer that is a page of a list.
trait Page {
    type Row;
    fn take_rows(&mut self) -> Vec<Self::Row>;
    fn take_next(&mut self) -> String;
}

macro_rules! page {
    ($($page:ty: $rows:ident of $row:ty;)*) => {
        $(impl Page for $page {
            type Row = $row;

            fn take_rows(&mut self) -> Vec<$row> {
                std::mem::take(&mut self.$rows)
            }

            fn take_next(&mut self) -> String {
                std::mem::take(&mut self.next_page_token)
            }
        })*
    };
}

page! {
    ListAccountsResponse: accounts of Account;
    GetWarningInboxResponse: items of InboxItem;
    ListDirectivesResponse: directives of Directive;
    ListDraftsResponse: drafts of Draft;
    ListIncidentsResponse: incidents of Incident;
    ListNoticesResponse: notices of Notice;
    ListSitesResponse: sites of Site;
    ListStatementsResponse: statements of Statement;
    ListTimelineResponse: entries of TimelineEntry;
    ListWarningsResponse: warnings of Warning;
}

/// Asks for page after page up to the limit, 0 meaning all; returns the rows, whether there are more, and the last page.
async fn pages<P: Page>(
    limit: u32,
    mut ask: impl AsyncFnMut(u32, String) -> Result<Response<P>, Status>,
) -> Result<(Vec<P::Row>, bool, P), Failure> {
    let mut rows = Vec::new();
    let mut page_token = String::new();
    loop {
        let mut page = ask(page_size(limit, rows.len()), page_token)
            .await?
            .into_inner();
        rows.append(&mut page.take_rows());
        let next = page.take_next();
        if next.is_empty() || enough(limit, rows.len()) {
            return Ok((rows, !next.is_empty(), page));
        }
        page_token = next;
    }
}

/// Returns what a command recorded.
fn recorded(
    context: &Context,
    what: Label,
    command: Id,
    outcome: Option<common::Outcome>,
) -> Result<Answer, Failure> {
    let outcome = outcome_of(command, outcome)?;
    let text = fields(context, outcome_fields(what, &outcome));
    Answer::new(json!({ "outcome": outcome }), text)
}

fn outcome_of(command: Id, outcome: Option<common::Outcome>) -> Result<json::Outcome, Failure> {
    let outcome = outcome.ok_or_else(|| {
        Failure::internal(anyhow::anyhow!("the node answered without an outcome"))
    })?;
    Ok(json::Outcome::new(command, &outcome))
}

fn outcome_fields(what: Label, outcome: &json::Outcome) -> [(Label, String); 3] {
    [
        (what, outcome.stream_id.clone().unwrap_or_default()),
        (label::VERSION, outcome.version.to_string()),
        (
            label::RECORDED,
            outcome.position.clone().unwrap_or_default(),
        ),
    ]
}

/// Returns a list's table, and whether there is more than it shows.
fn listed(context: &Context, table: &Table, more: bool) -> String {
    let table = table.render(context);
    if more {
        format!("{table}\n{}", context.say(label::MORE))
    } else {
        table
    }
}

/// Returns the node that a thing is of, the state of the link to it, and whether the thing is disputed.
fn owner(context: &Context, provenance: &Provenance) -> String {
    let link = link_text(context, provenance.link);
    let disputed = disputed(context, provenance.disputed);
    format!("{} ({link}){disputed}", provenance.origin)
}

/// Returns what stands behind the node of a thing that comes from entries which two machines signed.
fn disputed(context: &Context, disputed: bool) -> String {
    if disputed {
        format!(" [{}]", context.say(label::DISPUTED))
    } else {
        String::new()
    }
}

/// Returns the color of a severity, a warning's or an incident's.
fn severity_tint<T: Named>(severity: i32) -> Tint {
    match name::of::<T>(severity).as_deref() {
        Some("severe" | "extreme") => Tint::Bad,
        Some("moderate") => Tint::Warn,
        _ => Tint::Plain,
    }
}

/// Returns how a failure of this command is told.
fn lost(id: Id) -> impl Fn(Status) -> Failure {
    move |status| Failure::of_answer(status, id)
}

/// Returns lines that warn of every origin whose picture is not live; nothing when all are.
fn freshness(context: &Context, origins: &[Provenance]) -> String {
    let mut table = Table::new(context, &[label::ORIGIN, label::STATE, label::HEARD]);
    for origin in origins {
        let tint = link_tint(origin.link);
        if tint == Tint::Good {
            continue;
        }
        let heard = origin.heard_at.as_ref();
        let heard = if heard.is_some() {
            when(heard)
        } else {
            context.say(label::NEVER).into()
        };
        table.tinted([
            (origin.origin.clone(), Tint::Plain),
            (link_text(context, origin.link), tint),
            (heard, Tint::Plain),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    format!(
        "\n\n{}\n{}",
        context.say(label::FRESHNESS),
        table.render(context)
    )
}

/// Returns the state of a link for people; what the node did not say is unknown.
fn link_text(context: &Context, link: i32) -> String {
    let link = LinkState::try_from(link).unwrap_or(LinkState::Unknown);
    label::Labelled::label(link).text(context.lang).into()
}

fn link_tint(link: i32) -> Tint {
    match LinkState::try_from(link).unwrap_or(LinkState::Unknown) {
        LinkState::Own | LinkState::Live => Tint::Good,
        LinkState::Behind => Tint::Warn,
        LinkState::Unknown | LinkState::Unspecified => Tint::Bad,
    }
}

/// Reads a line of standard input, without its end.
fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| unreadable("standard input", &error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads a password from standard input, or from the terminal without showing it, twice when it is a new one.
fn read_password(context: &Context, from_stdin: bool, kind: Password) -> Result<String, Failure> {
    let password = if from_stdin {
        read_line()?
    } else if io::stdin().is_terminal() {
        let prompt = match kind {
            Password::Old => label::PASSWORD_OLD,
            Password::New => label::PASSWORD_NEW,
            Password::Known => label::PASSWORD,
        };
        let password = ask(context.say(prompt))?;
        if kind == Password::New && ask(context.say(label::PASSWORD_AGAIN))? != password {
            return Err(Failure::usage("the two passwords differ"));
        }
        password
    } else {
        return Err(Failure::usage(
            "there is no terminal to ask for the password: use `--password-stdin`",
        ));
    };
    if password.is_empty() {
        Err(Failure::usage("the password is empty"))
    } else {
        Ok(password)
    }
}

/// Whether a password is being chosen or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Password {
    /// It is being chosen.
    New,
    /// It is being checked.
    Known,
    /// It is the own one that a new one replaces.
    Old,
}

fn ask(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(format!("{prompt}: "))
        .map_err(|error| unreadable("the terminal", &error))
}

/// Returns the failure of what was typed or piped in and cannot be read: it ended, or is no UTF-8.
fn unreadable(what: &str, error: &io::Error) -> Failure {
    Failure::usage(format!("read {what}: {error}"))
}

/// Returns the origin to keep, or nothing for all.
fn named(origin: Option<NodeId>) -> String {
    origin.map(|origin| origin.to_string()).unwrap_or_default()
}

/// Returns a name, with the code behind it, for people.
fn named_code(name: &str, code: &str) -> String {
    match (name, code) {
        ("", code) => code.into(),
        (name, "") => name.into(),
        (name, code) => format!("{name} ({code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output};

    #[test]
    fn pages_add_up_to_the_limit() {
        assert_eq!(page_size(50, 0), 50);
        assert_eq!(page_size(1200, 1000), 200);
        assert_eq!(page_size(1200, 0), 500);
        assert_eq!(page_size(0, 10_000), 500);
        assert!(enough(50, 50) && enough(50, 51) && !enough(50, 49) && !enough(0, 1_000_000));
    }

    #[test]
    fn a_picture_that_is_not_live_is_said_to_be_old() {
        let context = output::tests::context(Lang::En);
        let origin = |origin: &str, link: LinkState| Provenance {
            origin: origin.into(),
            link: link.into(),
            ..Default::default()
        };
        assert_eq!(
            freshness(
                &context,
                &[origin("32", LinkState::Own), origin("36", LinkState::Live)]
            ),
            ""
        );
        let text = freshness(
            &context,
            &[
                origin("32", LinkState::Own),
                origin("31", LinkState::Unknown),
            ],
        );
        assert!(
            text.ends_with("31      unknown  not since the node started"),
            "{text}"
        );
    }
}
