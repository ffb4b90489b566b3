//! Checkpoints as PyTorch and the authors' code write them.

use std::io::{Cursor, Write};

use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::parts::join;

/// The archive that `torch.save` makes of a pickle and the storages that it speaks of.
pub fn archive(pickle: &[u8], order: &[u8], storages: &[Vec<u8>]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: &[u8]| {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    };
    add("archive/data.pkl", pickle);
    if !order.is_empty() {
        add("archive/byteorder", order);
    }
    for (key, storage) in storages.iter().enumerate() {
        add(&format!("archive/data/{key}"), storage);
    }
    zip.finish().unwrap().into_inner()
}

/// A tensor's name and shape.
type Named = (String, Vec<usize>);

/// The tensors of a flow of one channel, blocks of 2 and two levels, with nets of one hidden feature.
fn tensors() -> Vec<Named> {
    let mut tensors = vec![("layers.0.mask_left".to_owned(), vec![1, 2, 2]), ("prior.scale".to_owned(), vec![1])];
    for (stage, net) in (0..4).flat_map(|stage| ["s", "t"].map(|net| (stage, net))) {
        let net = format!("layers.{stage}.{net}_layers.0");
        for (linear, [inputs, outputs]) in [[4, 1], [1, 4]].into_iter().enumerate() {
            let block = format!("{net}.res_blocks.0");
            tensors.push((format!("{block}.{}.scale", 2 * linear), vec![inputs]));
            tensors.push((format!("{block}.{}.bias", 2 * linear + 1), vec![outputs]));
            tensors.push((format!("{block}.{}.weight_g", 2 * linear + 1), vec![outputs, 1]));
            tensors.push((format!("{block}.{}.weight_v", 2 * linear + 1), vec![outputs, inputs]));
        }
        tensors.push((format!("{net}.scale.scale"), vec![4]));
    }
    tensors
}

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn tuple(numbers: &[usize]) -> Vec<u8> {
    let each = numbers.iter().flat_map(|&number| [b'K', number as u8]);
    b"(".iter().copied().chain(each).chain(*b"t").collect()
}

/// A tensor that starts at `offset` of the storage called `key`, of `stored` numbers.
fn rebuilt(shape: &[usize], key: usize, stored: usize, offset: usize) -> Vec<u8> {
    let strides: Vec<usize> = (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect();
    let mut bytes = b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec();
    for part in [text("storage"), b"ctorch\nFloatStorage\n".to_vec(), text(&key.to_string()), text("cpu")] {
        bytes.extend(part);
    }
    bytes.extend([b'M', stored as u8, (stored >> 8) as u8, b't', b'Q', b'M', offset as u8, (offset >> 8) as u8]);
    bytes.extend([tuple(shape), tuple(&strides)].concat());
    bytes.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    bytes
}

/// All tensors in one storage, as a dictionary within one called `flow`, and the storage.
fn state() -> (Vec<u8>, Vec<u8>) {
    let tensors = tensors();
    let size = |shape: &[usize]| shape.iter().product::<usize>();
    let stored = tensors.iter().map(|(_, shape)| size(shape)).sum();
    let (mut pickle, mut offset) = (b"\x80\x02}(".to_vec(), 0);
    pickle.extend(text("flow"));
    pickle.extend(b"}(");
    for (name, shape) in &tensors {
        pickle.extend([text(name), rebuilt(shape, 0, stored, offset)].concat());
        offset += size(shape);
    }
    pickle.extend(b"uu.");
    let numbers = (0..stored).flat_map(|i| (0.5 + i as f32 / 64.0).to_le_bytes());
    (pickle, numbers.collect())
}

/// Both layouts, in parts and whole.
pub fn seeds() -> Vec<Vec<u8>> {
    let (pickle, storage) = state();
    let mut row = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    row.extend(&pickle);
    row.extend([b"\x80\x02](".to_vec(), text("0"), b"e.".to_vec()].concat());
    row.extend((storage.len() as u64 / 4).to_le_bytes());
    row.extend(&storage);
    vec![
        join(&[&pickle, b"", &storage]),
        join(&[&pickle, b"big", &storage]),
        archive(&pickle, b"little", &[storage]),
        row,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use trainer::commands::import::official::import;

    #[test]
    fn the_seeds_are_checkpoints() {
        let seeds = seeds();
        for whole in &seeds[2..] {
            let config = import(&Scratch::new().write("x.state", whole)).unwrap().config;
            assert_eq!((config.size, config.channels, config.levels.len()), (4, 1, 2));
        }
    }
}
