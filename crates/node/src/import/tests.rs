use std::{fs, io::Cursor, ops::ControlFlow, path::PathBuf};

use posko_domain::incident::IncidentCommand;
use posko_proto::{
    common::v1::Hazard,
    incident::v1::{CodeSystem, ImportedRow, IncidentImported, Measure, TimePrecision},
    time::Millis,
};

use super::{
    Fate::{Elsewhere, Exercise, LeftOut, Record, Refused, Test},
    *,
};

/// 29 November 2026, UTC.
const NOW: Millis = Millis(1_795_910_400_000);

fn settings(province: &str) -> Settings {
    Settings {
        province: province.parse().unwrap(),
        now: NOW,
        text_as_is: false,
    }
}

fn plan_of(
    map: &Map,
    bytes: &[u8],
    settings: Settings,
) -> Result<(Report, Vec<Planned>), ImportError> {
    let mut rows = Vec::new();
    let report = Planner::new(map, settings).run(Cursor::new(bytes), &mut |planned| {
        rows.push(planned);
        ControlFlow::Continue(())
    })?;
    Ok((report, rows))
}

fn plan(map: &str, text: &str, province: &str) -> (Report, Vec<Planned>) {
    plan_of(
        &Map::parse(map).unwrap(),
        text.as_bytes(),
        settings(province),
    )
    .unwrap()
}

fn imported(planned: &Planned) -> &IncidentImported {
    planned.row.as_ref().unwrap().imported.as_ref().unwrap()
}

fn region(planned: &Planned) -> &str {
    &imported(planned).place.as_ref().unwrap().region_code
}

fn fault(planned: &Planned) -> String {
    let faults: Vec<String> = planned
        .faults
        .iter()
        .map(|fault| format!("{}: {}", fault.column, fault.message))
        .collect();
    faults.join("; ")
}

const MAP: &str = r#"
publisher = "Contoh"
dataset = "Kejadian"
[row]
id = "id"
[hazard]
column = "jenis"
[time]
date = "tanggal"
order = "dmy"
[region]
system = "bps"
code = "kode"
[number]
thousands = "."
[figures.columns]
displaced = "mengungsi"
[text]
columns = ["ket"]
[status]
words_in = ["ket"]
"#;

/// Returns the map with lines of it written in another way.
fn map(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(MAP.to_owned(), |map, (from, to)| {
        assert!(map.contains(from), "{from}");
        map.replacen(from, to, 1)
    })
}

const HEAD: &str = "id,jenis,tanggal,kode,mengungsi,ket,nama_pelapor,no_hp,lain\n";

fn row(fields: &str) -> String {
    format!("{HEAD}{fields}\n")
}

#[test]
fn a_row_becomes_a_record_with_all_that_its_columns_say() {
    let (report, rows) = plan(
        MAP,
        &row("7,Banjir,05/01/2021,3171,1.234,Air surut,Seseorang,0812,x"),
        "31",
    );
    let said = imported(&rows[0]);
    let record = said.record.as_ref().unwrap();
    assert_eq!(said.hazard(), Hazard::Flood);
    assert_eq!(region(&rows[0]), "31.74", "BPS's 3171 is Jakarta Selatan");
    assert_eq!(
        (record.region_given.as_str(), record.code_system()),
        ("3171", CodeSystem::Bps)
    );
    assert_eq!(
        (record.events, record.precision()),
        (Some(1), TimePrecision::Day)
    );
    assert_eq!(
        record.from.unwrap().to_string(),
        "2021-01-04T17:00:00Z",
        "midnight in Jakarta"
    );
    assert_eq!(record.record_id, "7");
    assert_eq!(
        (said.figures[0].measure(), said.figures[0].count),
        (Measure::Displaced, 1234)
    );
    assert_eq!(rows[0].row.as_ref().unwrap().note, "Air surut");
    assert_eq!(report.personal_columns, ["nama_pelapor", "no_hp"]);
    assert_eq!(
        report.unused_columns[0],
        super::plan::Unused {
            column: "lain".into(),
            cells: 1
        }
    );
    assert!(
        !format!("{rows:?}").contains("Seseorang"),
        "a person is never read"
    );
}

