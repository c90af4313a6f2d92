//! `posko warning subscribe`, `subscriptions`, `unsubscribe`, `inbox` and `seen`: which warnings an account is told of.

use clap::Args;
use posko_proto::{
    Id,
    common::v1::Hazard,
    warning::v1::{
        GetWarningInboxRequest, GetWarningInboxResponse, InboxChange, InboxItem,
        ListSubscriptionsRequest, MarkWarningsSeenRequest, Severity, SubscribeWarningsRequest,
        Subscription, UnsubscribeWarningsRequest, WatchWarningsRequest,
    },
};
use serde_json::json;

use crate::{
    client::{Client, Who},
    command::{
        feed::feeds_table, freshness, listed, lost, outcome_fields, outcome_of, pages, recorded,
    },
    failure::Failure,
    input::{self, Frame},
    json as view, label,
    output::{self, Answer, Context, Table, Tint, fields, when},
    word,
};

#[derive(Debug, Args)]
pub(super) struct SubscribeArgs {
    /// Kemendagri code or name of a region, or a zone [default: everywhere]
    #[arg(long, value_name = "CODE", value_parser = input::region)]
    region: Option<String>,
    /// Kind of danger [default: every kind]
    #[arg(long, value_parser = word::parse::<Hazard>)]
    hazard: Option<Hazard>,
    /// Least severity: minor, moderate, severe or extreme [default: any]
    #[arg(long, value_parser = word::parse::<Severity>)]
    severity: Option<Severity>,
    /// Be told of exercises too
    #[arg(long)]
    exercises: bool,
    /// Id of this command, for a retry: a repeated id is answered as the first time [default: a random one]
    #[arg(long, value_name = "UUID", value_parser = input::id)]
    command_id: Option<Id>,
}

/// Subscribes the account that is logged in.
pub(super) async fn subscribe(context: &Context, args: SubscribeArgs) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let (id, meta) = input::meta(args.command_id);
    let request = SubscribeWarningsRequest {
        meta: Some(meta),
        subscription: Some(Subscription {
            region: args.region.unwrap_or_default(),
            hazard: args.hazard.map(i32::from).unwrap_or_default(),
            severity: args.severity.map(i32::from).unwrap_or_default(),
            exercises: args.exercises,
            ..Subscription::default()
        }),
    };
    let answer = client.warnings().subscribe_warnings(request).await;
    let answer = answer.map_err(lost(id))?.into_inner();
    let outcome = outcome_of(id, answer.outcome)?;
    let subscription = view::id(&answer.subscription_id);
    let [_, version, recorded] = outcome_fields(label::ACCOUNT, &outcome);
    let made = (
        label::SUBSCRIPTION,
        subscription.clone().unwrap_or_default(),
    );
    let text = fields(context, [made, version, recorded]);
    Answer::new(
        json!({ "outcome": outcome, "subscription_id": subscription }),
        text,
    )
}

/// Ends a subscription of the account that is logged in.
pub(super) async fn unsubscribe(
    context: &Context,
    subscription: Id,
    command_id: Option<Id>,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let (id, meta) = input::meta(command_id);
    let request = UnsubscribeWarningsRequest {
        meta: Some(meta),
        subscription_id: subscription.to_vec(),
    };
    let answer = client.warnings().unsubscribe_warnings(request).await;
    let answer = answer.map_err(lost(id))?.into_inner();
    recorded(context, label::ACCOUNT, id, answer.outcome)
}

/// Lists the subscriptions of the account that is logged in.
pub(super) async fn subscriptions(context: &Context) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let mut service = client.warnings();
    let answer = service.list_subscriptions(ListSubscriptionsRequest {});
    let answer = answer.await?.into_inner();
    let head = [
        label::REGION,
        label::HAZARD,
        label::SEVERITY,
        label::EXERCISES,
        label::SINCE,
        label::SUBSCRIPTION,
    ];
    let mut table = Table::new(context, &head);
    let any = |text: String| {
        if text == "-" || text.is_empty() {
            context.say(label::EVERYONE).to_owned()
        } else {
            text
        }
    };
    for one in &answer.subscriptions {
        let exercises = if one.exercises { label::YES } else { label::NO };
        table.tinted([
            (any(one.region.clone()), Tint::Plain),
            (
                any(label::of::<Hazard>(one.hazard, context.lang)),
                Tint::Plain,
            ),
            (
                any(label::of::<Severity>(one.severity, context.lang)),
                Tint::Plain,
            ),
            (context.say(exercises).into(), Tint::Plain),
            (when(one.subscribed_at.as_ref()), Tint::Plain),
            (
                view::id(&one.subscription_id).unwrap_or_default(),
                Tint::Plain,
            ),
        ]);
    }
    let seen = fields(context, [(label::SEEN_AT, when(answer.seen_at.as_ref()))]);
    let text = format!("{}\n\n{seen}", listed(context, &table, false));
    let subscriptions = answer.subscriptions.into_iter();
    let subscriptions: Vec<view::warning::Subscription> = subscriptions.map(Into::into).collect();
    let seen_at = view::time(answer.seen_at.as_ref());
    Answer::new(
        json!({ "subscriptions": subscriptions, "seen_at": seen_at }),
        text,
    )
}

