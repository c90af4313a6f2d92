//! The areas of the three provinces by Kemendagri code, down to kecamatan: their names, people and places.
//!
//! What it never does: take a name without its kab/kota for a place, or guess whether a code is Kemendagri's or BPS's,
//! which differ in DKI.

mod code;
mod name;
mod population;
mod raster;
mod volcano;

use std::{cmp::Reverse, sync::LazyLock};

use posko_proto::common::v1;
use serde::{Deserialize, Serialize};

pub use self::{
    code::{CodeError, CodeSystem, of_record},
    name::{Named, named_within},
    population::{POPULATION_SOURCE, Population, population},
    raster::{RASTER_SOURCE, Shape, Touched, WHOLE_PERMILLE, at, nearest, touches_as_drawn, under},
    volcano::{NamedVolcano, Volcano, volcano_named},
};
use crate::wire;

/// The edition of the codes that this version knows.
pub const CODE_SET: &str = "Kepmendagri 300.2.2-2430/2025";

/// An area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The Kemendagri code with dots: `32`, `32.03`, `32.03.01`.
    pub code: &'static str,
    /// The name as the decree has it, three typing errors corrected.
    pub name: &'static str,
    /// The middle of its area, for kab/kota only.
    pub centroid: Option<Point>,
}

/// A place on earth, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Point {
    /// The latitude in millionths of a degree, north positive.
    pub latitude_microdegrees: i32,
    /// The longitude in millionths of a degree, east positive.
    pub longitude_microdegrees: i32,
}

/// Where something is: an area, and a point where it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The Kemendagri code.
    pub region_code: String,
    /// The exact place where it is known.
    pub point: Option<Point>,
    /// The edition of the codes that the code was checked against.
    pub code_set: String,
}

/// What was no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// No code was given.
    #[error("field `{field}` is empty: expected a region code such as `32.03`")]
    NoCode {
        /// The field.
        field: &'static str,
    },
    /// The code is in no edition that this version knows.
    #[error("field `{field}` names no region: {source}")]
    Unknown {
        /// The field.
        field: &'static str,
        /// The code and its nearest neighbor.
        source: UnknownRegion,
    },
    /// The point is not on earth.
    #[error(
        "field `{field}` is `{latitude}, {longitude}` microdegrees: \
         a latitude lies within ±90,000,000 and a longitude within ±180,000,000"
    )]
    OffEarth {
        /// The field.
        field: &'static str,
        /// The latitude given.
        latitude: i32,
        /// The longitude given.
        longitude: i32,
    },
    /// The point lies in another region.
    #[error("field `place.point` is `{shown}`, which lies in {found} (`{code}`), not in {given}")]
    InOther {
        /// The latitude and the longitude in degrees.
        shown: String,
        /// Where it lies.
        found: &'static str,
        /// The code of that.
        code: &'static str,
        /// Where it was said to lie.
        given: String,
    },
    /// The point lies in no region that is known here, and far from the one given.
    #[error("field `place.point` is `{shown}`, which lies `{km}` km from {found}, not in {given}")]
    Outside {
        /// The latitude and the longitude in degrees.
        shown: String,
        /// How far the nearest known region is.
        km: u64,
        /// That region.
        found: &'static str,
        /// Where it was said to lie.
        given: String,
    },
}

/// A code that is not known, with the nearest one that is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{code}` is no region code of {CODE_SET}; the nearest is `{nearest}` ({name})")]
pub struct UnknownRegion {
    /// The code given.
    pub code: String,
    /// The nearest code known.
    pub nearest: &'static str,
    /// That region's name.
    pub name: &'static str,
}

static REGIONS: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let rows = include_str!("../data/region.csv").lines().skip(1);
    rows.filter_map(|row| {
        let mut fields = row.split(',');
        let (code, name) = (fields.next()?, fields.next()?);
        let degrees = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
        let centroid = degrees(fields.next()).zip(degrees(fields.next()));
        Some(Region {
            code,
            name,
            centroid: centroid.map(|(lat, lon)| Point::from_degrees(lat, lon)),
        })
    })
    .collect()
});

impl Region {
    /// Returns the code of the province that it lies in.
    pub fn province(&self) -> &'static str {
        province_of(self.code)
    }
}

impl Point {
    /// Returns the point at these degrees, to the nearest millionth.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Self {
        let micro = |degrees: f64| (degrees * 1e6).round() as i32;
        Self {
            latitude_microdegrees: micro(latitude),
            longitude_microdegrees: micro(longitude),
        }
    }

    /// Returns latitude and longitude in degrees.
    pub fn degrees(self) -> (f64, f64) {
        (
            f64::from(self.latitude_microdegrees) / 1e6,
            f64::from(self.longitude_microdegrees) / 1e6,
        )
    }
}

