//! Data sets: archives, the formats of CIFAR-10 and MNIST, CelebA's list, tables of labels.

use std::io::{Cursor, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;

use crate::parts::{filled, join, split};
use crate::pictures::plain;
use crate::scratch::Scratch;
use trainer::data::{DataOptions, DataSource, ImageSet};

fn load(path: &Path) {
    let options = DataOptions { size: 8, memory_limit: 1 << 26, ..DataOptions::default() };
    let Ok(data) = DataSource::Path(path.to_path_buf()).load(&options) else { return };
    for set in [&data.train, &data.test] {
        check(set);
    }
}

/// That a set is what it says.
fn check(set: &ImageSet) {
    assert!(!set.is_empty());
    assert_eq!(set.pixels().len(), set.len() * 3 * 8 * 8);
    if let Some(labels) = set.labels() {
        assert_eq!((labels.len(), labels.values().len()), (set.len(), set.len() * labels.columns()));
        for column in 0..labels.columns() {
            labels.text(0, column);
        }
    }
}

/// Names and what they name, in turn.
fn entries(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let parts = split(bytes);
    let named = |pair: &[&[u8]]| (String::from_utf8_lossy(pair[0]).into_owned(), filled(pair[1]));
    (parts.len() > 1).then(|| parts.chunks_exact(2).take(64).map(named).collect())
}

/// A zip of pictures: whole, or as names and contents.
pub fn zip(bytes: &[u8]) {
    let scratch = Scratch::new();
    let file = entries(bytes).map_or(bytes.to_vec(), |entries| zipped(&entries));
    load(&scratch.write("x.zip", &file));
}

fn zipped(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        // A name that cannot be written, or that was written before, is left out.
        if zip.start_file(name.as_str(), SimpleFileOptions::default()).is_ok() {
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

pub fn zip_seeds() -> Vec<Vec<u8>> {
    let picture = plain(2, 2);
    let table = b"file,kind,size\n0.png,a,1\n1.png,b,2\n2.png,a,\n";
    let flat = join(&[b"0.png", &picture, b"1.png", &picture, b"2.png", &picture, b"labels.csv", table]);
    let split = join(&[b"train/0.png", &picture, b"train/1.png", &picture, b"test/0.png", &picture]);
    let whole = zipped(&[("a.png".into(), picture.clone()), ("b/c.png".into(), picture)]);
    vec![flat, split, whole]
}

/// CIFAR-10's archive: whole, or as names and contents.
pub fn tar(bytes: &[u8]) {
    let scratch = Scratch::new();
    let file = entries(bytes).map_or(bytes.to_vec(), |entries| tarred(&entries));
    load(&scratch.write("x.tar.gz", &file));
}

fn tarred(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // As above.
        let _ = tar.append_data(&mut header, name, bytes.as_slice());
    }
    tar.into_inner().unwrap().finish().unwrap()
}

const BATCHES: [&str; 6] =
    ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];
const RECORD: &[u8] = b"\x03\x10\x20...3073";

pub fn tar_seeds() -> Vec<Vec<u8>> {
    let named = |ending: &str, content: &[u8]| {
        let names: Vec<String> = BATCHES.iter().map(|name| format!("cifar/{name}{ending}")).collect();
        let parts: Vec<&[u8]> = names.iter().flat_map(|name| [name.as_bytes(), content]).collect();
        join(&parts)
    };
    let binary = named(".bin", RECORD);
    let whole = tarred(&entries(&binary).unwrap());
    vec![binary, named("", &pickled_batch()), whole]
}

/// CIFAR-10's six batches in a folder, of the binary version if the first part says `bin`, else of the python version. The
/// last of fewer parts stands for the rest.
pub fn cifar(bytes: &[u8]) {
    let scratch = Scratch::new();
    let [version, ref batches @ ..] = split(bytes)[..] else { return };
    let Some(last) = batches.last() else { return };
    let ending = if version == b"bin" { ".bin" } else { "" };
    for (i, name) in BATCHES.iter().enumerate() {
        scratch.write(&format!("{name}{ending}"), &filled(batches.get(i).unwrap_or(last)));
    }
    load(scratch.path());
}

/// A batch of one picture as Python pickled it, of which the picture is repeated to its length.
fn pickled_batch() -> Vec<u8> {
    let mut batch = b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(K\x04".to_vec();
    batch.extend(b"eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01");
    batch.extend(b"K\x01M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb");
    batch.extend(b"\x89T\x00\x0c\x00\x00");
    batch.extend([7; 3072]);
    batch.extend(b"tbu.");
    batch
}

pub fn cifar_seeds() -> Vec<Vec<u8>> {
    vec![join(&[b"bin", RECORD]), join(&[b"bin", b"\x01...6146", b"\x09...3073"]), join(&[b"py", &pickled_batch()])]
}

/// MNIST's four files in a folder.
pub fn idx(bytes: &[u8]) {
    const NAMES: [&str; 4] =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
    let scratch = Scratch::new();
    let parts = split(bytes);
    for (i, name) in NAMES.iter().enumerate() {
        // Two stand for all four.
        let Some(part) = parts.get(i).or(parts.get(i % 2)) else { return };
        // The header is spelled out; what follows it may be repeated.
        let (header, rest) = part.split_at(part.len().min(if i % 2 == 0 { 16 } else { 8 }));
        scratch.write(name, &[header, &filled(rest)].concat());
    }
    load(scratch.path());
}

pub fn idx_seeds() -> Vec<Vec<u8>> {
    let images = |count: u8, pixels: &str| {
        [&[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28][..], pixels.as_bytes()].concat()
    };
    let labels = |labels: &[u8]| [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8][..], labels].concat();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&[images(1, ""), vec![9; 784]].concat()).unwrap();
    let packed = packed.finish().unwrap();
    vec![
        join(&[&images(1, "ab...784"), &labels(&[3])]),
        join(&[&images(2, "abc...1568"), &labels(&[3, 9]), &images(1, "x...784"), &labels(&[0])]),
        join(&[&packed, &labels(&[3])]),
    ]
}

