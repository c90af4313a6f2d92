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

/// Enums as their numbers.
pub(crate) mod numbers {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Copy + Into<i32>, S: Serializer>(
        values: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(|value| (*value).into()))
    }

    pub(crate) fn deserialize<'de, T: Default + TryFrom<i32>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        let numbers = Vec::<i32>::deserialize(from)?.into_iter();
        Ok(numbers
            .map(|number| T::try_from(number).unwrap_or_default())
            .collect())
    }
}

/// Enums with their times, in order.
pub(crate) mod timed {
    use posko_proto::time::Millis;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Copy + Into<i32>, S: Serializer>(
        value: &[(T, Millis)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(value.iter().map(|(what, at)| ((*what).into(), *at)))
    }

    pub(crate) fn deserialize<'de, T: Default + TryFrom<i32>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(T, Millis)>, D::Error> {
        let numbers = Vec::<(i32, Millis)>::deserialize(from)?;
        Ok(numbers
            .into_iter()
            .map(|(what, at)| (T::try_from(what).unwrap_or_default(), at))
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

/// Messages as their bytes, in order.
pub(crate) mod messages {
    use prost::Message;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<M: Message, S: Serializer>(
        values: &[M],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(Message::encode_to_vec))
    }

    pub(crate) fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<M>, D::Error> {
        let all = Vec::<Vec<u8>>::deserialize(from)?;
        let read = all.iter().map(|bytes| M::decode(bytes.as_slice()));
        read.collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

/// A message as its bytes, or none.
pub(crate) mod optional_message {
    use prost::Message;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[expect(
        clippy::ref_option,
        reason = "serde's attribute hands the field over as it is"
    )]
    pub(crate) fn serialize<M: Message, S: Serializer>(
        value: &Option<M>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Message::encode_to_vec).serialize(to)
    }

    pub(crate) fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<M>, D::Error> {
        let bytes = Option::<Vec<u8>>::deserialize(from)?;
        let read = bytes.map(|bytes| M::decode(bytes.as_slice()));
        read.transpose().map_err(D::Error::custom)
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
