//! `posko site`: evacuation sites, public kitchens, water, health and command posts of incidents.

use clap::{Args, Subcommand};
use posko_proto::{
    Id,
    common::v1::{Place, Point, Provenance},
    incident::v1::{AgeBand, Priority, Sex},
    site::v1::{
        ChangeSiteRequest, GetSiteRequest, Kind, ListSitesRequest, NeedKind, OpenSiteRequest,
        People, Site, SiteCapacitySet, SiteClosed, SiteNeedMet, SiteNeedSet, SiteOccupancyCounted,
        SiteOpened, SiteOutputReported, change_site_request::Change,
    },
};
use prost_types::Timestamp;
use serde_json::json;

use super::{
    freshness, incident::incident_id, link_tint, listed, lost, named_code, owner, pages, recorded,
};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::{self, Frame},
    json as view, label,
    output::{Answer, Context, Table, Tint, fields, grouped, when},
    word,
};

/// Opens, counts, closes, lists and shows the sites of incidents
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko site open PMI-32-2026-000001 --kind evacuation --region 32.03.22 \\
    --name \"SDN 3 Cugenang\" --capacity 300
  posko site list --open
  posko site list --incident PMI-32-2026-000001")]
pub(crate) struct SiteArgs {
    #[command(subcommand)]
    command: SiteCommand,
}

