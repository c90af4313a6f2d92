//! Measures an import of published records beside plain commits of as many events, in the same run.

use std::{fmt::Write as _, fs, time::Instant};

use anyhow::{Context, Result, ensure};
use posko_testkit::Federation;
use serde_json::{Value, json};

use crate::{load::Load, rate, tell};

/// The node that owns what is measured.
const OWNER: &str = "32";

/// Imports `rows` rows as an operator does, with the file checked before, then once more, when nothing is new.
pub(crate) fn measure(federation: &Federation, rows: u64) -> Result<Value> {
    let mut load = Load::new(federation)?;
    tell(&format!("{rows} plain commits"));
    let (written, plain_s) = load.fill(rows)?;
    ensure!(
        written == rows,
        "`{written}` of `{rows}` events were written"
    );
    let node = federation.node(OWNER)?;
    let file = node.dir().join("rows.csv");
    fs::write(&file, table(rows)?)?;
    let file = file.to_str().context("a path that is no text")?;
    let import = || {
        let began = Instant::now();
        let answer = node.posko(&[
            "incident",
            "import",
            file,
            "--map",
            "jabar-banjir",
            "--limit",
            "1",
        ])?;
        let recorded = answer.get("recorded").cloned().unwrap_or_default();
        anyhow::Ok((began.elapsed(), recorded))
    };
    tell(&format!("an import of {rows} rows"));
    let before = load.entries()?;
    let (first, recorded) = import()?;
    ensure!(
        load.entries()? - before == rows,
        "a row is not one event: {recorded}"
    );
    tell("the same import again");
    let (again, unchanged) = import()?;
    ensure!(
        load.entries()? - before == rows,
        "a row was taken twice: {unchanged}"
    );
    Ok(json!({
        "rows": rows,
        "plain_s": plain_s,
        "import_s": first.as_secs_f64(),
        "times_plain": first.as_secs_f64() / plain_s,
        "rows_per_s": rate(rows, first),
        "again_s": again.as_secs_f64(),
        "recorded": recorded,
        "unchanged": unchanged,
    }))
}

/// A table in the shape of Open Data Jabar's, with invented counts.
fn table(rows: u64) -> Result<String> {
    let mut text = String::from(
        "id,kode_provinsi,nama_provinsi,kode_kabupaten_kota,nama_kabupaten_kota,jumlah_banjir,satuan,tahun\n",
    );
    for row in 1..=rows {
        let count = row % 97 + 1;
        writeln!(
            text,
            "{row},32,JAWA BARAT,3201,KABUPATEN BOGOR,{count},KEJADIAN,2021"
        )?;
    }
    Ok(text)
}
