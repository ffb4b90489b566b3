//! NumPy's files of fields, `[N, L, L]` or `[N, C, L, L]` in f32 or f64.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// The longest header that is read; NumPy's own have 118 bytes.
const MAX_HEADER: usize = 1 << 16;
/// Numbers read at once.
const CHUNK: usize = 1 << 16;

/// Fields as a file has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    /// Channels of a field.
    pub channels: usize,
    /// Its edge.
    pub size: usize,
    /// One field after the other, `[n, channels, size, size]`.
    pub values: Vec<f32>,
}

/// What a header says.
#[derive(Debug, PartialEq)]
struct Header {
    /// Bytes of a number.
    width: usize,
    shape: Vec<usize>,
}

/// Reads fields that take at most `memory_limit` bytes, of a file that may be anything.
///
/// # Errors
/// [`Error::Content`] names the file and says what to save instead.
pub fn read(path: &Path, memory_limit: usize) -> Result<Fields> {
    let refuse = |problem: String, advice: &str| Error::content(path.display(), problem, advice);
    let fail = |what| Error::io(path, what);
    let file = File::open(path).map_err(fail("open it"))?;
    let length = file.metadata().map_err(fail("read it"))?.len();
    let mut file = BufReader::new(file);
    let (header, start) = header(&mut file).map_err(|problem| refuse(problem, SAVE))?;
    let Header { width, shape } = header;
    let (count, channels, rows, size) = match shape[..] {
        [n, rows, cols] => (n, 1, rows, cols),
        [n, c, rows, cols] => (n, c, rows, cols),
        _ => return Err(refuse(format!("its shape is {shape:?}"), SAVE)),
    };
    if rows != size || size == 0 || channels == 0 {
        return Err(refuse(format!("its fields are {channels}×{rows}×{size}, which is not square"), SAVE));
    }
    if count < 2 {
        return Err(refuse(format!("it has {count} fields"), "save at least two, to train on and to test on"));
    }
    let numbers = [count, channels, size, size].into_iter().try_fold(1usize, usize::checked_mul);
    let numbers = numbers.ok_or_else(|| refuse(format!("its shape is {shape:?}"), SAVE))?;
    // In memory each number has a byte more, as a picture.
    if numbers.checked_mul(5).is_none_or(|bytes| bytes > memory_limit) {
        let problem = format!("{count} fields of {channels}×{size}×{size} take more than {memory_limit} bytes");
        return Err(refuse(problem, "save fewer fields"));
    }
    let expected = start as u64 + (numbers * width) as u64;
    if length != expected {
        return Err(refuse(format!("it has {length} bytes, but its header says {expected}"), "save it again"));
    }
    let mut values = Vec::with_capacity(numbers);
    let mut bytes = vec![0; CHUNK * width];
    while values.len() < numbers {
        let part = &mut bytes[..CHUNK.min(numbers - values.len()) * width];
        file.read_exact(part).map_err(fail("read it"))?;
        values.extend(part.chunks_exact(width).map(|number| match *number {
            [a, b, c, d] => f32::from_le_bytes([a, b, c, d]),
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32,
            _ => f32::NAN,
        }));
    }
    if let Some(i) = values.iter().position(|value| !value.is_finite()) {
        let field = i / (channels * size * size);
        return Err(refuse(format!("field {field} has a number that is not finite as f32"), "leave that field out"));
    }
    Ok(Fields { channels, size, values })
}

const SAVE: &str = "save fields of shape [N, L, L] or [N, C, L, L] with numpy.save, as float32 or float64 in C order";

