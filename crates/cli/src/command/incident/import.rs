//! `posko incident import`: published disaster records, checked as a whole and then recorded as historical incidents.
//!
//! The file is read twice, so that nothing of it need be kept: once to check every row, once to send them.

use std::{
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::PathBuf,
    time::Instant,
};

use clap::Args;
use posko_proto::{
    common::v1::Hazard,
    incident::v1::{
        ImportIncidentsRequest, ImportIncidentsResponse, ImportedRow, Incident, Measure,
        PublishedRecord, TimePrecision,
    },
};
use prost_types::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{freshness, link_tint, listed, owner, place};
use crate::{
    client::{Client, Who},
    failure::Failure,
    json as view,
    label::{self, Label},
    offline::{self, Counts, Fate, Import, Planned, Report},
    output::{self, Answer, Context, Table, Tint, fields, when, written},
};

/// The most rows of one message, and about how many bytes: the node takes 500 rows and 1 MiB.
const ROWS_AT_ONCE: usize = 250;
const BYTES_AT_ONCE: usize = 400 * 1024;
/// About how many bytes a row has beside its text.
const ROW_BYTES: usize = 600;
/// How many rows are shown on a screen unless another limit is given.
const SHOWN_ROWS: u32 = 20;
/// How many seconds lie between two words of progress.
const PROGRESS_SECONDS: u64 = 2;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file: CSV, XLSX or GeoJSON
    file: PathBuf,
    /// The map that says which column means what: a file, or the name of one that comes with the program
    #[arg(long, value_name = "MAP")]
    map: String,
    /// Say what each row would become, or what is wrong and where; it stores nothing and needs no running node
    #[arg(long)]
    dry_run: bool,
    /// Year of a file that names none
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1800..2200))]
    year: Option<i32>,
    /// Under which terms it is published, kept with every record [default: the map's]
    #[arg(long, value_name = "TEXT")]
    license: Option<String>,
    /// In what a CSV file is written: utf-8 or windows-1252 [default: the map's]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// What parts thousands: a point, a comma or a blank [default: the map's]
    #[arg(long, value_name = "MARK")]
    thousands: Option<String>,
    /// Province whose records are kept, with --dry-run [default: the node's of the directory]
    #[arg(long, value_name = "CODE", requires = "dry_run")]
    province: Option<String>,
    /// Send a text as it is, though a part of it looks like a telephone number, a NIK or an address of mail
    #[arg(long)]
    text_as_is: bool,
    /// At most this many rows are shown; 0 shows all [default: 20, with --json all]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

impl ImportArgs {
    /// Runs the command.
    pub(super) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let wanted = offline::Wanted {
            file: self.file.clone(),
            map: self.map.clone(),
            year: self.year,
            license: self.license.clone(),
            encoding: self.encoding.clone(),
            thousands: self.thousands.clone(),
            province: self.province.clone(),
            text_as_is: self.text_as_is,
        };
        let import = offline::open_import(&context.dir, &wanted)?;
        let limit = match (self.limit, context.json) {
            (Some(0), _) | (None, true) => usize::MAX,
            (Some(limit), _) => limit as usize,
            (None, false) => SHOWN_ROWS as usize,
        };
        if self.dry_run && context.json {
            return stream(context, &import, limit, std::io::stdout().lock());
        }
        // What becomes of each row is shown when it is asked for; what is wrong always.
        let checked = check(
            context,
            &import,
            if self.dry_run { limit } else { 0 },
            limit,
        )?;
        let wrong = checked.report.counts.refused > 0;
        if self.dry_run || wrong {
            let mut text = checked.text(context, None);
            if wrong && !self.dry_run {
                text = format!("{text}\n\n{}", context.say(label::NOTHING_RECORDED));
            }
            return Ok(Answer {
                yes: !wrong,
                ..Answer::new(checked.json(None), text)?
            });
        }
        let client = Client::connect(context, Who::Anyone).await?;
        let total = checked.report.counts.records + checked.report.counts.empty;
        let recorded = send(context, &client, import, total).await?;
        Answer::new(
            checked.json(Some(&recorded)),
            checked.text(context, Some(&recorded)),
        )
    }
}

