//! Files as `torch.save` writes them, for tests.

use std::io::Write;
use std::path::Path;

use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// A tensor and the storage that is its own.
#[derive(Clone)]
pub(crate) struct Saved {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
    pub(crate) offset: usize,
    pub(crate) storage: Vec<f32>,
}

impl Saved {
    /// A tensor whose numbers are in their order.
    pub(crate) fn plain(name: &str, shape: &[usize], values: Vec<f32>) -> Self {
        let strides = (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect();
        Self { name: name.into(), shape: shape.into(), strides, offset: 0, storage: values }
    }

    /// The same numbers, stored with the first index fastest and behind something else.
    pub(crate) fn strided(&self) -> Self {
        let strides: Vec<usize> = (0..self.shape.len()).map(|i| self.shape[..i].iter().product()).collect();
        let mut storage = vec![f32::NAN; self.storage.len() + 3];
        for (flat, value) in self.storage.iter().enumerate() {
            let index = |i: usize| flat / self.strides[i] % self.shape[i];
            storage[3 + (0..strides.len()).map(|i| index(i) * strides[i]).sum::<usize>()] = *value;
        }
        Self { strides, offset: 3, storage, ..self.clone() }
    }
}

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn int(value: usize) -> Vec<u8> {
    [&[0x8a, 9][..], &(value as u64).to_le_bytes(), &[0]].concat()
}

fn sizes(sizes: &[usize]) -> Vec<u8> {
    let each: Vec<u8> = sizes.iter().flat_map(|&size| int(size)).collect();
    [b"(", each.as_slice(), b"t"].concat()
}

fn tensor(saved: &Saved, key: usize) -> Vec<u8> {
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n((",
        text("storage").as_slice(),
        b"ctorch\nFloatStorage\n",
        &text(&key.to_string()),
        &text("cpu"),
        &int(saved.storage.len()),
        b"tQ",
        &int(saved.offset),
        &sizes(&saved.shape),
        &sizes(&saved.strides),
        b"\x89ccollections\nOrderedDict\n)RtR",
    ]
    .concat()
}

/// The dictionary of all tensors, within dictionaries of these keys.
fn pickle(saved: &[Saved], keys: &[&str]) -> Vec<u8> {
    let mut bytes = b"\x80\x02".to_vec();
    for key in keys {
        bytes.extend([b"}(", text(key).as_slice()].concat());
    }
    bytes.extend(b"}(");
    for (key, saved) in saved.iter().enumerate() {
        bytes.extend([text(&saved.name), tensor(saved, key)].concat());
    }
    bytes.extend(vec![b'u'; keys.len() + 1]);
    bytes.push(b'.');
    bytes
}

fn numbers(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Writes the layout of PyTorch 1.6 and later; the storages in `without` are left out.
pub(crate) fn write_zip(path: &Path, saved: &[Saved], keys: &[&str], without: &[usize]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("archive/data.pkl", stored).unwrap();
    zip.write_all(&pickle(saved, keys)).unwrap();
    for (key, saved) in saved.iter().enumerate().filter(|(key, _)| !without.contains(key)) {
        zip.start_file(format!("archive/data/{key}"), stored).unwrap();
        zip.write_all(&numbers(&saved.storage)).unwrap();
    }
    zip.finish().unwrap();
}

/// The layout before 1.6.
pub(crate) fn row(saved: &[Saved], keys: &[&str]) -> Vec<u8> {
    let mut bytes = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    bytes.extend(pickle(saved, keys));
    let names: Vec<u8> = (0..saved.len()).flat_map(|key| text(&key.to_string())).collect();
    bytes.extend([b"\x80\x02](", names.as_slice(), b"e."].concat());
    for saved in saved {
        bytes.extend((saved.storage.len() as u64).to_le_bytes());
        bytes.extend(numbers(&saved.storage));
    }
    bytes
}