/// The header, and where the numbers begin.
fn header(file: &mut impl Read) -> std::result::Result<(Header, usize), String> {
    let not_npy = |_| "it is not a .npy file".to_owned();
    let mut start = [0; 8];
    file.read_exact(&mut start).map_err(not_npy)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err("it is not a .npy file".to_owned());
    }
    // Version 1 has two bytes for the header's length, later ones four.
    let width = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(format!("it has version {version} of the .npy format")),
    };
    let mut length = [0; 4];
    file.read_exact(&mut length[..width]).map_err(not_npy)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_HEADER {
        return Err(format!("its header has {length} bytes"));
    }
    let mut text = vec![0; length];
    file.read_exact(&mut text).map_err(not_npy)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let width_of = match quoted(&text, "descr").as_deref() {
        Some("<f4") => 4,
        Some("<f8") => 8,
        Some(other) => return Err(format!("its numbers are {other}")),
        None => return Err("its header does not say what its numbers are".to_owned()),
    };
    if !after(&text, "fortran_order").is_some_and(|rest| rest.starts_with("False")) {
        return Err("its numbers are in Fortran order".to_owned());
    }
    let shape = after(&text, "shape")
        .and_then(|rest| rest.strip_prefix('('))
        .and_then(|rest| rest.split_once(')'))
        .and_then(|(inside, _)| {
            let parts = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| part.parse().ok()).collect::<Option<Vec<usize>>>()
        });
    let shape = shape.ok_or("its header does not say its shape")?;
    Ok((Header { width: width_of, shape }, 8 + width + length))
}

/// What follows a key of a Python dictionary.
fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let at = text.find(&format!("'{key}'"))? + key.len() + 2;
    Some(text[at..].trim_start().strip_prefix(':')?.trim_start())
}

/// A key's value, if it is a text.
fn quoted(text: &str, key: &str) -> Option<String> {
    let (value, _) = after(text, key)?.strip_prefix('\'')?.split_once('\'')?;
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, numbers: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(numbers);
        bytes
    }

    fn written(bytes: &[u8], limit: usize) -> Result<Fields> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fields.npy");
        std::fs::write(&path, bytes).unwrap();
        read(&path, limit)
    }

    #[test]
    fn floats_of_both_widths_are_read() {
        let values: Vec<f32> = (0..18).map(|i| i as f32 * 0.5 - 3.0).collect();
        let narrow: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let wide: Vec<u8> = values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect();
        let found = Fields { channels: 1, size: 3, values };
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3), }\n";
        assert_eq!(written(&npy(header, &narrow), 90).unwrap(), found);
        let header = "{'shape':(2,1,3,3),'fortran_order':False,'descr':'<f8'}";
        assert_eq!(written(&npy(header, &wide), 90).unwrap(), found);
    }

    #[test]
    fn what_is_not_a_file_of_fields_is_refused_with_its_name() {
        let header = |descr: &str, order: &str, shape: &str| {
            npy(&format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}"), &[0; 64])
        };
        let mut late = header("<f4", "False", "4, 2, 2");
        late[6] = 9;
        let mut long = header("<f4", "False", "4, 2, 2");
        (long[6], long[10], long[11]) = (2, 0xff, 0xff);
        let mut infinite = header("<f4", "False", "4, 2, 2");
        let end = infinite.len();
        infinite[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        for (bytes, part) in [
            (b"PK\x03\x04 not numpy".to_vec(), "not a .npy file"),
            (b"\x93NUM".to_vec(), "not a .npy file"),
            (header("<f4", "False", "4, 2, 2")[..40].to_vec(), "not a .npy file"),
            (header("<i4", "False", "4, 2, 2"), "<i4"),
            (header(">f4", "False", "4, 2, 2"), ">f4"),
            (header("<f4", "True", "4, 2, 2"), "Fortran"),
            (header("<f4", "False", "16"), "[16]"),
            (header("<f4", "False", "4, 1, 4"), "not square"),
            (header("<f4", "False", "1, 4, 4"), "1 fields"),
            (header("<f4", "False", "-1, 4, 4"), "does not say its shape"),
            (header("<f4", "False", "4294967296, 4294967296, 65536, 65536"), "its shape is"),
            (header("<f4", "False", "900000000, 2, 2"), "more than"),
            (header("<f4", "False", "5, 2, 2"), "but its header says"),
            (infinite, "field 3"),
            (late, "version 9"),
            (long, "header has"),
        ] {
            let error = written(&bytes, 1 << 20).unwrap_err().to_string();
            assert!(error.contains("fields.npy") && error.contains(part), "{part}: {error}");
        }
        assert!(read(Path::new("/no/such.npy"), 9).unwrap_err().to_string().contains("such.npy"));
    }
}
