//! `posko status`: who is behind whom, since when and why.

use clap::Args;
use posko_proto::{
    common::v1::LinkState,
    directive::v1::{Directive, ListDirectivesRequest},
    federation::v1::{
        GetStatusRequest, GetStatusResponse, OriginStatus, PeerStatus, Refused, SourceReason,
        Standing, StandingState,
    },
    warning::v1::ListFeedsRequest,
};

use serde::Serialize;

use super::{directive, feed::alarm_text, link_text, link_tint};
use crate::{
    client::{Client, Who},
    failure::Failure,
    json::{self, federation::lag_is_known},
    label::{self, Lang},
    output::{Answer, Context, Table, Tint, fields, painted, when},
};

/// Shows who is behind whom, since when and why
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko status
  posko --lang en status
  posko status --json |
    jq '.origins[] | select(.link != \"own\") | {origin, entries_behind, why}'

The first table says how far this node has the log of each origin and why it is behind.
The second says who is behind whom: for each log, how many entries this node and each peer are behind the newest that is
known of it, and ? where that is not known; what peers have is by their own word, at most some seconds old.
The third says since when each peer is connected or not, and why.
While a link is unknown the lag is unknown too, null in JSON: it is never shown as 0.
Headquarters' directives in force stand at the end, the newest 50 of them.")]
pub(crate) struct StatusArgs {}

/// The status, and headquarters' directives in force.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    status: json::federation::Status,
    directives: Vec<json::directive::Directive>,
    feeds: Vec<json::warning::Feed>,
}

impl StatusArgs {
    /// Asks the node.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let client = Client::connect(context, Who::Anyone).await?;
        let status = client
            .node()
            .get_status(GetStatusRequest {})
            .await?
            .into_inner();
        let request = ListDirectivesRequest {
            open_only: true,
            ..ListDirectivesRequest::default()
        };
        let answer = client.directives().list_directives(request).await?;
        let in_force = answer.into_inner().directives;
        // Whoever may read the node's state but not the region's picture is told of no feeds.
        let feeds = match client.warnings().list_feeds(ListFeedsRequest {}).await {
            Ok(answer) => answer.into_inner().feeds,
            Err(refused) if refused.code() == tonic::Code::PermissionDenied => Vec::new(),
            Err(failed) => return Err(failed.into()),
        };
        let text = alarm_text(context, &feeds)
            + &render(context, &status)
            + &directives(context, &in_force);
        let shown = Shown {
            status: status.into(),
            directives: in_force.into_iter().map(Into::into).collect(),
            feeds: feeds.into_iter().map(Into::into).collect(),
        };
        Answer::new(shown, text)
    }
}

fn render(context: &Context, status: &GetStatusResponse) -> String {
    let head = fields(
        context,
        [
            (label::NODE, status.origin.clone()),
            (
                label::FEDERATION,
                json::id(&status.federation_id).unwrap_or_default(),
            ),
            (label::SOFTWARE, status.software.clone()),
            (label::STARTED, when(status.started_at.as_ref())),
            (label::WRITING, context.yes_no(status.writing).into()),
            (label::WHY, context.told(&status.not_writing_because)),
            (label::STATE, standing(context, status.standing.as_ref())),
            (label::YOUNGEST_COPY, youngest_copy(context, status)),
            (label::FILES, files(context, status)),
        ],
    );
    let alarm = if status.writing {
        String::new()
    } else {
        let line = format!(
            "{}: {}",
            context.say(label::WRITING),
            context.say(label::NO)
        );
        format!(
            "{}\n",
            painted(&line.to_uppercase(), Tint::Bad, context.tint)
        )
    };
    format!(
        "{alarm}{head}\n\n{}\n{}\n\n{}\n{}\n\n{}\n{}",
        context.say(label::LOGS),
        origins(context, &status.origins),
        context.say(label::WHO_IS_BEHIND),
        matrix(context, status),
        context.say(label::PEERS),
        peers(context, &status.peers)
    ) + &refusals(context, &status.refusals)
}

