//! `posko incident timeline`: every event of an incident and of its sites, in the order of its log.

use posko_domain::event::{Event, IncidentEvent, KINDS, SiteEvent};
use posko_proto::{
    blob::v1::AttachmentKind,
    common::v1::{Hazard, Role},
    incident::v1::{
        AgeBand, AssessmentForm, CancelReason, EmergencyStatus, EscalationLevel, FigureSource,
        ListTimelineRequest, Measure, Post, Priority, RejectReason, Relation, ReopenReason,
        ReportChannel, Scale, Sector, Settlement, Severity, Sex, Step, TimelineEntry,
        TimelinePresence, Unit,
    },
    site::v1::{Kind, NeedKind},
};
use prost_types::Any;
use serde_json::{Value as Json, json};

use super::incident_id;
use crate::{
    client::Client,
    command::{freshness, listed, pages, user::name_people},
    failure::Failure,
    json as view,
    label::{self, Lang},
    name,
    output::{Answer, Context, Table, Tint, is_automatic, until, when},
};

/// Lists the time line.
pub(super) async fn run(
    context: &Context,
    client: &Client,
    incident: &str,
    limit: u32,
) -> Result<Answer, Failure> {
    let incident_id = incident_id(client, incident).await?;
    let mut service = client.incidents();
    let ask = async |page_size, page_token| {
        let request = ListTimelineRequest {
            incident_id: incident_id.clone(),
            page_size,
            page_token,
        };
        service.list_timeline(request).await
    };
    let (entries, more, page) = pages(limit, ask).await?;
    name_people(context, client).await;
    let origins: Vec<_> = page.provenance.into_iter().collect();
    let text = format!(
        "{}{}",
        listed(context, &table(context, &entries), more),
        freshness(context, &origins)
    );
    let entries: Vec<Json> = entries.iter().map(entry_json).collect();
    let provenance = origins.into_iter().next().map(view::Provenance::from);
    Answer::new(
        json!({ "entries": entries, "more": more, "provenance": provenance }),
        text,
    )
}

fn table(context: &Context, entries: &[TimelineEntry]) -> Table {
    let head = [
        label::HAPPENED,
        label::RECORDED,
        label::TIMELINE_WHAT,
        label::ROLE,
        label::ACTOR,
        label::POSITION,
    ];
    let mut table = Table::new(context, &head);
    for entry in entries {
        let absent = entry.presence() != TimelinePresence::Present;
        let tint = if absent || entry.disputed {
            Tint::Warn
        } else {
            Tint::Plain
        };
        let (role, actor) = if is_automatic(&entry.actor_ref) {
            (context.say(label::AUTOMATIC).to_owned(), String::new())
        } else {
            let role = label::of::<Role>(entry.role, context.lang);
            (role, context.person(&entry.actor_ref))
        };
        table.tinted([
            (when(entry.occurred_at.as_ref()), Tint::Plain),
            (when(entry.recorded_at.as_ref()), Tint::Plain),
            (
                format!("{}{}", what(entry, context.lang), marks(context, entry)),
                tint,
            ),
            (role, Tint::Plain),
            (actor, Tint::Plain),
            (place_in_log(entry), Tint::Plain),
        ]);
    }
    table
}

fn place_in_log(entry: &TimelineEntry) -> String {
    format!("{}/{}", entry.epoch_no, entry.seq)
}

fn marks(context: &Context, entry: &TimelineEntry) -> String {
    let mut marks = String::new();
    if entry.correction {
        marks = format!(" {}", context.say(label::CORRECTED));
    }
    if let Some(before) = before(entry, context.lang) {
        marks = format!("{marks} [{}: {before}]", context.say(label::SAID_BEFORE));
    }
    if entry.presence() == TimelinePresence::Withdrawn {
        let (because, law) = (&entry.withdrawn_because, &entry.legal_basis);
        marks = format!(
            "{marks} [{}] {because} ({law})",
            context.say(label::WITHDRAWN)
        );
    } else if entry.presence() != TimelinePresence::Present {
        let presence = label::of::<TimelinePresence>(entry.presence, context.lang);
        marks = format!("{marks} [{presence}]");
    }
    if entry.exercise {
        marks = format!("{marks} [{}]", context.say(label::EXERCISE));
    }
    if entry.disputed {
        marks = format!("{marks} [{}]", context.say(label::DISPUTED));
    }
    marks
}