#[test]
fn the_codes_of_bps_and_kemendagri_are_told_apart_and_who_does_not_say_is_asked() {
    let text = row("7,Banjir,05/01/2021,3171,1,,,,");
    let of = |change: (&str, &str)| plan(&map(&[change]), &text, "31").1.remove(0);
    assert_eq!(region(&of(("\"bps\"", "\"bps\""))), "31.74");
    assert_eq!(region(&of(("\"bps\"", "\"kemendagri\""))), "31.71");
    let asked = of(("system = \"bps\"\n", ""));
    assert_eq!(asked.fate, Fate::Refused);
    assert!(
        fault(&asked).starts_with("kode: ") && fault(&asked).contains("write `system = \"bps\"`"),
        "{}",
        fault(&asked)
    );
}

#[test]
fn a_name_that_contradicts_the_code_shows_a_wrong_system() {
    let map = map(&[
        ("\"bps\"", "\"kemendagri\""),
        ("code = \"kode\"", "code = \"kode\"\nregency = \"lain\""),
    ]);
    let (_, rows) = plan(
        &map,
        &row("7,Banjir,05/01/2021,3171,1,,,,KOTA JAKARTA SELATAN"),
        "31",
    );
    assert!(
        fault(&rows[0]).contains("is the system right?"),
        "{}",
        fault(&rows[0])
    );
    let (_, rows) = plan(
        &map,
        &row("7,Banjir,05/01/2021,3171,1,,,,KOTA JAKARTA PUSAT"),
        "31",
    );
    assert_eq!(rows[0].fate, Fate::Record);
}

#[test]
fn everything_that_is_wrong_with_a_row_is_told_by_column() {
    let (report, rows) = plan(MAP, &row("7,Hujan meteor,31/02/2021,3171,banyak,,,,"), "31");
    let columns: Vec<&str> = rows[0]
        .faults
        .iter()
        .map(|fault| fault.column.as_str())
        .collect();
    assert_eq!(
        columns,
        ["jenis", "tanggal", "mengungsi"],
        "{}",
        fault(&rows[0])
    );
    assert_eq!(report.counts.refused, 1);
    let (_, rows) = plan(MAP, &row("7,Longsor,kemarin,3299,x,,,,"), "32");
    let columns: Vec<&str> = rows[0]
        .faults
        .iter()
        .map(|fault| fault.column.as_str())
        .collect();
    assert_eq!(
        columns,
        ["kode", "jenis", "tanggal", "mengungsi"],
        "a place that is none hides nothing"
    );
    assert!(
        fault(&rows[0]).contains("nearest is `Tanah longsor`"),
        "{}",
        fault(&rows[0])
    );
    for (fields, says) in [
        ("7,Banjir,05/01/2030,3171,1,,,,", "lies in the future"),
        ("7,Banjir,05/01/21,3171,1,,,,", "two digits"),
        ("7,Banjir,,3171,1,,,,", "empty"),
        ("7,Banjir,05/01/2021,3199,1,,,,", "nearest"),
        ("7,Banjir,05/01/2021,,1,,,,", "no region"),
        ("7,Banjir,05/01/2021,3171,-4,,,,", "below 0"),
    ] {
        let (_, rows) = plan(MAP, &row(fields), "31");
        assert!(
            fault(&rows[0]).contains(says),
            "{fields}: {}",
            fault(&rows[0])
        );
    }
    let ambiguous = map(&[("order = \"dmy\"\n", ""), ("thousands = \".\"\n", "")]);
    let (_, rows) = plan(&ambiguous, &row("7,Banjir,05/01/2021,3171,1.234,,,,"), "31");
    assert!(
        fault(&rows[0]).contains("order = \"dmy\"")
            && fault(&rows[0]).contains("thousands = \".\"")
    );
}

#[test]
fn rows_of_other_provinces_are_counted_and_passed_over() {
    let text = format!(
        "{HEAD}1,Banjir,05/01/2021,3201,1,,,,\n2,Apa pun,kapan pun,3301,x,,,,\n3,Banjir,06/01/2021,3171,1,,,,\n"
    );
    let (report, rows) = plan(MAP, &text, "31");
    assert_eq!(
        rows.iter().map(|row| row.fate).collect::<Vec<_>>(),
        [Fate::Elsewhere, Fate::Elsewhere, Fate::Record]
    );
    assert_eq!((report.counts.elsewhere, report.counts.records), (2, 1));
}

