//! What BMKG, Indonesia's meteorological and geophysical agency, publishes in shapes of its own.
//!
//! Earthquakes are JSON or XML (`autogempa`, `gempaterkini`, `gempadirasakan`), bulletins of InaTEWS with tsunami levels JSON; weather nowcasts are an RSS list whose items link to CAP alerts.
//! Whoever shows any of it credits BMKG, whose condition that is.

mod bulletin;
mod earthquake;
mod felt;
mod moment;
mod nowcast;
mod realtime;

pub(crate) use crate::bmkg::{
    bulletin::read_bulletin,
    earthquake::{read_json_list, read_xml_list},
    realtime::read_realtime,
};
pub use crate::bmkg::{
    bulletin::{Bulletin, BulletinError, Stage, TsunamiArea, TsunamiLevel, parse_bulletin},
    earthquake::{
        Earthquake, EarthquakeList, FutureError, ListError, MAX_AHEAD, MAX_ROWS, check_not_future,
        parse_earthquakes,
    },
    felt::{Felt, FeltPlace, TsunamiPotential, felt_places, tsunami_potential},
    moment::{MomentError, parse_moment},
    nowcast::{
        NowcastError, NowcastLink, PlaceGroup, nowcast_link, nowcast_places, nowcast_province,
    },
};