fn entry_json(entry: &TimelineEntry) -> Json {
    json!({
        "event_id": view::id(&entry.event_id),
        "stream_id": view::id(&entry.stream_id),
        "about_id": view::id(&entry.about_id),
        "about": view::text(&entry.about),
        "type": view::text(&entry.r#type),
        "type_id": entry.type_id,
        "what": { "id": what(entry, Lang::Id), "en": what(entry, Lang::En) },
        "occurred_at": view::time(entry.occurred_at.as_ref()),
        "recorded_at": view::time(entry.recorded_at.as_ref()),
        "actor": view::id(&entry.actor_ref),
        "role": name::of::<Role>(entry.role),
        "delegation": view::id(&entry.delegation),
        "epoch_no": entry.epoch_no,
        "seq": entry.seq,
        "version": entry.version,
        "exercise": entry.exercise,
        "correction": entry.correction,
        "before": entry.before.as_ref().map(|_| json!({
            "id": before(entry, Lang::Id),
            "en": before(entry, Lang::En),
            "at": view::time(entry.before_at.as_ref()),
        })),
        "disputed": entry.disputed,
        "presence": name::of::<TimelinePresence>(entry.presence),
        "withdrawn_because": view::text(&entry.withdrawn_because),
        "legal_basis": view::text(&entry.legal_basis),
    })
}

/// Returns what happened, in a language; the name of its message where this program cannot read it.
fn what(entry: &TimelineEntry, lang: Lang) -> String {
    let said = match &read(entry, entry.event.as_ref()) {
        Some(Event::Incident(event)) => of_incident(event, lang),
        Some(Event::Site(event)) => of_site(event, lang),
        _ if entry.type_id == posko_domain::event::INCIDENT_NOTED.type_id => {
            Said::new("catatan", "note")
        }
        _ => return entry.r#type.clone(),
    };
    // A site says its name itself when it opens.
    match entry.about.as_str() {
        "" => said.text(lang),
        about if said.values.iter().any(|value| value == about) => said.text(lang),
        about => format!("{} ({about})", said.text(lang)),
    }
}

/// Returns what was said before, in a language: the values alone.
fn before(entry: &TimelineEntry, lang: Lang) -> Option<String> {
    let Some(Event::Incident(event)) = read(entry, entry.before.as_ref()) else {
        return None;
    };
    let said = of_incident(&event, lang).with(when(entry.before_at.as_ref()));
    Some(said.values.join(", "))
}

fn read(entry: &TimelineEntry, event: Option<&Any>) -> Option<Event> {
    let kind = KINDS.iter().find(|kind| kind.type_id == entry.type_id)?;
    Event::decode(kind.type_id, kind.type_version, &event?.value).ok()
}

/// What happened in both languages, and the values that it happened with.
struct Said {
    id: &'static str,
    en: &'static str,
    values: Vec<String>,
}

impl Said {
    fn new(id: &'static str, en: &'static str) -> Self {
        Self {
            id,
            en,
            values: Vec::new(),
        }
    }

    fn with(mut self, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() && value != "-" {
            self.values.push(value);
        }
        self
    }

    fn text(self, lang: Lang) -> String {
        let what = match lang {
            Lang::Id => self.id,
            Lang::En => self.en,
        };
        if self.values.is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {}", self.values.join(", "))
        }
    }
}

fn of<T: label::Labelled>(number: i32, lang: Lang) -> String {
    label::of::<T>(number, lang)
}

