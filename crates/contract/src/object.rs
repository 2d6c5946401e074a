//! Objects within bodies. What reads a struct also takes a list of its fields in their order, which nobody means.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        from.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// An object.
pub(crate) fn one<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Object::deserialize(from).map(|Object(one)| one)
}

/// An object, or null.
pub(crate) fn maybe<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::<Object<T>>::deserialize(from).map(|found| found.map(|Object(one)| one))
}

/// A list of objects.
pub(crate) fn each<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Vec::<Object<T>>::deserialize(from).map(|all| all.into_iter().map(|Object(one)| one).collect())
}

#[cfg(test)]
mod tests {
    use crate::change_set::CreateChangeSet;
    use crate::dead_letter::SelectDeadLetters;
    use crate::edge::AddEdges;

    #[test]
    fn a_list_is_no_object() {
        let set = |parameters: &str| {
            let text = format!(
                r#"{{"verb":"retry","selection":{{"kind":"ids","ids":[]}},"parameters":{parameters}}}"#
            );
            serde_json::from_str::<CreateChangeSet>(&text)
        };
        assert!(set("{}").is_ok());
        assert!(set("[null,null,null]").unwrap_err().to_string().contains("expected an object"));
        assert!(serde_json::from_str::<SelectDeadLetters>(r#"{"filter":null}"#).is_ok());
        assert!(serde_json::from_str::<SelectDeadLetters>(r#"{"filter":{}}"#).is_ok());
        assert!(serde_json::from_str::<SelectDeadLetters>(r#"{"filter":[]}"#).is_err());
        let job = "job_01890000-0000-7000-8000-000000000001";
        let edges = |edge: &str| serde_json::from_str::<AddEdges>(&format!(r#"{{"edges":[{edge}]}}"#));
        assert!(edges(&format!(r#"{{"fromJobId":"{job}","toJobId":"{job}"}}"#)).is_ok());
        assert!(edges(&format!(r#"["{job}","{job}","on_success"]"#)).is_err());
    }
}
