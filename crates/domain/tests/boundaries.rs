//! The committed table of where regions lie against the polygons that it was made of, where those are at hand.

use std::{collections::BTreeSet, fs};

use posko_domain::region::{self, Point, Shape, Touched, under};
use serde_json::Value;

/// Returns each area's code and outer rings, or nothing when the file is not at hand.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
fn areas(file: &str) -> Vec<(String, Vec<Vec<Point>>)> {
    let path = format!(
        "{}/../../../shared/data/boundaries/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: `{file}` is not at hand");
        return Vec::new();
    };
    let collection: Value = serde_json::from_str(&text).unwrap();
    let features = collection["features"].as_array().unwrap().iter();
    features
        .map(|feature| {
            let coordinates = &feature["geometry"]["coordinates"];
            let polygons = if feature["geometry"]["type"] == "Polygon" {
                std::slice::from_ref(coordinates)
            } else {
                coordinates.as_array().unwrap()
            };
            let ring = |polygon: &Value| {
                let points = polygon[0].as_array().unwrap().iter();
                points
                    .map(|point| {
                        Point::from_degrees(point[1].as_f64().unwrap(), point[0].as_f64().unwrap())
                    })
                    .collect()
            };
            let code = feature["properties"]["code"].as_str().unwrap().to_owned();
            (code, polygons.iter().map(ring).collect())
        })
        .collect()
}

fn found(rings: &[Vec<Point>]) -> Vec<Touched> {
    let shapes: Vec<Shape<'_>> = rings.iter().map(|ring| Shape::Polygon(ring)).collect();
    under(&shapes)
}

#[test]
fn every_kecamatan_is_found_under_its_own_polygon() {
    let areas = areas("kecamatan.geojson");
    assert!(areas.is_empty() || areas.len() == 826);
    let mut missed = Vec::new();
    for (code, rings) in &areas {
        let own = found(rings)
            .into_iter()
            .find(|touched| region::within(code, touched.region.code));
        match own {
            // A cell on a border is of one side only, so the share of a small one says little, and islands that are smaller
            // than a cell are touched without covering its middle.
            Some(own) if own.cells < 30 || own.permille() > 700 || own.touched == own.cells => {}
            other => missed.push((code, other)),
        }
    }
    // Where two simplified polygons lie over each other, one of them has lost cells.
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn every_kab_kota_is_found_nearly_whole_under_its_own_polygon() {
    for (code, rings) in areas("kabkota.geojson") {
        let touched = found(&rings);
        let names: BTreeSet<&str> = touched
            .iter()
            .filter_map(|touched| Some(region::regency_of(touched.region.code)?.code))
            .collect();
        assert!(names.contains(code.as_str()), "{code}");
        let own: u32 = touched
            .iter()
            .filter(|touched| region::within(touched.region.code, &code))
            .map(|touched| touched.covered)
            .sum();
        let all: u32 = touched.iter().map(|touched| touched.covered).sum();
        // The two sets were simplified one by one, which shows most where a kota is small.
        assert!(own * 100 >= all * 75, "{code}: {own} of {all}");
    }
}