fn of_incident(event: &IncidentEvent, lang: Lang) -> Said {
    match event {
        IncidentEvent::Reported(said) => Said::new("dilaporkan", "reported")
            .with(said.number.clone())
            .with(of::<Hazard>(said.hazard, lang))
            .with(code(said.place.as_ref()))
            .with(of::<ReportChannel>(said.channel, lang)),
        IncidentEvent::Verified(said) => {
            Said::new("terverifikasi", "verified").with(of::<FigureSource>(said.source, lang))
        }
        IncidentEvent::Rejected(said) if said.duplicate_of.is_empty() => {
            Said::new("tidak benar", "found false").with(of::<RejectReason>(said.reason, lang))
        }
        IncidentEvent::Rejected(said) => Said::new("digabung ke", "merged into")
            .with(view::id(&said.duplicate_of).unwrap_or_default()),
        IncidentEvent::Activated(said) => {
            Said::new("diaktivasi", "activated").with(of::<Scale>(said.scale, lang))
        }
        IncidentEvent::ImpactRecorded(said) => {
            let figures = said.figures.iter().map(|figure| {
                let measure = of::<Measure>(figure.measure, lang);
                let whom = whom(figure.sex, figure.age_band, lang);
                counted(&format!("{measure} {whom}"), figure.count)
            });
            let shown: Vec<String> = figures.clone().take(6).collect();
            let rest = said.figures.len().saturating_sub(shown.len());
            Said::new("angka dampak", "impact figures")
                .with(shown.join(", "))
                .with(if rest > 0 {
                    format!("+{rest}")
                } else {
                    String::new()
                })
                .with(of::<FigureSource>(said.source, lang))
                .with(match (view::id(&said.assessment_id), lang) {
                    (None, _) => String::new(),
                    (Some(id), Lang::Id) => format!("asesmen {id}"),
                    (Some(id), Lang::En) => format!("assessment {id}"),
                })
        }
        IncidentEvent::OperationEnded(_) => Said::new("operasi selesai", "operation ended"),
        IncidentEvent::Closed(_) => Said::new("ditutup", "closed"),
        IncidentEvent::Noted(said) => Said::new("catatan", "note")
            .with(said.question.clone())
            .with(said.text.clone()),
        IncidentEvent::Attached(said) => {
            Said::new("lampiran", "file attached").with(of::<AttachmentKind>(said.kind, lang))
        }
        IncidentEvent::Imported(said) => Said::new("catatan terbitan", "published record")
            .with(of::<Hazard>(said.hazard, lang))
            .with(code(said.place.as_ref())),
        IncidentEvent::SeverityJudged(said) => {
            Said::new("dinilai", "judged").with(of::<Severity>(said.severity, lang))
        }
        IncidentEvent::ScaleSet(said) => {
            Said::new("skala", "scale").with(of::<Scale>(said.scale, lang))
        }
        IncidentEvent::StepTaken(said) => {
            Said::new("langkah", "step").with(of::<Step>(said.step, lang))
        }
        IncidentEvent::TransitionBegun(_) => Said::new("transisi dimulai", "transition begun"),
        IncidentEvent::Cancelled(said) => {
            Said::new("dibatalkan", "cancelled").with(of::<CancelReason>(said.reason, lang))
        }
        IncidentEvent::Reopened(said) => {
            Said::new("dibuka lagi", "reopened").with(of::<ReopenReason>(said.reason, lang))
        }
        IncidentEvent::GlideAssigned(said) => {
            Said::new("nomor GLIDE", "GLIDE number").with(said.glide.clone())
        }
        IncidentEvent::Related(said) => Said::new("dikaitkan", "related")
            .with(of::<Relation>(said.relation, lang))
            .with(other(&said.origin, &said.incident_id)),
        IncidentEvent::Unrelated(said) => Said::new("kaitan dihapus", "relation taken back")
            .with(other(&said.origin, &said.incident_id)),
        IncidentEvent::PostFilled(said) => Said::new("jabatan diisi", "post filled")
            .with(of::<Post>(said.post, lang))
            .with(view::id(&said.account_ref).unwrap_or_default()),
        IncidentEvent::PostVacated(said) => Said::new("jabatan dilepas", "post left")
            .with(of::<Post>(said.post, lang))
            .with(view::id(&said.account_ref).unwrap_or_default()),
        IncidentEvent::Escalated(said) => Said::new("tingkat dipanggil", "level called")
            .with(of::<EscalationLevel>(said.level, lang)),
        IncidentEvent::EscalationAnswered(said) => Said::new("panggilan dijawab", "call answered")
            .with(of::<EscalationLevel>(said.level, lang)),
        IncidentEvent::PeriodPlanned(said) => Said::new("periode operasi", "operational period")
            .with(said.number.to_string())
            .with(when(said.from.as_ref()))
            .with(when(said.until.as_ref())),
        IncidentEvent::PlanApproved(said) => {
            Said::new("rencana disetujui", "plan approved").with(said.number.to_string())
        }
        IncidentEvent::ObjectiveSet(said) => Said::new("sasaran ditetapkan", "objective set")
            .with(of::<Priority>(said.priority, lang))
            .with(of::<Post>(said.post, lang))
            .with(when(said.due_at.as_ref())),
        IncidentEvent::ObjectiveSettled(said) => Said::new("hasil sasaran", "objective settled")
            .with(of::<Settlement>(said.settlement, lang)),
        IncidentEvent::NeedSet(said) => Said::new("kebutuhan", "need")
            .with(of::<Sector>(said.sector, lang))
            .with(quantity(said.quantity, &of::<Unit>(said.unit, lang)))
            .with(of::<Priority>(said.priority, lang))
            .with(when(said.due_at.as_ref()))
            .with(code(said.place.as_ref())),
        IncidentEvent::NeedMet(said) => {
            Said::new("kebutuhan dipenuhi sebagian", "part of a need met")
                .with(quantity(said.quantity, ""))
                .with(of::<FigureSource>(said.source, lang))
        }
        IncidentEvent::NeedSettled(said) => Said::new("hasil kebutuhan", "need settled")
            .with(of::<Settlement>(said.settlement, lang)),
        IncidentEvent::EmergencyDeclared(said) => {
            Said::new("status keadaan darurat", "legal emergency status")
                .with(of::<EmergencyStatus>(said.status, lang))
                .with(said.decree_number.clone())
                .with(until(said.until.as_ref()))
        }
        IncidentEvent::EmergencyEnded(_) => {
            Said::new("status dicabut lebih awal", "status ended early")
        }
        IncidentEvent::Assessed(said) => {
            let newer = match lang {
                _ if said.supersedes.is_empty() => "",
                Lang::Id => "versi baru",
                Lang::En => "newer version",
            };
            Said::new("asesmen diserahkan", "assessment handed in")
                .with(of::<AssessmentForm>(said.form, lang))
                .with(code(said.place.as_ref()))
                .with(newer)
        }
    }
}