#[test]
fn tests_and_exercises_are_held_apart_and_said() {
    let with_status = map(&[(
        "[status]\n",
        "[status]\ncolumn = \"lain\"\nreal = [\"valid\"]\ntest = [\"uji\"]\nexercise = [\"gladi\"]\n",
    )]);
    let text = format!(
        "{HEAD}1,Banjir,05/01/2021,3171,1,,,,valid\n2,Banjir,05/01/2021,3171,1,,,,UJI\n3,Banjir,05/01/2021,3171,1,,,,Gladi\n\
         4,Banjir,05/01/2021,3171,1,Simulasi banjir bandang,,,valid\n5,Banjir,05/01/2021,3171,1,Ini uji coba sistem,,,valid\n\
         6,Banjir,05/01/2021,3171,1,,,,entah\n7,Banjir,05/01/2021,3171,1,Warga mengetes pompa,,,valid\n"
    );
    let (report, rows) = plan(&with_status, &text, "31");
    let fates: Vec<Fate> = rows.iter().map(|row| row.fate).collect();
    assert_eq!(
        fates,
        [Record, Test, Exercise, Exercise, Test, Refused, Record]
    );
    assert!(fault(&rows[5]).contains("[status]"));
    assert_eq!((report.counts.tests, report.counts.exercises), (2, 2));
    assert!(
        rows.iter()
            .all(|row| row.row.is_some() == (row.fate == Record)),
        "a test is never sent"
    );
}

#[test]
fn a_text_with_personal_data_is_left_out_and_told_and_kept_as_it_is_when_asked() {
    let text = row("7,Banjir,05/01/2021,3171,1,Hubungi 0812-0000-0001,,,");
    let (report, rows) = plan(MAP, &text, "31");
    assert_eq!(rows[0].row.as_ref().unwrap().note, "");
    assert!(
        rows[0].notes[0].contains("a telephone number at character 9")
            && !rows[0].notes[0].contains("0812")
    );
    assert_eq!(report.counts.texts_left_out, 1);
    let as_is = Settings {
        text_as_is: true,
        ..settings("31")
    };
    let (_, rows) = plan_of(&Map::parse(MAP).unwrap(), text.as_bytes(), as_is).unwrap();
    assert_eq!(rows[0].row.as_ref().unwrap().note, "Hubungi 0812-0000-0001");
}

#[test]
fn a_record_that_stands_twice_is_one_when_it_says_the_same_and_refused_when_not() {
    let text = format!(
        "{HEAD}1,Banjir,05/01/2021,3171,1,,,,\n1,Banjir,05/01/2021,3171,1,,,,\n1,Banjir,05/01/2021,3171,2,,,,\n"
    );
    let (_, rows) = plan(MAP, &text, "31");
    assert_eq!(rows[1].fate, Fate::Repeated);
    assert!(fault(&rows[2]).contains("row `2`"), "{}", fault(&rows[2]));
    // Without a column that names it, what a row says does.
    let unnamed = map(&[("[row]\nid = \"id\"\n", "")]);
    let (report, rows) = plan(&unnamed, &text, "31");
    assert_eq!((report.counts.records, report.counts.repeated), (2, 1));
    let id = |planned: &Planned| imported(planned).record.as_ref().unwrap().record_id.clone();
    assert!(id(&rows[0]).starts_with("sha256:") && id(&rows[0]) != id(&rows[2]));
}

#[test]
fn a_count_of_events_is_kept_as_one_and_none_is_nothing() {
    let map = map(&[("id = \"id\"", "id = \"id\"\nevents = \"lain\"")]);
    let text = format!(
        "{HEAD}1,Banjir,2021,3171,1,,,,75\n2,Banjir,2021,3172,1,,,,0\n3,Banjir,2021,3173,1,,,,\n"
    );
    let (report, rows) = plan(&map, &text, "31");
    let record = |at: usize| imported(&rows[at]).record.clone().unwrap();
    assert_eq!(
        (record(0).events, record(0).precision()),
        (Some(75), TimePrecision::Year)
    );
    assert_eq!(rows[1].fate, Fate::Empty);
    assert_eq!(record(2).events, None, "how many is not known, and not 0");
    assert_eq!((report.counts.records, report.counts.empty), (2, 1));
}

