//! Places on the ground as formats write them: pairs, rings and circles, each checked before anybody computes with it.

use std::fmt;

use crate::text::{parse_decimal, parse_latitude, parse_longitude};

/// The most points of one ring; the largest warning areas that are published have some thousands.
pub(crate) const MAX_RING_POINTS: usize = 10_000;

/// The most pairs of sides of one ring that are held against each other; a ring of a thousand points has half a million at most.
const MAX_PAIRS: usize = 10_000_000;

/// The largest radius of a circle in kilometers: half the way around the earth.
pub(crate) const MAX_RADIUS_KM: f64 = 20_038.0;

/// How near, in degrees, the last point of a ring must be to its first: a tenth of a millimeter.
const CLOSED_WITHIN: f64 = 1e-9;

/// The latitudes and longitudes, in degrees, of which BMKG speaks as Indonesia and its seas.
const INDONESIA: ((f64, f64), (f64, f64)) = ((-15.0, 10.0), (90.0, 145.0));

/// Why two numbers are no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairError {
    /// They are not two numbers within their ranges.
    NotAPair,
    /// They are one in Indonesia if they are read the other way round.
    Swapped,
}

/// Reads a latitude and a longitude in degrees, and says when they seem to be swapped.
pub(crate) fn read_pair(lat: &str, lon: &str) -> Result<(f64, f64), PairError> {
    if let (Some(lat), Some(lon)) = (parse_latitude(lat), parse_longitude(lon)) {
        return Ok((lat, lon));
    }
    match (parse_decimal(lon), parse_decimal(lat)) {
        (Some(lat), Some(lon)) if is_indonesia(lat, lon) => Err(PairError::Swapped),
        _ => Err(PairError::NotAPair),
    }
}

/// Says whether a place is in Indonesia or its seas.
pub(crate) fn is_indonesia(lat: f64, lon: f64) -> bool {
    let ((south, north), (west, east)) = INDONESIA;
    (south..=north).contains(&lat) && (west..=east).contains(&lon)
}

/// Why points are no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RingError {
    /// There are fewer than four points.
    TooFew,
    /// There are more than [`MAX_RING_POINTS`].
    TooMany,
    /// The last point is not the first.
    NotClosed,
    /// More than [`MAX_PAIRS`] pairs of its sides lie beside each other.
    TooTangled,
    /// Two of its sides cross; the numbers say which, from 1.
    CrossesItself(usize, usize),
}

impl fmt::Display for RingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew => write!(formatter, "a ring of at least 4 pairs"),
            Self::TooMany => write!(formatter, "a ring of at most {MAX_RING_POINTS} pairs"),
            Self::NotClosed => write!(formatter, "a closed ring, whose last pair is its first"),
            Self::TooTangled => write!(
                formatter,
                "a ring of which at most {MAX_PAIRS} pairs of sides lie beside each other"
            ),
            Self::CrossesItself(first, second) => write!(
                formatter,
                "a ring that does not cross itself, as its sides {first} and {second} do"
            ),
        }
    }
}

/// Checks a ring of latitudes and longitudes: closed, of at least four points, and nowhere crossing itself.
///
/// Sides that only touch, as where two parts of an area meet, do not cross.
pub(crate) fn check_ring(points: &[(f64, f64)]) -> Result<(), RingError> {
    if points.len() < 4 {
        return Err(RingError::TooFew);
    }
    if points.len() > MAX_RING_POINTS {
        return Err(RingError::TooMany);
    }
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Err(RingError::TooFew);
    };
    if (first.0 - last.0).abs() > CLOSED_WITHIN || (first.1 - last.1).abs() > CLOSED_WITHIN {
        return Err(RingError::NotClosed);
    }
    check_crossings(points)
}

/// Says whether a ring encloses no area, as three points on one line do; one around the whole earth does.
pub(crate) fn is_flat(points: &[(f64, f64)]) -> bool {
    encloses_nothing(&unwrap_longitudes(points)) && encloses_nothing(points)
}

fn encloses_nothing(points: &[(f64, f64)]) -> bool {
    let Some(origin) = points.first().copied() else {
        return true;
    };
    let twice_the_area: f64 = points
        .windows(2)
        .map(|side| match side {
            [a, b] => (a.1 - origin.1) * (b.0 - origin.0) - (b.1 - origin.1) * (a.0 - origin.0),
            _ => 0.0,
        })
        .sum();
    twice_the_area.abs() < 1e-12
}

