//! Where a warning holds: from shapes, codes and names to the regions of the three provinces.
//!
//! What it never does: guess which of several places a name means, or take an area elsewhere for one that nobody knows.

use std::collections::BTreeMap;

use posko_proto::warning::v1::{
    Area, AreaReach, Content, FeltPlace, FoundBy, FoundRegion, NamedPlace,
};

use crate::{
    region::{
        self, CodeSystem, Named, Point, Region, Shape, named_within, of_record, touches_as_drawn,
        under,
    },
    wire::on_earth,
};

/// The provinces of the federation's region by their codes.
const OURS: [&str; 3] = ["31", "32", "36"];

/// What a publisher says of an area in words, besides its shapes and codes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The code of the province that it names as a whole.
    pub province: Option<&'static str>,
    /// The places that it names, each with the kab/kota under which it lists it.
    pub names: Vec<(String, Option<String>)>,
}

/// Fills in which regions an area touches, and how each was found; codes that it has already count as given.
///
/// A province that is named as a whole counts only where nothing closer is said: BMKG names one beside its polygons.
pub fn locate(area: &mut Area, said: &Said) {
    let mut found = Found::default();
    for code in &area.region_codes {
        found.add(region::find(code), FoundBy::Given, None);
    }
    let is_elsewhere = locate_shapes(area, &mut found) | locate_codes(area, &mut found);
    area.names.clear();
    for (name, within) in &said.names {
        let province = said.province.unwrap_or_default();
        match resolve(name, within.as_deref(), province) {
            Named::One(region) => found.add(Some(region), FoundBy::Name, None),
            Named::Several(regions) => area.names.push(named(name, within.as_ref(), &regions)),
            Named::Unknown => area.names.push(named(name, within.as_ref(), &[])),
        }
    }
    if found.0.is_empty() && !is_elsewhere {
        let province = said.province.and_then(region::find);
        found.add(province, FoundBy::Name, None);
    }
    area.regions = found.finish();
    area.region_codes = area
        .regions
        .iter()
        .map(|found| found.region_code.clone())
        .collect();
    let reach = match (area.regions.is_empty(), is_elsewhere) {
        (false, _) => AreaReach::Regions,
        (true, true) => AreaReach::Outside,
        (true, false) => AreaReach::Unknown,
    };
    area.reach = reach.into();
}

/// Fills in every area of a content from its shapes and codes.
pub(super) fn locate_all(content: &mut Content) {
    for area in &mut content.areas {
        locate(area, &Said::default());
    }
    region::CODE_SET.clone_into(&mut content.code_set);
}

/// Fills in what every area of an own warning or a report touches. Its codes stay as they were given: what a person warns
/// of, and has the right to, is not widened by a shape that reaches over the border.
pub fn locate_as_given(content: &mut Content) {
    for area in &mut content.areas {
        let given = area.region_codes.clone();
        locate(area, &Said::default());
        area.region_codes = given;
    }
    region::CODE_SET.clone_into(&mut content.code_set);
}

/// Puts an earthquake's epicenter into an area: the region in which it lies, or the nearest within a distance.
pub fn locate_epicenter(area: &mut Area, epicenter: Point, within_km: f64) {
    let Some((region, km)) = region::nearest(epicenter).filter(|(_, km)| *km <= within_km) else {
        area.reach = AreaReach::Outside.into();
        return;
    };
    let is_inside = km == 0.0;
    // Only a kab/kota is said of a point at sea: which kecamatan's coast is nearest means nothing.
    let region = if is_inside {
        Some(region)
    } else {
        region::regency_of(region.code)
    };
    let Some(region) = region else { return };
    area.region_codes = vec![region.code.into()];
    area.regions = vec![FoundRegion {
        region_code: region.code.into(),
        found_by: vec![
            if is_inside {
                FoundBy::Epicenter
            } else {
                FoundBy::Nearest
            }
            .into(),
        ],
        covered_permille: 0,
        partly: true,
        distance_m: (km * 1000.0).round() as u32,
    }];
    area.reach = AreaReach::Regions.into();
}