/// CelebA's list of parts beside three faces.
pub fn celeba(bytes: &[u8]) {
    let scratch = Scratch::new();
    let face = plain(178, 218);
    for name in ["000001.jpg", "000002.jpg", "000003.jpg"] {
        scratch.write(&format!("img_align_celeba/{name}"), &face);
    }
    let ending = if bytes.starts_with(b"image_id") { "csv" } else { "txt" };
    scratch.write(&format!("list_eval_partition.{ending}"), bytes);
    load(scratch.path());
}

pub fn celeba_seeds() -> Vec<Vec<u8>> {
    vec![
        b"000001.jpg 0\n000002.jpg 2\n000003.jpg 1\n".to_vec(),
        b"image_id,partition\n000001.jpg,0\n000002.jpg,2\n000003.jpg,0\n".to_vec(),
    ]
}

/// Tables beside three pictures: labels.csv, metadata.csv and metadata.jsonl, those that have a part.
pub fn labels(bytes: &[u8]) {
    const TABLES: [&str; 3] = ["labels.csv", "metadata.csv", "metadata.jsonl"];
    let scratch = Scratch::new();
    let picture = plain(2, 2);
    for name in ["a.png", "b.png", "c/d.png"] {
        scratch.write(name, &picture);
    }
    for (name, part) in TABLES.iter().zip(split(bytes)).filter(|(_, part)| !part.is_empty()) {
        scratch.write(name, part);
    }
    load(scratch.path());
}

pub fn labels_seeds() -> Vec<Vec<u8>> {
    let csv = b"file,size,kind,colour,other\na.png,1,x,#102030,210-50-60\nb,,y,#ffffff,\"hsl(210, 50%, 60%)\"\nc/d.png,3e2,x,#000000,0-0-0\n";
    let numbered = b"index,size\n0,1\n1,2\n2,-3.5\n";
    let table = b"size,file_name\n1,a.png\n2,b.png\n3,c/d.png\n";
    let lines = b"{\"file_name\": \"a.png\", \"n\": 5, \"kind\": \"x\", \"box\": [1]}\n{\"file_name\": \"b.png\", \"n\": null}\n{\"file_name\": \"c/d.png\", \"kind\": \"y\"}\n";
    vec![csv.to_vec(), numbered.to_vec(), join(&[b"", table]), join(&[b"", b"", lines])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_sets_that_load() {
        let options = DataOptions { size: 8, ..DataOptions::default() };
        let loads = |path: &Path| DataSource::Path(path.into()).load(&options).unwrap();
        for seed in &zip_seeds()[..2] {
            loads(&Scratch::new().write("x.zip", &zipped(&entries(seed).unwrap())));
        }
        for seed in &tar_seeds()[..2] {
            assert_eq!(loads(&Scratch::new().write("x.tar.gz", &tarred(&entries(seed).unwrap()))).train.len(), 5);
        }
    }
}