/// One side of a ring, with its reach along one axis.
struct Side {
    number: usize,
    from: (f64, f64),
    to: (f64, f64),
    low: f64,
    high: f64,
}

/// Looks for two sides that cross.
///
/// The sides are gone through along one axis, so that each is held against those only that reach as far.
/// Of the two axes it is the one along which fewer sides lie beside each other, and how many may do so is limited.
fn check_crossings(points: &[(f64, f64)]) -> Result<(), RingError> {
    let points = unwrap_longitudes(points);
    let by_lat = sides_along(&points, |(lat, _)| lat);
    let by_lon = sides_along(&points, |(_, lon)| lon);
    let (pairs_by_lat, pairs_by_lon) = (pairs_beside(&by_lat), pairs_beside(&by_lon));
    if pairs_by_lat.min(pairs_by_lon) > MAX_PAIRS {
        return Err(RingError::TooTangled);
    }
    let sides = if pairs_by_lat < pairs_by_lon {
        by_lat
    } else {
        by_lon
    };
    let mut open: Vec<&Side> = Vec::new();
    for side in &sides {
        open.retain(|other| other.high >= side.low);
        if let Some(other) = open.iter().find(|other| do_cross(side, other)) {
            let (a, b) = (side.number, other.number);
            return Err(RingError::CrossesItself(a.min(b), a.max(b)));
        }
        open.push(side);
    }
    Ok(())
}

/// Returns the sides of a ring in the order in which they begin along an axis.
fn sides_along(points: &[(f64, f64)], axis: impl Fn((f64, f64)) -> f64) -> Vec<Side> {
    let mut sides: Vec<Side> = points
        .windows(2)
        .zip(1..)
        .filter_map(|(side, number)| match *side {
            [from, to] => Some(Side {
                number,
                from,
                to,
                low: axis(from).min(axis(to)),
                high: axis(from).max(axis(to)),
            }),
            _ => None,
        })
        .collect();
    sides.sort_by(|a, b| a.low.total_cmp(&b.low));
    sides
}

/// Returns how many pairs of sides, ordered along an axis, reach over a common part of it.
fn pairs_beside(sides: &[Side]) -> usize {
    let after = |side: &Side| sides.partition_point(|other| other.low <= side.high);
    let pairs = sides
        .iter()
        .zip(1..)
        .map(|(side, place)| after(side) - place);
    pairs.sum()
}

/// Continues longitudes past 180° where a ring steps over the date line, so that its sides stay short.
fn unwrap_longitudes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut turns = 0.0;
    let mut before: Option<f64> = None;
    points
        .iter()
        .map(|(lat, lon)| {
            if let Some(before) = before {
                if lon - before > 180.0 {
                    turns -= 360.0;
                } else if before - lon > 180.0 {
                    turns += 360.0;
                }
            }
            before = Some(*lon);
            (*lat, lon + turns)
        })
        .collect()
}

/// Says whether two sides cross at a point that is inside both.
fn do_cross(a: &Side, b: &Side) -> bool {
    let splits = |side: &Side, other: &Side| {
        let from = turn(side.from, side.to, other.from);
        let to = turn(side.from, side.to, other.to);
        from * to < 0.0
    };
    splits(a, b) && splits(b, a)
}