/// Tells how many of the files that events name are here, and how much room all files take; nothing of an older node.
fn files(context: &Context, status: &GetStatusResponse) -> String {
    let Some(files) = &status.blobs else {
        return String::new();
    };
    let wanted = if files.wanted > 0 {
        format!(", {} {}", files.wanted, context.say(label::FILES_WANTED))
    } else {
        String::new()
    };
    let mib = files.held_bytes as f64 / f64::from(1 << 20);
    let here = context.say(label::FILES_HELD);
    format!(
        "{}/{} {here}, {mib:.1} MiB{wanted}",
        files.held, files.named
    )
}

/// Tells when the youngest backup was made, and how old it is.
fn youngest_copy(context: &Context, status: &GetStatusResponse) -> String {
    let Some(made_at) = (status.youngest_copy.as_ref()).and_then(|copy| copy.made_at) else {
        let none = context.say(label::NO_COPY);
        return painted(none, Tint::Bad, context.tint);
    };
    let age = status.now.map_or(0, |now| now.seconds - made_at.seconds);
    let age = format!("{} {}", age.max(0) / 3600, context.say(label::HOURS_OLD));
    format!("{} ({age})", when(Some(&made_at)))
}

/// Tells how far the node can trust that nothing of its own log was lost; nothing of an older node.
fn standing(context: &Context, standing: Option<&Standing>) -> String {
    let Some(standing) = standing else {
        return String::new();
    };
    let say = |id: &'static str, en: &'static str| match context.lang {
        Lang::Id => id,
        Lang::En => en,
    };
    let since = format!(
        "{} {}",
        context.say(label::SINCE),
        when(standing.since.as_ref())
    );
    match standing.state() {
        StandingState::Unspecified => String::new(),
        StandingState::Clean => say("bersih", "clean").into(),
        StandingState::Unproven => {
            let peers: Vec<String> = (standing.waiting.iter())
                .map(|peer| format!("`{peer}`"))
                .collect();
            let waits = if peers.is_empty() {
                String::new()
            } else {
                format!(": {} {}", say("menunggu", "waiting for"), peers.join(", "))
            };
            let risk = if standing.risk_accepted {
                let accepted = say("risiko diterima oleh", "risk accepted by");
                let by = json::id(&standing.risk_accepted_by).unwrap_or_default();
                format!(
                    ", {accepted} {by} {}",
                    when(standing.risk_accepted_at.as_ref())
                )
            } else {
                String::new()
            };
            let unproven = say("belum terbukti", "unproven");
            format!(
                "{unproven} {since}{waits}{risk} ({})",
                context.told(&standing.why)
            )
        }
        StandingState::Fenced => {
            let fenced = say("dipagari", "fenced");
            format!("{fenced}: {} {since}", context.told(&standing.why))
        }
    }
}

/// Tells of headquarters' directives in force, where there are any.
fn directives(context: &Context, in_force: &[Directive]) -> String {
    if in_force.is_empty() {
        return String::new();
    }
    format!(
        "\n\n{}\n{}",
        context.say(label::DIRECTIVES),
        directive::table(context, in_force).render(context)
    )
}

/// Tells of refused connections, where there were any.
fn refusals(context: &Context, refusals: &[Refused]) -> String {
    if refusals.is_empty() {
        return String::new();
    }
    let head = [label::ADDRESS, label::LAST, label::TIMES, label::WHY];
    let mut table = Table::new(context, &head);
    for refused in refusals {
        table.tinted([
            (refused.address.clone(), Tint::Plain),
            (when(refused.at.as_ref()), Tint::Plain),
            (refused.times.to_string(), Tint::Plain),
            (context.told(&refused.detail), Tint::Bad),
        ]);
    }
    format!(
        "\n\n{}\n{}",
        context.say(label::REFUSALS),
        table.render(context)
    )
}