fn of_site(event: &SiteEvent, lang: Lang) -> Said {
    match event {
        SiteEvent::Opened(said) => Said::new("titik layanan dibuka", "site opened")
            .with(of::<Kind>(said.kind, lang))
            .with(said.name.clone()),
        SiteEvent::CapacitySet(said) => {
            Said::new("kapasitas titik layanan", "site's capacity").with(said.capacity.to_string())
        }
        SiteEvent::OccupancyCounted(said) => {
            let (households, disabled, pregnant) = match lang {
                Lang::Id => ("KK", "penyandang disabilitas", "hamil atau menyusui"),
                Lang::En => (
                    "households",
                    "people with disabilities",
                    "pregnant or nursing",
                ),
            };
            let people = said.people.iter().map(|people| {
                let whom = whom(people.sex, people.age_band, lang);
                counted(&whom, people.count)
            });
            let others = [
                (households, said.households),
                (disabled, said.disabled),
                (pregnant, said.pregnant),
            ];
            let others = others.into_iter().filter(|(_, count)| *count > 0);
            let others = others.map(|(what, count)| counted(what, count));
            let all: Vec<String> = people.chain(others).collect();
            Said::new("penghuni dihitung", "people at the site counted").with(all.join(", "))
        }
        SiteEvent::OutputReported(said) => {
            Said::new("hasil titik layanan", "site's output").with(said.quantity.to_string())
        }
        SiteEvent::NeedSet(said) => Said::new("kebutuhan titik layanan", "site's need")
            .with(of::<NeedKind>(said.kind, lang))
            .with(said.quantity.to_string()),
        SiteEvent::NeedMet(said) => {
            Said::new("kebutuhan titik layanan dipenuhi", "site's need met")
                .with(of::<NeedKind>(said.kind, lang))
                .with(said.quantity.to_string())
        }
        SiteEvent::Closed(_) => Said::new("titik layanan ditutup", "site closed"),
    }
}

