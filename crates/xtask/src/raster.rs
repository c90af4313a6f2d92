//! `cargo xtask raster`: makes the committed table of where each kab/kota and kecamatan lies, from published polygons.
//!
//! The polygons themselves are no part of the repository: whoever has them makes the table anew, and sees in the diff what
//! has changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::{repo::Repo, screen};

/// The table, below the repository's root.
const TABLE: &str = "crates/domain/data/raster.txt";

/// How many cells a degree has.
const CELLS: f64 = 100.0;

/// How many points across and down a cell are looked at.
const SAMPLES: i32 = 5;

/// What stands at the head of the table.
const HEAD: &str = "\
# Where each kecamatan lies, in cells of 0.01 degrees, from south to north: a row of cells a line, as
# LATITUDE LONGITUDE*CELLS=CODE ..., where a number is the cell's southern or western side in hundredths of a degree.
# A cell is of the kecamatan that holds most of 25 points of it; where no kecamatan's polygon holds any, of the kab/kota.
# Made by `cargo xtask raster` from the polygons of cahyadsn/wilayah_boundaries (MIT).
";

/// Makes the table.
#[derive(Args)]
pub(crate) struct Options {
    /// Polygons of kecamatan: GeoJSON features with the property `code`
    kecamatan: PathBuf,
    /// Polygons of kab/kota, which fill the gaps between kecamatan
    kabkota: PathBuf,
}

/// A cell by its southern and western side in hundredths of a degree.
type Cell = (i32, i32);

/// How many points of each cell each area holds.
type Counts = BTreeMap<Cell, BTreeMap<String, u32>>;

/// Makes the table anew.
pub(crate) fn run(repo: &Repo, options: &Options) -> Result<ExitCode> {
    let kecamatan = count(&options.kecamatan)?;
    let kabkota = count(&options.kabkota)?;
    let table = table(&kecamatan, &kabkota);
    let path = repo.root.join(TABLE);
    fs::write(&path, &table).with_context(|| format!("write `{}`", path.display()))?;
    screen::say(&format!("{}: {} bytes", path.display(), table.len()));
    Ok(ExitCode::SUCCESS)
}

fn table(kecamatan: &Counts, kabkota: &Counts) -> String {
    let mut cells: BTreeMap<Cell, &str> = BTreeMap::new();
    for counts in [kabkota, kecamatan] {
        for (cell, held) in counts {
            if let Some(code) = most(held) {
                cells.insert(*cell, code);
            }
        }
    }
    keep_every_area(kecamatan, &mut cells);

    let mut text = HEAD.to_owned();
    let mut before: Option<(Cell, &str)> = None;
    let mut length = 0;
    let flush = |text: &mut String, length: i32, code: &str| {
        // Writing into a string cannot fail.
        let _ = write!(text, "*{length}={}", code.replace('.', ""));
    };
    for (cell, code) in cells {
        match before {
            Some(((row, column), known))
                if row == cell.0 && column + 1 == cell.1 && known == code =>
            {
                length += 1;
            }
            _ => {
                if let Some((last, known)) = before {
                    flush(&mut text, length, known);
                    if last.0 != cell.0 {
                        let _ = write!(text, "\n{}", cell.0);
                    }
                } else {
                    let _ = write!(text, "{}", cell.0);
                }
                let _ = write!(text, " {}", cell.1);
                length = 1;
            }
        }
        before = Some((cell, code));
    }
    if let Some((_, known)) = before {
        flush(&mut text, length, known);
    }
    text.push('\n');
    text
}

/// Gives an area that is most of no cell the cell of which it holds most: none is left out for being small.
fn keep_every_area<'a>(counts: &'a Counts, cells: &mut BTreeMap<Cell, &'a str>) {
    let seen: BTreeSet<&str> = cells.values().copied().collect();
    let mut best: BTreeMap<&'a str, (u32, Cell)> = BTreeMap::new();
    for (cell, held) in counts {
        for (code, points) in held
            .iter()
            .filter(|(code, _)| !seen.contains(code.as_str()))
        {
            let best = best.entry(code).or_insert((0, *cell));
            if *points > best.0 {
                *best = (*points, *cell);
            }
        }
    }
    for (code, (_, cell)) in best {
        cells.insert(cell, code);
    }
}

/// Returns the area with most points; of equals the one whose code is lower.
fn most(held: &BTreeMap<String, u32>) -> Option<&str> {
    let most = held.values().max()?;
    let found = held.iter().find(|(_, points)| *points == most)?;
    Some(found.0)
}