fn origins(context: &Context, origins: &[OriginStatus]) -> String {
    let columns = [
        label::ORIGIN,
        label::STATE,
        label::POSITION,
        label::ENTRIES,
        label::BEHIND,
        label::GAP,
        label::HEARD,
        label::SOURCE,
        label::WHY,
    ];
    let mut table = Table::new(context, &columns);
    for origin in origins {
        let tint = link_tint(origin.link);
        let lag = |text: String| {
            if lag_is_known(origin.link) {
                text
            } else {
                context.say(label::UNKNOWN).into()
            }
        };
        let own = origin.link == i32::from(LinkState::Own);
        let heard = match &origin.heard_at {
            None if own => String::new(),
            None => context.say(label::NEVER).into(),
            heard => when(heard.as_ref()),
        };
        table.tinted([
            (origin.origin.clone(), Tint::Plain),
            (link_text(context, origin.link), tint),
            (
                origin
                    .applied
                    .as_ref()
                    .map(json::position)
                    .unwrap_or_default(),
                Tint::Plain,
            ),
            (origin.entries.to_string(), Tint::Plain),
            (lag(origin.entries_behind.to_string()), tint),
            (lag(span(context, origin.seconds_behind)), tint),
            (heard, Tint::Plain),
            (origin.source.clone(), Tint::Plain),
            (why(context, origin), tint),
        ]);
    }
    table.render(context)
}

/// Tells by how many entries this node and each peer are behind the newest head known of each log: `?` where that is not
/// known.
fn matrix(context: &Context, status: &GetStatusResponse) -> String {
    let mut table = Table::new(context, &[label::LOG]).column(&status.origin);
    for peer in &status.peers {
        table = table.column(&peer.origin);
    }
    let cell = |behind: Option<u64>| match behind {
        Some(0) => ("0".into(), Tint::Good),
        Some(behind) => (behind.to_string(), Tint::Warn),
        None => ("?".into(), Tint::Bad),
    };
    for log in &status.origins {
        let here = lag_is_known(log.link).then_some(log.entries_behind);
        let there = status.peers.iter().map(|peer| {
            let reach = log.reaches.iter().find(|reach| reach.peer == peer.origin)?;
            reach.known.then_some(reach.entries_behind)
        });
        let cells = std::iter::once(here).chain(there).map(cell);
        table.tinted(std::iter::once((log.origin.clone(), Tint::Plain)).chain(cells));
    }
    table.render(context)
}

/// Tells through whom a log comes that does not come from its origin, and since when and why.
fn way(context: &Context, origin: &OriginStatus) -> Option<String> {
    let why = match SourceReason::try_from(origin.source_reason) {
        Ok(SourceReason::NotConnected) => label::NOT_CONNECTED_SINCE,
        Ok(SourceReason::Stalled) => label::STALLED_SINCE,
        Ok(SourceReason::Behind) => label::SOURCE_BEHIND_SINCE,
        Ok(SourceReason::Direct | SourceReason::Unspecified) | Err(_) => return None,
    };
    let through = if origin.source.is_empty() {
        context.say(label::NO_SOURCE).into()
    } else {
        format!("{} `{}`", context.say(label::THROUGH), origin.source)
    };
    let since = when(origin.source_since.as_ref());
    Some(format!(
        "{through}: `{}` {} {since}",
        origin.origin,
        context.say(why)
    ))
}

/// Tells from when an origin is no longer heard.
fn not_heard(context: &Context, origin: &OriginStatus) -> Option<String> {
    let unknown = origin.link == i32::from(LinkState::Unknown);
    let heard = origin.heard_at.as_ref().filter(|_| unknown)?;
    let said = context.say(label::NOT_HEARD_SINCE);
    Some(format!("{said} {}", when(Some(heard))))
}

/// Tells of which classes only headers come.
fn lacking(context: &Context, origin: &OriginStatus) -> Option<String> {
    let classes = json::federation::classes(origin.source_lacks);
    let said = context.say(label::HEADERS_ONLY);
    (!classes.is_empty()).then(|| format!("{said} {}", classes.join(", ").to_uppercase()))
}

/// Tells how much of its log an origin withholds, and since when.
fn withheld(context: &Context, origin: &OriginStatus) -> Option<String> {
    let since = when(origin.withheld_since.as_ref());
    let (said, since_when) = (context.say(label::WITHHELD), context.say(label::SINCE));
    (origin.withheld_entries > 0)
        .then(|| format!("{said}: {} {since_when} {since}", origin.withheld_entries))
}

/// Tells how much is held of a log that another machine wrote.
fn other_branch(context: &Context, origin: &OriginStatus) -> Option<String> {
    let entries = origin.other_branch_entries;
    (entries > 0).then(|| format!("{entries} {}", context.say(label::OTHER_BRANCH)))
}

