//! The safetensors container of every architecture: tensors by name, configuration and card in the metadata.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Serialize;

use super::card::Card;
use super::keys;
use crate::error::{Error, Result};

/// The first version of the tensors' names and shapes; a reader refuses versions that it does not know.
pub(super) const FIRST_VERSION: &str = "1";
/// The version with linear maps, the mean image and the Real NVP.
pub(super) const SECOND_VERSION: &str = "2";
/// The version with splines.
pub(super) const THIRD_VERSION: &str = "3";
/// The version with models of fields.
pub(super) const FOURTH_VERSION: &str = "4";
/// The version with place features.
pub(super) const FIFTH_VERSION: &str = "5";
/// The version in which all levels may share their weights.
pub(super) const SIXTH_VERSION: &str = "6";
/// What can be read, newest first.
pub(super) const VERSIONS: [&str; 6] =
    [SIXTH_VERSION, FIFTH_VERSION, FOURTH_VERSION, THIRD_VERSION, SECOND_VERSION, FIRST_VERSION];
/// How numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Half the size; the default for the browser.
    F16,
    /// As trained.
    F32,
}

/// Names and shapes of tensors.
pub(super) type Shapes = Vec<(String, Vec<usize>)>;

/// Writes the tensors of these names and shapes.
///
/// # Errors
/// [`Error::Weights`] if a tensor is missing, or a number is not finite or does not fit the precision.
pub(super) fn write(
    config: &impl Serialize,
    card: &Card,
    version: &str,
    shapes: Shapes,
    tensors: &HashMap<String, Vec<f32>>,
    precision: Precision,
) -> Result<Vec<u8>> {
    let mut stored = Vec::new();
    for (name, shape) in shapes {
        let values = tensors.get(&name).ok_or_else(|| Error::Weights(format!("tensor {name} is missing")))?;
        let fits = |v: &f32| v.is_finite() && (precision == Precision::F32 || f16::from_f32(*v).is_finite());
        if let Some(bad) = values.iter().find(|v| !fits(v)) {
            return Err(Error::Weights(format!(
                "tensor {name} has a number {bad}, which {precision:?} cannot store; was training stable?"
            )));
        }
        let (dtype, bytes): (_, Vec<u8>) = match precision {
            Precision::F16 => (Dtype::F16, values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect()),
            Precision::F32 => (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        };
        stored.push((name, dtype, shape, bytes));
    }
    let views = stored
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)));
    let views = views.collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>().map_err(write_error)?;
    let json =
        |value: serde_json::Result<String>| value.map_err(|e| Error::Weights(format!("writing the metadata: {e}")));
    let metadata = BTreeMap::from([
        ("format".to_owned(), "rg-flow".to_owned()),
        ("format_version".to_owned(), version.to_owned()),
        ("config".to_owned(), json(serde_json::to_string(config))?),
        ("card".to_owned(), json(serde_json::to_string(card))?),
    ]);
    to_safetensors(views, &metadata)
}

