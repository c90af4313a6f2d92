//! Where each kab/kota and kecamatan lies, in cells of 0.01 degrees (about 1.1 km), and what lies under a polygon or a circle.
//!
//! What it never does: leave out a region that is touched, or take what lies elsewhere for what nobody knows.
//! A cell that two kecamatan share is of the larger part, so a border is known to a cell's width and no better.

use std::{f64::consts::PI, ops::Range, sync::LazyLock};

use crate::region::{self, EARTH_RADIUS_KM, Point, Region, haversine_km};

/// Where the cells come from.
pub const RASTER_SOURCE: &str =
    "cahyadsn/wilayah_boundaries (MIT), polygons simplified; cells of 0.01 degrees";

/// From how many of a thousand cells on a region is covered whole; its border is known to a cell's width only.
pub const WHOLE_PERMILLE: u32 = 950;

/// A cell's side in millionths of a degree.
const CELL: i32 = 10_000;

/// Half of a full turn in millionths of a degree.
const HALF_TURN: i64 = 180_000_000;

/// A shape on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
    /// A closed ring; what lies inside by the even-odd rule.
    Polygon(&'a [Point]),
    /// A circle.
    Circle {
        /// The middle.
        center: Point,
        /// The radius in meters; with 0 it is a point.
        radius_m: u32,
    },
}

/// A region that a shape touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// The region.
    pub region: &'static Region,
    /// How many of its cells are touched somewhere; never 0.
    pub touched: u32,
    /// How many of its cells have their middle inside.
    pub covered: u32,
    /// How many cells it has.
    pub cells: u32,
}

impl Touched {
    /// Returns how many of a thousand of its cells are covered; 0 when only an edge is touched.
    pub fn permille(&self) -> u32 {
        self.covered * 1000 / self.cells.max(1)
    }

    /// Says whether it is covered whole, as far as cells can tell.
    pub fn is_whole(&self) -> bool {
        self.permille() >= WHOLE_PERMILLE
    }
}

/// Cells of one region beside each other.
#[derive(Debug)]
struct Run {
    columns: Range<i32>,
    /// The region's place in [`region::all`].
    region: usize,
}

#[derive(Debug)]
struct Raster {
    /// The southern row.
    south: i32,
    /// From row to row northward, its runs from west to east.
    rows: Vec<Vec<Run>>,
    /// The columns in which there are cells.
    columns: Range<i32>,
    /// How many cells each region has, its parts' cells with them.
    cells: Vec<u32>,
}

static RASTER: LazyLock<Raster> =
    LazyLock::new(|| Raster::parse(include_str!("../../data/raster.txt")));

impl Raster {
    fn parse(text: &str) -> Self {
        let mut raster = Self {
            south: 0,
            rows: Vec::new(),
            columns: 0..0,
            cells: vec![0; region::all().len()],
        };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let Some(row) = words.next().and_then(|row| row.parse::<i32>().ok()) else {
                continue;
            };
            if raster.rows.is_empty() {
                raster.south = row;
            }
            let at = usize::try_from(row - raster.south).unwrap_or_default();
            raster.rows.resize_with(at + 1, Vec::new);
            for run in words.filter_map(parse_run) {
                raster.widen(&run.columns);
                raster.count(&run);
                if let Some(runs) = raster.rows.last_mut() {
                    runs.push(run);
                }
            }
        }
        raster
    }

    fn widen(&mut self, columns: &Range<i32>) {
        self.columns = if self.columns.is_empty() {
            columns.clone()
        } else {
            self.columns.start.min(columns.start)..self.columns.end.max(columns.end)
        };
    }

    fn count(&mut self, run: &Run) {
        for region in with_parents(run.region) {
            if let Some(cells) = self.cells.get_mut(region) {
                *cells += run.columns.len() as u32;
            }
        }
    }

    fn runs(&self, row: i32) -> &[Run] {
        let at = usize::try_from(row - self.south).ok();
        at.and_then(|at| self.rows.get(at))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn row_range(&self) -> Range<i32> {
        self.south..self.south + self.rows.len() as i32
    }
}

