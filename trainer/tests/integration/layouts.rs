//! Data as people have it, through the binary: what is read, what is left out, and what is said.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{ImageFormat, Rgb, RgbImage};

/// A folder to work in.
struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn output(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).output().unwrap()
    }

    /// All that a command says.
    fn said(&self, line: &str) -> String {
        let output = self.output(line);
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "{line}: {err}");
        out + &err
    }

    fn refused(&self, line: &str) -> String {
        let output = self.output(line);
        assert!(!output.status.success(), "{line}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The first colours of the pictures that `trainer data` wrote into a part, in order.
    fn colours(&self, part: &str) -> Vec<[u8; 3]> {
        let files = fs::read_dir(self.at(part)).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "png")).collect();
        files.sort();
        files.iter().map(|file| image::open(file).unwrap().to_rgb8().get_pixel(1, 1).0).collect()
    }
}

fn picture(colour: [u8; 3], format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(8, 8, Rgb(colour)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(colour: [u8; 3]) -> Vec<u8> {
    picture(colour, ImageFormat::Png)
}

fn zip(path: &Path, entries: &[(String, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        zip.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn what_cannot_be_read_is_said_by_kind_and_what_can_is_read() {
    let room = Room::new();
    room.write("photos/a.jfif", picture([200, 40, 90], ImageFormat::Jpeg));
    room.write("photos/deep/b.TIF", picture([200, 40, 90], ImageFormat::Tiff));
    room.write("photos/c.tiff", picture([200, 40, 90], ImageFormat::Tiff));
    for name in ["a.heic", "b.HEIC", "c.avif", "d.jxl", "Thumbs.db", "notes.txt"] {
        room.write(&format!("photos/{name}"), "x");
    }
    let said = room.said("data photos --size 8 --out out");
    assert!(
        said.contains("6 files were skipped: 2 HEIC, 1 .txt, 1 AVIF, 1 JPEG XL, 1 system files; to use such"),
        "{said}"
    );
    assert!(said.contains("magick mogrify"), "{said}");
    let all = [room.colours("out/train"), room.colours("out/test")].concat();
    assert_eq!(all.len(), 3);
    assert!(all.iter().flatten().zip([200, 40, 90].iter().cycle()).all(|(a, b): (&u8, &u8)| a.abs_diff(*b) < 4));
}

#[test]
fn a_colour_profile_is_honoured() {
    let room = Room::new();
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    for name in ["a", "b"] {
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100);
        image::ImageEncoder::set_icc_profile(&mut encoder, profile.clone()).unwrap();
        encoder.encode_image(&RgbImage::from_pixel(8, 8, Rgb([220, 30, 30]))).unwrap();
        room.write(&format!("photos/{name}.jpg"), bytes);
    }
    let said = room.said("data photos --size 8 --out out");
    assert!(said.contains("have a colour profile and were converted to sRGB"), "{said}");
    assert!(room.colours("out/train").iter().all(|colour| colour[0].abs_diff(241) < 4));
}

#[test]
fn broken_files_are_named_at_once_and_left_out_when_asked() {
    let room = Room::new();
    for i in 0..9 {
        room.write(&format!("photos/{i}.png"), png([i * 9, 0, 0]));
    }
    room.write("photos/cut.png", &png([1; 3])[..30]);
    room.write("photos/page.jpg", "<!DOCTYPE html>");
    room.write("photos/phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    let error = room.refused("data photos --size 8 --out out");
    assert!(error.contains("3 of 12 pictures cannot be read") && error.contains("--skip-broken"), "{error}");
    for part in ["cut.png", "page.jpg: not a picture that can be read: it is a web page", "phone.jpg"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let said = room.said("data photos --size 8 --skip-broken --out out");
    assert!(said.contains("3 of 12 pictures could not be read and were skipped"), "{said}");
    assert_eq!(room.colours("out/train").len() + room.colours("out/test").len(), 9);
}

#[test]
fn folders_called_train_val_and_test_are_parts() {
    let room = Room::new();
    for (part, red) in [("train/cats", 10), ("val/cats", 20), ("test/cats", 30)] {
        room.write(&format!("set/{part}/0.png"), png([red, 0, 0]));
    }
    let said = room.said("data set --size 8 --out three");
    assert!(said.contains("left out, beside train and test: val"), "{said}");
    assert_eq!((room.colours("three/train"), room.colours("three/test")), (vec![[10, 0, 0]], vec![[30, 0, 0]]));
    fs::remove_dir_all(room.at("set/test")).unwrap();
    let said = room.said("data set --size 8 --out two");
    assert!(said.contains("tested on the folder val"), "{said}");
    assert_eq!(room.colours("two/test"), [[20, 0, 0]]);
}

#[test]
fn a_folder_that_grows_moves_no_training_image_into_the_test() {
    let room = Room::new();
    let add =
        |from: u8, to: u8| (from..to).for_each(|i| room.write(&format!("photos/{i:03}.png"), png([i, 255 - i, 7])));
    add(0, 60);
    room.said("data photos --size 8 --out before");
    add(60, 200);
    room.said("data photos --size 8 --out after");
    let of = |part: &str| room.colours(part).into_iter().collect::<BTreeSet<_>>();
    assert!(of("before/train").is_disjoint(&of("after/test")));
    assert!(of("before/test").is_subset(&of("after/test")));
    assert!(of("after/test").len() > of("before/test").len());
}

/// A batch of CIFAR's python version.
fn batch(classes: &[u8], fill: u8) -> Vec<u8> {
    let mut file = b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(".to_vec();
    file.extend(classes.iter().flat_map(|&class| [b'K', class]));
    file.extend(b"eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01");
    file.extend([b'M', classes.len() as u8, 0]);
    file.extend(b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
    file.extend((classes.len() as u32 * 3072).to_le_bytes());
    file.extend(vec![fill; classes.len() * 3072]);
    file.extend(b"tbu.");
    file
}

#[test]
fn torchvisions_folders_are_read_where_it_keeps_them() {
    let room = Room::new();
    for i in 1..=5 {
        room.write(&format!("cifar/cifar-10-batches-py/data_batch_{i}"), batch(&[3, 4], i));
    }
    room.write("cifar/cifar-10-batches-py/test_batch", batch(&[9], 77));
    let said = room.said("data cifar --size 8 --out c");
    assert!(said.contains("10 images") && room.colours("c/test") == [[77; 3]], "{said}");
    let labels = fs::read_to_string(room.at("c/train/labels.csv")).unwrap();
    assert!(labels.contains("cat") && labels.contains("deer"), "{labels}");

    let face = |red: u8| {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::from_pixel(178, 218, Rgb([red, 0, 0])).write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let list = "000001.jpg 0\n000002.jpg 2\n000003.jpg 1\n000004.jpg 0\n";
    for i in 1..=4 {
        room.write(&format!("tv/celeba/img_align_celeba/00000{i}.jpg"), face(i * 40));
    }
    room.write("tv/celeba/list_eval_partition.txt", list);
    for (from, out) in [("tv", "a"), ("tv/celeba", "b")] {
        room.said(&format!("data {from} --size 8 --out {out}"));
        assert_eq!(room.colours(&format!("{out}/train")), [[40, 0, 0], [160, 0, 0]], "{from}");
        assert_eq!(room.colours(&format!("{out}/test")), [[80, 0, 0]], "{from}");
    }

    // Kaggle's archive, as it comes and unpacked.
    let csv = format!("image_id,partition\n{}", list.replace(' ', ","));
    let mut entries = vec![("list_eval_partition.csv".to_owned(), csv.into_bytes())];
    entries.extend((1..=4).map(|i| (format!("img_align_celeba/img_align_celeba/00000{i}.jpg"), face(i * 40))));
    zip(&room.at("archive.zip"), &entries);
    entries.iter().for_each(|(name, bytes)| room.write(&format!("kaggle/{name}"), bytes));
    for from in ["archive.zip", "kaggle"] {
        let out = format!("of-{from}");
        room.said(&format!("data {from} --size 8 --out {out}"));
        assert_eq!(room.colours(&format!("{out}/train")), [[40, 0, 0], [160, 0, 0]], "{from}");
        assert_eq!(room.colours(&format!("{out}/test")), [[80, 0, 0]], "{from}");
    }
}

fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let sizes = shape.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).chain(bytes.iter().copied()).collect()
}

#[test]
fn digits_are_not_mirrored_and_a_model_of_one_channel_goes_all_the_way() {
    let room = Room::new();
    for (part, count) in [("train", 60), ("t10k", 4)] {
        let digits: Vec<u8> = (0..count * 784).map(|i| (i * 37 % 251) as u8).collect();
        let classes: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
        room.write(&format!("tv/MNIST/raw/{part}-images-idx3-ubyte"), idx(&[count, 28, 28], &digits));
        room.write(&format!("tv/MNIST/raw/{part}-labels-idx1-ubyte"), idx(&[count], &classes));
    }
    let level = r#"{"layers": 1, "res_blocks": 1, "mlp": 1, "hidden": 8}"#;
    let rest = r#""block": 4, "prior": "laplace", "order": "paper""#;
    room.write("grey.json", format!(r#"{{"size": 8, "channels": 1, "levels": [{level}, {level}], {rest}}}"#));
    let train = "train --config grey.json --data tv --steps 2 --batch 4 --test-images 4 --device cpu";
    let said = room.said(&format!("{train} --out run"));
    assert!(said.contains("digits and letters are not mirrored"), "{said}");
    assert!(!room.said(&format!("{train} --flips --out mirrored")).contains("not mirrored"));

    let data = "--data tv --device cpu";
    assert!(room.said(&format!("eval run {data}")).contains("bits/dim on 4 test images"));
    room.said(&format!("export run --name digits {data} --hub hub"));
    room.said(&format!("fit-latents hub/model.safetensors --directions 2 --out joint.safetensors {data}"));
    room.said("sample joint.safetensors --count 4 --zoom 1 --out sheet.png --device cpu");
    room.said("progressive hub/model.safetensors --count 2 --out steps.png --device cpu");
    let sheets = fs::read_dir(room.at("run/samples")).unwrap().map(|entry| entry.unwrap().path());
    let sheets: Vec<PathBuf> = sheets.chain(["hub/samples.png", "sheet.png"].map(|name| room.at(name))).collect();
    assert!(sheets.len() > 2);
    for sheet in sheets {
        let sheet = image::open(&sheet).unwrap().to_rgb8();
        assert!(sheet.pixels().all(|pixel| pixel.0 == [pixel.0[0]; 3]), "grey");
        assert!(sheet.pixels().any(|pixel| pixel.0[0] != 255), "not empty");
    }
    assert!(room.at("steps.png").is_file());
}

#[test]
fn labels_of_hugging_faces_folders_are_read() {
    let room = Room::new();
    for (part, count) in [("train", 3), ("test", 2)] {
        (0..count).for_each(|i| room.write(&format!("set/{part}/{i}.png"), png([i * 20, 0, 0])));
    }
    let column = |out: &str| -> Vec<String> {
        let text = fs::read_to_string(room.at(out)).unwrap();
        text.lines().map(|line| line.split(',').next_back().unwrap().to_owned()).collect()
    };
    // One table for each part.
    room.write("set/train/metadata.csv", "kind,file_name\ndog,2.png\ncat,0.png\ncat,1.png\n");
    room.write("set/test/metadata.csv", "kind,file_name\nbird,0.png\ncat,1.png\n");
    let said = room.said("data set --size 8 --out a");
    assert!(!said.contains("skipped"), "{said}");
    assert_eq!(column("a/train/labels.csv"), ["kind", "cat", "cat", "dog"]);
    assert_eq!(column("a/test/labels.csv"), ["kind", "bird", "cat"]);
    // One for all, above them, in a folder and in a zip.
    fs::remove_file(room.at("set/train/metadata.csv")).unwrap();
    fs::remove_file(room.at("set/test/metadata.csv")).unwrap();
    let lines: String = [("train/0", 5), ("train/1", 6), ("train/2", 7), ("test/0", 8), ("test/1", 9)]
        .map(|(name, age)| format!("{{\"file_name\": \"{name}.png\", \"age\": {age}, \"boxes\": [[1, 2]]}}\n"))
        .concat();
    room.write("set/metadata.jsonl", &lines);
    let mut entries = vec![("set/metadata.jsonl".to_owned(), lines.into_bytes())];
    for (part, count) in [("train", 3), ("test", 2)] {
        entries.extend((0..count).map(|i| (format!("set/{part}/{i}.png"), png([i * 20, 0, 0]))));
    }
    zip(&room.at("set.zip"), &entries);
    for (from, out) in [("set", "b"), ("set.zip", "c")] {
        room.said(&format!("data {from} --size 8 --out {out}"));
        assert_eq!(column(&format!("{out}/train/labels.csv")), ["age", "5", "6", "7"], "{from}");
        assert_eq!(column(&format!("{out}/test/labels.csv")), ["age", "8", "9"], "{from}");
    }
    room.write("set/metadata.jsonl", "{\"file_name\": \"train/0.png\", \"age\": 5}\n");
    let error = room.refused("data set --size 8 --out d");
    assert!(
        error.contains("metadata.jsonl: there is no row for 1.png") && error.contains("move the table away"),
        "{error}"
    );
}
