//! The newest reading that was believed of each river gauge: of this node alone, beside the log.

use posko_proto::time::Millis;
use rusqlite::named_params;

use crate::{Store, StoreError};

/// A reading of a river gauge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReading {
    /// The gauge, by its name in lower case.
    pub station: String,
    /// When it was read.
    pub read_at: Millis,
    /// The height of the water at the gauge in millimeters.
    pub level_mm: i32,
}

impl Store {
    /// Returns the newest reading that was kept of each gauge.
    pub fn gauge_readings(&self) -> Result<Vec<KeptReading>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT station, read_at_ms, level_mm FROM gauge_reading")?;
            let rows = statement.query_map([], |row| {
                Ok(KeptReading {
                    station: row.get(0)?,
                    read_at: Millis(row.get(1)?),
                    level_mm: row.get(2)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps a reading in the place of an older one of its gauge, and returns when it is durable.
    pub fn keep_gauge_reading(&self, reading: KeptReading) -> Result<(), StoreError> {
        self.change(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO gauge_reading(station, read_at_ms, level_mm)
                     VALUES (:station, :read_at, :level)
                     ON CONFLICT(station) DO UPDATE SET
                       read_at_ms = excluded.read_at_ms, level_mm = excluded.level_mm",
                )?
                .execute(named_params! {
                    ":station": reading.station,
                    ":read_at": reading.read_at.0,
                    ":level": reading.level_mm,
                })?;
            Ok(())
        })
    }
}
