//! Files that `torch.save` writes: the tensors in them by their names, read one at a time.
//!
//! Both layouts: the zip archive (PyTorch 1.6 and later) and the row of pickles before it. What a file claims is held
//! against what is there before any memory is asked for.

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use zip::ZipArchive;

use crate::data::sniff;
use crate::error::{Error, Result};
use crate::files::read_limited;
use crate::pickle::{Id, Node, Pickle};

/// Largest file.
const MAX_BYTES: u64 = 4 << 30;
/// Largest pickle in an archive: names and shapes alone.
const MAX_PICKLE: u64 = 256 << 20;
/// Most tensors and entries in a file.
const MAX_ENTRIES: usize = 1_000_000;
/// Deepest nesting of dictionaries.
const MAX_DEPTH: usize = 16;

/// Numbers of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    F16,
    Bf16,
    F32,
    F64,
    /// Other ones, of which only the size in bytes matters.
    Other(usize),
}

/// A tensor: a view of a storage.
struct Tensor {
    kind: Kind,
    storage: String,
    /// Numbers in the whole storage.
    stored: usize,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// Where the storages are.
enum Storages {
    /// In an archive, under a folder of its own.
    Zip { archive: RefCell<ZipArchive<BufReader<File>>>, folder: String, big_endian: bool },
    /// In the file's bytes.
    Row { bytes: Vec<u8>, places: HashMap<String, Range<usize>> },
}

/// An opened file.
pub(crate) struct TorchFile {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
    storages: Storages,
}

impl TorchFile {
    /// Opens a file and looks at what is in it.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Content`] for a file that was not written by `torch.save`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::io(path, "open it"))?;
        let mut start = [0; 512];
        let count = file.read(&mut start).map_err(Error::io(path, "read it"))?;
        let (tensors, storages) = match sniff(&start[..count]) {
            Some("a zip archive") => zipped(path, file)?,
            Some(what) => return Err(refuse(path, format!("not a PyTorch checkpoint: it is {what}"))),
            None => row(path)?,
        };
        Ok(Self { path: path.to_path_buf(), tensors, storages })
    }

    /// All names, keys of nested dictionaries joined by dots.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Whether there is a tensor of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// A tensor's shape.
    ///
    /// # Errors
    /// [`Error::Content`] if it is missing, or there are fewer numbers in the file than it says.
    pub(crate) fn shape(&self, name: &str) -> Result<&[usize]> {
        let tensor = self.tensor(name)?;
        self.extent(name, tensor)?;
        Ok(&tensor.shape)
    }

    /// A tensor's numbers, the last index fastest.
    ///
    /// # Errors
    /// [`Error::Content`] if there are not `count` of them, or they are missing or damaged.
    pub(crate) fn numbers(&self, name: &str, count: usize) -> Result<Vec<f32>> {
        let tensor = self.tensor(name)?;
        let holds = self.extent(name, tensor)?;
        if holds != count {
            return Err(self.refuse(format!("{name} holds {holds} numbers, not {count}")));
        }
        let bytes = self.storage(name, tensor)?;
        let width = tensor.kind.width();
        if tensor.stored.checked_mul(width) != Some(bytes.len()) {
            let (stored, found) = (tensor.stored, bytes.len());
            return Err(self.refuse(format!("{name} is damaged: of {stored} numbers there are {found} bytes")));
        }
        let big_endian = matches!(&self.storages, Storages::Zip { big_endian: true, .. });
        let mut values = Vec::with_capacity(count);
        let mut index = vec![0; tensor.shape.len()];
        for _ in 0..count {
            let at = tensor.offset + index.iter().zip(&tensor.strides).map(|(i, stride)| i * stride).sum::<usize>();
            let number =
                bytes.get(at * width..(at + 1) * width).and_then(|bytes| tensor.kind.decode(bytes, big_endian));
            values.push(number.ok_or_else(|| self.refuse(format!("{name} does not hold numbers with a fraction")))?);
            for (place, size) in index.iter_mut().zip(&tensor.shape).rev() {
                *place += 1;
                if *place < *size {
                    break;
                }
                *place = 0;
            }
        }
        Ok(values)
    }

    fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).ok_or_else(|| self.refuse(format!("{name} is missing")))
    }

    /// How many numbers a tensor has, all of which are within its storage, and that in the file.
    fn extent(&self, name: &str, tensor: &Tensor) -> Result<usize> {
        let absent = || self.refuse(format!("the numbers of {name} are not in the file, or not all"));
        let in_file = self.stored(&tensor.storage)? / tensor.kind.width();
        let count = tensor.shape.iter().try_fold(1usize, |n, size| n.checked_mul(*size)).ok_or_else(absent)?;
        let steps = tensor.shape.iter().zip(&tensor.strides);
        let last = steps
            .clone()
            .try_fold(tensor.offset, |at, (size, stride)| at.checked_add(size.saturating_sub(1).checked_mul(*stride)?));
        let inside = count == 0 || last.is_some_and(|last| last < tensor.stored.min(in_file));
        // A stride of 0 repeats a number; a model's weights are never many more than there are numbers.
        if tensor.shape.len() != tensor.strides.len() || !inside || count > in_file {
            return Err(absent());
        }
        Ok(count)
    }

    /// Bytes of a storage, as far as the file says; none where there is no such storage.
    fn stored(&self, storage: &str) -> Result<usize> {
        match &self.storages {
            Storages::Zip { archive, folder, .. } => {
                let mut archive = archive.borrow_mut();
                let Ok(entry) = archive.by_name(&format!("{folder}data/{storage}")) else {
                    return Ok(0);
                };
                // PyTorch packs nothing: what is larger than the file is a claim.
                let size = entry.size();
                drop(entry);
                let file = std::fs::metadata(&self.path).map_err(Error::io(&self.path, "access it"))?.len();
                Ok(if size <= file { usize::try_from(size).unwrap_or(0) } else { 0 })
            }
            Storages::Row { places, .. } => Ok(places.get(storage).map_or(0, Range::len)),
        }
    }

    fn storage(&self, name: &str, tensor: &Tensor) -> Result<Vec<u8>> {
        let damaged =
            |why| Error::content(self.path.display(), format!("{name} is damaged ({why})"), "download it again");
        match &self.storages {
            Storages::Zip { archive, folder, .. } => {
                let mut archive = archive.borrow_mut();
                let entry = archive.by_name(&format!("{folder}data/{}", tensor.storage));
                let entry = entry.map_err(|error| damaged(error.to_string()))?;
                let mut bytes = Vec::new();
                // To the end, where the checksum is compared.
                let read = entry.take(MAX_BYTES).read_to_end(&mut bytes);
                read.map_err(|error| damaged(error.to_string()))?;
                Ok(bytes)
            }
            Storages::Row { bytes, places } => {
                let place = places.get(&tensor.storage).cloned().unwrap_or_default();
                Ok(bytes.get(place).unwrap_or_default().to_vec())
            }
        }
    }

    /// An error about this file.
    pub(crate) fn refuse(&self, problem: String) -> Error {
        refuse(&self.path, problem)
    }
}

fn refuse(path: &Path, problem: String) -> Error {
    Error::content(path.display(), problem, "give a *.state file as the authors' code writes it")
}

impl Kind {
    fn of(storage: &str) -> Option<Self> {
        Some(match storage {
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "FloatStorage" => Self::F32,
            "DoubleStorage" => Self::F64,
            "ByteStorage" | "CharStorage" | "BoolStorage" => Self::Other(1),
            "ShortStorage" => Self::Other(2),
            "IntStorage" => Self::Other(4),
            "LongStorage" | "ComplexFloatStorage" => Self::Other(8),
            _ => return None,
        })
    }

    fn width(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other(width) => width,
        }
    }

    fn decode(self, bytes: &[u8], big_endian: bool) -> Option<f32> {
        let mut little = [0; 8];
        let little = little.get_mut(..bytes.len())?;
        little.copy_from_slice(bytes);
        if big_endian {
            little.reverse();
        }
        match self {
            Self::F16 => Some(f16::from_le_bytes(little.try_into().ok()?).to_f32()),
            Self::Bf16 => Some(bf16::from_le_bytes((&*little).try_into().ok()?).to_f32()),
            Self::F32 => Some(f32::from_le_bytes((&*little).try_into().ok()?)),
            Self::F64 => Some(f64::from_le_bytes((&*little).try_into().ok()?) as f32),
            Self::Other(_) => None,
        }
    }
}

fn zipped(path: &Path, file: File) -> Result<(BTreeMap<String, Tensor>, Storages)> {
    let damaged = |why: String| refuse(path, format!("not a complete PyTorch checkpoint ({why})"));
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(e.to_string()))?;
    let mut names = archive.file_names().filter_map(std::result::Result::ok);
    let index = names.find(|name| *name == "data.pkl" || name.ends_with("/data.pkl")).map(|name| name.into_owned());
    drop(names);
    let index = index.ok_or_else(|| damaged("there is no data.pkl in it".into()))?;
    let folder = index.strip_suffix("data.pkl").unwrap_or_default().to_string();
    let read = |archive: &mut ZipArchive<_>, name: &str, most: u64| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let entry = archive.by_name(name).map_err(|e| damaged(e.to_string()))?;
        let read = entry.take(most).read_to_end(&mut bytes);
        read.map_err(|e| damaged(format!("{name}: {e}")))?;
        Ok(bytes)
    };
    let bytes = read(&mut archive, &index, MAX_PICKLE)?;
    // Files of PyTorch before 2.1 do not say it: they are little endian.
    let order = format!("{folder}byteorder");
    let big_endian = archive.index_for_name(&order).is_some() && read(&mut archive, &order, 16)?.starts_with(b"big");
    let (pickle, _) = Pickle::read(&bytes).map_err(damaged)?;
    let tensors = tensors(&pickle).map_err(damaged)?;
    Ok((tensors, Storages::Zip { archive: RefCell::new(archive), folder, big_endian }))
}