impl From<Point> for v1::Point {
    fn from(point: Point) -> Self {
        Self {
            latitude_microdegrees: point.latitude_microdegrees,
            longitude_microdegrees: point.longitude_microdegrees,
        }
    }
}

impl From<v1::Point> for Point {
    fn from(point: v1::Point) -> Self {
        Self {
            latitude_microdegrees: point.latitude_microdegrees,
            longitude_microdegrees: point.longitude_microdegrees,
        }
    }
}

impl Place {
    /// Returns the place of a known region, without a point.
    pub fn of(region: &Region) -> Self {
        Self {
            region_code: region.code.into(),
            point: None,
            code_set: CODE_SET.into(),
        }
    }

    /// Reads a place as it was sent, as [`Place::parse`] does; a point must lie in the region too, or in its waters.
    pub fn parse_within(place: &v1::Place) -> Result<Self, PlaceError> {
        let place = Self::parse(place)?;
        match place.point {
            Some(point) => place.check_within(point).map(|()| place),
            None => Ok(place),
        }
    }

    /// A border is known to a cell's width, and a province's waters reach 12 nautical miles out.
    fn check_within(&self, point: Point) -> Result<(), PlaceError> {
        const BORDER_M: u32 = 2_500;
        const WATERS_M: u32 = 22_224;
        let code = self.region_code.as_str();
        let around = |radius_m| {
            let center = point;
            let touched = under(&[Shape::Circle { center, radius_m }]);
            let fits = touched.iter().any(|touched| {
                within(touched.region.code, code) || within(code, touched.region.code)
            });
            (!touched.is_empty(), fits)
        };
        let (on_land, near) = around(BORDER_M);
        if near || (!on_land && around(WATERS_M).1) {
            return Ok(());
        }
        let (latitude, longitude) = point.degrees();
        let shown = format!("{latitude}, {longitude}");
        let given = find(code).map_or(code, |region| region.name).to_owned();
        Err(match (at(point), nearest(point)) {
            (None, Some((found, km))) => PlaceError::Outside {
                shown,
                km: km.round() as u64,
                found: found.name,
                given,
            },
            (found, _) => PlaceError::InOther {
                shown,
                found: found.map_or("-", |found| found.name),
                code: found.map_or("-", |found| found.code),
                given,
            },
        })
    }

    /// Reads a place as it was sent; the code must be known, and the point on earth.
    pub fn parse(place: &v1::Place) -> Result<Self, PlaceError> {
        if place.region_code.is_empty() {
            return Err(PlaceError::NoCode {
                field: "place.region_code",
            });
        }
        let region = parse(&place.region_code).map_err(|source| PlaceError::Unknown {
            field: "place.region_code",
            source,
        })?;
        let point = place
            .point
            .map(|point| check_point("place.point", point))
            .transpose()?;
        Ok(Self {
            point,
            ..Self::of(region)
        })
    }
}

impl From<Place> for v1::Place {
    fn from(place: Place) -> Self {
        Self {
            region_code: place.region_code,
            point: place.point.map(Into::into),
            code_set: place.code_set,
        }
    }
}

/// Reads a point; one that is not on earth is refused, naming the field.
pub(crate) fn check_point(field: &'static str, point: v1::Point) -> Result<Point, PlaceError> {
    if wire::on_earth(point) {
        return Ok(point.into());
    }
    let (latitude, longitude) = (point.latitude_microdegrees, point.longitude_microdegrees);
    Err(PlaceError::OffEarth {
        field,
        latitude,
        longitude,
    })
}

/// Returns all regions in order of their codes.
pub fn all() -> &'static [Region] {
    &REGIONS
}

/// Finds a region by its code.
pub fn find(code: &str) -> Option<&'static Region> {
    let at = REGIONS
        .binary_search_by(|region| region.code.cmp(code))
        .ok()?;
    REGIONS.get(at)
}

/// Finds a region by its code, or says which known code is nearest.
pub fn parse(code: &str) -> Result<&'static Region, UnknownRegion> {
    find(code).ok_or_else(|| {
        let near = nearest_code(code);
        UnknownRegion {
            code: code.into(),
            nearest: near.code,
            name: near.name,
        }
    })
}

