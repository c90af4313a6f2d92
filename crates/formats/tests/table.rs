//! Tables as offices publish them: what is read, and what is told where it cannot be. All rows are invented.

#![expect(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "a helper of tests stops at the first surprise, and says what a row is as its reader does"
)]

use std::{
    io::{Cursor, Write as _},
    ops::ControlFlow,
};

use posko_formats::table::{
    self, Cell, Encoding, MAX_ROW_BYTES, Options, Shape, Step, Summary, TableError,
};
use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

/// Every row by its number: its cells as people read them, or why it cannot be read.
type Rows = Vec<(u64, Result<Vec<String>, String>)>;

fn read(bytes: &[u8], options: &Options) -> Result<(Summary, Rows), TableError> {
    let mut rows = Rows::new();
    let summary = table::read(Cursor::new(bytes), options, &mut |step| {
        match step {
            Step::Columns(..) => {}
            Step::Row(row) => {
                let cells = row.cells().map(|(_, cell)| cell.text().into_owned());
                rows.push((row.place.row, Ok(cells.collect())));
            }
            Step::Broken(place, fault) => rows.push((place.row, Err(fault.to_string()))),
        }
        ControlFlow::Continue(())
    })?;
    Ok((summary, rows))
}

fn rows(text: impl AsRef<[u8]>) -> Rows {
    read(text.as_ref(), &Options::default()).unwrap().1
}

fn refused(bytes: impl AsRef<[u8]>) -> String {
    read(bytes.as_ref(), &Options::default())
        .unwrap_err()
        .to_string()
}

fn cells(cells: &[&str]) -> Result<Vec<String>, String> {
    Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
}

#[test]
fn commas_semicolons_and_tabs_part_cells_with_a_mark_before_the_file_or_none() {
    for text in [
        "id,nama\n1,Cianjur\n",
        "\u{feff}id;nama\r\n1;Cianjur\r\n",
        "id\tnama\n1\tCianjur",
        "sep=;\nid;nama\n1;Cianjur\n",
    ] {
        assert_eq!(
            rows(text).last().unwrap().1,
            cells(&["1", "Cianjur"]),
            "{text:?}"
        );
    }
    assert_eq!(rows("id,\"a;b;c\"\n1,2\n")[0].1, cells(&["1", "2"]));
    assert!(refused("a,b;c\n").contains("delimiter"));
}

#[test]
fn a_cell_in_quotation_marks_holds_delimiters_marks_and_line_ends() {
    let read = rows("id,ket\n1,\"air \"\"deras\"\", naik\nlagi\"\n2,biasa\n");
    assert_eq!(read[0].1, cells(&["1", "air \"deras\", naik\nlagi"]));
    assert_eq!(read[1], (3, cells(&["2", "biasa"])));
    assert!(
        rows("a,b\n\"x\"y,2\n")[0]
            .1
            .as_ref()
            .unwrap_err()
            .contains("closing quotation mark")
    );
    assert!(refused("a,b\n1,\"never closed\n2,3\n").contains("line `2`"));
}

#[test]
fn a_row_of_another_width_is_named_and_the_others_are_read() {
    let read = rows("a,b,c\n1,2\n1,2,3\n1,2,3,4\n1,2,3,,\n\n,,\n5,6,7\n");
    assert_eq!(read[0], (2, Err("it has `2` cells, the header `3`".into())));
    assert_eq!(read[1].1, cells(&["1", "2", "3"]));
    assert_eq!(read[2], (4, Err("it has `4` cells, the header `3`".into())));
    assert_eq!(
        read[3].1,
        cells(&["1", "2", "3"]),
        "empty cells beyond are a spreadsheet's"
    );
    assert_eq!(
        read[4],
        (8, cells(&["5", "6", "7"])),
        "blank rows count and are passed over"
    );
}

#[test]
fn broken_letters_are_told_and_never_replaced() {
    let broken = b"id,tempat\n1,Citarum\n2,Caf\xe9\n3,ok\n";
    let read_as = |encoding| {
        let options = Options {
            encoding,
            ..Options::default()
        };
        read(broken, &options).unwrap().1
    };
    let utf8 = read_as(Encoding::Utf8);
    assert!(
        utf8[1].1.as_ref().unwrap_err().contains("0xe9")
            && utf8[1].1.as_ref().unwrap_err().contains("windows-1252")
    );
    assert_eq!(utf8[2].1, cells(&["3", "ok"]));
    assert_eq!(read_as(Encoding::Windows1252)[1].1, cells(&["2", "Café"]));
    let options = Options {
        encoding: Encoding::Windows1252,
        ..Options::default()
    };
    let lying = read("id,tempat\n1,Café\n".as_bytes(), &options).unwrap().1;
    assert!(lying[0].1.as_ref().unwrap_err().contains("is UTF-8"));
    let none = read(b"id,tempat\n1,a\x81b\n", &options).unwrap().1;
    assert!(none[0].1.as_ref().unwrap_err().contains("no letter"));
    assert!(read("\u{feff}id\n1\n".as_bytes(), &options).is_err());
    assert!(
        rows(b"a,b\n1,x\0y\n")[0]
            .1
            .as_ref()
            .unwrap_err()
            .contains("no text")
    );
}