/// Returns 1 for a left turn at `b` on the way from `a` to `c`, -1 for a right turn and 0 for none that can be told.
fn turn(a: (f64, f64), b: (f64, f64), c: (f64, f64)) -> f64 {
    let cross = (b.1 - a.1) * (c.0 - a.0) - (b.0 - a.0) * (c.1 - a.1);
    if cross.abs() < 1e-12 {
        0.0
    } else {
        cross.signum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Result<(), RingError> {
        let points: Vec<_> = text
            .split(' ')
            .map(|pair| {
                let (lat, lon) = pair.split_once(',').unwrap();
                read_pair(lat, lon).unwrap()
            })
            .collect();
        check_ring(&points)
    }

    #[test]
    fn a_ring_is_closed_has_four_points_and_does_not_cross_itself() {
        assert_eq!(ring("0,0 0,1 1,1 0,0"), Ok(()));
        assert_eq!(ring("0,0 0,1 0,0"), Err(RingError::TooFew));
        assert_eq!(ring("0,0 0,1 1,1 0,0.1"), Err(RingError::NotClosed));
        assert_eq!(
            ring("0,0 1,1 0,1 1,0 0,0"),
            Err(RingError::CrossesItself(1, 3))
        );
        let long: Vec<_> = (0..=MAX_RING_POINTS).map(|_| (0.0, 0.0)).collect();
        assert_eq!(check_ring(&long), Err(RingError::TooMany));
    }

    #[test]
    fn sides_that_only_touch_do_not_cross() {
        // Two squares that share a corner, and a spike that goes out and comes back.
        assert_eq!(ring("0,0 0,1 1,1 1,2 2,2 2,1 1,1 1,0 0,0"), Ok(()));
        assert_eq!(ring("0,0 0,1 0,2 0,1 1,1 0,0"), Ok(()));
        assert_eq!(ring("0,0 0,1 0,1 1,1 0,0"), Ok(()));
    }

    #[test]
    fn a_ring_over_the_date_line_does_not_cross_itself() {
        assert_eq!(ring("0,179 0,-179 1,-179 1,179 0,179"), Ok(()));
        assert_eq!(
            ring("0,179 1,-179 0,-179 1,179 0,179"),
            Err(RingError::CrossesItself(1, 3))
        );
    }

    #[test]
    fn three_points_on_a_line_enclose_nothing() {
        assert!(is_flat(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (0.0, 0.0)]));
        assert!(!is_flat(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)]));
        let (west, east) = (-180.0, 180.0);
        let world = [
            (-90.0, west),
            (-90.0, east),
            (90.0, east),
            (90.0, west),
            (-90.0, west),
        ];
        assert!(!is_flat(&world));
    }

    #[test]
    fn a_pair_that_fits_only_the_other_way_round_is_said_to_be_swapped() {
        assert_eq!(read_pair("-6.2", "106.8"), Ok((-6.2, 106.8)));
        assert_eq!(read_pair("106.8", "-6.2"), Err(PairError::Swapped));
        assert_eq!(read_pair("176.4", "-22.8"), Err(PairError::NotAPair));
        assert_eq!(read_pair("-6.2", "x"), Err(PairError::NotAPair));
    }

    proptest::proptest! {
        #[test]
        fn a_crossing_is_found_wherever_it_is(
            corners in proptest::collection::vec((-20_i8..20, -20_i8..20), 3..12)
        ) {
            let mut points: Vec<_> = corners
                .iter()
                .map(|(lat, lon)| (f64::from(*lat), f64::from(*lon)))
                .collect();
            points.extend(points.first().copied());
            let sides: Vec<_> = points
                .windows(2)
                .map(|side| Side {
                    number: 0,
                    from: side[0],
                    to: side[1],
                    low: 0.0,
                    high: 0.0,
                })
                .collect();
            let crosses = sides
                .iter()
                .any(|side| sides.iter().any(|other| do_cross(side, other)));
            proptest::prop_assert_eq!(check_ring(&points).is_err(), crosses);
        }
    }

    #[test]
    fn a_ring_that_would_take_too_long_is_refused() {
        // A comb whose teeth are as long as it is wide, leaning so that they lie beside each other along both axes.
        let teeth = |count: usize| {
            let mut points: Vec<_> = (0..count)
                .map(|n| {
                    let offset = n as f64 / 1000.0;
                    let reach = if n % 2 == 0 { 0.0 } else { 50.0 };
                    (reach + offset / 2.0, reach - offset / 2.0)
                })
                .collect();
            points.extend([(-60.0, -60.0), (0.0, 0.0)]);
            points
        };
        assert_eq!(check_ring(&teeth(9_001)), Err(RingError::TooTangled));
        assert_eq!(check_ring(&teeth(1_001)), Ok(()));
    }

    #[test]
    fn a_ring_of_the_most_points_is_checked() {
        let points: Vec<_> = (0..MAX_RING_POINTS - 1)
            .map(|n| {
                let angle = n as f64 / MAX_RING_POINTS as f64 * std::f64::consts::TAU;
                (angle.sin() * 10.0, angle.cos() * 10.0)
            })
            .collect();
        let closed = [&points[..], &points[..1]].concat();
        assert_eq!(check_ring(&closed), Ok(()));
    }
}