/// What a check found.
struct Checked {
    report: Report,
    rows: Vec<Planned>,
    faulty: Vec<Planned>,
    more: bool,
}

/// Reads the whole file and keeps what is to be shown of it.
fn check(
    context: &Context,
    import: &Import,
    rows: usize,
    faulty: usize,
) -> Result<Checked, Failure> {
    let mut kept = Checked {
        report: Report::default(),
        rows: Vec::new(),
        faulty: Vec::new(),
        more: false,
    };
    let mut progress = Progress::new(context, label::CHECKED);
    let mut read = 0;
    kept.report = import.plan(&mut |planned: Planned| {
        read += planned.rows;
        progress.tell(read, None);
        let (list, most) = if planned.faults.is_empty() {
            (&mut kept.rows, rows)
        } else {
            (&mut kept.faulty, faulty)
        };
        if list.len() < most {
            list.push(planned);
        } else if most > 0 {
            kept.more = true;
        }
        ControlFlow::Continue(())
    })?;
    Ok(kept)
}

/// Reads the whole file and writes one JSON document of it, each row as soon as it is known what becomes of it, so that
/// none is kept; what there is to say of the whole file stands behind the rows.
fn stream(
    context: &Context,
    import: &Import,
    limit: usize,
    out: impl Write,
) -> Result<Answer, Failure> {
    let mut rows = Rows {
        out: BufWriter::new(out),
        written: 0,
    };
    let mut progress = Progress::new(context, label::CHECKED);
    let (mut read, mut more) = (0, false);
    let mut told = Ok(());
    let planned = import.plan(&mut |planned: Planned| {
        read += planned.rows;
        progress.tell(read, None);
        if rows.written == limit {
            more = true;
            return ControlFlow::Continue(());
        }
        told = rows.add(&view::import::row(&planned));
        if told.is_ok() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    let report = match planned {
        Ok(report) => report,
        // What was written so far stays a document; the failure says the rest.
        Err(failure) if rows.written > 0 => {
            written(rows.end(&json!({ "more": true })))?;
            return Err(failure);
        }
        Err(failure) => return Err(failure),
    };
    let yes = report.counts.refused == 0;
    let checked = Checked {
        report,
        rows: Vec::new(),
        faulty: Vec::new(),
        more,
    };
    written(told.and_then(|()| rows.end(&checked.json(None))))?;
    Ok(Answer {
        yes,
        ..Answer::printed()
    })
}

/// A document whose rows are written one by one.
struct Rows<W: Write> {
    out: BufWriter<W>,
    written: usize,
}

impl<W: Write> Rows<W> {
    fn add(&mut self, row: &Value) -> io::Result<()> {
        let before = if self.written == 0 {
            "{\n  \"rows\": [\n"
        } else {
            ",\n"
        };
        self.written += 1;
        write!(self.out, "{before}    {row}")
    }

    /// Writes what stands beside the rows, and the end.
    fn end(mut self, rest: &Value) -> io::Result<()> {
        self.out.write_all(if self.written == 0 {
            b"{\n  \"rows\": ["
        } else {
            b"\n  "
        })?;
        self.out.write_all(b"]")?;
        let beside = rest.as_object().into_iter().flatten();
        for (key, value) in beside.filter(|(key, _)| *key != "rows") {
            write!(self.out, ",\n  {}: {value}", Value::from(key.as_str()))?;
        }
        writeln!(self.out, "\n}}")?;
        self.out.flush()
    }
}

impl Checked {
    fn json(&self, recorded: Option<&ImportIncidentsResponse>) -> Value {
        let mut rows: Vec<&Planned> = self.rows.iter().chain(&self.faulty).collect();
        rows.sort_by_key(|planned| planned.place.row);
        let rows: Vec<Value> = rows.into_iter().map(view::import::row).collect();
        json!({
            "format": self.report.format,
            "counts": self.report.counts,
            "personal_columns": self.report.personal_columns,
            "unused_columns": self.report.unused_columns,
            "notes": self.report.notes,
            "rows": rows,
            "more": self.more,
            "recorded": recorded.map(view::import::recorded),
        })
    }

    fn text(&self, context: &Context, recorded: Option<&ImportIncidentsResponse>) -> String {
        let report = &self.report;
        let count = |number: u64| {
            if number == 0 {
                String::new()
            } else {
                number.to_string()
            }
        };
        let Counts {
            rows,
            records,
            parts,
            empty,
            elsewhere,
            tests,
            exercises,
            left_out,
            repeated,
            refused,
            texts_left_out,
        } = report.counts;
        let unused = report.unused_columns.iter();
        let unused = unused.map(|column| format!("{} ({})", column.column, column.cells));
        let head = fields(
            context,
            [
                (label::ROWS, rows.to_string()),
                (label::RECORDS, records.to_string()),
                (label::PARTS, count(parts)),
                (label::NO_EVENT, count(empty)),
                (label::ELSEWHERE, count(elsewhere)),
                (label::TESTS_APART, count(tests)),
                (label::EXERCISES_APART, count(exercises)),
                (label::LEFT_OUT_BY_MAP, count(left_out)),
                (label::REPEATED, count(repeated)),
                (label::REFUSED, count(refused)),
                (label::TEXTS_LEFT_OUT, count(texts_left_out)),
                (
                    label::COLUMNS_NEVER_READ,
                    report.personal_columns.join(", "),
                ),
                (
                    label::COLUMNS_NOT_TAKEN,
                    unused.collect::<Vec<_>>().join(", "),
                ),
            ],
        );
        let mut text = head;
        for note in &report.notes {
            text = format!("{text}\n{}", output::clean(&context.told(note)));
        }
        let tables = [self.faults(context), self.becoming(context)];
        for table in tables.into_iter().filter(|table| !table.is_empty()) {
            text = format!("{text}\n\n{}", table.render(context));
        }
        if self.more {
            text = format!("{text}\n{}", context.say(label::MORE));
        }
        if let Some(recorded) = recorded {
            let done = fields(
                context,
                [
                    (label::RECORDED, recorded.recorded.to_string()),
                    (label::REPLACED, count(recorded.corrected)),
                    (label::KNOWN_ALREADY, count(recorded.unchanged)),
                    (label::TEXTS_WITHDRAWN, count(recorded.texts_withdrawn)),
                ],
            );
            text = format!("{text}\n\n{done}");
        }
        text
    }

    fn faults(&self, context: &Context) -> Table {
        let mut table = Table::new(context, &[label::ROW, label::COLUMN, label::WHY]);
        for planned in &self.faulty {
            for fault in &planned.faults {
                table.tinted([
                    (row_of(planned), Tint::Plain),
                    (fault.column.clone(), Tint::Plain),
                    (context.told(&fault.message), Tint::Bad),
                ]);
            }
        }
        table
    }

    fn becoming(&self, context: &Context) -> Table {
        let head = [
            label::ROW,
            label::BECOMES,
            label::HAPPENED,
            label::HAZARD,
            label::PLACE,
            label::EVENTS,
            label::FIGURES,
            label::NOTES,
        ];
        let mut table = Table::new(context, &head);
        // A part is told with its record.
        let told = self
            .rows
            .iter()
            .filter(|planned| planned.fate != Fate::Part);
        for planned in told {
            let imported = planned.row.as_ref().and_then(|row| row.imported.as_ref());
            let record = imported.and_then(|imported| imported.record.as_ref());
            let code = imported.and_then(|imported| imported.place.as_ref());
            let figures = imported
                .map(|imported| imported.figures.as_slice())
                .unwrap_or_default();
            let figures = figures.iter().map(|figure| {
                let name = label::of::<Measure>(figure.measure, context.lang);
                format!("{name} {}", figure.count)
            });
            let text = planned.row.as_ref().filter(|row| !row.note.is_empty());
            let text = text.map(|row| row.note.clone());
            let notes = planned
                .notes
                .iter()
                .map(|note| context.told(note))
                .chain(text);
            table.row([
                row_of(planned),
                context.say(fate(planned.fate)).to_owned(),
                record
                    .map(|record| happened(context, record))
                    .unwrap_or_default(),
                imported
                    .map(|imported| label::of::<Hazard>(imported.hazard, context.lang))
                    .unwrap_or_default(),
                code.map(|place| place.region_code.clone())
                    .unwrap_or_default(),
                record
                    .map(|record| events(context, record))
                    .unwrap_or_default(),
                figures.collect::<Vec<_>>().join(", "),
                notes.collect::<Vec<_>>().join("; "),
            ]);
        }
        table
    }
}

fn row_of(planned: &Planned) -> String {
    let place = planned.place;
    match place.line.filter(|line| *line != place.row) {
        Some(line) => format!("{} ({line})", place.row),
        None => place.row.to_string(),
    }
}

fn fate(fate: Fate) -> Label {
    match fate {
        Fate::Record => label::HISTORICAL,
        Fate::Part => label::PART,
        Fate::Empty => label::NO_EVENT,
        Fate::Elsewhere => label::ELSEWHERE,
        Fate::Test => label::TESTS_APART,
        Fate::Exercise => label::EXERCISES_APART,
        Fate::LeftOut => label::LEFT_OUT_BY_MAP,
        Fate::Repeated => label::REPEATED,
        Fate::Refused => label::REFUSED,
    }
}

/// Sends every record, and waits until each is durable.
async fn send(
    context: &Context,
    client: &Client,
    import: Import,
    total: u64,
) -> Result<ImportIncidentsResponse, Failure> {
    let (requests, waiting) = mpsc::channel(2);
    let reading = tokio::task::spawn_blocking(move || read_again(&import, &requests));
    let answered = client
        .incidents()
        .import_incidents(ReceiverStream::new(waiting))
        .await;
    let mut counts = answered?.into_inner();
    let mut progress = Progress::new(context, label::RECORDED);
    let mut newest = ImportIncidentsResponse::default();
    loop {
        match counts.message().await {
            Ok(Some(counted)) => {
                newest = counted;
                let done = newest.recorded + newest.corrected + newest.unchanged + newest.empty;
                progress.tell(done, Some(total));
            }
            Ok(None) => break,
            Err(status) if std::error::Error::source(&status).is_some() => {
                let lost = Failure::unreachable("the connection to the node broke off");
                return Err(broken_off(&lost));
            }
            Err(status) => return Err(broken_off(&status.into())),
        }
    }
    reading
        .await
        .map_err(Failure::internal)?
        .map_err(|failure| broken_off(&failure))?;
    Ok(newest)
}

fn broken_off(failure: &Failure) -> Failure {
    let message = format!(
        "{}; what was recorded stays, and the same import goes on when it is run again",
        failure.message
    );
    Failure {
        message,
        ..failure.clone()
    }
}

/// Reads the file once more and sends its records; one that has changed meanwhile ends it.
fn read_again(
    import: &Import,
    requests: &mpsc::Sender<ImportIncidentsRequest>,
) -> Result<(), Failure> {
    let text_as_is = import.text_as_is();
    let mut rows: Vec<ImportedRow> = Vec::new();
    let (mut bytes, mut changed, mut gone) = (0, false, false);
    import.plan(&mut |planned: Planned| {
        changed |= !planned.faults.is_empty();
        let Some(row) = planned.row.filter(|_| !changed) else {
            return if changed {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
        };
        bytes += row.note.len() + ROW_BYTES;
        rows.push(row);
        if rows.len() >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE {
            bytes = 0;
            let rows = std::mem::take(&mut rows);
            gone = requests
                .blocking_send(ImportIncidentsRequest { rows, text_as_is })
                .is_err();
        }
        if gone {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    if changed {
        return Err(Failure::refused(
            "conflict",
            "the file changed while it was read",
        ));
    }
    if !rows.is_empty() && !gone {
        // Who does not wait for it any more has an error to tell.
        let _ = requests.blocking_send(ImportIncidentsRequest { rows, text_as_is });
    }
    Ok(())
}

/// Words of progress on stderr, now and then.
struct Progress<'a> {
    context: &'a Context,
    what: Label,
    told: Instant,
}

impl<'a> Progress<'a> {
    fn new(context: &'a Context, what: Label) -> Self {
        Self {
            context,
            what,
            told: Instant::now(),
        }
    }

    fn tell(&mut self, done: u64, of: Option<u64>) {
        if self.told.elapsed().as_secs() < PROGRESS_SECONDS {
            return;
        }
        self.told = Instant::now();
        let of = of.map(|of| format!(" / {of}")).unwrap_or_default();
        output::note(&format!("{}: {done}{of}", self.context.say(self.what)));
    }
}

/// Returns when it happened, as exactly as the record says.
pub(super) fn happened(context: &Context, record: &PublishedRecord) -> String {
    let day = |at: Option<&Timestamp>| when(at).split(' ').next().unwrap_or_default().to_owned();
    let from = day(record.from.as_ref());
    let cut = |length: usize| from.get(..length).unwrap_or(&from).to_owned();
    match record.precision() {
        TimePrecision::Year => cut(4),
        TimePrecision::Month => cut(7),
        TimePrecision::Quarter => {
            let month: u32 = from
                .get(5..7)
                .and_then(|month| month.parse().ok())
                .unwrap_or(1);
            let number = (month.max(1) - 1) / 3 + 1;
            format!("{} {} {number}", cut(4), context.say(label::QUARTER))
        }
        TimePrecision::Moment => when(record.from.as_ref()),
        TimePrecision::Span => {
            let last = record.until.map(|until| Timestamp {
                seconds: until.seconds - 1,
                ..until
            });
            format!("{from} – {}", day(last.as_ref()))
        }
        TimePrecision::Day | TimePrecision::Unspecified => from,
    }
}

/// Returns how many events a record stands for.
pub(super) fn events(context: &Context, record: &PublishedRecord) -> String {
    let sum = || context.say(label::SUM_OF_SEVERAL).to_owned();
    record.events.map_or_else(sum, |events| events.to_string())
}

/// Returns the list of historical incidents.
pub(super) fn render_list(
    context: &Context,
    incidents: &[Incident],
    more: bool,
    origins: &[posko_proto::common::v1::Provenance],
) -> String {
    let head = [
        label::HAPPENED,
        label::HAZARD,
        label::PLACE,
        label::EVENTS,
        label::PUBLISHER,
        label::RECORD,
        label::ORIGIN,
        label::INCIDENT,
    ];
    let mut table = Table::new(context, &head);
    for incident in incidents {
        let provenance = incident.provenance.clone().unwrap_or_default();
        let record = incident.record.clone().unwrap_or_default();
        table.tinted([
            (happened(context, &record), Tint::Plain),
            (
                label::of::<Hazard>(incident.hazard, context.lang),
                Tint::Plain,
            ),
            (place(incident), Tint::Plain),
            (events(context, &record), Tint::Plain),
            (record.publisher.clone(), Tint::Plain),
            (
                format!("{} / {}", record.dataset, record.record_id),
                Tint::Plain,
            ),
            (owner(context, &provenance), link_tint(provenance.link)),
            (
                view::id(&incident.incident_id).unwrap_or_default(),
                Tint::Plain,
            ),
        ]);
    }
    format!(
        "{}{}",
        listed(context, &table, more),
        freshness(context, origins)
    )
}

/// Returns what a historical incident says beside any other.
pub(super) fn render_record(context: &Context, record: Option<&PublishedRecord>) -> String {
    let Some(record) = record else {
        return String::new();
    };
    let code = match record.region_given.as_str() {
        "" => String::new(),
        given => format!(
            "{given} {}",
            label::of::<posko_proto::incident::v1::CodeSystem>(record.code_system, context.lang)
        ),
    };
    let text = fields(
        context,
        [
            (label::HAPPENED, happened(context, record)),
            (label::EVENTS, events(context, record)),
            (label::PUBLISHER, record.publisher.clone()),
            (
                label::RECORD,
                format!("{} / {}", record.dataset, record.record_id),
            ),
            (label::LICENSE, context.told(&record.license)),
            (label::WEB, record.web.clone()),
            (label::CODE_GIVEN, code),
        ],
    );
    format!("\n\n{}\n{text}", context.say(label::FROM_RECORD))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{failure::Exit, label::Lang};

    const HEAD: &str = "id,kode_kabupaten_kota,nama_kabupaten_kota,jumlah_banjir,tahun\n";

    /// Runs a dry run over rows, in a language, without a node.
    async fn dry(rows: &str, lang: Lang) -> Result<Answer, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("banjir.csv");
        fs::write(&file, format!("{HEAD}{rows}")).unwrap();
        let args = ImportArgs {
            file,
            map: "jabar-banjir".into(),
            dry_run: true,
            year: None,
            license: Some("CC BY 4.0".into()),
            encoding: None,
            thousands: None,
            province: Some("32".into()),
            text_as_is: false,
            limit: None,
        };
        args.run(&output::tests::context(lang)).await
    }

    #[tokio::test]
    async fn a_dry_run_says_what_each_row_becomes_without_a_node() {
        let answer = dry(
            "1,3201,KABUPATEN BOGOR,75,2021\n2,3171,JAKARTA,1,2021\n",
            Lang::En,
        )
        .await
        .unwrap();
        assert!(answer.yes, "{}", answer.text);
        for words in [
            "become historical incidents",
            "2021",
            "flood",
            "32.01",
            "75",
            "other province",
        ] {
            assert!(answer.text.contains(words), "{words}: {}", answer.text);
        }
        let row = &answer.json["rows"][0];
        assert_eq!((&row["row"], &row["fate"]), (&json!(2), &json!("record")));
        assert_eq!(row["incident"]["record"]["events"], 75);
        assert_eq!(row["incident"]["record"]["precision"], "year");
        assert_eq!(row["incident"]["record"]["license"], "CC BY 4.0");
        assert_eq!(answer.json["rows"][1]["fate"], "elsewhere");
        assert_eq!(answer.json["recorded"], Value::Null);
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_by_row_and_column_in_both_languages_and_is_a_no() {
        let rows = "1,3299,KABUPATEN BOGOR,75,2021\n2,3201,KABUPATEN BOGOR,1.234,2021\n";
        let english = dry(rows, Lang::En).await.unwrap();
        assert!(!english.yes);
        let faults = &english.json["rows"][1]["faults"][0];
        assert_eq!(
            (&faults["column"], &english.json["rows"][1]["row"]),
            (&json!("jumlah_banjir"), &json!(3))
        );
        assert!(
            english.text.contains("kode_kabupaten_kota") && english.text.contains("thousands"),
            "{}",
            english.text
        );
        let indonesian = dry(rows, Lang::Id).await.unwrap();
        assert!(
            indonesian.text.contains("bisa berarti `1234` atau pecahan"),
            "{}",
            indonesian.text
        );
        assert_eq!(indonesian.json, english.json, "JSON knows no language");
    }

    /// A reader that has left, and how often it was written to.
    struct Closed(usize);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_dry_run_in_json_is_one_document_whose_rows_are_written_as_they_are_known() {
        let context = output::tests::context(Lang::En);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("banjir.csv");
        let import = |rows: &str| {
            fs::write(&file, format!("{HEAD}{rows}")).unwrap();
            let wanted = offline::Wanted {
                file: file.clone(),
                map: "jabar-banjir".into(),
                year: None,
                license: None,
                encoding: None,
                thousands: None,
                province: Some("32".into()),
                text_as_is: false,
            };
            offline::open_import(dir.path(), &wanted).unwrap()
        };
        for (rows, yes) in [
            ("", true),
            (
                "1,3201,KABUPATEN BOGOR,75,2021\n2,3171,JAKARTA,1,2021\n",
                true,
            ),
            (
                "1,3201,KABUPATEN BOGOR,75,2021\n2,3299,NEGERI,1,2021\n",
                false,
            ),
        ] {
            let import = import(rows);
            for limit in [usize::MAX, 1] {
                let mut out = Vec::new();
                let answer = stream(&context, &import, limit, &mut out).unwrap();
                assert_eq!(answer.yes, yes);
                let document: Value = serde_json::from_slice(&out).unwrap();
                let whole = check(&context, &import, usize::MAX, usize::MAX).unwrap();
                let mut expected = whole.json(None);
                let rows = expected["rows"].as_array_mut().unwrap();
                let more = rows.len() > limit;
                rows.truncate(limit);
                expected["more"] = more.into();
                assert_eq!(document, expected);
            }
        }
        let many = (1..2_000).map(|id| format!("{id},3201,KABUPATEN BOGOR,75,2021\n"));
        let import = import(&many.collect::<String>());
        let mut closed = Closed(0);
        assert!(stream(&context, &import, usize::MAX, &mut closed).is_ok());
        assert!(closed.0 > 0, "a reader that has left is no failure");
    }

    #[tokio::test]
    async fn a_map_or_a_file_that_is_not_there_is_told_with_what_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let args = |map: &str| ImportArgs {
            file: dir.path().join("none.csv"),
            map: map.into(),
            dry_run: true,
            year: None,
            license: None,
            encoding: None,
            thousands: None,
            province: Some("32".into()),
            text_as_is: false,
            limit: None,
        };
        let context = output::tests::context(Lang::En);
        let no_map = args("jabar-bajir").run(&context).await.unwrap_err();
        assert!(
            no_map.exit == Exit::Usage && no_map.message.contains("jabar-banjir"),
            "{no_map}"
        );
        assert!(args("jabar-banjir").run(&context).await.is_err());
        let elsewhere = ImportArgs {
            province: Some("99".into()),
            text_as_is: false,
            ..args("jabar-banjir")
        };
        assert!(
            elsewhere
                .run(&context)
                .await
                .unwrap_err()
                .message
                .contains("no province")
        );
    }

    #[test]
    fn a_time_is_shown_as_exactly_as_it_is_known() {
        let context = output::tests::context(Lang::En);
        let shown = |precision: TimePrecision, from: i64, until: i64| {
            let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
            let (from, until, precision) = (at(from), at(until), precision.into());
            happened(
                &context,
                &PublishedRecord {
                    from,
                    until,
                    precision,
                    ..PublishedRecord::default()
                },
            )
        };
        // 1 April 2021 and 4 April 2021, midnight WIB.
        let (from, until) = (1_617_210_000, 1_617_469_200);
        assert_eq!(shown(TimePrecision::Year, from, until), "2021");
        assert_eq!(shown(TimePrecision::Quarter, from, until), "2021 quarter 2");
        assert_eq!(shown(TimePrecision::Month, from, until), "2021-04");
        assert_eq!(shown(TimePrecision::Day, from, until), "2021-04-01");
        assert_eq!(
            shown(TimePrecision::Span, from, until),
            "2021-04-01 – 2021-04-03"
        );
        assert_eq!(
            shown(TimePrecision::Moment, from, until),
            "2021-04-01 00:00:00 WIB"
        );
    }
}