/// Finds regions by name, with or without `Kabupaten` or `Kota`, in any case; an ambiguous name gives several.
pub fn by_name(name: &str) -> Vec<&'static Region> {
    let wanted = plain(name);
    let wanted = if wanted == "dki jakarta" {
        plain("Daerah Khusus Ibukota Jakarta")
    } else {
        wanted
    };
    let matches = |region: &&Region| {
        let full = plain(region.name);
        full == wanted || bare(&full) == wanted
    };
    REGIONS.iter().filter(matches).collect()
}

/// Returns the province's part of a code: `32` of `32.03.01`.
pub fn province_of(code: &str) -> &str {
    code.split('.').next().unwrap_or_default()
}

/// Returns the kab/kota that a code of a kab/kota or a kecamatan lies in.
pub fn regency_of(code: &str) -> Option<&'static Region> {
    find(code.get(..5)?).filter(|regency| within(code, regency.code))
}

/// Says whether the code is the area's, or of a part of it.
pub fn within(code: &str, area: &str) -> bool {
    code.strip_prefix(area)
        .is_some_and(|rest| rest.is_empty() || (rest.starts_with('.') && !area.is_empty()))
}

/// Returns the kab/kota that is nearest to the point in degrees, and how far its border is in kilometers: 0 inside.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "the committed table has cells of every kab/kota; a test counts them"
)]
pub fn nearest_regency(latitude: f64, longitude: f64) -> (&'static Region, f64) {
    let nearest = nearest(Point::from_degrees(latitude, longitude));
    let regency = nearest.and_then(|(region, km)| Some((regency_of(region.code)?, km)));
    regency.expect("the table has kab/kota")
}

/// The earth's mean radius in kilometers (IUGG's R1).
pub(crate) const EARTH_RADIUS_KM: f64 = 6371.0088;

/// Returns the great-circle distance of two places in degrees (latitude, longitude), in kilometers.
pub fn haversine_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let half_chord = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let across = from.0.to_radians().cos() * to.0.to_radians().cos();
    let a = across.mul_add(half_chord(from.1, to.1), half_chord(from.0, to.0));
    2.0 * EARTH_RADIUS_KM * a.sqrt().min(1.0).asin()
}

fn nearest_code(code: &str) -> &'static Region {
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .take(16)
            .collect::<String>()
    };
    let wanted = digits(code);
    // The longest common beginning, then the fewest changes; of equally near ones the narrower, then the lower.
    let farness = |region: &&Region| {
        let known = digits(region.code);
        let shared = known
            .bytes()
            .zip(wanted.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        (
            Reverse(shared),
            strsim::levenshtein(&known, &wanted),
            Reverse(known.len()),
        )
    };
    #[expect(
        clippy::expect_used,
        reason = "the committed table has 870 rows; a test counts them"
    )]
    REGIONS
        .iter()
        .min_by_key(farness)
        .expect("the table has regions")
}