/// Returns whom a count is of: nothing for everybody.
fn whom(sex: i32, age_band: i32, lang: Lang) -> String {
    let sex = (sex != 0).then(|| of::<Sex>(sex, lang));
    let age = (age_band != 0).then(|| of::<AgeBand>(age_band, lang));
    let parts: Vec<String> = sex.into_iter().chain(age).collect();
    parts.join(" ")
}

fn counted(what: &str, count: u64) -> String {
    format!("{} {count}", what.trim()).trim_start().to_owned()
}

fn code(place: Option<&posko_proto::common::v1::Place>) -> String {
    place
        .map(|place| place.region_code.clone())
        .unwrap_or_default()
}

fn other(origin: &str, incident: &[u8]) -> String {
    format!("{origin}/{}", view::id(incident).unwrap_or_default())
}

fn quantity(quantity: u64, unit: &str) -> String {
    if quantity == 0 {
        return String::new();
    }
    format!("{quantity} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use posko_proto::incident::v1::{IncidentNeedMet, IncidentReported};
    use prost_types::Any;

    use super::*;
    use crate::output::tests::context;

    fn entry(event: IncidentEvent) -> TimelineEntry {
        let event = Event::from(event);
        TimelineEntry {
            r#type: event.kind().name.into(),
            type_id: event.type_id(),
            presence: TimelinePresence::Present.into(),
            event: Some(Any {
                type_url: String::new(),
                value: event.encode(),
            }),
            ..TimelineEntry::default()
        }
    }

    #[test]
    fn what_happened_is_said_in_both_languages() {
        let reported = entry(IncidentEvent::Reported(IncidentReported {
            number: "PMI-32-2026-000001".into(),
            hazard: Hazard::Flood.into(),
            ..IncidentReported::default()
        }));
        assert_eq!(
            what(&reported, Lang::Id),
            "dilaporkan: PMI-32-2026-000001, banjir"
        );
        assert_eq!(
            entry_json(&reported)["what"]["en"],
            "reported: PMI-32-2026-000001, flood"
        );
    }

    #[test]
    fn every_event_of_an_incident_and_its_sites_has_words_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in KINDS {
            let event = Event::decode(kind.type_id, kind.type_version, &[]).unwrap();
            let said = match &event {
                Event::Incident(event) => {
                    [of_incident(event, Lang::Id), of_incident(event, Lang::En)]
                }
                Event::Site(event) => [of_site(event, Lang::Id), of_site(event, Lang::En)],
                _ => continue,
            };
            assert_ne!(said[0].id, said[1].en, "{}", kind.name);
            assert!(seen.insert(said[0].id), "{}", said[0].id);
        }
    }

    #[test]
    fn a_row_says_whom_it_counts_until_when_and_what_it_is_about() {
        let people = |sex: Sex, age_band: AgeBand, count| posko_proto::site::v1::People {
            sex: sex.into(),
            age_band: age_band.into(),
            count,
        };
        let counted = SiteEvent::OccupancyCounted(posko_proto::site::v1::SiteOccupancyCounted {
            people: vec![
                people(Sex::Unspecified, AgeBand::Unspecified, 212),
                people(Sex::Female, AgeBand::Unspecified, 120),
                people(Sex::Male, AgeBand::AgeBand01, 9),
            ],
            households: 58,
            ..Default::default()
        });
        let event = Event::from(counted);
        let told = TimelineEntry {
            type_id: event.type_id(),
            presence: TimelinePresence::Present.into(),
            event: Some(Any {
                type_url: String::new(),
                value: event.encode(),
            }),
            about: "GOR Bekasi".into(),
            ..TimelineEntry::default()
        };
        let said = what(&told, Lang::Id);
        assert!(
            said.starts_with("penghuni dihitung: 212, perempuan 120, laki-laki "),
            "{said}"
        );
        assert!(said.ends_with(" 9, KK 58 (GOR Bekasi)"), "{said}");

        let figure = |sex: Sex, count| posko_proto::incident::v1::Figure {
            measure: Measure::Affected.into(),
            sex: sex.into(),
            count,
            ..Default::default()
        };
        let figures = IncidentEvent::ImpactRecorded(posko_proto::incident::v1::ImpactRecorded {
            figures: vec![figure(Sex::Unspecified, 1180), figure(Sex::Female, 620)],
            ..Default::default()
        });
        let said = what(&entry(figures), Lang::Id);
        assert!(
            said.contains("terdampak 1180, terdampak perempuan 620"),
            "{said}"
        );

        let due = posko_proto::incident::v1::IncidentObjectiveSet {
            // 1 December 2026 at midnight, WIB.
            due_at: Some(prost_types::Timestamp {
                seconds: 1_796_058_000,
                nanos: 0,
            }),
            ..Default::default()
        };
        let told = TimelineEntry {
            about: "Semua mendapat tempat tidur".into(),
            ..entry(IncidentEvent::ObjectiveSet(due))
        };
        assert_eq!(
            what(&told, Lang::Id),
            "sasaran ditetapkan: 2026-12-01 00:00:00 WIB (Semua mendapat tempat tidur)"
        );
        assert_eq!(entry_json(&told)["about"], "Semua mendapat tempat tidur");
    }

    #[test]
    fn what_a_node_did_by_itself_says_so() {
        let called = IncidentEvent::Escalated(posko_proto::incident::v1::IncidentEscalated {
            level: EscalationLevel::National.into(),
            automatic: true,
            ..Default::default()
        });
        let told = TimelineEntry {
            actor_ref: vec![0; 16],
            ..entry(called)
        };
        let text = table(&context(Lang::Id), &[told]).render(&context(Lang::Id));
        assert!(text.contains("otomatis (simpul)"), "{text}");
        assert!(!text.contains("00000000-"), "{text}");
    }

    #[test]
    fn what_is_said_anew_shows_what_was_said_before() {
        let taken = |step: Step| {
            IncidentEvent::StepTaken(posko_proto::incident::v1::IncidentStepTaken {
                step: step.into(),
            })
        };
        let told = TimelineEntry {
            correction: true,
            before: entry(taken(Step::OnScene)).event,
            before_at: Some(prost_types::Timestamp {
                seconds: 1_800_000_000,
                nanos: 0,
            }),
            ..entry(taken(Step::OnScene))
        };
        let text =
            table(&context(Lang::Id), std::slice::from_ref(&told)).render(&context(Lang::Id));
        assert!(
            text.contains(
                "langkah: tim di lokasi (ralat) [sebelumnya: tim di lokasi, 2027-01-15 15:00:00 WIB]"
            ),
            "{text}"
        );
        assert_eq!(entry_json(&told)["before"]["at"], "2027-01-15T08:00:00Z");
        assert!(entry_json(&entry(taken(Step::OnScene)))["before"].is_null());
    }

    #[test]
    fn a_correction_and_a_withdrawn_text_are_marked_and_what_is_not_here_is_never_blank() {
        let met = TimelineEntry {
            correction: true,
            ..entry(IncidentEvent::NeedMet(IncidentNeedMet {
                quantity: 8,
                ..IncidentNeedMet::default()
            }))
        };
        let text = table(&context(Lang::En), &[met]).render(&context(Lang::En));
        assert!(text.contains("part of a need met: 8 (corrected)"), "{text}");
        let withdrawn = TimelineEntry {
            type_id: posko_domain::event::INCIDENT_NOTED.type_id,
            presence: TimelinePresence::Withdrawn.into(),
            withdrawn_because: "menyebut nama".into(),
            legal_basis: "UU 27/2022".into(),
            ..TimelineEntry::default()
        };
        let text = table(&context(Lang::Id), &[withdrawn]).render(&context(Lang::Id));
        assert!(
            text.contains("catatan [dicabut] menyebut nama (UU 27/2022)"),
            "{text}"
        );
        let newer = TimelineEntry {
            r#type: "IncidentFuture".into(),
            type_id: 0x02ff,
            presence: TimelinePresence::Unreadable.into(),
            ..TimelineEntry::default()
        };
        let text = table(&context(Lang::En), &[newer]).render(&context(Lang::En));
        assert!(
            text.contains("IncidentFuture [not readable here]"),
            "{text}"
        );
    }
}