/// Returns a place where an earthquake was felt, with its region where the name says which.
pub fn felt(name: &str, mmi_from: u8, mmi_to: u8) -> FeltPlace {
    let codes = |regions: &[&Region]| regions.iter().map(|region| region.code.into()).collect();
    let (region_code, candidates) = match named_within(name, "") {
        Named::One(region) => (region.code.into(), Vec::new()),
        Named::Several(regions) => (String::new(), codes(&regions)),
        Named::Unknown => (String::new(), Vec::new()),
    };
    FeltPlace {
        name: name.into(),
        mmi_from: mmi_from.into(),
        mmi_to: mmi_to.into(),
        region_code,
        candidates,
    }
}

/// Finds a name within a kab/kota of a province where that is named, else within the province.
fn resolve(name: &str, within: Option<&str>, province: &str) -> Named {
    let Some(within) = within else {
        return named_within(name, province);
    };
    match named_within(within, province) {
        Named::One(area) => named_within(name, area.code),
        // Of several kab/kota the name may fit one alone.
        Named::Several(areas) => {
            let mut found: Vec<&'static Region> = Vec::new();
            for area in areas {
                match named_within(name, area.code) {
                    Named::One(region) => found.push(region),
                    Named::Several(regions) => found.extend(regions),
                    Named::Unknown => {}
                }
            }
            match found.as_slice() {
                [] => Named::Unknown,
                [one] => Named::One(one),
                _ => Named::Several(found),
            }
        }
        Named::Unknown => named_within(name, province),
    }
}