#[test]
fn a_map_is_refused_by_line_and_nearest_key_and_never_takes_a_person() {
    let refused = |text: &str| Map::parse(text).unwrap_err().to_string();
    let unknown = refused(&map(&[("publisher", "publiser")]));
    assert!(
        unknown.contains("line `2`") && unknown.contains("nearest known key is `publisher`"),
        "{unknown}"
    );
    let inner = refused(&map(&[("order = ", "ordr = ")]));
    assert!(
        inner.contains("`time.ordr`") && inner.contains("`time.order`"),
        "{inner}"
    );
    for (change, says) in [
        (("\"bps\"", "\"bsp\""), "bps or kemendagri"),
        (("\"dmy\"", "\"ymd\""), "dmy or mdy"),
        (("displaced =", "dispaced ="), "nearest is `displaced`"),
        (("column = \"jenis\"", "is = \"banjr\""), "flood"),
        (
            ("id = \"id\"", "id = \"id\"\nsums = true\nevents = \"x\""),
            "row.events",
        ),
        (
            ("columns = [\"ket\"]", "columns = [\"nama_pelapor\"]"),
            "never read",
        ),
        (("date = \"tanggal\"\n", ""), "date"),
        (("thousands = \".\"", "thousands = \"x\""), "thousands"),
    ] {
        let error = refused(&map(&[change]));
        assert!(error.contains(says), "{change:?}: {error}");
    }
    assert!(refused("publisher = ").contains("line `1`"));
    let missing = plan_of(
        &Map::parse(MAP).unwrap(),
        b"id,jenis,tangal,kode,mengungsi,ket\n",
        settings("31"),
    );
    assert!(
        missing
            .unwrap_err()
            .to_string()
            .contains("`tanggal`, which the map takes; the nearest is `tangal`")
    );
}

#[test]
fn every_map_that_comes_with_the_program_is_read() {
    for (name, text) in SHIPPED {
        if let Err(error) = Map::parse(text) {
            panic!("{name}: {error}");
        }
    }
    let readme = include_str!("../../../../config/import/README.md");
    for (name, _) in SHIPPED {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn rows_of_one_record_become_one_and_what_adds_up_is_said() {
    let map = shipped("jabar-kerusakan-rumah").unwrap();
    let head = "id,kode_provinsi,nama_provinsi,kode_kabupaten_kota,nama_kabupaten_kota,kondisi_kerusakan,jumlah_kerusakan,satuan,tahun\n";
    let line = |id: u32, code: &str, name: &str, kind: &str, count: u32| {
        format!("{id},32,JAWA BARAT,{code},{name},{kind},{count},UNIT,2021\n")
    };
    let bogor = |id, kind, count| line(id, "3201", "KABUPATEN BOGOR", kind, count);
    let text = [
        head.to_owned(),
        bogor(1, "HANCUR", 3),
        bogor(2, "RUSAK BERAT", 92),
        bogor(3, "TERANCAM", 7),
        line(4, "3279", "KOTA BANJAR", "RUSAK RINGAN", 5),
    ];
    let (report, rows) = plan(map, &text.concat(), "32");
    assert_eq!(
        (
            report.counts.records,
            report.counts.parts,
            report.counts.refused
        ),
        (2, 2, 0)
    );
    let records: Vec<&Planned> = rows.iter().filter(|row| row.fate == Fate::Record).collect();
    assert_eq!((records[0].rows, region(records[0])), (3, "32.01"));
    let said = imported(records[0]);
    assert_eq!(
        (said.figures[0].measure(), said.figures[0].count),
        (Measure::HousesSevere, 95)
    );
    assert_eq!(
        (said.hazard(), said.record.as_ref().unwrap().events),
        (Hazard::Unspecified, None)
    );
    assert!(
        records[0]
            .notes
            .iter()
            .any(|note| note.contains("TERANCAM"))
    );
    assert!(
        records[0]
            .notes
            .iter()
            .any(|note| note.contains("sum of several rows"))
    );
    let apart = [
        head.to_owned(),
        bogor(1, "HANCUR", 3),
        line(4, "3279", "KOTA BANJAR", "HANCUR", 5),
        bogor(2, "RUSAK BERAT", 1),
    ];
    let (_, rows) = plan(map, &apart.concat(), "32");
    assert!(
        rows.iter()
            .any(|row| fault(row).contains("must stand together"))
    );
}

/// Rows in the shape of DIBI's table; all invented.
const DIBI: &str = "No;Kode Identitas Bencana;ID Kabupaten;Tanggal Kejadian;Kejadian;Lokasi;Kabupaten;Provinsi;Kronologi & Dokumentasi;Penyebab;Meninggal;Hilang;Terluka;Rumah Rusak;Rumah Terendam;Fasum Rusak
1;3171101202101011;3171;05/01/2021;BANJIR;Kel. Contoh;KOTA JAKARTA SELATAN;DKI JAKARTA;Hujan lebat sejak malam;Hujan;0;0;2;-;1.250;0
2;3301101202101021;3301;06/01/2021;TANAH LONGSOR;Desa Contoh;CILACAP;JAWA TENGAH;;Hujan;1;0;0;3;0;0
3;3175102202102031;3175;07/02/2021;PUTING BELIUNG;Kel. Contoh;KOTA JAKARTA UTARA;DKI JAKARTA;Hubungi 081200000001;Angin;0;0;0;14;0;1
4;3175102202102032;3175;08/02/2021;COVID-19;Kel. Contoh;KOTA JAKARTA UTARA;DKI JAKARTA;;;0;0;0;0;0;0
5;3175102202102033;3175;09/02/2021;BANJIR ROB;Kel. Contoh;KOTA JAKARTA UTARA;DKI JAKARTA;Gladi lapang penanganan rob;;0;0;0;0;0;0
";

#[test]
fn dibi_is_read_by_its_map() {
    let (report, rows) = plan(shipped("bnpb-dibi").unwrap(), DIBI, "31");
    assert_eq!(
        rows.iter().map(|row| row.fate).collect::<Vec<_>>(),
        [Record, Elsewhere, Record, LeftOut, Exercise],
        "{rows:#?}"
    );
    assert_eq!(region(&rows[0]), "31.74");
    let flooded = imported(&rows[0])
        .figures
        .iter()
        .find(|figure| figure.measure() == Measure::HousesFlooded);
    assert_eq!(flooded.unwrap().count, 1250);
    let damaged = |at: usize| {
        imported(&rows[at])
            .figures
            .iter()
            .any(|figure| figure.measure() == Measure::HousesDamaged)
    };
    assert!(!damaged(0) && damaged(2), "a dash is not 0");
    assert_eq!(
        (region(&rows[2]), report.counts.texts_left_out),
        ("31.72", 1)
    );
    assert_eq!(
        imported(&rows[0]).record.as_ref().unwrap().record_id,
        "3171101202101011"
    );
}

/// Reports in the shape of PetaBencana's answer; all invented.
const PETABENCANA: &str = r#"{"statusCode":200,"result":{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[106.8451,-6.2146]},"properties":{"pkey":"101","created_at":"2024-01-05T06:40:00.123Z","source":"grasp","status":"confirmed","url":"abc","image_url":null,"disaster_type":"flood","report_data":{"report_type":"flood","flood_depth":60},"tags":{"district_id":null,"local_area_id":"12","instance_region_code":"ID-JK"},"title":"Banjir","text":"Air setinggi lutut","is_training":false}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[107.61,-6.91]},"properties":{"pkey":"102","created_at":"2024-01-05T07:00:00Z","disaster_type":"flood","tags":{"instance_region_code":"ID-JB"},"text":"","is_training":false}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[106.85,-6.21]},"properties":{"pkey":"103","created_at":"2024-01-05T08:00:00Z","disaster_type":"flood","tags":{"instance_region_code":"ID-JK"},"text":"","is_training":true}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[-6.21,106.85]},"properties":{"pkey":"104","created_at":"2024-01-05T08:00:00Z","disaster_type":"flood","tags":{"instance_region_code":"ID-JK"},"text":""}}
]}}"#;