#[derive(Debug, Subcommand)]
enum SiteCommand {
    /// Opens a site of an incident of this province
    #[command(after_help = "Examples:
  posko site open PMI-32-2026-000001 --kind kitchen --region 32.03.22 \\
    --name \"Dapur umum Lapangan Prawatasari\" --capacity 1500

The name is of a place, never of a person: every province reads it.")]
    Open {
        /// Id or number of the incident
        incident: String,
        /// evacuation, kitchen, water, health or command
        #[arg(long, value_parser = word::parse::<Kind>)]
        kind: Kind,
        /// What the place is called
        #[arg(long)]
        name: String,
        /// Kemendagri code or name of the place
        #[arg(long, value_name = "CODE", value_parser = input::region)]
        region: String,
        /// Latitude in degrees, south negative
        #[arg(long, requires = "lon", value_parser = input::latitude, allow_hyphen_values = true)]
        lat: Option<i32>,
        /// Longitude in degrees
        #[arg(long, requires = "lat", value_parser = input::longitude, allow_hyphen_values = true)]
        lon: Option<i32>,
        /// How much it can do: persons, meals, litres or patients a day
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        capacity: u64,
        #[command(flatten)]
        frame: Frame,
    },
    /// Says how much a site can do
    #[command(after_help = "Examples:
  posko site capacity 0192f3c4-5a6b-7c8d-9e0f-112233445566 450")]
    Capacity {
        /// Id
        #[arg(value_parser = input::id)]
        site: Id,
        /// How much, in the unit of its kind; 0 when it is not known
        capacity: u64,
        #[command(flatten)]
        frame: Frame,
    },
    /// Says who is at a site
    #[command(after_help = "Examples:
  posko site count 0192f3c4-5a6b-7c8d-9e0f-112233445566 --people 212 \\
    --people female=120 --people male=92 --people female.0_1=9 \\
    --households 58 --pregnant 4

A part is named by a sex (male, female, other), an age (0_1, 2_5, 6_12, 13_17,
18_20, 21_59, 60_up, unknown) or both; the count of everybody must be among them.")]
    Count {
        /// Id
        #[arg(value_parser = input::id)]
        site: Id,
        /// Everybody, or a part of them; may be repeated
        #[arg(long, value_name = "[SEX][.AGE=]N", required = true, value_parser = people)]
        people: Vec<People>,
        /// How many households
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        households: u64,
        /// How many live with a disability
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        disabled: u64,
        /// How many are pregnant or nurse a child
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        pregnant: u64,
        /// Time of the count, such as 14:00 or "2026-11-29 14:00" (WIB) [default: now]
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        as_of: Option<Timestamp>,
        #[command(flatten)]
        frame: Frame,
    },
    /// Says what a site did in a time: meals, litres, patients
    #[command(after_help = "Examples:
  posko site output 0192f3c4-5a6b-7c8d-9e0f-112233445566 1450 \\
    --from 2026-01-05T00:00:00+07:00 --until 2026-01-06T00:00:00+07:00")]
    Output {
        /// Id
        #[arg(value_parser = input::id)]
        site: Id,
        /// How much, in the unit of its kind
        quantity: u64,
        /// Begin of the time, such as 14:00 or "2026-11-29 14:00" (WIB)
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        from: Timestamp,
        /// End of the time, such as 14:00 or "2026-11-29 14:00" (WIB)
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        until: Timestamp,
        #[command(flatten)]
        frame: Frame,
    },
    /// Says what a site lacks, or that a part of it came
    #[command(after_help = "Examples:
  posko site need 0192f3c4-5a6b-7c8d-9e0f-112233445566 blankets 200 \\
    --priority high
  posko site need 0192f3c4-5a6b-7c8d-9e0f-112233445566 blankets 80 --met

Nought says that it lacks it no more.")]
    Need {
        /// Id
        #[arg(value_parser = input::id)]
        site: Id,
        /// What, such as meals, water_l, blankets, tents, medicines or volunteers
        #[arg(value_parser = word::parse::<NeedKind>)]
        kind: NeedKind,
        /// How much, in the unit of the kind
        quantity: u64,
        /// normal, high or lifesaving
        #[arg(long, value_parser = word::parse::<Priority>)]
        priority: Option<Priority>,
        /// Time that it describes, such as 14:00 or "2026-11-29 14:00" (WIB) [default: now]
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        as_of: Option<Timestamp>,
        /// It came
        #[arg(long, conflicts_with_all = ["priority", "as_of"])]
        met: bool,
        #[command(flatten)]
        frame: Frame,
    },
    /// Closes a site
    #[command(after_help = "Examples:
  posko site close 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Close {
        /// Id
        #[arg(value_parser = input::id)]
        site: Id,
        #[command(flatten)]
        frame: Frame,
    },
    /// Lists sites of the whole region, newest first, with the age of each count
    #[command(after_help = "Examples:
  posko site list --open
  posko site list --incident PMI-32-2026-000001 --limit 0 --json")]
    List {
        /// Only those of this incident, by its id or number
        #[arg(long)]
        incident: Option<String>,
        /// Only those within this Kemendagri code or name
        #[arg(long, value_name = "CODE", value_parser = input::region)]
        region: Option<String>,
        /// Leave out closed ones
        #[arg(long)]
        open: bool,
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Shows one site
    #[command(after_help = "Examples:
  posko site show 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Show {
        /// Id
        #[arg(value_parser = input::id)]
        site: Id,
    },
}

/// Reads `212`, `female=120`, `0_1=9` or `female.0_1=5`.
fn people(text: &str) -> Result<People, String> {
    let (of, count) = text.rsplit_once('=').unwrap_or(("", text));
    let parts = of.split('.').filter(|part| !part.is_empty());
    let (sex, age_band) = input::sex_and_age(parts)?;
    let digits = count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count.parse().ok().filter(|_| digits).ok_or_else(|| {
        format!("`{count}` is no count of people: expected digits only such as `212`")
    })?;
    Ok(People {
        sex: sex.into(),
        age_band: age_band.into(),
        count,
    })
}

impl SiteArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let client = Client::connect(context, Who::Anyone).await?;
        let (site, frame, change) = match self.command {
            SiteCommand::Open {
                incident,
                kind,
                name,
                region,
                lat,
                lon,
                capacity,
                frame,
            } => {
                let point = lat.zip(lon).map(|(lat, lon)| Point {
                    latitude_microdegrees: lat,
                    longitude_microdegrees: lon,
                });
                let site = SiteOpened {
                    incident_id: incident_id(&client, &incident).await?,
                    kind: kind.into(),
                    name,
                    place: Some(Place {
                        region_code: region,
                        point,
                        code_set: String::new(),
                    }),
                    capacity,
                };
                let (id, meta) = frame.meta();
                let request = OpenSiteRequest {
                    meta: Some(meta),
                    site: Some(site),
                };
                let answer = client.sites().open_site(request).await;
                let outcome = answer.map_err(lost(id))?.into_inner().outcome;
                return recorded(context, label::SITE, id, outcome);
            }
            SiteCommand::List {
                incident,
                region,
                open,
                limit,
            } => {
                let incident_id = match incident {
                    Some(incident) => incident_id(&client, &incident).await?,
                    None => Vec::new(),
                };
                let filter = ListSitesRequest {
                    incident_id,
                    region_code: region.unwrap_or_default(),
                    open_only: open,
                    ..ListSitesRequest::default()
                };
                return list(context, &client, filter, limit).await;
            }
            SiteCommand::Show { site } => {
                let request = GetSiteRequest {
                    site_id: site.to_vec(),
                };
                let found = client.sites().get_site(request).await?.into_inner();
                let site = found.site.unwrap_or_default();
                let text = render(context, &site);
                return Answer::new(json!({ "site": view::site::Site::from(site) }), text);
            }
            SiteCommand::Capacity {
                site,
                capacity,
                frame,
            } => {
                let set = SiteCapacitySet { capacity };
                (site, frame, Change::SetCapacity(set))
            }
            SiteCommand::Count {
                site,
                people,
                households,
                disabled,
                pregnant,
                as_of,
                frame,
            } => {
                let counted = SiteOccupancyCounted {
                    as_of,
                    people,
                    households,
                    disabled,
                    pregnant,
                };
                (site, frame, Change::CountOccupancy(counted))
            }
            SiteCommand::Output {
                site,
                quantity,
                from,
                until,
                frame,
            } => {
                let report = SiteOutputReported {
                    from: Some(from),
                    until: Some(until),
                    quantity,
                };
                (site, frame, Change::ReportOutput(report))
            }
            SiteCommand::Need {
                site,
                kind,
                quantity,
                priority,
                as_of,
                met,
                frame,
            } => {
                let kind = kind.into();
                let change = if met {
                    Change::MeetNeed(SiteNeedMet { kind, quantity })
                } else {
                    Change::SetNeed(SiteNeedSet {
                        kind,
                        quantity,
                        priority: priority.map(i32::from).unwrap_or_default(),
                        as_of,
                    })
                };
                (site, frame, change)
            }
            SiteCommand::Close { site, frame } => (site, frame, Change::Close(SiteClosed {})),
        };
        let (id, meta) = frame.meta();
        let request = ChangeSiteRequest {
            meta: Some(meta),
            site_id: site.to_vec(),
            change: Some(change),
        };
        let answer = client.sites().change_site(request).await;
        let outcome = answer.map_err(lost(id))?.into_inner().outcome;
        recorded(context, label::SITE, id, outcome)
    }
}

