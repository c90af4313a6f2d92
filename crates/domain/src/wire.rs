//! How generated enums and messages stand in a kept state: an enum as its number, a message as its bytes.

use posko_proto::{common::v1::Point, time::Millis};

/// An enum as its number. A number that this version does not know reads as the enum's zero.
pub(crate) mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Copy + Into<i32>, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let number: i32 = (*value).into();
        number.serialize(to)
    }

    pub(crate) fn deserialize<'de, T: Default + TryFrom<i32>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        i32::deserialize(from).map(|number| T::try_from(number).unwrap_or_default())
    }
}

/// Statuses with their times, in order.
pub(crate) mod milestones {
    use posko_proto::{incident::v1::Status, time::Millis};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        value: &[(Status, Millis)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(value.iter().map(|(status, at)| (i32::from(*status), *at)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(Status, Millis)>, D::Error> {
        let numbers = Vec::<(i32, Millis)>::deserialize(from)?;
        Ok(numbers
            .into_iter()
            .map(|(status, at)| (Status::try_from(status).unwrap_or_default(), at))
            .collect())
    }
}

/// A message as its bytes.
pub(crate) mod message {
    use prost::Message;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<M: Message, S: Serializer>(
        value: &M,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.encode_to_vec().serialize(to)
    }

    pub(crate) fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(
        from: D,
    ) -> Result<M, D::Error> {
        let bytes = Vec::<u8>::deserialize(from)?;
        M::decode(bytes.as_slice()).map_err(D::Error::custom)
    }
}

/// Says whether the point lies on earth.
pub(crate) fn on_earth(point: Point) -> bool {
    (-90_000_000..=90_000_000).contains(&point.latitude_microdegrees)
        && (-180_000_000..=180_000_000).contains(&point.longitude_microdegrees)
}

/// Returns the time as people read it, UTC.
pub(crate) fn shown(at: Millis) -> String {
    prost_types::Timestamp::from(at).to_string()
}