/// The inbox, whole, with the mark that its first page gave: what came after that is told next time.
async fn whole(client: &Client) -> Result<(Vec<InboxItem>, GetWarningInboxResponse), Failure> {
    let mut service = client.warnings();
    let mut mark = None;
    let ask = async |page_size, page_token| {
        let request = GetWarningInboxRequest {
            page_size,
            page_token,
        };
        let page = service.get_warning_inbox(request).await?;
        mark.get_or_insert_with(|| page.get_ref().mark.clone());
        Ok(page)
    };
    let (items, _, last) = pages(0, ask).await?;
    let mark = mark.unwrap_or_default();
    Ok((items, GetWarningInboxResponse { mark, ..last }))
}

/// Shows the inbox; with `watch` again whenever it changes, until it is interrupted.
pub(super) async fn inbox(context: &Context, watch: bool) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let (items, page) = whole(&client).await?;
    if !watch {
        return answer(context, items, page);
    }
    let request = WatchWarningsRequest {
        since: page.mark.clone(),
    };
    let mut changes = client
        .warnings()
        .watch_warnings(request)
        .await?
        .into_inner();
    output::print(&answer(context, items, page)?, context)?;
    while let Some(change) = changes.message().await? {
        if context.json {
            let changes = change.changes.into_iter();
            let changes: Vec<view::warning::Change> = changes.map(Into::into).collect();
            let line = json!({ "changes": changes, "mark": change.mark });
            output::write_out(&line.to_string())?;
            continue;
        }
        let (items, page) = whole(&client).await?;
        output::write_out("")?;
        output::print(&answer(context, items, page)?, context)?;
    }
    Err(Failure::internal(anyhow::anyhow!(
        "the node ended the stream"
    )))
}

/// Acknowledges: what a mark stands for, or what is shown now.
pub(super) async fn seen(
    context: &Context,
    mark: Option<String>,
    frame: &Frame,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let (id, meta) = frame.meta();
    let (shown, mark) = if let Some(mark) = mark {
        (None, mark)
    } else {
        let (items, page) = whole(&client).await?;
        let mark = page.mark.clone();
        (Some((items, page)), mark)
    };
    let request = MarkWarningsSeenRequest {
        meta: Some(meta),
        mark,
    };
    let marked = client.warnings().mark_warnings_seen(request).await;
    let marked = marked.map_err(lost(id))?.into_inner();
    let outcome = outcome_of(id, marked.outcome)?;
    let [_, version, recorded] = outcome_fields(label::ACCOUNT, &outcome);
    let said = fields(context, [version, recorded]);
    let Some((items, page)) = shown else {
        return Answer::new(json!({ "outcome": outcome }), said);
    };
    let text = format!(
        "{}\n\n{}\n{said}",
        render(context, &items, &page),
        context.say(label::ALL_SEEN)
    );
    let items: Vec<view::warning::InboxItem> = items.into_iter().map(Into::into).collect();
    Answer::new(json!({ "outcome": outcome, "items": items }), text)
}

fn answer(
    context: &Context,
    items: Vec<InboxItem>,
    page: GetWarningInboxResponse,
) -> Result<Answer, Failure> {
    let text = render(context, &items, &page);
    let items: Vec<view::warning::InboxItem> = items.into_iter().map(Into::into).collect();
    let origins: Vec<view::Provenance> = page.origins.into_iter().map(Into::into).collect();
    let feeds: Vec<view::warning::Feed> = page.feeds.into_iter().map(Into::into).collect();
    Answer::new(
        json!({ "items": items, "mark": page.mark, "origins": origins, "feeds": feeds }),
        text,
    )
}

fn render(context: &Context, items: &[InboxItem], page: &GetWarningInboxResponse) -> String {
    let head = [
        label::CHANGE,
        label::ORIGIN,
        label::HAZARD,
        label::SEVERITY,
        label::EXPIRES,
        label::HEADLINE,
        label::WARNING,
    ];
    let mut table = Table::new(context, &head);
    for item in items {
        let warning = item.warning.clone().unwrap_or_default();
        let said = warning.content.clone().unwrap_or_default();
        let origin = warning
            .provenance
            .map(|said| said.origin)
            .unwrap_or_default();
        let area = if item.area_unknown {
            format!(" ({})", context.say(label::AREA_UNKNOWN))
        } else {
            String::new()
        };
        let is_fresh = [InboxChange::New, InboxChange::Updated]
            .map(i32::from)
            .contains(&item.change);
        table.tinted([
            (
                label::of::<InboxChange>(item.change, context.lang),
                if is_fresh { Tint::Warn } else { Tint::Plain },
            ),
            (origin, Tint::Plain),
            (label::of::<Hazard>(said.hazard, context.lang), Tint::Plain),
            (
                label::of::<Severity>(said.severity, context.lang),
                super::severity_tint::<Severity>(said.severity),
            ),
            (when(said.expires_at.as_ref()), Tint::Plain),
            (
                format!(
                    "{}{}{area}",
                    super::marks(context, &said, warning.review),
                    said.headline
                ),
                Tint::Plain,
            ),
            (
                view::id(&warning.warning_id).unwrap_or_default(),
                Tint::Plain,
            ),
        ]);
    }
    format!(
        "{}{}\n\n{}",
        listed(context, &table, false),
        freshness(context, &page.origins),
        feeds_table(context, &page.feeds)
    )
}
