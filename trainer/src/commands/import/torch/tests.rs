//! Tests.

use super::testing::{Saved, row, write_zip};
use super::*;

fn some() -> Vec<Saved> {
    let values = |n: usize| (0..n).map(|i| i as f32 / 3.0).collect();
    vec![Saved::plain("a.weight", &[2, 3, 4], values(24)), Saved::plain("scale", &[], vec![0.5])]
}

#[test]
fn tensors_are_read_by_their_strides_from_either_layout() {
    let dir = tempfile::tempdir().unwrap();
    let strided: Vec<Saved> = some().iter().map(Saved::strided).collect();
    for (saved, keys) in [(some(), &["flow"][..]), (strided, &["all", "flow"])] {
        write_zip(&dir.path().join("new.state"), &saved, keys, &[]);
        std::fs::write(dir.path().join("old.state"), row(&saved, keys)).unwrap();
        for name in ["new.state", "old.state"] {
            let file = TorchFile::open(&dir.path().join(name)).unwrap();
            let prefix = keys.join(".");
            let names = [format!("{prefix}.a.weight"), format!("{prefix}.scale")];
            assert_eq!(file.names().collect::<Vec<_>>(), names);
            assert_eq!(file.shape(&names[0]).unwrap(), [2, 3, 4]);
            assert_eq!(file.numbers(&names[0], 24).unwrap(), some()[0].storage);
            assert_eq!(file.numbers(&names[1], 1).unwrap(), [0.5]);
            let error = file.numbers(&names[0], 25).unwrap_err().to_string();
            assert!(error.contains("holds 24 numbers, not 25"), "{error}");
        }
    }
}

#[test]
fn missing_cut_and_damaged_numbers_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.state");
    let error =
        |path: &Path| TorchFile::open(path).and_then(|file| file.numbers("a.weight", 24)).unwrap_err().to_string();
    write_zip(&path, &some(), &[], &[0]);
    assert!(error(&path).contains("x.state: the numbers of a.weight are not in the file"), "{}", error(&path));
    write_zip(&path, &some(), &[], &[]);
    let mut bytes = std::fs::read(&path).unwrap();
    let number = 5.0f32 / 3.0;
    let at = bytes.windows(4).position(|window| window == number.to_le_bytes()).unwrap();
    bytes[at] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    assert!(error(&path).contains("x.state: a.weight is damaged"), "{}", error(&path));
    let whole = row(&some(), &[]);
    for end in (0..whole.len()).step_by(11) {
        std::fs::write(&path, &whole[..end]).unwrap();
        let error = error(&path);
        assert!(error.contains("x.state: not a"), "{end}: {error}");
    }
}

#[test]
fn claims_beyond_the_file_take_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.state");
    let huge = 1usize << 40;
    for (shape, strides, offset) in [
        (vec![huge], vec![1], 0),
        (vec![huge], vec![0], 0),
        (vec![huge, huge, huge], vec![0, 0, 0], 0),
        (vec![2], vec![huge], 0),
        (vec![1], vec![1], huge),
        (vec![2], vec![usize::MAX >> 1], 2),
        (vec![2], vec![], 0),
    ] {
        let saved = Saved { name: "a".into(), shape: shape.clone(), strides, offset, storage: vec![1.0; 4] };
        for old in [false, true] {
            if old {
                std::fs::write(&path, row(std::slice::from_ref(&saved), &[])).unwrap();
            } else {
                write_zip(&path, std::slice::from_ref(&saved), &[], &[]);
            }
            let error = TorchFile::open(&path).unwrap().shape("a").unwrap_err().to_string();
            assert!(error.contains("not in the file, or not all"), "{shape:?}: {error}");
        }
    }
}

#[test]
fn dictionaries_without_end_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.state");
    // Each dictionary holds the next one twice: 2^40 paths.
    let mut bytes = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02N.\x80\x02N.\x80\x02}q\x00".to_vec();
    for level in 0..40u8 {
        let names: Vec<u8> = (0..8).flat_map(|i| [b'K', i, b'h', level]).collect();
        bytes.extend([b"}q", &[level + 1][..], b"(", &names, b"u"].concat());
    }
    bytes.extend(b".\x80\x02].");
    std::fs::write(&path, bytes).unwrap();
    let error = TorchFile::open(&path).err().unwrap().to_string();
    assert!(error.contains("more than 1000000 entries"), "{error}");
    // One that holds itself ends by its depth.
    let own = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02N.\x80\x02N.\x80\x02}q\x00K\x01h\x00s.\x80\x02].";
    std::fs::write(&path, own).unwrap();
    assert_eq!(TorchFile::open(&path).unwrap().names().count(), 0);
}