/// Tells from where on a log is disputed, since when, and who can mend it.
fn forked(context: &Context, origin: &OriginStatus) -> Option<String> {
    let at = (origin.forked_at.as_ref()).map(json::position)?;
    let said = context.say(label::FORKED_AT);
    let since = when(origin.quarantined_since.as_ref());
    let own = origin.link == i32::from(LinkState::Own);
    let mend = context.say(if own {
        label::FORKED_OWN
    } else {
        label::FORKED_OTHER
    });
    Some(format!(
        "{said} {at} {} {since}: {mend}",
        context.say(label::SINCE)
    ))
}

fn why(context: &Context, origin: &OriginStatus) -> String {
    let counted = [
        (label::UNKNOWN_EVENTS, origin.unknown_events),
        (label::REFUSED_EVENTS, origin.refused_events),
        (label::PAYLOADS_MISSING, origin.payloads_missing),
    ];
    let counted = counted
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{}: {count}", context.say(*name)));
    let reason = Some(context.told(&origin.why)).filter(|why| !why.is_empty());
    forked(context, origin)
        .into_iter()
        .chain(way(context, origin))
        .chain(not_heard(context, origin))
        .chain(lacking(context, origin))
        .chain(withheld(context, origin))
        .chain(other_branch(context, origin))
        .chain(reason)
        .chain(counted)
        .collect::<Vec<String>>()
        .join(", ")
}

fn peers(context: &Context, peers: &[PeerStatus]) -> String {
    let head = [
        label::PEER,
        label::ADDRESS,
        label::CONNECTED,
        label::SINCE,
        label::UNACKNOWLEDGED,
        label::ROUND_TRIP,
        label::CLOCK,
        label::WHY,
    ];
    let mut table = Table::new(context, &head);
    for peer in peers {
        let tint = match (peer.connected, peer.why.is_empty()) {
            (true, true) => Tint::Good,
            (true, false) => Tint::Warn,
            (false, _) => Tint::Bad,
        };
        let backlog = match &peer.acknowledged {
            Some(_) => peer.own_entries_behind.to_string(),
            None => context.say(label::UNKNOWN).into(),
        };
        let measured = |text: String| if peer.connected { text } else { String::new() };
        table.tinted([
            (peer.origin.clone(), Tint::Plain),
            (peer.address.clone(), Tint::Plain),
            (context.yes_no(peer.connected).into(), tint),
            (when(peer.since.as_ref()), Tint::Plain),
            (backlog, Tint::Plain),
            (measured(format!("{} ms", peer.round_trip_ms)), Tint::Plain),
            (measured(format!("{} ms", peer.clock_skew_ms)), Tint::Plain),
            (context.told(&peer.why), tint),
        ]);
    }
    table.render_all(context)
}