#[test]
fn petabencana_is_read_by_its_map() {
    let (report, rows) = plan(shipped("petabencana").unwrap(), PETABENCANA, "31");
    assert_eq!(
        rows.iter().map(|row| row.fate).collect::<Vec<_>>(),
        [Record, Elsewhere, Exercise, Refused],
        "{rows:#?}"
    );
    let place = imported(&rows[0]).place.clone().unwrap();
    assert_eq!(
        (
            place.region_code.as_str(),
            place.point.unwrap().latitude_microdegrees
        ),
        ("31", -6_214_600)
    );
    assert_eq!(
        imported(&rows[0]).record.as_ref().unwrap().precision(),
        TimePrecision::Moment
    );
    assert!(
        report.personal_columns.contains(&"image_url".to_owned()),
        "{:?}",
        report.personal_columns
    );
    assert!(
        report
            .unused_columns
            .iter()
            .any(|unused| unused.column == "report_data.flood_depth")
    );
}

#[test]
fn a_report_that_names_a_city_of_three_provinces_lies_where_its_point_does() {
    let report = |id: u32, lon: f64, lat: f64| {
        format!(
            r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[{lon},{lat}]}},"properties":{{"pkey":"{id}","created_at":"2017-12-04T09:51:00.000Z","source":"qlue","status":"confirmed","url":null,"image_url":null,"disaster_type":"flood","report_data":null,"tags":{{"instance_region_code":"jbd","local_area_id":"782"}},"title":" ","text":"banjir"}}}}"#
        )
    };
    let reports = [
        report(1, 106.815_842, -6.183_179),
        report(2, 106.99, -6.24),
        report(3, 106.63, -6.17),
        report(4, 106.8, -5.9),
        report(5, 150.0, -6.2),
    ];
    let text = format!(
        r#"{{"statusCode":200,"result":{{"type":"FeatureCollection","features":[{}]}}}}"#,
        reports.join(",")
    );
    let of = |province| plan(shipped("petabencana").unwrap(), &text, province).1;
    let fates = |rows: &[Planned]| rows.iter().map(|row| row.fate).collect::<Vec<_>>();
    let (dki, jabar, banten) = (of("31"), of("32"), of("36"));
    assert_eq!(
        fates(&dki),
        [Record, Elsewhere, Elsewhere, Refused, Refused]
    );
    assert_eq!(
        fates(&jabar),
        [Elsewhere, Record, Elsewhere, Refused, Refused]
    );
    assert_eq!(
        fates(&banten),
        [Elsewhere, Elsewhere, Record, Refused, Refused]
    );
    assert!(region(&dki[0]).starts_with("31.71"), "{}", region(&dki[0]));
    assert!(fault(&dki[3]).contains("lies in no region"));
    assert_eq!(dki[4].faults.len(), 1, "{}", fault(&dki[4]));
}

