//! `posko feed`: the sources that the node asks, and how they are.

use clap::{Args, Subcommand};
use posko_proto::warning::v1::{Fate, Feed, FeedHealth, ListFeedsRequest};
use serde_json::json;

use super::warning::{foreseen_table, would_be};
use crate::{
    client::{Client, Who},
    failure::Failure,
    json::warning as view,
    label, offline,
    output::{Answer, Context, Table, Tint, fields, painted, when},
};

/// Shows the sources of warnings and their health
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko feed list
  posko feed test bmkg-gempa")]
pub(crate) struct FeedArgs {
    #[command(subcommand)]
    command: FeedCommand,
}

#[derive(Debug, Subcommand)]
enum FeedCommand {
    /// Lists this node's feeds and their health
    #[command(after_help = "Examples:
  posko feed list
  posko feed list --json | jq '.feeds[] | select(.health != \"ok\")'")]
    List,
    /// Asks a feed of the configuration once, now, and says what each item would become; stores nothing
    #[command(after_help = "Examples:
  posko feed test bmkg-gempa
  posko feed test bmkg-cuaca --json

It reads the node's configuration and asks the feed itself, whether the node runs or not.
It ends with 1 when the feed cannot be read or an item would be refused.")]
    Test {
        /// The feed's name in the configuration
        name: String,
    },
}

impl FeedArgs {
    /// Asks the node.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        if let FeedCommand::Test { name } = self.command {
            return test(context, &name).await;
        }
        let client = Client::connect(context, Who::Anyone).await?;
        let feeds = client
            .warnings()
            .list_feeds(ListFeedsRequest {})
            .await?
            .into_inner()
            .feeds;
        let text = feeds_table(context, &feeds);
        let feeds: Vec<view::Feed> = feeds.into_iter().map(Into::into).collect();
        Answer::new(json!({ "feeds": feeds }), text)
    }
}

async fn test(context: &Context, name: &str) -> Result<Answer, Failure> {
    let trial = offline::try_feed(&context.dir, name).await?;
    let refused = |item: &offline::Foreseen| item.item.fate() == Fate::Refused;
    let yes = trial.failure.is_none() && !trial.items.iter().any(refused);
    let format = trial.format.map(offline::Format::title);
    let head = fields(
        context,
        [
            (label::FEED, format!("{name} ({})", trial.kind)),
            (label::ADDRESS, trial.url.clone()),
            (
                label::FORMAT,
                format
                    .map(|format| context.told(format))
                    .unwrap_or_default(),
            ),
            (label::ITEMS, trial.items.len().to_string()),
            (
                label::ERROR,
                trial
                    .failure
                    .as_deref()
                    .map(|failure| context.told(failure))
                    .unwrap_or_default(),
            ),
        ],
    );
    let text = if trial.items.is_empty() {
        head
    } else {
        format!("{head}\n\n{}", foreseen_table(context, &trial.items))
    };
    let shown = json!({
        "feed": name,
        "kind": trial.kind,
        "url": trial.url,
        "format": trial.format,
        "error": trial.failure,
        "items": would_be(&trial.items),
    });
    Ok(Answer {
        yes,
        ..Answer::new(shown, text)?
    })
}

/// Returns a line for every feed that is dead or invalid, to stand before everything else; nothing when none is.
pub(crate) fn alarm_text(context: &Context, feeds: &[Feed]) -> String {
    let mut text = String::new();
    for feed in feeds.iter().filter(|feed| feed.alarm) {
        let line = format!(
            "{}: {} {} {} {}: {}",
            context.say(label::FEED_ALARM),
            feed.name,
            label::of::<FeedHealth>(feed.health, context.lang),
            context.say(label::SINCE),
            when(feed.since.as_ref()),
            context.told(&feed.last_error)
        );
        text.push_str(&painted(&line, Tint::Bad, context.tint));
        text.push('\n');
    }
    text
}

/// Returns the feeds as a table; a node without feeds says what that means.
pub(crate) fn feeds_table(context: &Context, feeds: &[Feed]) -> String {
    if feeds.is_empty() {
        return context.say(label::FEEDS_NONE).into();
    }
    let head = [
        label::FEED,
        label::HEALTH,
        label::SINCE,
        label::LAST_SUCCESS,
        label::TAKEN,
        label::REFUSED,
        label::OUTSIDE,
        label::ERROR,
    ];
    let mut table = Table::new(context, &head);
    for feed in feeds {
        let last = feed.last_success_at.as_ref();
        let last = if last.is_some() {
            when(last)
        } else {
            context.say(label::NEVER).into()
        };
        let health = match feed.health {
            0 => context.say(label::UNKNOWN).into(),
            health => label::of::<FeedHealth>(health, context.lang),
        };
        table.tinted([
            (feed.name.clone(), Tint::Plain),
            (health, health_tint(feed.health)),
            (when(feed.since.as_ref()), Tint::Plain),
            (last, Tint::Plain),
            (feed.taken.to_string(), Tint::Plain),
            (feed.refused.to_string(), Tint::Plain),
            (feed.outside.to_string(), Tint::Plain),
            (context.told(&feed.last_error), Tint::Plain),
        ]);
    }
    table.render(context)
}

fn health_tint(health: i32) -> Tint {
    match FeedHealth::try_from(health) {
        Ok(FeedHealth::Ok) => Tint::Good,
        Ok(FeedHealth::Unspecified | FeedHealth::Late) | Err(_) => Tint::Warn,
        Ok(FeedHealth::Dead | FeedHealth::Invalid) => Tint::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn a_node_without_feeds_is_not_mistaken_for_a_safe_place() {
        assert_eq!(
            feeds_table(&context(Lang::Id), &[]),
            "tidak ada umpan: daftar kosong bukan berarti aman"
        );
    }

    #[test]
    fn a_feed_that_never_answered_says_so() {
        let feed = Feed {
            name: "bmkg".into(),
            health: FeedHealth::Dead.into(),
            last_error: "`http://bmkg.example/` answered with status `503`".into(),
            ..Default::default()
        };
        let indonesian = feeds_table(&context(Lang::Id), std::slice::from_ref(&feed));
        assert!(
            indonesian.contains("`http://bmkg.example/` menjawab dengan status `503`"),
            "{indonesian}"
        );
        let text = feeds_table(&context(Lang::En), &[feed]);
        assert!(
            text.contains("bmkg  dead") && text.contains("not since the node started"),
            "{text}"
        );
    }
}