fn count(path: &Path) -> Result<Counts> {
    let text = fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))?;
    let collection: Value =
        serde_json::from_str(&text).with_context(|| format!("read `{}`", path.display()))?;
    let features = collection
        .get("features")
        .and_then(Value::as_array)
        .context("the GeoJSON has no `features`")?;
    let mut counts = Counts::new();
    for feature in features {
        let code = feature
            .pointer("/properties/code")
            .and_then(Value::as_str)
            .context("a feature has no `code`")?;
        let rings = rings(feature).with_context(|| format!("feature `{code}`"))?;
        add(&mut counts, code, &rings);
    }
    Ok(counts)
}

/// A ring as longitudes and latitudes.
type Ring = Vec<(f64, f64)>;

/// Returns all rings of a polygon or of several.
fn rings(feature: &Value) -> Result<Vec<Ring>> {
    let coordinates = feature.pointer("/geometry/coordinates");
    let coordinates = coordinates.context("no `coordinates`")?;
    let kind = feature.pointer("/geometry/type").and_then(Value::as_str);
    let polygons: Vec<&Value> = match kind {
        Some("Polygon") => vec![coordinates],
        Some("MultiPolygon") => coordinates.as_array().into_iter().flatten().collect(),
        _ => bail!("no polygon"),
    };
    let mut rings = Vec::new();
    for ring in polygons
        .iter()
        .filter_map(|polygon| polygon.as_array())
        .flatten()
    {
        let points = ring.as_array().context("a ring is no list")?;
        let number = |point: &Value, at: usize| point.get(at).and_then(Value::as_f64);
        let point = |point: &Value| Some((number(point, 0)?, number(point, 1)?));
        let read: Option<Ring> = points.iter().map(point).collect();
        rings.push(read.context("a point is no pair of numbers")?);
    }
    Ok(rings)
}

/// Counts the points of each cell that lie inside by the even-odd rule, which makes something of an invalid ring too.
fn add(counts: &mut Counts, code: &str, rings: &[Ring]) {
    let steps = CELLS * f64::from(SAMPLES);
    let latitudes = rings.iter().flatten().map(|(_, latitude)| *latitude);
    let (low, high) = latitudes.fold((f64::MAX, f64::MIN), |(low, high), latitude| {
        (low.min(latitude), high.max(latitude))
    });
    for row in (low * steps).floor() as i32..=(high * steps).ceil() as i32 {
        let latitude = (f64::from(row) + 0.5) / steps;
        let mut crossings: Vec<f64> = rings
            .iter()
            .flat_map(|ring| ring.windows(2))
            .filter_map(|side| match side {
                [a, b] if (a.1 > latitude) != (b.1 > latitude) => {
                    Some(a.0 + (latitude - a.1) / (b.1 - a.1) * (b.0 - a.0))
                }
                _ => None,
            })
            .collect();
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks(2) {
            let [west, east] = pair else { continue };
            let first = (west * steps - 0.5).ceil() as i32;
            let last = (east * steps - 0.5).floor() as i32;
            for column in first..=last {
                let cell = (row.div_euclid(SAMPLES), column.div_euclid(SAMPLES));
                let held = counts.entry(cell).or_default();
                *held.entry(code.to_owned()).or_default() += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(west: f64, south: f64, side: f64) -> Vec<Ring> {
        let (east, north) = (west + side, south + side);
        vec![vec![
            (west, south),
            (east, south),
            (east, north),
            (west, north),
            (west, south),
        ]]
    }

    #[test]
    fn cells_are_of_the_kecamatan_that_holds_most_and_gaps_of_the_kab_kota() {
        let (mut kecamatan, mut kabkota) = (Counts::new(), Counts::new());
        add(&mut kecamatan, "32.03.01", &square(107.0, -6.5, 0.02));
        add(&mut kecamatan, "32.03.02", &square(107.022, -6.5, 0.007));
        add(&mut kecamatan, "32.03.03", &square(107.001, -6.499, 0.003));
        add(&mut kabkota, "32.03", &square(107.0, -6.5, 0.04));
        let table = table(&kecamatan, &kabkota);
        let rows: Vec<&str> = table
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert_eq!(
            rows,
            [
                "-650 10700*1=320303 10701*1=320301 10702*1=320302 10703*1=3203",
                "-649 10700*2=320301 10702*2=3203",
                "-648 10700*4=3203",
                "-647 10700*4=3203",
            ],
            "a small one keeps a cell"
        );
    }
}