/// Lower case, single blanks, abbreviations spelled out.
fn plain(name: &str) -> String {
    let spelled = |word: &str| match word {
        "kab" | "kab." => "kabupaten".into(),
        "adm" | "adm." => "administrasi".into(),
        "kep" | "kep." => "kepulauan".into(),
        word => word.to_owned(),
    };
    name.to_lowercase()
        .split_whitespace()
        .map(spelled)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The plain name without the kind of area in front.
fn bare(plain: &str) -> &str {
    let kinds = [
        "kabupaten administrasi ",
        "kota administrasi ",
        "kabupaten ",
        "kota ",
    ];
    kinds
        .iter()
        .find_map(|kind| plain.strip_prefix(kind))
        .unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(regions: &[&Region]) -> Vec<&'static str> {
        regions.iter().map(|region| region.code).collect()
    }

    #[test]
    fn three_provinces_41_kab_kota_and_826_kecamatan_are_known_in_order() {
        let count = |length| {
            all()
                .iter()
                .filter(|region| region.code.len() == length)
                .count()
        };
        assert_eq!(
            [count(2), count(5), count(8), all().len()],
            [3, 41, 826, 870]
        );
        assert!(all().is_sorted_by(|a, b| a.code < b.code));
        assert!(
            all()
                .iter()
                .all(|region| region.centroid.is_some() == (region.code.len() == 5))
        );
        assert!(
            all()
                .iter()
                .all(|region| !region.name.is_empty() && region.name.trim() == region.name)
        );
        assert!(
            all()
                .iter()
                .filter(|region| region.code.len() > 2)
                .all(|region| regency_of(region.code).is_some())
        );
    }

    #[test]
    fn the_typing_errors_of_the_decree_are_corrected() {
        let name = |code| find(code).unwrap().name;
        assert_eq!(
            [name("32.03.06"), name("32.03.18"), name("32.03.20")],
            ["Bojongpicung", "Pagelaran", "Cibinong"]
        );
    }

    #[test]
    fn an_ambiguous_name_gives_several_regions() {
        assert_eq!(codes(&by_name("bogor")), ["32.01", "32.71"]);
        assert_eq!(codes(&by_name("Kab. Bogor")), ["32.01"]);
        assert_eq!(codes(&by_name("KOTA BOGOR")), ["32.71"]);
        assert_eq!(codes(&by_name("DKI Jakarta")), ["31"]);
        assert_eq!(codes(&by_name("Jakarta Pusat")), ["31.71"]);
        assert!(by_name("Cibitung").len() > 1);
        assert!(by_name("Atlantis").is_empty());
    }

    #[test]
    fn an_unknown_code_is_refused_with_the_nearest_known_one() {
        assert_eq!(parse("3203").unwrap_err().nearest, "32.03");
        assert_eq!(parse("32.03.99").unwrap_err().code, "32.03.99");
        assert!(parse("32.03.99").unwrap_err().nearest.starts_with("32.03"));
        assert!(parse("").is_err());
        assert!(parse(&"9".repeat(100_000)).is_err());
        assert_eq!(
            parse("32.3").unwrap_err().to_string(),
            "`32.3` is no region code of Kepmendagri 300.2.2-2430/2025; the nearest is `32.03` (Kabupaten Cianjur)"
        );
    }

    #[test]
    fn a_code_lies_within_its_area_only_at_a_dot() {
        assert!(within("32.03.01", "32.03") && within("32.03", "32") && within("32", "32"));
        assert!(
            !within("32.03", "32.0")
                && !within("32", "32.03")
                && !within("32", "")
                && !within("é", "32.03")
        );
        assert_eq!(regency_of("32.03.01").unwrap().name, "Kabupaten Cianjur");
        assert_eq!(regency_of("32"), None);
        assert_eq!(regency_of("32.033"), None);
        assert_eq!(regency_of("32.0é.01"), None);
    }

    #[test]
    fn the_cianjur_earthquake_of_2022_lies_in_cianjur() {
        let (region, km) = nearest_regency(-6.85, 107.03);
        assert_eq!((region.code, km), ("32.03", 0.0));
        let (region, _) = nearest_regency(-6.18, 106.83);
        assert_eq!(region.code, "31.71");
    }

    #[test]
    fn a_degree_on_the_equator_is_111_km() {
        assert!((haversine_km((0.0, 0.0), (0.0, 1.0)) - 111.195).abs() < 0.01);
    }

    #[test]
    fn a_place_off_earth_or_without_a_code_is_refused() {
        let place = |region_code: &str, latitude| v1::Place {
            region_code: region_code.into(),
            point: Some(v1::Point {
                latitude_microdegrees: latitude,
                longitude_microdegrees: 107_030_000,
            }),
            code_set: String::new(),
        };
        assert_eq!(
            Place::parse(&place("32.03", -6_850_000)).unwrap().code_set,
            CODE_SET
        );
        assert!(matches!(
            Place::parse(&place("", 0)),
            Err(PlaceError::NoCode { .. })
        ));
        assert!(matches!(
            Place::parse(&place("32.99", 0)),
            Err(PlaceError::Unknown { .. })
        ));
        let refused = Place::parse(&place("32.03", 107_030_000))
            .unwrap_err()
            .to_string();
        assert!(
            refused.starts_with("field `place.point` is `107030000, 107030000` microdegrees"),
            "{refused}"
        );
    }

    #[test]
    fn a_point_lies_in_the_region_that_is_given_or_in_its_waters() {
        let refused = |code: &str, latitude, longitude| {
            let place = v1::Place {
                region_code: code.into(),
                point: Some(Point::from_degrees(latitude, longitude).into()),
                code_set: String::new(),
            };
            let refused = Place::parse_within(&place).err();
            refused.map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(refused("32.75", -6.24, 106.99), "");
        assert_eq!(refused("32", -6.24, 106.99), "");
        assert_eq!(
            refused("32.02", -7.4, 106.3),
            "",
            "at sea, off Sukabumi's coast"
        );
        let north = refused("32.75", 6.24, 106.99);
        assert!(
            north.contains("`6.24, 106.99`") && north.contains("km from"),
            "{north}"
        );
        let elsewhere = refused("32.75", -6.85, 107.03);
        assert!(elsewhere.contains("which lies in "), "{elsewhere}");
        assert!(elsewhere.contains("(`32.03"), "{elsewhere}");
    }
}
