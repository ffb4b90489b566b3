//! Tests.

use super::*;
use crate::data::testing::{plain, write_zip};
use crate::data::{DataSource, Dataset};

fn load(path: &Path, options: &DataOptions) -> Result<Dataset> {
    DataSource::Path(path.into()).load(options)
}

fn options() -> DataOptions {
    DataOptions { size: 4, ..DataOptions::default() }
}

/// Ten pictures whose red is their index times ten.
fn write_folder(dir: &Path, count: u8) {
    std::fs::create_dir_all(dir).unwrap();
    for i in 0..count {
        std::fs::write(dir.join(format!("{i:02}.png")), plain(4, [i * 10, 0, 0])).unwrap();
    }
}

fn reds(set: &ImageSet) -> Vec<u8> {
    set.iter().map(|image| image[0]).collect()
}

#[test]
fn a_folder_is_split_and_its_labels_follow() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("toys");
    write_folder(&root, 10);
    let rows: String = (0..10).map(|i| format!("{i:02}.png,{}\n", i * 10)).collect();
    std::fs::write(dir.path().join("toys.csv"), format!("file,red\n{rows}")).unwrap();
    let options = DataOptions { test_fraction: 0.3, limit: Some(5), ..options() };
    let data = load(&root, &options).unwrap();
    assert_eq!(data.train.len(), 5);
    assert!((1..=5).contains(&data.test.len()), "{}", data.test.len());
    assert_eq!((data.name.as_str(), data.train.name.as_str()), ("toys", "toys-train"));
    for set in [&data.train, &data.test] {
        let red = set.labels().unwrap().column("red").unwrap();
        assert_eq!(reds(set), red.iter().map(|&red| red as u8).collect::<Vec<_>>());
    }
    assert!(reds(&data.train).iter().all(|red| !reds(&data.test).contains(red)));
    assert_eq!(load(&root, &options).unwrap(), data);
}

#[test]
fn a_test_set_beside_inside_or_named_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write_zip(&at("x-train.zip"), &[("a.png", &plain(4, [1; 3])), ("note.txt", b"")]);
    write_zip(&at("x-test.zip"), &[("b.png", &plain(4, [2; 3])), ("c.png", &plain(4, [3; 3]))]);
    std::fs::write(at("x-train.csv"), "file,kind\na,zebra\n").unwrap();
    std::fs::write(at("x-test.csv"), "file,kind\nb,ant\nc,zebra\n").unwrap();
    let data = load(&at("x-train.zip"), &options()).unwrap();
    assert_eq!(data.train.labels().unwrap().values(), [1.0]);
    assert_eq!(data.test.labels().unwrap().values(), [0.0, 1.0]);
    assert_eq!((reds(&data.train), reds(&data.test)), (vec![1], vec![2, 3]));
    assert_eq!(data.name, "x");
    assert_eq!(data.notes, ["1 files were skipped: 1 .txt"]);
    assert!(!data.description.contains(&dir.path().display().to_string()));
    write_folder(&at("y/train"), 3);
    write_folder(&at("y/test"), 2);
    let data = load(&at("y"), &options()).unwrap();
    assert_eq!((data.train.len(), data.test.len(), data.name.as_str()), (3, 2, "y"));
    let named = DataOptions { test_data: Some(at("y/test")), test_limit: Some(1), ..options() };
    let data = load(&at("x-train.zip"), &named).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (1, 1));
    let absent = DataOptions { test_data: Some(at("nowhere")), ..options() };
    assert!(load(&at("y"), &absent).unwrap_err().to_string().contains("nowhere"));
}

#[test]
fn more_than_a_chunk_stays_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many-train.zip");
    let pictures: Vec<(String, Vec<u8>)> =
        (0..1100u32).map(|i| (format!("{i:05}.png"), plain(1, [(i % 256) as u8, (i / 256) as u8, 0]))).collect();
    let entries: Vec<(&str, &[u8])> = pictures.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    write_zip(&path, &entries);
    let (set, _) = whole(&path, "many", &DataOptions { size: 1, ..options() }).unwrap();
    let read: Vec<u32> = set.iter().map(|p| u32::from(p[0]) + 256 * u32::from(p[1])).collect();
    assert_eq!(read, (0..1100).collect::<Vec<_>>());
}

#[test]
fn all_bad_files_are_named_and_left_out_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), 20);
    let whole = plain(64, [9, 8, 7]);
    let bad: [(&str, &[u8]); 5] = [
        ("cut.png", &whole[..whole.len() - 20]),
        ("empty.png", b""),
        ("page.jpg", b"<!DOCTYPE html><h1>404</h1>"),
        ("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        ("panic.png", &crate::data::testing::PANICKING_PNG),
    ];
    for (name, bytes) in bad {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    // A good picture with another format's ending.
    std::fs::write(dir.path().join("a-png.jpg"), plain(4, [77, 0, 0])).unwrap();
    let error = load(dir.path(), &options()).unwrap_err().to_string();
    assert!(error.starts_with("5 of 26 pictures cannot be read"), "{error}");
    for (name, problem) in [
        ("cut.png", "not a picture"),
        ("empty.png", "it is empty"),
        ("page.jpg", "it is a web page"),
        ("phone.jpg", "it is a HEIC picture"),
        ("panic.png", "not a picture"),
    ] {
        let line = error.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains(problem), "{line}");
    }
    let data = load(dir.path(), &DataOptions { skip_broken: true, ..options() }).unwrap();
    assert_eq!(data.train.len() + data.test.len(), 21);
    assert!(data.notes[0].starts_with("5 of 26 pictures could not be read and were skipped"), "{:?}", data.notes);
    let all = [reds(&data.train), reds(&data.test)].concat();
    assert!(all.contains(&77) && !all.contains(&9));
}