/// Reads `10612*3=360205`.
fn parse_run(text: &str) -> Option<Run> {
    let (columns, code) = text.split_once('=')?;
    let (first, length) = columns.split_once('*')?;
    let (first, length): (i32, i32) = (first.parse().ok()?, length.parse().ok()?);
    let dotted = [code.get(..2), code.get(2..4), code.get(4..6)];
    let dotted: Vec<&str> = dotted.into_iter().flatten().collect();
    Some(Run {
        columns: first..first + length,
        region: place_of(&dotted.join("."))?,
    })
}

/// Returns a region's place in the table.
fn place_of(code: &str) -> Option<usize> {
    region::all()
        .binary_search_by(|region| region.code.cmp(code))
        .ok()
}

/// Returns the place of a region and of those that it lies in.
fn with_parents(place: usize) -> impl Iterator<Item = usize> {
    let code = region::all().get(place).map_or("", |region| region.code);
    let lengths = [2, 5, 8].into_iter().filter(|length| *length <= code.len());
    lengths.filter_map(|length| place_of(code.get(..length)?))
}

/// Returns the kecamatan in which a point lies, or the kab/kota where no kecamatan's border is known; none at sea and in
/// other provinces.
pub fn at(point: Point) -> Option<&'static Region> {
    let (row, column) = (
        point.latitude_microdegrees.div_euclid(CELL),
        point.longitude_microdegrees.div_euclid(CELL),
    );
    let run = RASTER
        .runs(row)
        .iter()
        .find(|run| run.columns.contains(&column))?;
    region::all().get(run.region)
}

/// Returns the region of the three provinces that is nearest to a point, and how far it is in kilometers: 0 inside.
pub fn nearest(point: Point) -> Option<(&'static Region, f64)> {
    if let Some(region) = at(point) {
        return Some((region, 0.0));
    }
    let from = point.degrees();
    let far = |row: i32, run: &Run| {
        let side = |cell: i32| f64::from(cell) / 100.0;
        let lat = from.0.clamp(side(row), side(row + 1));
        let lon = from.1.clamp(side(run.columns.start), side(run.columns.end));
        haversine_km(from, (lat, lon))
    };
    let runs = RASTER
        .row_range()
        .flat_map(|row| RASTER.runs(row).iter().map(move |run| (row, run)));
    let (region, distance) = runs
        .map(|(row, run)| (run.region, far(row, run)))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some((region::all().get(region)?, distance))
}