/// A safetensors file with metadata. The library would write the metadata in a different order each time, but the same
/// model should be the same file.
///
/// # Errors
/// [`Error::Weights`] if the library refuses the tensors.
pub fn to_safetensors(views: Vec<(&str, TensorView<'_>)>, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let bytes = safetensors::serialize(views, None).map_err(write_error)?;
    let metadata = serde_json::to_string(metadata).map_err(|e| Error::Weights(format!("writing the metadata: {e}")))?;
    with_metadata(&bytes, &metadata)
        .ok_or_else(|| Error::Weights("writing safetensors: unexpected header; please report this".into()))
}

fn with_metadata(bytes: &[u8], metadata: &str) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (header, data) = rest.split_at_checked(u64::from_le_bytes(*length).try_into().ok()?)?;
    let tensors = header.trim_ascii().strip_prefix(b"{")?;
    let comma: &[u8] = if tensors == b"}" { b"" } else { b"," };
    let mut header = [br#"{"__metadata__":"#, metadata.as_bytes(), comma, tensors].concat();
    header.resize(header.len().next_multiple_of(8), b' ');
    Some([&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat())
}

/// A file's metadata.
pub(super) struct Header {
    /// The architecture as JSON, not yet parsed.
    pub config: String,
    /// The card.
    pub card: Card,
}

/// Reads the metadata of a file that may be anything.
///
/// # Errors
/// [`Error::Weights`] says what is wrong with it and what to do.
pub(super) fn header(bytes: &[u8]) -> Result<Header> {
    let fail = |what: String| Error::Weights(what);
    let (length, header) = SafeTensors::read_metadata(bytes)
        .map_err(|e| fail(format!("not a complete safetensors file ({e}); download it or export it again")))?;
    let once = |json: &str| {
        keys::check(json).map_err(|e| fail(format!("the file is ambiguous ({e}); export the model again")))
    };
    once(bytes.get(8..8 + length).and_then(|header| std::str::from_utf8(header).ok()).unwrap_or_default())?;
    let metadata = header.metadata().as_ref();
    let get = |key: &str| metadata.and_then(|m| m.get(key)).map(String::as_str);
    if get("format") != Some("rg-flow") {
        return Err(fail("a safetensors file, but not one of a model; `trainer export` writes one".into()));
    }
    let version = get("format_version");
    if !version.is_some_and(|version| VERSIONS.contains(&version)) {
        let newest = VERSIONS[0];
        return Err(fail(format!(
            "format version {version:?}, but this program reads versions up to {newest}; export the model again"
        )));
    }
    let config = get("config").ok_or_else(|| fail("the metadata has no `config`; export the model again".into()))?;
    once(config)?;
    get("card").map_or(Ok(()), once)?;
    let card =
        get("card").map(serde_json::from_str).transpose().map_err(|e| fail(format!("`card` in the metadata: {e}")))?;
    Ok(Header { config: config.into(), card: card.unwrap_or_default() })
}

/// Reads the tensors of these names and shapes.
///
/// # Errors
/// As [`header`].
pub(super) fn tensors(bytes: &[u8], shapes: Shapes) -> Result<HashMap<String, Vec<f32>>> {
    let fail = |what: String| Error::Weights(what);
    let file = SafeTensors::deserialize(bytes).map_err(|e| fail(format!("{e}; download it or export it again")))?;
    let mut tensors = HashMap::new();
    for (name, shape) in shapes {
        let view = file.tensor(&name).map_err(|_| fail(format!("tensor {name} is missing; export the model again")))?;
        if view.shape() != shape {
            return Err(fail(format!("tensor {name} has shape {:?}, but must have {shape:?}", view.shape())));
        }
        let values = decode(&view)
            .ok_or_else(|| fail(format!("tensor {name} is {:?}, but only F16 and F32 can be read", view.dtype())))?;
        if values.iter().any(|v| !v.is_finite()) {
            return Err(fail(format!("tensor {name} has numbers that are not finite")));
        }
        tensors.insert(name, values);
    }
    Ok(tensors)
}

/// The shape of a tensor, if the file has it.
///
/// # Errors
/// [`Error::Weights`] if the file cannot be read.
pub(super) fn shape(bytes: &[u8], name: &str) -> Result<Option<Vec<usize>>> {
    let file =
        SafeTensors::deserialize(bytes).map_err(|e| Error::Weights(format!("{e}; download it or export it again")))?;
    Ok(file.tensor(name).ok().map(|view| view.shape().to_vec()))
}

fn write_error(error: safetensors::SafeTensorError) -> Error {
    Error::Weights(format!("writing safetensors: {error}"))
}

/// All numbers of 16 bits. A browser has to work each out from its bits; there are fewer of them than weights in a file.
static HALVES: LazyLock<Vec<f32>> =
    LazyLock::new(|| (0..=u16::MAX).map(|bits| f16::from_bits(bits).to_f32()).collect());

fn decode(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    match view.dtype() {
        Dtype::F16 => {
            let halves = &*HALVES;
            Some(data.chunks_exact(2).map(|b| halves[usize::from(u16::from_le_bytes([b[0], b[1]]))]).collect())
        }
        Dtype::F32 => Some(data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let tensors = HashMap::from([("a".to_owned(), vec![1.0, 2.0]), ("b".to_owned(), vec![3.0])]);
        let shapes = vec![("a".to_owned(), vec![2]), ("b".to_owned(), vec![1])];
        let card = Card { name: "x".into(), ..Card::default() };
        write(&serde_json::json!({ "size": 4 }), &card, "3", shapes, &tensors, Precision::F32).unwrap()
    }

    #[test]
    fn the_same_model_is_the_same_file() {
        let first = file();
        for _ in 0..20 {
            assert_eq!(file(), first);
        }
        let (length, header) = SafeTensors::read_metadata(&first).unwrap();
        let keys: Vec<_> = header.metadata().as_ref().unwrap().keys().collect();
        assert_eq!((keys.len(), length % 8), (4, 0));
        let read = tensors(&first, vec![("a".into(), vec![2]), ("b".into(), vec![1])]).unwrap();
        assert_eq!((&read["a"], &read["b"]), (&vec![1.0, 2.0], &vec![3.0]));
        assert_eq!(super::header(&first).unwrap().card.name, "x");
    }

    #[test]
    fn a_key_that_is_given_twice_is_refused() {
        let whole = file();
        let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        let text = String::from_utf8(whole[8..8 + length].to_vec()).unwrap();
        for (from, to) in [
            (r#""format":"rg-flow""#, r#""format":"rg-flow","format":"rg-flow""#),
            (
                r#""b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}"#,
                r#""b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}"#,
            ),
            (r#"{\"size\":4}"#, r#"{\"size\":4,\"size\":8}"#),
            (r#"{\"name\":\"x\""#, r#"{\"name\":\"x\",\"name\":\"y\""#),
        ] {
            assert!(text.contains(from), "{from} in {text}");
            let header = text.replace(from, to);
            let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &whole[8 + length..]].concat();
            let error = super::header(&bytes).err().unwrap().to_string();
            assert!(error.contains("is given twice"), "{error}");
        }
    }
}