async fn list(
    context: &Context,
    client: &Client,
    filter: ListSitesRequest,
    limit: u32,
) -> Result<Answer, Failure> {
    let mut service = client.sites();
    let ask = async |page_size, page_token| {
        let request = ListSitesRequest {
            page_size,
            page_token,
            ..filter.clone()
        };
        service.list_sites(request).await
    };
    let (sites, more, page) = pages(limit, ask).await?;
    let text = render_list(context, &sites, more, &page.origins);
    let sites: Vec<view::site::Site> = sites.into_iter().map(Into::into).collect();
    let origins: Vec<view::Provenance> = page.origins.into_iter().map(Into::into).collect();
    Answer::new(
        json!({ "sites": sites, "more": more, "origins": origins }),
        text,
    )
}

fn render_list(context: &Context, sites: &[Site], more: bool, origins: &[Provenance]) -> String {
    let head = [
        label::KIND,
        label::NAME,
        label::PLACE,
        label::OCCUPANCY,
        label::CAPACITY,
        label::AS_OF,
        label::NEEDS,
        label::ORIGIN,
        label::SITE,
    ];
    let mut table = Table::new(context, &head);
    for site in sites {
        let opened = site.opened.clone().unwrap_or_default();
        let provenance = site.provenance.clone().unwrap_or_default();
        let counted = site.occupancy.as_ref();
        let tint = if is_over_capacity(site) {
            Tint::Bad
        } else {
            Tint::Plain
        };
        table.tinted([
            (label::of::<Kind>(opened.kind, context.lang), Tint::Plain),
            (
                format!("{}{}", opened.name, marks(context, site)),
                Tint::Plain,
            ),
            (place(site), Tint::Plain),
            (occupancy(context, site), tint),
            (capacity(context, site), Tint::Plain),
            (
                counted
                    .map(|counted| when(counted.as_of.as_ref()))
                    .unwrap_or_default(),
                Tint::Plain,
            ),
            (
                site.needs
                    .iter()
                    .filter(|need| need.met < need.asked)
                    .count()
                    .to_string(),
                Tint::Plain,
            ),
            (owner(context, &provenance), link_tint(provenance.link)),
            (view::id(&site.site_id).unwrap_or_default(), Tint::Plain),
        ]);
    }
    format!(
        "{}{}",
        listed(context, &table, more),
        freshness(context, origins)
    )
}