#[test]
fn what_is_no_table_is_named_as_what_it_is() {
    assert!(refused("").contains("empty"));
    assert!(refused("<html>Login</html>").contains("HTML"));
    assert!(refused([0xff, 0xfe, b'a', 0]).contains("UTF-16"));
    assert!(refused([0xd0, 0xcf, 0x11, 0xe0, 0xa1]).contains("XLSX"));
    assert!(refused("PK\u{3}\u{4} not a workbook").contains("workbook"));
    assert!(refused("a,a\n1,2\n").contains("two columns"));
    assert!(refused("a,,b\n1,2,3\n").contains("no name"));
    assert!(refused(format!("a\n{}\n", "x".repeat(MAX_ROW_BYTES + 10))).contains("longer than"));
    let columns: Vec<String> = (0..600).map(|at| format!("c{at}")).collect();
    assert!(refused(columns.join(",")).contains("512"));
    let options = Options {
        shape: Some(Shape::Xlsx),
        ..Options::default()
    };
    assert!(
        read(b"a,b\n", &options)
            .unwrap_err()
            .to_string()
            .contains("format")
    );
}

/// Writes a workbook of one sheet, whose rows are written as XML.
fn workbook(rows: &str, shared: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, text: &str| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    part(
        "[Content_Types].xml",
        &format!(
            "<Types xmlns=\"{package}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
        ),
    );
    part(
        "_rels/.rels",
        &format!(
            "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    );
    part(
        "xl/workbook.xml",
        &format!(
            "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"Data\" sheetId=\"1\" r:id=\"s1\"/><sheet name=\"Lain\" sheetId=\"2\" r:id=\"s2\"/></sheets></workbook>"
        ),
    );
    part(
        "xl/_rels/workbook.xml.rels",
        &format!(
            "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"s1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"s2\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet2.xml\"/><Relationship Id=\"t\" Type=\"{relations}/styles\" Target=\"styles.xml\"/><Relationship Id=\"u\" Type=\"{relations}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
        ),
    );
    part(
        "xl/styles.xml",
        &format!(
            "<styleSheet xmlns=\"{main}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
        ),
    );
    part(
        "xl/sharedStrings.xml",
        &format!("<sst xmlns=\"{main}\">{shared}</sst>"),
    );
    let sheet = |rows: &str| {
        format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>")
    };
    part("xl/worksheets/sheet1.xml", &sheet(rows));
    part("xl/worksheets/sheet2.xml", &sheet(""));
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_sheet_is_read_with_its_dates_numbers_and_errors() {
    let shared = "<si><t>tanggal</t></si><si><t>jumlah</t></si><si><t>tempat</t></si><si><t>Cianjur</t></si>";
    let body = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c><c r=\"C1\" t=\"s\"><v>2</v></c></row>\
        <row r=\"2\"><c r=\"A2\" s=\"1\"><v>44201</v></c><c r=\"B2\"><v>12</v></c><c r=\"C2\" t=\"s\"><v>3</v></c></row>\
        <row r=\"4\"><c r=\"A4\"><v>44201.5</v></c><c r=\"C4\" t=\"inlineStr\"><is><t>Garut</t></is></c></row>\
        <row r=\"5\"><c r=\"B5\" t=\"e\"><v>#REF!</v></c></row>\
        <row r=\"6\"><c r=\"A6\"><v>1</v></c><c r=\"E6\"><v>9</v></c></row>";
    let file = workbook(body, shared);
    let (summary, rows) = read(&file, &Options::default()).unwrap();
    assert_eq!(summary.shape, Shape::Xlsx);
    assert!(summary.notes[0].contains("`Lain`"), "{:?}", summary.notes);
    assert_eq!(
        rows[0],
        (2, cells(&["2021-01-05 00:00:00", "12", "Cianjur"]))
    );
    assert_eq!(rows[1], (4, cells(&["44201.5", "", "Garut"])));
    assert!(rows[2].1.as_ref().unwrap_err().contains("`jumlah`"));
    assert!(rows[3].1.as_ref().unwrap_err().contains("cells"));
    let options = Options {
        sheet: Some("Tiada".into()),
        ..Options::default()
    };
    assert!(
        read(&file, &options)
            .unwrap_err()
            .to_string()
            .contains("`Data`, `Lain`")
    );
}

#[test]
fn a_workbook_that_unpacks_without_end_is_refused_before_it_is_read() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(
        "xl/worksheets/sheet1.xml",
        SimpleFileOptions::default().large_file(true),
    )
    .unwrap();
    let block = vec![b' '; 1024 * 1024];
    for _ in 0..520 {
        zip.write_all(&block).unwrap();
    }
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 1024 * 1024);
    assert!(matches!(
        read(&bomb, &Options::default()),
        Err(TableError::Unpacks)
    ));
    let cut = workbook("", "");
    assert!(matches!(
        read(&cut[..cut.len() / 2], &Options::default()),
        Err(TableError::Workbook { .. })
    ));
}

#[test]
fn features_are_read_from_a_list_and_from_an_answer_around_one() {
    let feature = r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[106.83,-6.18]},
        "properties":{"pkey":12345678901234567,"tags":{"district_id":null,"code":"ID-JK"},"depth":35.5,"ok":true}}"#;
    let list = format!(
        r#"{{"type":"FeatureCollection","features":[{feature},{{"properties":{{"pkey":"b"}}}},5]}}"#
    );
    for text in [
        list.clone(),
        format!("\u{feff}{{\"statusCode\":200,\"result\":{list}}}"),
    ] {
        let mut seen = Vec::new();
        let summary = table::read(
            Cursor::new(text.as_bytes()),
            &Options::default(),
            &mut |step| {
                match step {
                    Step::Columns(..) => {}
                    Step::Row(row) => seen.push((
                        row.cell("pkey").text().into_owned(),
                        row.cell("tags.code").text().into_owned(),
                        row.cell("geometry.latitude").clone(),
                    )),
                    Step::Broken(place, fault) => {
                        seen.push((place.row.to_string(), fault.to_string(), Cell::Number(0.0)));
                    }
                }
                ControlFlow::Continue(())
            },
        );
        assert_eq!(summary.unwrap().rows, 3);
        assert_eq!(
            seen[0],
            (
                "12345678901234567".into(),
                "ID-JK".into(),
                Cell::Number(-6.18)
            )
        );
        assert_eq!(seen[1].0, "b");
        assert_eq!(seen[2].0, "3");
    }
}