/// Returns what lies under shapes taken together, in order of the codes.
///
/// A province or a kab/kota that is covered whole stands for all of its parts; else its kecamatan are named one by one.
/// Nothing that is touched is left out, and shapes that touch nothing give an empty list: they lie elsewhere.
///
/// A side of a ring that goes more than half around the earth is taken the short way, over the date line; a ring that
/// would then enclose nothing is taken as it is drawn.
pub fn under(shapes: &[Shape<'_>]) -> Vec<Touched> {
    if shapes.is_empty() {
        return Vec::new();
    }
    let mut marks = Marks::new();
    for shape in shapes {
        match shape {
            Shape::Polygon(ring) => marks.polygon(&unwrapped(ring)),
            Shape::Circle { center, radius_m } => marks.circle(*center, *radius_m),
        }
    }
    marks.regions()
}

/// Says whether a ring with a side that goes more than half around the earth touches a region if it is taken as it is
/// drawn: whoever drew it may have meant the world.
pub fn touches_as_drawn(ring: &[Point]) -> bool {
    let drawn = drawn(ring);
    if unwrapped(ring) == drawn {
        return false;
    }
    let mut marks = Marks::new();
    marks.polygon(&drawn);
    !marks.regions().is_empty()
}

/// Which cells are touched, and which have their middle inside.
struct Marks {
    touched: Vec<bool>,
    covered: Vec<bool>,
    width: usize,
}

impl Marks {
    fn new() -> Self {
        let width = RASTER.columns.len();
        let cells = RASTER.rows.len() * width;
        Self {
            touched: vec![false; cells],
            covered: vec![false; cells],
            width,
        }
    }

    /// Marks cells of a row, as far as there are any.
    fn mark(&mut self, row: i32, columns: Range<i32>, is_covered: bool) {
        if !RASTER.row_range().contains(&row) {
            return;
        }
        let known = &RASTER.columns;
        let (first, end) = (columns.start.max(known.start), columns.end.min(known.end));
        let Ok(length) = usize::try_from(end - first) else {
            return;
        };
        let place = |row: i32, column: i32| {
            let (row, column) = (row - RASTER.south, column - known.start);
            Some(usize::try_from(row).ok()? * self.width + usize::try_from(column).ok()?)
        };
        let Some(from) = place(row, first) else {
            return;
        };
        let fill = |marks: &mut Vec<bool>| {
            if let Some(cells) = marks.get_mut(from..from + length) {
                cells.fill(true);
            }
        };
        fill(&mut self.touched);
        if is_covered {
            fill(&mut self.covered);
        }
    }

    fn polygon(&mut self, ring: &[(i64, i64)]) {
        let longitudes = || ring.iter().map(|(_, longitude)| *longitude);
        let (Some(west), Some(east)) = (longitudes().min(), longitudes().max()) else {
            return;
        };
        // A ring that was drawn around the other side of the date line is the same ring.
        for turn in [-2 * HALF_TURN, 0, 2 * HALF_TURN] {
            let known = &RASTER.columns;
            let is_far = in_cells(east + turn) < f64::from(known.start)
                || in_cells(west + turn) > f64::from(known.end);
            if is_far {
                continue;
            }
            let shifted: Vec<(f64, f64)> = ring
                .iter()
                .map(|(lat, lon)| (in_cells(*lat), in_cells(*lon + turn)))
                .collect();
            self.edges(&shifted);
            self.inside(&shifted);
        }
    }

    /// Marks as touched the cells through which the sides go.
    fn edges(&mut self, ring: &[(f64, f64)]) {
        let rows = RASTER.row_range();
        for side in ring.windows(2) {
            let [a, b] = side else { continue };
            let (low, high) = if a.0 <= b.0 { (a, b) } else { (b, a) };
            let first = (low.0.floor() as i32).max(rows.start);
            let last = (high.0.floor() as i32).min(rows.end - 1);
            for row in first..=last {
                let rise = high.0 - low.0;
                let along = |latitude: f64| {
                    let share = if rise > 0.0 {
                        ((latitude - low.0) / rise).clamp(0.0, 1.0)
                    } else {
                        0.0
                    };
                    low.1 + share * (high.1 - low.1)
                };
                // A level side stays in its row from end to end.
                let (from, to) = if rise > 0.0 {
                    (along(f64::from(row)), along(f64::from(row) + 1.0))
                } else {
                    (low.1, high.1)
                };
                let (west, east) = (from.min(to), from.max(to));
                self.mark(row, west.floor() as i32..east.floor() as i32 + 1, false);
            }
        }
    }

    /// Marks as covered the cells whose middle lies inside, row by row.
    fn inside(&mut self, ring: &[(f64, f64)]) {
        let rows = RASTER.row_range();
        let mut crossings: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
        for side in ring.windows(2) {
            let [a, b] = side else { continue };
            let (low, high) = if a.0 <= b.0 { (a, b) } else { (b, a) };
            let first = ((low.0 - 0.5).floor() as i32).max(rows.start);
            let last = ((high.0 - 0.5).ceil() as i32).min(rows.end - 1);
            for row in first..=last {
                let middle = f64::from(row) + 0.5;
                if (a.0 > middle) == (b.0 > middle) {
                    continue;
                }
                let at = usize::try_from(row - rows.start).unwrap_or_default();
                if let Some(crossings) = crossings.get_mut(at) {
                    crossings.push(a.1 + (middle - a.0) / (b.0 - a.0) * (b.1 - a.1));
                }
            }
        }
        for (row, mut crossings) in rows.zip(crossings) {
            crossings.sort_by(f64::total_cmp);
            for pair in crossings.chunks(2) {
                let [west, east] = pair else { continue };
                let columns = (west - 0.5).ceil() as i32..(east - 0.5).floor() as i32 + 1;
                self.mark(row, columns, true);
            }
        }
    }

    /// Marks, row by row, the cells of which some part, or the middle, is within the radius.
    fn circle(&mut self, middle: Point, radius_m: u32) {
        let (lat, lon) = middle.degrees();
        let reach = f64::from(radius_m) / 1000.0;
        let side = |cell: i32| f64::from(cell) / 100.0;
        for row in RASTER.row_range() {
            let nearest = lat.clamp(side(row), side(row + 1));
            let Some(touched) = degrees_beside(lat, nearest, reach) else {
                continue;
            };
            let covered = degrees_beside(lat, side(row) + 0.005, reach);
            for turn in [-360.0, 0.0, 360.0] {
                let (west, east) = (lon + turn - touched, lon + turn + touched);
                let columns = (west * 100.0).floor() as i32..(east * 100.0).floor() as i32 + 1;
                self.mark(row, columns, false);
                if let Some(covered) = covered {
                    let (west, east) = (lon + turn - covered, lon + turn + covered);
                    let first = (west * 100.0 - 0.5).ceil() as i32;
                    let end = (east * 100.0 - 0.5).floor() as i32 + 1;
                    self.mark(row, first..end, true);
                }
            }
        }
    }

    fn regions(&self) -> Vec<Touched> {
        let mut own = vec![(0, 0); RASTER.cells.len()];
        for (row, marks) in RASTER.row_range().zip(self.rows()) {
            for run in RASTER.runs(row) {
                let from = usize::try_from(run.columns.start - RASTER.columns.start);
                let from = from.unwrap_or_default();
                let span = from..from + run.columns.len();
                let of_run = |marks: &[bool]| {
                    let marks = marks.get(span.clone()).unwrap_or_default();
                    marks.iter().filter(|mark| **mark).count() as u32
                };
                let (touched, covered) = (of_run(marks.0), of_run(marks.1));
                if touched == 0 {
                    continue;
                }
                if let Some(sum) = own.get_mut(run.region) {
                    sum.0 += touched;
                    sum.1 += covered;
                }
            }
        }
        let mut counts = vec![(0, 0); own.len()];
        let marked = own.into_iter().enumerate();
        for (region, (touched, covered)) in marked.filter(|(_, (touched, _))| *touched > 0) {
            for region in with_parents(region) {
                if let Some(sum) = counts.get_mut(region) {
                    sum.0 += touched;
                    sum.1 += covered;
                }
            }
        }
        let found = region::all().iter().zip(&RASTER.cells).zip(counts);
        let touched = found.filter(|(_, (touched, _))| *touched > 0);
        let touched = touched.map(|((region, cells), (touched, covered))| Touched {
            region,
            touched,
            covered,
            cells: *cells,
        });
        let all: Vec<Touched> = touched.collect();
        narrowest(&all)
    }

    fn rows(&self) -> impl Iterator<Item = (&[bool], &[bool])> {
        let width = self.width.max(1);
        self.touched.chunks(width).zip(self.covered.chunks(width))
    }
}

/// Keeps of each branch what is covered whole, else its parts, else itself.
fn narrowest(all: &[Touched]) -> Vec<Touched> {
    let mut kept: Vec<Touched> = Vec::new();
    for (at, touched) in all.iter().enumerate() {
        let code = touched.region.code;
        let in_kept = kept
            .iter()
            .any(|whole| whole.is_whole() && region::within(code, whole.region.code));
        let has_parts = all
            .get(at + 1)
            .is_some_and(|next| region::within(next.region.code, code));
        if !in_kept && (touched.is_whole() || !has_parts) {
            kept.push(*touched);
        }
    }
    kept
}

/// Returns a number of millionths of a degree in cells.
fn in_cells(microdegrees: i64) -> f64 {
    microdegrees as f64 / f64::from(CELL)
}

/// Returns how many degrees of longitude to each side a circle around a latitude reaches at another; none where it does not
/// reach that. The distance is [`haversine_km`]'s.
fn degrees_beside(from: f64, at: f64, reach_km: f64) -> Option<f64> {
    let half = |radians: f64| (radians / 2.0).sin().powi(2);
    let left = half((reach_km / EARTH_RADIUS_KM).min(PI)) - half((at - from).to_radians());
    let across = from.to_radians().cos() * at.to_radians().cos();
    if left < 0.0 {
        return None;
    }
    if left >= across {
        return Some(180.0);
    }
    Some(2.0 * (left / across).sqrt().asin().to_degrees())
}

/// Returns a ring's points in millionths of a degree, as they are drawn.
fn drawn(ring: &[Point]) -> Vec<(i64, i64)> {
    let degrees = |point: &Point| {
        let latitude = i64::from(point.latitude_microdegrees);
        (latitude, i64::from(point.longitude_microdegrees))
    };
    ring.iter().map(degrees).collect()
}

/// Continues longitudes past the date line, so that the sides of a ring stay short; as drawn where nothing would be left.
fn unwrapped(ring: &[Point]) -> Vec<(i64, i64)> {
    let mut turns = 0;
    let mut before: Option<i64> = None;
    let mut points = Vec::with_capacity(ring.len());
    for point in ring {
        let longitude = i64::from(point.longitude_microdegrees);
        if let Some(before) = before {
            if longitude - before > HALF_TURN {
                turns -= 2 * HALF_TURN;
            } else if before - longitude > HALF_TURN {
                turns += 2 * HALF_TURN;
            }
        }
        before = Some(longitude);
        points.push((i64::from(point.latitude_microdegrees), longitude + turns));
    }
    let mut longitudes = points.iter().map(|(_, longitude)| *longitude);
    let first = longitudes.next();
    if longitudes.all(|longitude| Some(longitude) == first) {
        return drawn(ring);
    }
    points
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn point(latitude: f64, longitude: f64) -> Point {
        Point::from_degrees(latitude, longitude)
    }

    fn ring(points: &[(f64, f64)]) -> Vec<Point> {
        let closed = points.iter().chain(points.first());
        closed.map(|(lat, lon)| point(*lat, *lon)).collect()
    }

    fn box_of(south: f64, west: f64, north: f64, east: f64) -> Vec<Point> {
        ring(&[(south, west), (south, east), (north, east), (north, west)])
    }

    fn codes(touched: &[Touched]) -> Vec<&'static str> {
        touched.iter().map(|touched| touched.region.code).collect()
    }

    #[test]
    fn every_kecamatan_has_a_cell_and_no_run_lies_on_another() {
        let held: BTreeSet<usize> = RASTER.rows.iter().flatten().map(|run| run.region).collect();
        let without: Vec<_> = region::all()
            .iter()
            .enumerate()
            .filter(|(at, region)| region.code.len() == 8 && !held.contains(at))
            .map(|(_, region)| region.code)
            .collect();
        assert_eq!(without, Vec::<&str>::new());
        for row in &RASTER.rows {
            assert!(
                row.windows(2)
                    .all(|runs| runs[0].columns.end <= runs[1].columns.start)
            );
        }
    }

    #[test]
    fn known_places_lie_in_their_kecamatan() {
        for (place, latitude, longitude, code) in [
            ("Monas", -6.1754, 106.8272, "31.71.01"),
            ("Bandara Soekarno-Hatta", -6.1256, 106.6559, "36.71"),
            ("Gedung Sate", -6.9025, 107.6187, "32.73"),
            ("Kebun Raya Bogor", -6.5976, 106.7996, "32.71"),
            ("Bendung Katulampa", -6.6332, 106.8370, "32.71"),
            ("Alun-alun Serang", -6.1153, 106.1543, "36.73"),
            ("Pelabuhan Merak", -5.9309, 105.9970, "36.72"),
            ("Pulau Pramuka", -5.7457, 106.6133, "31.01"),
        ] {
            let found = at(point(latitude, longitude)).map(|region| region.code);
            assert!(
                found.is_some_and(|found| region::within(found, code)),
                "{place}: {found:?}"
            );
        }
        for (place, latitude, longitude) in [
            ("the Java Sea", -5.5, 107.8),
            ("Semarang", -6.99, 110.42),
            ("Bandar Lampung", -5.43, 105.26),
            ("the other side of the earth", 6.2, -73.2),
        ] {
            assert_eq!(at(point(latitude, longitude)), None, "{place}");
        }
    }

    #[test]
    fn a_point_at_sea_is_told_with_the_nearest_coast() {
        let (region, km) = nearest(point(-6.1754, 106.8272)).unwrap();
        assert_eq!((region.code, km), ("31.71.01", 0.0));
        let (region, km) = nearest(point(-7.6, 106.2)).unwrap();
        assert!(
            region::within(region.code, "32.02") && (20.0..60.0).contains(&km),
            "{} {km}",
            region.code
        );
    }

    #[test]
    fn a_polygon_over_a_whole_province_is_the_province() {
        let all = under(&[Shape::Polygon(&box_of(-9.0, 104.0, -4.0, 110.0))]);
        assert_eq!(codes(&all), ["31", "32", "36"]);
        assert!(all.iter().all(|touched| touched.permille() == 1000));
    }

    #[test]
    fn what_is_only_touched_is_listed_and_marked() {
        // Some hundreds of meters around Monas, within one cell.
        let small = under(&[Shape::Polygon(&box_of(
            -6.1760, 106.8265, -6.1745, 106.8280,
        ))]);
        assert_eq!(codes(&small), ["31.71.01"]);
        assert_eq!((small[0].touched, small[0].is_whole()), (1, false));
        let point = under(&[Shape::Circle {
            center: point(-6.1754, 106.8272),
            radius_m: 0,
        }]);
        assert_eq!((codes(&point), point[0].permille()), (vec!["31.71.01"], 0));
    }

    #[test]
    fn a_circle_covers_what_is_near_and_touches_what_is_a_little_farther() {
        let circle = under(&[Shape::Circle {
            center: point(-6.1754, 106.8272),
            radius_m: 12_000,
        }]);
        assert!(
            codes(&circle).contains(&"31.71"),
            "Jakarta Pusat is covered whole"
        );
        let partly: Vec<_> = circle
            .iter()
            .filter(|touched| !touched.is_whole())
            .collect();
        assert!(!partly.is_empty() && partly.iter().all(|touched| touched.region.code.len() == 8));
    }

    #[test]
    fn what_lies_elsewhere_touches_nothing() {
        for elsewhere in [
            box_of(-7.5, 110.0, -6.5, 111.0),
            box_of(40.0, -80.0, 41.0, -79.0),
            box_of(-5.4, 107.6, -5.3, 107.7),
            ring(&[(-6.5, 179.0), (-6.5, -179.0), (-6.0, -179.0), (-6.0, 179.0)]),
        ] {
            assert_eq!(under(&[Shape::Polygon(&elsewhere)]), []);
        }
        assert_eq!(under(&[]), []);
    }

    #[test]
    fn a_ring_with_a_hole_does_not_cover_what_is_in_the_hole() {
        // A frame around Jakarta Pusat, drawn as one ring that goes in and comes out.
        let frame = ring(&[
            (-6.5, 106.5),
            (-6.5, 107.1),
            (-5.9, 107.1),
            (-5.9, 106.5),
            (-6.5, 106.5),
            (-6.25, 106.75),
            (-6.12, 106.75),
            (-6.12, 106.9),
            (-6.25, 106.9),
            (-6.25, 106.75),
        ]);
        let found = under(&[Shape::Polygon(&frame)]);
        let found = codes(&found);
        assert!(found.contains(&"36.74"), "{found:?}");
        assert!(
            !found.iter().any(|code| region::within(code, "31.71.01")),
            "{found:?}"
        );
    }

    #[test]
    fn a_ring_around_the_whole_earth_covers_everything() {
        let world = ring(&[
            (-90.0, -180.0),
            (-90.0, 180.0),
            (90.0, 180.0),
            (90.0, -180.0),
        ]);
        let all = under(&[Shape::Polygon(&world)]);
        assert_eq!(codes(&all), ["31", "32", "36"]);
        assert!(all.iter().all(Touched::is_whole));
    }

    #[test]
    fn a_ring_that_may_mean_the_world_or_a_strip_is_told_apart_from_one_elsewhere() {
        let nearly = ring(&[
            (-89.0, -179.0),
            (-89.0, 179.0),
            (89.0, 179.0),
            (89.0, -179.0),
        ]);
        assert_eq!(under(&[Shape::Polygon(&nearly)]), []);
        assert!(touches_as_drawn(&nearly));
        let fiji = ring(&[
            (-18.0, 178.0),
            (-18.0, -179.0),
            (-16.0, -179.0),
            (-16.0, 178.0),
        ]);
        assert!(!touches_as_drawn(&fiji));
        assert!(!touches_as_drawn(&box_of(-6.2, 106.8, -6.1, 106.9)));
    }

    /// Every cell of which the nearest corner, side or inside is within the radius, found one by one.
    fn touched_one_by_one(center: Point, radius_m: u32) -> u32 {
        let (lat, lon) = center.degrees();
        let side = |cell: i32| f64::from(cell) / 100.0;
        let cells = RASTER.row_range().flat_map(|row| {
            let columns = RASTER.runs(row).iter().flat_map(|run| run.columns.clone());
            columns.map(move |column| (row, column))
        });
        let is_near = |(row, column): &(i32, i32)| {
            let near = (
                lat.clamp(side(*row), side(row + 1)),
                lon.clamp(side(*column), side(column + 1)),
            );
            haversine_km((lat, lon), near) * 1000.0 <= f64::from(radius_m)
        };
        cells.filter(is_near).count() as u32
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]

        #[test]
        fn a_circle_touches_what_is_near_and_nothing_else(
            latitude in -9.0..-5.0_f64, longitude in 104.0..110.0_f64, radius_m in 0..300_000_u32,
        ) {
            let center = point(latitude, longitude);
            let mut marks = Marks::new();
            marks.circle(center, radius_m);
            let all: u32 = RASTER
                .row_range()
                .zip(marks.rows())
                .flat_map(|(row, (touched, _))| {
                    let place = |column: i32| usize::try_from(column - RASTER.columns.start).unwrap();
                    RASTER.runs(row).iter().map(move |run| {
                        run.columns.clone().filter(|column| touched[place(*column)]).count() as u32
                    })
                })
                .sum();
            // A cell whose corner lies on the circle to the last bit may count or not.
            proptest::prop_assert!(all.abs_diff(touched_one_by_one(center, radius_m)) <= 1);
        }

        #[test]
        fn any_ring_is_taken_without_a_panic(
            points in proptest::collection::vec((-90_000_000..=90_000_000, -180_000_000..=180_000_000), 0..8),
            radius_m in proptest::prelude::any::<u32>(),
        ) {
            let ring: Vec<Point> = points
                .into_iter()
                .map(|(latitude_microdegrees, longitude_microdegrees)| Point { latitude_microdegrees, longitude_microdegrees })
                .collect();
            let found = under(&[Shape::Polygon(&ring)]);
            proptest::prop_assert!(found.iter().all(|touched| touched.touched >= touched.covered && touched.touched <= touched.cells));
            if let Some(center) = ring.first() {
                let _ = under(&[Shape::Circle { center: *center, radius_m }]);
            }
        }
    }
}