/// Returns a span of seconds in its two largest units.
fn span(context: &Context, seconds: u64) -> String {
    let units = [
        (86_400, label::DAYS),
        (3600, label::HOURS),
        (60, label::MINUTES),
        (1, label::SECONDS),
    ];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, unit) in units {
        if rest >= length {
            parts.push(format!("{} {}", rest / length, context.say(unit)));
            rest %= length;
        }
    }
    if parts.is_empty() {
        format!("0 {}", context.say(label::SECONDS))
    } else {
        parts.into_iter().take(2).collect::<Vec<String>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn an_unknown_lag_is_shown_as_unknown_and_never_as_nought() {
        let cut = OriginStatus {
            origin: "31".into(),
            link: LinkState::Unknown.into(),
            entries: 7,
            why: "connection refused".into(),
            ..Default::default()
        };
        let text = origins(&context(Lang::En), &[cut]);
        let row: Vec<&str> = text
            .lines()
            .nth(1)
            .unwrap()
            .split("  ")
            .map(str::trim)
            .filter(|c| !c.is_empty())
            .collect();
        assert_eq!(
            row,
            [
                "31",
                "unknown",
                "-",
                "7",
                "unknown",
                "unknown",
                "not since the node started",
                "-",
                "connection refused"
            ]
        );
    }

    #[test]
    fn the_matrix_says_by_how_much_each_is_behind_and_never_0_where_that_is_not_known() {
        let reach = |peer: &str, behind: Option<u64>| posko_proto::federation::v1::Reach {
            peer: peer.into(),
            known: behind.is_some(),
            entries_behind: behind.unwrap_or_default(),
            ..Default::default()
        };
        let log = |origin: &str, link: LinkState, behind, reaches| OriginStatus {
            origin: origin.into(),
            link: link.into(),
            entries_behind: behind,
            reaches,
            ..Default::default()
        };
        let peer = |origin: &str| PeerStatus {
            origin: origin.into(),
            ..Default::default()
        };
        let status = GetStatusResponse {
            origin: "31".into(),
            origins: vec![
                log(
                    "31",
                    LinkState::Own,
                    0,
                    vec![reach("36", None), reach("32", Some(4))],
                ),
                log(
                    "32",
                    LinkState::Behind,
                    7,
                    vec![reach("32", Some(0)), reach("36", None)],
                ),
                log("36", LinkState::Unknown, 0, vec![reach("32", None)]),
            ],
            peers: vec![peer("32"), peer("36")],
            ..Default::default()
        };
        assert_eq!(
            matrix(&context(Lang::Id), &status),
            "LOG  31  32  36\n\
             31   0   4   ?\n\
             32   7   0   ?\n\
             36   ?   ?   ?"
        );
    }

    #[test]
    fn a_state_of_a_newer_node_has_no_known_lag() {
        let odd = OriginStatus {
            origin: "31".into(),
            link: 42,
            ..Default::default()
        };
        assert!(origins(&context(Lang::Id), &[odd]).contains("tidak diketahui  tidak diketahui"));
    }

    #[test]
    fn a_node_that_takes_no_commands_says_so_first() {
        let status = GetStatusResponse {
            not_writing_because: "disk full".into(),
            ..Default::default()
        };
        let text = render(&context(Lang::Id), &status);
        assert!(text.starts_with("MENERIMA PERINTAH: TIDAK\n"), "{text}");
        assert!(text.contains("disk full"));
    }

    #[test]
    fn the_youngest_backup_is_shown_with_its_age_and_none_is_said_too() {
        let context = context(Lang::Id);
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let mut status = GetStatusResponse {
            now: at(1_774_422_120 + 50 * 3600),
            ..Default::default()
        };
        assert_eq!(youngest_copy(&context, &status), "belum ada");
        status.youngest_copy = Some(posko_proto::federation::v1::Copy {
            made_at: at(1_774_422_120),
            end: None,
        });
        assert_eq!(
            youngest_copy(&context, &status),
            "2026-03-25 14:02:00 WIB (50 jam yang lalu)"
        );
    }

    #[test]
    fn a_node_that_may_have_lost_something_says_whom_it_waits_for_and_since_when() {
        let context = context(Lang::Id);
        let mut told = Standing {
            state: StandingState::Unproven.into(),
            why: "the file is a backup copy".into(),
            since: Some(prost_types::Timestamp {
                seconds: 1_774_422_120,
                nanos: 0,
            }),
            waiting: vec!["31".into(), "36".into()],
            ..Standing::default()
        };
        assert_eq!(
            standing(&context, Some(&told)),
            "belum terbukti sejak 2026-03-25 14:02:00 WIB: menunggu `31`, `36` (berkasnya salinan cadangan)"
        );
        told.risk_accepted = true;
        told.risk_accepted_by = vec![7; 16];
        told.risk_accepted_at = told.since;
        let text = standing(&context, Some(&told));
        let accepted =
            ", risiko diterima oleh 07070707-0707-0707-0707-070707070707 2026-03-25 14:02:00 WIB (";
        assert!(text.contains(accepted), "{text}");
        told.state = StandingState::Fenced.into();
        told.why = "another run writes".into();
        assert_eq!(
            standing(&context, Some(&told)),
            "dipagari: another run writes sejak 2026-03-25 14:02:00 WIB"
        );
        told.state = StandingState::Clean.into();
        assert_eq!(standing(&context, Some(&told)), "bersih");
        assert_eq!(standing(&context, None), "");
    }

    #[test]
    fn counts_of_events_that_were_not_folded_stand_with_the_reason() {
        let origin = OriginStatus {
            why: "old program".into(),
            unknown_events: 3,
            ..Default::default()
        };
        let context = context(Lang::Id);
        assert_eq!(
            why(&context, &origin),
            "old program, peristiwa tak dikenal: 3"
        );
        assert_eq!(why(&context, &OriginStatus::default()), "");
        let since = prost_types::Timestamp {
            seconds: 1_774_422_120,
            nanos: 0,
        };
        let withholds = OriginStatus {
            withheld_entries: 4,
            withheld_since: Some(since),
            ..Default::default()
        };
        assert_eq!(
            why(&context, &withholds),
            "riwayat ditahan: 4 sejak 2026-03-25 14:02:00 WIB"
        );
        let evidence = OriginStatus {
            other_branch_entries: 3,
            ..Default::default()
        };
        assert_eq!(
            why(&context, &evidence),
            "3 entri dari cabang mesin kembarannya, disimpan sebagai bukti"
        );
    }

    #[test]
    fn a_log_that_comes_through_another_says_through_whom_since_when_and_what_does_not_come() {
        let at = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
        let mut origin = OriginStatus {
            origin: "32".into(),
            link: LinkState::Live.into(),
            source: "36".into(),
            source_reason: SourceReason::NotConnected.into(),
            source_since: Some(at(1_774_422_120)),
            ..Default::default()
        };
        let context = context(Lang::Id);
        assert_eq!(
            why(&context, &origin),
            "lewat `36`: `32` tidak terhubung sejak 2026-03-25 14:02:00 WIB"
        );
        origin.source = "ims".into();
        origin.source_lacks = 2;
        origin.payloads_missing = 4;
        assert_eq!(
            why(&context, &origin),
            "lewat `ims`: `32` tidak terhubung sejak 2026-03-25 14:02:00 WIB, \
             hanya kepala entri dari kelas PROVINCES, isi yang belum ada: 4"
        );
        let lost = OriginStatus {
            source: String::new(),
            source_lacks: 0,
            payloads_missing: 0,
            link: LinkState::Unknown.into(),
            heard_at: Some(at(1_774_422_180)),
            ..origin
        };
        assert_eq!(
            why(&context, &lost),
            "tanpa sumber: `32` tidak terhubung sejak 2026-03-25 14:02:00 WIB, \
             tidak terdengar lagi sejak 2026-03-25 14:03:00 WIB"
        );
    }

    #[test]
    fn a_forked_log_says_from_where_since_when_and_who_mends_it() {
        let mut origin = OriginStatus {
            origin: "32".into(),
            link: LinkState::Live.into(),
            forked_at: Some(posko_proto::common::v1::Position {
                origin: "32".into(),
                epoch_no: 17,
                epoch_nonce: vec![0x7f; 16],
                seq: 5,
                hash: Vec::new(),
            }),
            quarantined_since: Some(prost_types::Timestamp {
                seconds: 1_774_422_120,
                nanos: 0,
            }),
            ..Default::default()
        };
        let at = json::position(origin.forked_at.as_ref().unwrap());
        assert_eq!(
            why(&context(Lang::Id), &origin),
            format!(
                "bercabang di {at} sejak 2026-03-25 14:02:00 WIB: isinya sejak itu disengketakan; \
                 pemilik log membukanya kembali dengan kunci pemulihan"
            )
        );
        origin.link = LinkState::Own.into();
        assert!(why(&context(Lang::En), &origin).contains("posko log reopen"));
    }

    #[test]
    fn a_peer_without_a_session_has_no_round_trip() {
        let peer = PeerStatus {
            origin: "36".into(),
            why: "wrong CA".into(),
            ..Default::default()
        };
        let text = peers(&context(Lang::En), &[peer]);
        assert!(text.lines().nth(1).unwrap().contains("unknown"), "{text}");
        assert!(!text.contains("0 ms"), "{text}");
    }

    #[test]
    fn spans_show_two_units() {
        for (seconds, id, en) in [
            (0, "0 dtk", "0 s"),
            (59, "59 dtk", "59 s"),
            (60, "1 mnt", "1 min"),
            (3_661, "1 j 1 mnt", "1 h 1 min"),
            (90_061, "1 hr 1 j", "1 d 1 h"),
        ] {
            assert_eq!(span(&context(Lang::Id), seconds), id);
            assert_eq!(span(&context(Lang::En), seconds), en);
        }
    }
}