#[test]
fn an_answer_without_data_is_an_error_and_no_empty_list() {
    assert!(refused(r#"{"statusCode":500,"result":null}"#).contains("500"));
    assert!(
        refused(r#"{"statusCode":200,"result":{"type":"Topology","objects":{}}}"#)
            .contains("TopoJSON")
    );
    assert!(refused(r#"{"hasil":[]}"#).contains("features"));
    assert!(refused(r#"{"features":[{"a":1}"#).contains("line `1`"));
    let deep = format!("{{\"features\":[{}", "[".repeat(100_000));
    assert!(refused(deep).contains("line"));
    let off = r#"{"features":[{"geometry":{"type":"Point","coordinates":[-6.18,106.83]}}]}"#;
    assert!(
        rows(off)[0]
            .1
            .as_ref()
            .unwrap_err()
            .contains("longitude, latitude")
    );
}

#[test]
fn a_reader_that_has_enough_ends_the_reading() {
    let list = r#"{"features":[{"properties":{"a":1}},{"properties":{"a":2}}]}"#;
    for text in ["a\n1\n2\n", list] {
        let mut rows = 0;
        let read = table::read(
            Cursor::new(text.as_bytes()),
            &Options::default(),
            &mut |step| match step {
                Step::Row(_) => {
                    rows += 1;
                    ControlFlow::Break(())
                }
                Step::Columns(..) | Step::Broken(..) => ControlFlow::Continue(()),
            },
        );
        assert!(read.is_ok());
        assert_eq!(rows, 1);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_crash(bytes in proptest::collection::vec(any::<u8>(), 0..400), start in 0..4_usize) {
        let starts: [&[u8]; 4] = [b"a,b\n", b"{\"features\":[", b"PK\x03\x04", b"a;\"b"];
        let text = [starts[start], &bytes].concat();
        let _ = read(&text, &Options::default());
    }

    #[test]
    fn what_is_written_as_csv_reads_back(table in proptest::collection::vec(proptest::collection::vec("[a-z\",;\n ]{0,8}", 3), 1..6)) {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let mut text = String::from("x,y,z\n");
        for row in &table {
            text += &row.iter().map(quoted).collect::<Vec<_>>().join(",");
            text.push('\n');
        }
        let trimmed = table.iter().map(|row| row.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
        let expected: Vec<_> = trimmed.filter(|row| row.iter().any(|cell| !cell.is_empty())).collect();
        let read: Vec<_> = rows(text).into_iter().map(|(_, cells)| cells.unwrap()).collect();
        prop_assert_eq!(read, expected);
    }
}
