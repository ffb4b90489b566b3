//! A configuration from a user's JSON, with errors that name the key, the line and the column.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, Visitor,
};
use shared::ModelConfig;

/// The key that says which architecture the others belong to.
const ARCHITECTURE: &str = "architecture";

/// Reads a configuration.
///
/// # Errors
/// What is wrong, and where.
pub fn read(bytes: &[u8]) -> Result<ModelConfig, String> {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(default)]
        architecture: Option<String>,
    }
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    // Text that is no JSON object is told by the reading below, in its own words.
    let named = serde_json::from_str::<Named>(text).ok().and_then(|named| named.architecture);
    match named.as_deref() {
        None | Some("rg-flow") => body(text).map(ModelConfig::RgFlow),
        Some("real-nvp") => body(text).map(ModelConfig::RealNvp),
        Some(other) => Err(format!("{ARCHITECTURE} {other:?} is unknown; this program knows rg-flow and real-nvp")),
    }
}

/// The keys but for the architecture's.
fn body<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize::<_, Body<T>>(&mut json);
    let Body(config) = read.map_err(|error| match error.path().to_string() {
        path if path == "." => error.inner().to_string(),
        path => format!("{path}: {}", error.inner()),
    })?;
    json.end().map_err(|error| error.to_string())?;
    Ok(config)
}

/// A value whose object has one key more than it knows.
struct Body<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Body<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = Body<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model configuration, which is a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Body<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(Rest(map))).map(Body)
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// An object's keys without the architecture's.
struct Rest<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.0.next_key::<String>()? {
            if key != ARCHITECTURE {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            self.0.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}
