//! The list of BMKG's monitoring network, in GeoJSON; the network publishes before a person has looked.

use serde_json::Value;

use crate::{
    bmkg::{
        Earthquake, EarthquakeList, MAX_ROWS,
        earthquake::{DEPTH, MAGNITUDE, parse_depth, parse_magnitude, read_moment},
    },
    field::{FieldError, Fields},
    geometry::{PairError, read_pair},
    note::Read,
};

/// Reads the GeoJSON list of BMKG's monitoring network; its points are `lon,lat`, and it names no felt intensity.
pub(crate) fn read_realtime(document: &Value) -> Result<EarthquakeList, FieldError> {
    let root = Fields::of(document, "", '.')?;
    let rows = root.rows("features")?;
    if rows.is_empty() {
        return Err(root.invalid("features", "[]", "a list of at least one earthquake"));
    }
    Ok(EarthquakeList {
        rows: rows.iter().take(MAX_ROWS).map(read_feature).collect(),
        notes: Vec::new(),
    })
}

fn read_feature(feature: &Fields<'_>) -> Result<Read<Earthquake>, FieldError> {
    let properties = feature.inside("properties")?;
    let origin_time = read_moment(&properties, "time")?;
    let geometry = feature.inside("geometry")?;
    let numbers: Vec<String> = geometry
        .get("coordinates")
        .and_then(Value::as_array)
        .map(|numbers| {
            let numbers = numbers.iter();
            numbers
                .map(|number| {
                    number
                        .as_str()
                        .map_or_else(|| number.to_string(), str::to_owned)
                })
                .collect()
        })
        .unwrap_or_default();
    let place = match numbers.as_slice() {
        [lon, lat, ..] => read_pair(lat, lon),
        _ => Err(PairError::NotAPair),
    };
    let (lat, lon) = place.map_err(|error| {
        let expected = match error {
            PairError::NotAPair => "a point `lon,lat`",
            PairError::Swapped => "a point `lon,lat`: the two are swapped",
        };
        geometry.invalid("coordinates", &numbers.join(","), expected)
    })?;
    Ok(Read {
        value: Earthquake {
            origin_time,
            lat,
            lon,
            magnitude_hundredths: properties.read("mag", MAGNITUDE, parse_magnitude)?,
            depth_m: properties.read("depth", DEPTH, parse_depth)?,
            region: properties.required("place")?,
            potential: None,
            felt: None,
            shakemap: None,
        },
        notes: Vec::new(),
    })
}