/// The layout before 1.6: a magic number, a version, the machine, the object and the storages' keys, each a pickle; then
/// each storage's count and numbers.
fn row(path: &Path) -> Result<(BTreeMap<String, Tensor>, Storages)> {
    const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
    let bytes = read_limited(path, MAX_BYTES)?;
    let damaged = |why: String| refuse(path, format!("not a complete PyTorch checkpoint ({why})"));
    let (magic, rest) = Pickle::read(&bytes).map_err(damaged)?;
    if magic.int(magic.root()) != Some(MAGIC) {
        return Err(damaged("it begins with something else".into()));
    }
    let (_, rest) = Pickle::read(rest).map_err(damaged)?;
    let (_, rest) = Pickle::read(rest).map_err(damaged)?;
    let (object, rest) = Pickle::read(rest).map_err(damaged)?;
    let (keys, mut rest) = Pickle::read(rest).map_err(damaged)?;
    let tensors = tensors(&object).map_err(damaged)?;
    // Tensors that nobody can name have storages, too.
    let all = (0..object.nodes().len()).filter_map(|id| storage(&object, id));
    let widths: HashMap<String, usize> = all.map(|(kind, key, _)| (key, kind.width())).collect();
    let mut places = HashMap::new();
    for key in keys.entries(keys.root()).unwrap_or_default() {
        let key = keys.text(*key).unwrap_or_default();
        let cut = || damaged(format!("it ends within storage {key}"));
        let (count, numbers) = rest.split_first_chunk().ok_or_else(cut)?;
        let width = widths.get(key).ok_or_else(|| damaged(format!("no tensor is in storage {key}")))?;
        let length = usize::try_from(u64::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(*width));
        let (_, after) = length.and_then(|length| numbers.split_at_checked(length)).ok_or_else(cut)?;
        places.insert(key.to_string(), bytes.len() - numbers.len()..bytes.len() - after.len());
        rest = after;
    }
    drop((magic, object, keys));
    Ok((tensors, Storages::Row { bytes, places }))
}

/// The storage that a persistent id stands for: its numbers, its key, and how many numbers it has.
fn storage(pickle: &Pickle<'_>, id: Id) -> Option<(Kind, String, usize)> {
    let Node::Persistent(of) = pickle.get(id) else { return None };
    let [tag, class, key, _device, count, ..] = pickle.entries(*of)? else { return None };
    let Node::Global(_, class) = pickle.get(*class) else { return None };
    let text = |id: Id| pickle.text(id);
    (text(*tag)? == "storage").then_some(())?;
    Some((Kind::of(class)?, text(*key)?.to_string(), pickle.size(*count)?))
}

/// All tensors in the dictionaries of a pickle.
fn tensors(pickle: &Pickle<'_>) -> std::result::Result<BTreeMap<String, Tensor>, String> {
    let mut tensors = BTreeMap::new();
    let mut open = vec![(String::new(), pickle.root(), 0)];
    let mut seen = 0;
    while let Some((name, id, depth)) = open.pop() {
        seen += 1;
        if seen > MAX_ENTRIES {
            return Err(format!("it has more than {MAX_ENTRIES} entries"));
        }
        if let Some(tensor) = tensor(pickle, id, 0) {
            tensors.insert(name, tensor);
        } else if let Some(pairs) = pickle.pairs(id).filter(|_| depth < MAX_DEPTH) {
            for &(key, value) in pairs {
                // The optimizer numbers its parameters.
                let key = pickle.text(key).map(str::to_string).or_else(|| pickle.int(key).map(|i| i.to_string()));
                let Some(key) = key else { continue };
                let name = if name.is_empty() { key } else { format!("{name}.{key}") };
                open.push((name, value, depth + 1));
            }
        }
    }
    Ok(tensors)
}

/// A value as a tensor, also where it is a parameter or a tensor of a class of its own.
fn tensor(pickle: &Pickle<'_>, id: Id, depth: usize) -> Option<Tensor> {
    let (by, of) = pickle.made(id)?;
    match (by, of) {
        (("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2"), of) => view(pickle, of),
        (("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state"), [data, ..]) if depth < MAX_DEPTH => {
            tensor(pickle, *data, depth + 1)
        }
        (("torch._tensor" | "torch.tensor", "_rebuild_from_type" | "_rebuild_from_type_v2"), [_, _, of, ..]) => {
            view(pickle, pickle.entries(*of)?)
        }
        _ => None,
    }
}

fn view(pickle: &Pickle<'_>, of: &[Id]) -> Option<Tensor> {
    let [data, offset, shape, strides, ..] = *of else { return None };
    let (kind, storage, stored) = storage(pickle, data)?;
    let sizes = |id: Id| pickle.entries(id)?.iter().map(|&size| pickle.size(size)).collect::<Option<Vec<_>>>();
    Some(Tensor { kind, storage, stored, offset: pickle.size(offset)?, shape: sizes(shape)?, strides: sizes(strides)? })
}