fn named(name: &str, within: Option<&String>, candidates: &[&'static Region]) -> NamedPlace {
    NamedPlace {
        name: name.into(),
        candidates: candidates.iter().map(|region| region.code.into()).collect(),
        within: within.cloned().unwrap_or_default(),
    }
}

/// Adds what lies under the shapes; says whether they lie elsewhere as a whole.
fn locate_shapes(area: &Area, found: &mut Found) -> bool {
    let rings: Vec<Vec<Point>> = area
        .polygons
        .iter()
        .map(|polygon| polygon.points.iter().copied().map(Point::from).collect())
        .collect();
    let polygons = rings.iter().map(|ring| Shape::Polygon(ring));
    let circles = area.circles.iter().filter_map(|circle| {
        let center = circle.center.filter(|center| on_earth(*center))?;
        Some(Shape::Circle {
            center: center.into(),
            radius_m: circle.radius_m,
        })
    });
    let shapes: Vec<Shape<'_>> = polygons.chain(circles).collect();
    let touched = under(&shapes);
    for touched in &touched {
        found.add(Some(touched.region), FoundBy::Shape, Some(touched));
    }
    // A ring that may mean the world is no ring elsewhere: nobody can tell.
    !shapes.is_empty() && touched.is_empty() && !rings.iter().any(|ring| touches_as_drawn(ring))
}

/// What a code of a list stands for.
enum Coded {
    /// A region, or a part of it only.
    Region(&'static Region, bool),
    /// A place in no province of ours.
    Elsewhere,
    /// Nobody knows.
    Unknown,
}

/// Adds what the codes name; says whether they lie elsewhere as a whole.
fn locate_codes(area: &Area, found: &mut Found) -> bool {
    let mut elsewhere = 0;
    for code in &area.geocodes {
        match read_code(&code.name, &code.value) {
            Coded::Region(region, partly) => {
                found.add(Some(region), FoundBy::Geocode, None);
                if partly {
                    found.mark_partly(region.code);
                }
            }
            Coded::Elsewhere => elsewhere += 1,
            Coded::Unknown => {}
        }
    }
    elsewhere > 0 && elsewhere == area.geocodes.len()
}

/// Says whether a list, by its name in lower case, has places of one other country or continent only: those of the weather
/// services of the United States (UGC, SAME and FIPS6) and Canada (CAP-CP and CLC), and of Europe (EMMA_ID and NUTS).
fn is_foreign(list: &str) -> bool {
    matches!(list, "ugc" | "same" | "fips6" | "emma_id")
        || list.starts_with("nuts")
        || list.starts_with("profile:cap-cp:location:")
        || (list.starts_with("layer:ec-msc-smc:") && list.ends_with(":clc"))
}

/// Reads a code whose list says that it is Kemendagri's or BPS's: the same digits differ in Jakarta, so one of another list
/// is left as it is. BMKG's `adm2` to `adm4` are Kemendagri's.
fn read_code(list: &str, code: &str) -> Coded {
    let list = list.to_lowercase();
    if is_foreign(&list) {
        return Coded::Elsewhere;
    }
    let is_bps = list.contains("bps");
    let is_kemendagri =
        list.contains("kemendagri") || matches!(list.as_str(), "adm1" | "adm2" | "adm3" | "adm4");
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    if is_bps == is_kemendagri || code.chars().any(|c| !c.is_ascii_digit() && c != '.') {
        return Coded::Unknown;
    }
    let fits = match digits.len() {
        2 | 4 | 10 => true,
        6 => is_kemendagri,
        7 => is_bps,
        _ => false,
    };
    let province = digits.get(..2).unwrap_or_default();
    if !fits || !OURS.contains(&province) {
        let is_elsewhere = fits && province.parse::<u32>().is_ok_and(|code| code >= 11);
        return if is_elsewhere {
            Coded::Elsewhere
        } else {
            Coded::Unknown
        };
    }
    let head = digits.get(..4).unwrap_or(&digits);
    if is_bps {
        // Below a kab/kota BPS counts otherwise, and nothing here says how.
        let regency = of_record(head, Some(CodeSystem::Bps));
        return regency.map_or(Coded::Unknown, |region| {
            Coded::Region(region, digits.len() > 4)
        });
    }
    let dotted: Vec<&str> = [digits.get(..2), digits.get(2..4), digits.get(4..6)]
        .into_iter()
        .flatten()
        .collect();
    region::find(&dotted.join(".")).map_or(Coded::Unknown, |region| {
        Coded::Region(region, digits.len() > 6)
    })
}

/// Regions as they are found, by code.
#[derive(Default)]
struct Found(BTreeMap<&'static str, FoundRegion>);

impl Found {
    fn add(
        &mut self,
        region: Option<&'static Region>,
        by: FoundBy,
        touched: Option<&region::Touched>,
    ) {
        let Some(region) = region else { return };
        let is_whole = touched.is_none_or(region::Touched::is_whole);
        let entry = self.0.entry(region.code).or_insert_with(|| FoundRegion {
            region_code: region.code.into(),
            found_by: Vec::new(),
            covered_permille: 0,
            partly: true,
            distance_m: 0,
        });
        entry.partly &= !is_whole;
        if let Some(touched) = touched {
            entry.covered_permille = entry.covered_permille.max(touched.permille());
        }
        if !entry.found_by.contains(&by.into()) {
            entry.found_by.push(by.into());
        }
    }

    fn mark_partly(&mut self, code: &str) {
        if let Some(entry) = self.0.get_mut(code) {
            entry.partly = true;
        }
    }

    /// Returns what was found, without the parts of what was found whole.
    fn finish(self) -> Vec<FoundRegion> {
        let whole: Vec<&str> = self
            .0
            .iter()
            .filter(|(_, found)| !found.partly)
            .map(|(code, _)| *code)
            .collect();
        let is_part = |code: &str| {
            whole
                .iter()
                .any(|area| *area != code && region::within(code, area))
        };
        let kept = self.0.iter().filter(|(code, _)| !is_part(code));
        kept.map(|(_, found)| found.clone()).collect()
    }
}