#[test]
fn labels_stay_with_their_pictures_where_broken_ones_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("x-train");
    write_folder(&root, 6);
    std::fs::write(root.join("02.png"), b"no picture").unwrap();
    let rows: String = (0..6).map(|i| format!("{i:02}.png,{}\n", i * 10)).collect();
    std::fs::write(root.join("labels.csv"), format!("file,red\n{rows}")).unwrap();
    let (set, notes) = whole(&root, "x", &DataOptions { skip_broken: true, ..options() }).unwrap();
    assert_eq!(reds(&set), [0, 10, 30, 40, 50]);
    assert_eq!(set.labels().unwrap().column("red"), Some(vec![0.0, 10.0, 30.0, 40.0, 50.0]));
    assert_eq!(notes.len(), 1);
}

#[test]
fn parts_in_a_folder_and_in_a_zip_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for (part, count) in [("train/cats", 3), ("val/cats", 2), ("extra", 1)] {
        write_folder(&at("set").join(part), count);
    }
    let pictures: Vec<Vec<u8>> = (0..3).map(|i| plain(4, [i * 10, 0, 0])).collect();
    let names = ["set\\train\\a.png", "./set/train/b.png", "set/train/c.png", "set/val/a.png", "set/val/b.png"];
    let rows = "file,v\r\nset\\train\\a.png,5\r\nset/train/b.png,6\r\nset/train/c.png,7\r\n";
    let mut entries: Vec<(&str, &[u8])> =
        names.iter().enumerate().map(|(i, name)| (*name, pictures[i % 3].as_slice())).collect();
    entries.push(("set/extra/x.png", &pictures[0]));
    write_zip(&at("set.zip"), &entries);
    for path in [at("set"), at("set.zip")] {
        let data = load(&path, &options()).unwrap();
        assert_eq!((reds(&data.train), reds(&data.test)), (vec![0, 10, 20], vec![0, 10]), "{}", path.display());
        assert!(data.notes.iter().any(|note| note.contains("val")), "{:?}", data.notes);
        assert!(data.notes.iter().any(|note| note.contains("extra")), "{:?}", data.notes);
    }
    entries.push(("set/train/labels.csv", rows.as_bytes()));
    write_zip(&at("set.zip"), &entries);
    let labels = load(&at("set.zip"), &options()).unwrap().train.labels().unwrap().column("v");
    assert_eq!(labels, Some(vec![5.0, 6.0, 7.0]));
}

#[test]
fn a_test_limit_takes_the_first_and_only_the_test_part_is_decoded_where_that_is_all() {
    let dir = tempfile::tempdir().unwrap();
    write_folder(&dir.path().join("train"), 3);
    write_folder(&dir.path().join("test"), 9);
    std::fs::write(dir.path().join("train/broken.png"), b"no picture").unwrap();
    std::fs::write(dir.path().join("test/broken.png"), b"no picture").unwrap();
    let few = DataOptions { test_limit: Some(4), ..options() };
    let source = DataSource::Path(dir.path().into());
    let test = source.load_test(&few).unwrap();
    assert_eq!((reds(&test.images), test.name), (vec![0, 10, 20, 30], file_name(dir.path())));
    assert!(source.load(&few).unwrap_err().to_string().contains("train"));
    assert!(source.load_test(&options()).is_err());
}

#[test]
fn what_is_skipped_and_converted_is_said() {
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), 5);
    for name in ["a.HEIC", "b.HEIC", "c.avif", "Thumbs.db"] {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([220, 30, 30]));
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    std::fs::write(dir.path().join("p3.jfif"), crate::data::testing::with_profile(&picture, &profile)).unwrap();
    let data = load(dir.path(), &options()).unwrap();
    assert_eq!(
        data.notes,
        [
            "4 files were skipped: 2 HEIC, 1 AVIF, 1 system files; to use such pictures, save them as PNG or JPEG, for \
             instance with ImageMagick: magick mogrify -format png *.heic",
            "1 pictures have a colour profile and were converted to sRGB"
        ]
    );
    let all = [reds(&data.train), reds(&data.test)].concat();
    assert!(all.iter().any(|red| red.abs_diff(241) < 4), "{all:?}");
}

#[test]
fn limits_are_kept_before_decoding() {
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), 10);
    let tight = DataOptions { memory_limit: 400, ..options() };
    let error = load(dir.path(), &tight).unwrap_err().to_string();
    assert!(error.contains("more than the limit") && error.contains("--limit"), "{error}");
    let fits = DataOptions { limit: Some(7), ..tight };
    assert_eq!(load(dir.path(), &fits).unwrap().train.len(), 7);
    let none = DataOptions { limit: Some(0), ..options() };
    assert!(load(dir.path(), &none).unwrap_err().to_string().contains("no picture is left"));
}
