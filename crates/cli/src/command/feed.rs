//! `posko feed`: the sources that the node asks, and how they are.

use clap::{Args, Subcommand};
use posko_proto::{
    common::v1::LinkState,
    warning::v1::{Fate, Feed, FeedHealth, ListFeedsRequest},
};
use serde_json::json;

use super::{
    link_text, link_tint,
    warning::{foreseen_table, would_be},
};
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
    /// Lists the feeds of all nodes and their health, this node's first
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
            "{}: {}{} {} {} {}{}",
            context.say(label::FEED_ALARM),
            others_origin(feed).map_or_else(String::new, |origin| format!("{origin} ")),
            feed.name,
            label::of::<FeedHealth>(feed.health, context.lang),
            context.say(label::SINCE),
            when(feed.since.as_ref()),
            match feed.last_error.as_str() {
                "" => String::new(),
                error => format!(": {}", context.told(error)),
            }
        );
        text.push_str(&painted(&line, Tint::Bad, context.tint));
        text.push('\n');
    }
    text
}

/// Returns whose feed it is, unless it is this node's own.
fn others_origin(feed: &Feed) -> Option<&str> {
    let provenance = feed.provenance.as_ref()?;
    (provenance.link != i32::from(LinkState::Own)).then_some(provenance.origin.as_str())
}

/// Returns the feeds as a table; a node without feeds of its own says what that means.
pub(crate) fn feeds_table(context: &Context, feeds: &[Feed]) -> String {
    let none = if feeds.iter().all(|feed| others_origin(feed).is_some()) {
        context.say(label::FEEDS_NONE)
    } else {
        ""
    };
    if feeds.is_empty() {
        return none.into();
    }
    let head = [
        label::ORIGIN,
        label::FEED,
        label::HEALTH,
        label::SINCE,
        label::LAST_SUCCESS,
        label::TAKEN,
        label::REFUSED,
        label::OUTSIDE,
        label::PICTURE,
        label::ERROR,
    ];
    let mut table = Table::new(context, &head);
    for feed in feeds {
        table.tinted(feed_row(context, feed));
    }
    let gap = if none.is_empty() { "" } else { "\n" };
    format!("{none}{gap}{}", table.render(context))
}

/// Returns a feed's row; another node's feed has no counts and no error, which that node alone tells.
fn feed_row(context: &Context, feed: &Feed) -> [(String, Tint); 10] {
    let is_own = others_origin(feed).is_none();
    let provenance = feed.provenance.clone().unwrap_or_default();
    let last = match &feed.last_success_at {
        None if is_own => context.say(label::NEVER_ANSWERED).into(),
        None => String::new(),
        last => when(last.as_ref()),
    };
    let health = match feed.health {
        0 => context.say(label::UNKNOWN).into(),
        health => label::of::<FeedHealth>(health, context.lang),
    };
    let count = |count: u64| {
        let text = if is_own {
            count.to_string()
        } else {
            String::new()
        };
        (text, Tint::Plain)
    };
    [
        (provenance.origin, Tint::Plain),
        (feed.name.clone(), Tint::Plain),
        (health, health_tint(feed.health)),
        (when(feed.since.as_ref()), Tint::Plain),
        (last, Tint::Plain),
        count(feed.taken),
        count(feed.refused),
        count(feed.outside),
        (
            link_text(context, provenance.link),
            link_tint(provenance.link),
        ),
        (context.told(&feed.last_error), Tint::Plain),
    ]
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
    use posko_proto::common::v1::Provenance;

    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn a_node_without_feeds_is_not_mistaken_for_a_safe_place() {
        assert_eq!(
            feeds_table(&context(Lang::Id), &[]),
            "simpul ini tidak punya umpan: daftar kosong bukan berarti aman"
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
            text.contains("bmkg  dead") && text.contains("never"),
            "{text}"
        );
    }

    #[test]
    fn another_nodes_dead_feed_is_an_alarm_here_and_none_of_ours_is_said() {
        let feed = Feed {
            name: "katulampa".into(),
            health: FeedHealth::Dead.into(),
            alarm: true,
            provenance: Some(Provenance {
                origin: "32".into(),
                link: LinkState::Unknown.into(),
                ..Provenance::default()
            }),
            ..Feed::default()
        };
        let (context, feeds) = (context(Lang::Id), [feed]);
        let alarm = alarm_text(&context, &feeds);
        assert!(
            alarm.starts_with("UMPAN PERLU DIPERIKSA: 32 katulampa mati sejak"),
            "{alarm}"
        );
        let table = feeds_table(&context, &feeds);
        assert!(
            table.starts_with("simpul ini tidak punya umpan")
                && table.contains("32    katulampa  mati"),
            "{table}"
        );
    }
}