/// For each map of tables: the province, a file in its publisher's form with invented rows, and a word of a column that
/// the map does not take.
const PUBLISHED: [(&str, &str, &str, &str); 7] = [
    (
        "bnpb-dibi",
        "31",
        "No.,Kode Identitas Bencana,ID Kabupaten,Tanggal Kejadian,Kejadian,Lokasi,Kabupaten,Provinsi,Kronologi & Dokumentasi,Penyebab,Meninggal,Hilang,Terluka,Rumah Rusak,Rumah Terendam,Fasum Rusak\n\
         1,3171101202101011,3171,2021-01-05,BANJIR,Kel. Contoh,KOTA JAKARTA SELATAN,DKI JAKARTA,\"Hujan lebat, air naik\",Hujan,0,0,2,-,1250,0\n\
         2,3101108202101021,3101,06/01/2021,GELOMBANG PASANG / ABRASI,Kel. Contoh,KAB. KEPULAUAN SERIBU,DKI JAKARTA,,Hujan,,,,14,,\n",
        "Hujan,",
    ),
    (
        "jabar-banjir",
        "32",
        "id,kode_provinsi,nama_provinsi,kode_kabupaten_kota,nama_kabupaten_kota,jumlah_banjir,satuan,tahun\n\
         244,32,JAWA BARAT,3201,KABUPATEN BOGOR,1250,KEJADIAN,2021\n\
         245,32,JAWA BARAT,3276,KOTA DEPOK,0,KEJADIAN,2021\n",
        "KEJADIAN,",
    ),
    (
        "jabar-longsor",
        "32",
        "id,kode_provinsi,nama_provinsi,kode_kabupaten_kota,nama_kabupaten_kota,jumlah_tanah_longsor,satuan,tahun\n\
         244,32,JAWA BARAT,3201,KABUPATEN BOGOR,1250,KEJADIAN,2021\n",
        "KEJADIAN,",
    ),
    (
        "jabar-gempa",
        "32",
        "id,kode_provinsi,nama_provinsi,kode_kabupaten_kota,nama_kabupaten_kota,jumlah_gempa_bumi,satuan,tahun\n\
         244,32,JAWA BARAT,3203,KABUPATEN CIANJUR,1250,KEJADIAN,2022\n",
        "KEJADIAN,",
    ),
    (
        "jabar-cuaca-ekstrem",
        "32",
        "id,kode_provinsi,nama_provinsi,kode_kabupaten_kota,nama_kabupaten_kota,jumlah_cuaca_ekstrem,satuan,tahun\n\
         244,32,JAWA BARAT,3201,KABUPATEN BOGOR,1250,KEJADIAN,2021\n",
        "KEJADIAN,",
    ),
    (
        "jabar-kerusakan-rumah",
        "32",
        "id,kode_provinsi,nama_provinsi,kode_kabupaten_kota,nama_kabupaten_kota,kondisi_kerusakan,jumlah_kerusakan,satuan,tahun\n\
         1459,32,JAWA BARAT,3201,KABUPATEN BOGOR,HANCUR,3,UNIT,2021\n\
         1460,32,JAWA BARAT,3201,KABUPATEN BOGOR,RUSAK BERAT,1250,UNIT,2021\n",
        "UNIT,",
    ),
    (
        "jakarta-banjir",
        "31",
        "triwulan,bulan,wilayah_adm,kecamatan,kelurahan,jumlah_kejadian,tinggi_air_min,tinggi_air_max,tinggi_air_avg,jumlah_rw_terdampak,jumlah_kk_terdampak,jumlah_jiwa_terdampak,jumlah_pengungsi,jumlah_tempat_pengungsian,kelurahan_kecamatan_wilayah,kecamatan_wilayah\n\
         2,Juni,Jakarta Utara,Penjaringan,Pluit,12,10.0,60.0,35.0,1,0,1250,0,0,\"Pluit, Penjaringan, Jakarta Utara\",\"Penjaringan, Jakarta Utara\"\n",
        "\"Pluit, ",
    ),
];