fn marks(context: &Context, site: &Site) -> String {
    let closed = site.closed_at.is_some().then_some(label::CLOSED);
    let drill = site.exercise.then_some(label::EXERCISE);
    let full = is_over_capacity(site).then_some(label::OVER_CAPACITY);
    let mut text = String::new();
    for mark in [drill, closed, full].into_iter().flatten() {
        text += " [";
        text += context.say(mark);
        text += "]";
    }
    text
}

fn place(site: &Site) -> String {
    let opened = site
        .opened
        .as_ref()
        .and_then(|opened| opened.place.as_ref());
    let code = opened.map(|place| place.region_code.as_str());
    named_code(&site.region_name, code.unwrap_or_default())
}

fn everybody(site: &Site) -> u64 {
    let counted = site.occupancy.iter().flat_map(|counted| &counted.people);
    let mut whole = counted.filter(|people| people.sex == 0 && people.age_band == 0);
    whole.next().map(|people| people.count).unwrap_or_default()
}

fn is_over_capacity(site: &Site) -> bool {
    site.capacity > 0 && everybody(site) > site.capacity
}

/// Nobody has counted is no nought.
fn occupancy(context: &Context, site: &Site) -> String {
    match site.occupancy {
        Some(_) => grouped(everybody(site), context.lang),
        None => context.say(label::NOT_COUNTED).into(),
    }
}

fn capacity(context: &Context, site: &Site) -> String {
    match site.capacity {
        0 => "-".into(),
        capacity => grouped(capacity, context.lang),
    }
}