/// Returns a CSV file with semicolons between its cells.
fn with_semicolons(text: &str) -> String {
    let mut quoted = false;
    let mark = |c| {
        quoted ^= c == '"';
        if c == ',' && !quoted { ';' } else { c }
    };
    text.chars().map(mark).collect()
}

/// Returns a text in windows-1252, in which `é` is one byte.
fn in_1252(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

#[test]
fn every_map_reads_its_publishers_file_however_it_was_saved() {
    for (name, province, text, word) in PUBLISHED {
        let sent = |bytes: &[u8], change: fn(&mut Map)| {
            let mut map = Map::parse(shipped(name).unwrap()).unwrap();
            if name == "jakarta-banjir" {
                map.set_year(2024).unwrap();
            }
            change(&mut map);
            let (report, rows) = plan_of(&map, bytes, settings(province)).unwrap();
            let wrong: Vec<String> = rows
                .iter()
                .map(fault)
                .filter(|why| !why.is_empty())
                .collect();
            assert_eq!(wrong, [""; 0], "{name}");
            assert!(report.counts.records > 0, "{name}: {:?}", report.counts);
            rows.into_iter()
                .filter_map(|planned| planned.row)
                .collect::<Vec<ImportedRow>>()
        };
        let as_it_is = |_: &mut Map| {};
        let published = sent(text.as_bytes(), as_it_is);
        for saved in [
            format!("\u{feff}{text}"),
            with_semicolons(text),
            text.replace('\n', "\r\n"),
        ] {
            assert_eq!(sent(saved.as_bytes(), as_it_is), published, "{name}");
        }
        let with_marks = text.replace("1250", "1.250");
        let marked = sent(with_marks.as_bytes(), |map| map.set_thousands(".").unwrap());
        assert_eq!(marked.len(), published.len(), "{name}");
        let counts = |rows: &[ImportedRow]| {
            let imported = rows.iter().filter_map(|row| row.imported.clone());
            let said = |imported: IncidentImported| {
                (
                    imported.figures,
                    imported.record.and_then(|record| record.events),
                )
            };
            imported.map(said).collect::<Vec<_>>()
        };
        assert_eq!(counts(&marked), counts(&published), "{name}");
        let accented = text.replace(word, &word.replacen(|c: char| c.is_alphabetic(), "é", 1));
        assert_ne!(accented, text, "{name}");
        let old = sent(&in_1252(&accented), |map| {
            map.set_encoding("windows-1252").unwrap();
        });
        assert_eq!(old, published, "{name}");
    }
}

#[test]
fn a_file_of_another_map_is_refused_with_the_name_of_that_map() {
    for (name, province, text, _) in PUBLISHED {
        for (other, ..) in PUBLISHED {
            let mut map = Map::parse(shipped(other).unwrap()).unwrap();
            if other == name {
                continue;
            }
            if other == "jakarta-banjir" {
                map.set_year(2024).unwrap();
            }
            let refused = plan_of(&map, text.as_bytes(), settings(province)).unwrap_err();
            assert!(
                refused
                    .to_string()
                    .contains(&format!("columns of map `{name}`")),
                "{other}: {refused}"
            );
        }
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn recorded(path: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/incidents"
    ));
    let bytes = fs::read(folder.join(path)).ok();
    if bytes.is_none() {
        eprintln!("skipped: `{path}` is not at hand");
    }
    bytes
}

#[test]
fn recorded_files_are_read_whole_by_their_maps() {
    let files = [
        ("opendata-jabar-2021/banjir.csv", "jabar-banjir", "32", 27),
        ("opendata-jabar-2021/longsor.csv", "jabar-longsor", "32", 27),
        ("opendata-jabar-2021/gempa.csv", "jabar-gempa", "32", 27),
        (
            "opendata-jabar-2021/kerusakan_rumah.csv",
            "jabar-kerusakan-rumah",
            "32",
            27,
        ),
        (
            "jakarta-banjir-2024/banjir.csv",
            "jakarta-banjir",
            "31",
            260,
        ),
    ];
    for (file, name, province, expected) in files {
        let Some(bytes) = recorded(file) else {
            continue;
        };
        let mut map = Map::parse(shipped(name).unwrap()).unwrap();
        if name == "jakarta-banjir" {
            map.set_year(2024).unwrap();
        }
        let (report, rows) = plan_of(&map, &bytes, settings(province)).unwrap();
        let wrong: Vec<String> = rows
            .iter()
            .filter(|row| !row.faults.is_empty())
            .map(fault)
            .collect();
        assert_eq!(wrong, [""; 0], "{file}");
        let counts = report.counts;
        assert_eq!(
            counts.records + counts.empty,
            expected,
            "{file}: {counts:?}"
        );
        let sent = rows.iter().filter_map(|row| row.row.as_ref());
        assert!(
            sent.map(IncidentCommand::try_from)
                .all(|command: Result<_, _>| command.is_ok()),
            "{file}"
        );
    }
}

#[test]
fn the_recorded_file_of_extreme_weather_is_house_damage_and_its_map_says_which_column_is_missing() {
    let Some(bytes) = recorded("opendata-jabar-2021/cuaca_ekstrem.csv") else {
        return;
    };
    let map = Map::parse(shipped("jabar-cuaca-ekstrem").unwrap()).unwrap();
    let refused = plan_of(&map, &bytes, settings("32"))
        .unwrap_err()
        .to_string();
    assert!(refused.contains("jumlah_cuaca_ekstrem"), "{refused}");
}

#[test]
fn a_year_is_said_for_a_file_that_names_none() {
    let text = "triwulan,bulan,wilayah_adm,kecamatan,kelurahan,jumlah_kejadian,jumlah_jiwa_terdampak,jumlah_pengungsi\n\
                2,Juni,Jakarta Utara,Penjaringan,Pluit,12,0,0\n1,Juni,Jakarta Utara,Penjaringan,Pluit,1,0,0\n";
    let mut map = Map::parse(shipped("jakarta-banjir").unwrap()).unwrap();
    let refused = plan_of(&map, text.as_bytes(), settings("31")).unwrap_err();
    assert!(refused.to_string().contains("`--year`"), "{refused}");
    map.set_year(2024).unwrap();
    let (_, rows) = plan_of(&map, text.as_bytes(), settings("31")).unwrap();
    let record = imported(&rows[0]).record.clone().unwrap();
    assert_eq!(
        (record.precision(), record.events),
        (TimePrecision::Month, Some(12))
    );
    assert_eq!(region(&rows[0]), "31.72.01");
    assert!(
        fault(&rows[1]).contains("month `6` is not in quarter `1`"),
        "{}",
        fault(&rows[1])
    );
    let id = |rows: &[Planned]| {
        imported(&rows[0])
            .record
            .as_ref()
            .unwrap()
            .record_id
            .clone()
    };
    let before = id(&rows);
    map.set_year(2023).unwrap();
    let (_, rows) = plan_of(&map, text.as_bytes(), settings("31")).unwrap();
    assert_ne!(
        id(&rows),
        before,
        "the same month of another year is another record"
    );
    let mut dated = Map::parse(MAP).unwrap();
    assert!(dated.set_year(2024).is_err());
}

#[test]
fn the_terms_of_a_dataset_are_kept_with_every_record() {
    let text = row("7,Banjir,05/01/2021,3171,1,Surut,,,");
    let terms = |map: &Map| {
        let (_, rows) = plan_of(map, text.as_bytes(), settings("31")).unwrap();
        imported(&rows[0]).record.clone().unwrap().license
    };
    let mut map = Map::parse(MAP).unwrap();
    assert_eq!(terms(&map), "not stated");
    map.set_license("CC BY 4.0 ");
    assert_eq!(terms(&map), "CC BY 4.0");
    for (name, text) in SHIPPED {
        assert!(text.contains("\nlicense = "), "{name} says no terms");
    }
}

#[test]
fn a_row_is_sent_as_it_was_shown() {
    let (_, rows) = plan(MAP, &row("7,Banjir,05/01/2021,3171,1,Surut,,,"), "31");
    let row: &ImportedRow = rows[0].row.as_ref().unwrap();
    assert_eq!(row.row, 2);
    assert!(IncidentCommand::try_from(row).is_ok());
}