fn render(context: &Context, site: &Site) -> String {
    let opened = site.opened.clone().unwrap_or_default();
    let provenance = site.provenance.clone().unwrap_or_default();
    let head = fields(
        context,
        [
            (label::SITE, view::id(&site.site_id).unwrap_or_default()),
            (label::KIND, label::of::<Kind>(opened.kind, context.lang)),
            (
                label::NAME,
                format!("{}{}", opened.name, marks(context, site)),
            ),
            (
                label::INCIDENT,
                view::id(&opened.incident_id).unwrap_or_default(),
            ),
            (label::PLACE, place(site)),
            (label::CAPACITY, capacity(context, site)),
            (label::OPENED, when(site.opened_at.as_ref())),
            (label::ORIGIN, owner(context, &provenance)),
            (label::HEARD, when(provenance.heard_at.as_ref())),
            (label::VERSION, site.version.to_string()),
        ],
    );
    let mut people = Table::new(
        context,
        &[label::SEX, label::AGE, label::COUNT, label::AS_OF],
    );
    if let Some(counted) = &site.occupancy {
        let as_of = when(counted.as_of.as_ref());
        for part in &counted.people {
            people.row([
                label::of::<Sex>(part.sex, context.lang),
                label::of::<AgeBand>(part.age_band, context.lang),
                grouped(part.count, context.lang),
                as_of.clone(),
            ]);
        }
        for (what, count) in [
            (label::HOUSEHOLDS, counted.households),
            (label::DISABLED_PEOPLE, counted.disabled),
            (label::PREGNANT, counted.pregnant),
        ] {
            if count > 0 {
                let what = context.say(what).to_owned();
                people.row([
                    what,
                    String::new(),
                    grouped(count, context.lang),
                    as_of.clone(),
                ]);
            }
        }
    }
    let mut output = Table::new(context, &[label::COUNT, label::SINCE, label::UNTIL]);
    if let Some(report) = &site.output {
        output.row([
            grouped(report.quantity, context.lang),
            when(report.from.as_ref()),
            when(report.until.as_ref()),
        ]);
    }
    let head_of_needs = [
        label::NEED,
        label::ASKED,
        label::MET,
        label::PRIORITY,
        label::AS_OF,
    ];
    let mut needs = Table::new(context, &head_of_needs);
    for need in &site.needs {
        needs.row([
            label::of::<NeedKind>(need.kind, context.lang),
            grouped(need.asked, context.lang),
            grouped(need.met, context.lang),
            label::of::<Priority>(need.priority, context.lang),
            when(need.as_of.as_ref()),
        ]);
    }
    let mut text = head;
    for (title, table) in [
        (label::OCCUPANCY, people),
        (label::OUTPUT, output),
        (label::NEEDS, needs),
    ] {
        if !table.is_empty() {
            text = format!(
                "{text}\n\n{}\n{}",
                context.say(title),
                table.render(context)
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn people_are_counted_as_a_whole_or_by_sex_and_age() {
        let of = |sex: Sex, age_band: AgeBand, count| People {
            sex: sex.into(),
            age_band: age_band.into(),
            count,
        };
        assert_eq!(
            people("212"),
            Ok(of(Sex::Unspecified, AgeBand::Unspecified, 212))
        );
        assert_eq!(
            people("female=120"),
            Ok(of(Sex::Female, AgeBand::Unspecified, 120))
        );
        assert_eq!(
            people("0_1=9"),
            Ok(of(Sex::Unspecified, AgeBand::AgeBand01, 9))
        );
        assert_eq!(
            people("male.60-up=5"),
            Ok(of(Sex::Male, AgeBand::AgeBand60Up, 5))
        );
        for wrong in ["", "female", "female=", "women=3", "1.200", "-3"] {
            assert!(people(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_site_with_more_people_than_its_capacity_is_marked_in_list_and_show() {
        let site = |count| Site {
            capacity: 400,
            occupancy: Some(SiteOccupancyCounted {
                people: vec![People {
                    count,
                    ..People::default()
                }],
                ..SiteOccupancyCounted::default()
            }),
            ..Site::default()
        };
        let mark = "[melebihi kapasitas]";
        for (count, marked) in [(400, false), (900, true)] {
            let site = site(count);
            let shown = render(&context(Lang::Id), &site);
            let list = render_list(&context(Lang::Id), &[site], false, &[]);
            assert_eq!(shown.contains(mark), marked, "{shown}");
            assert_eq!(list.contains(mark), marked, "{list}");
        }
    }

    #[test]
    fn a_site_that_nobody_counted_is_not_shown_as_empty() {
        let site = Site {
            opened: Some(SiteOpened {
                kind: Kind::Evacuation.into(),
                name: "SDN 3 Cugenang".into(),
                ..SiteOpened::default()
            }),
            ..Site::default()
        };
        let text = render_list(&context(Lang::Id), &[site], false, &[]);
        assert!(
            text.contains("belum dihitung") && text.contains("SDN 3 Cugenang"),
            "{text}"
        );
    }
}
