//! Pictures of every kind against the colours that they have in other programs.

use std::path::PathBuf;

use trainer::data::read_picture;

const EDGE: usize = 64;
/// The corners: red, green, blue, grey.
const PATCHES: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 40], [40, 60, 210], [128; 3]];

fn read(name: &str) -> Vec<u8> {
    read_picture(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/pictures").join(name), EDGE).unwrap()
}

fn pixel(picture: &[u8], row: usize, column: usize) -> [u8; 3] {
    [0, 1, 2].map(|c| picture[(c * EDGE + row) * EDGE + column])
}

/// The colours of the four quarters, top left, top right, bottom left, bottom right.
fn check(name: &str, colours: [[u8; 3]; 4], tolerance: u8) {
    let picture = read(name);
    let places = [(16, 16), (16, 48), (48, 16), (48, 48)];
    for ((row, column), wanted) in places.into_iter().zip(colours) {
        let found = pixel(&picture, row, column);
        let near = found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= tolerance);
        assert!(near, "{name}: {found:?} at {row}, {column}, not {wanted:?}");
    }
}

#[test]
fn colours_are_those_of_other_programs() {
    let [red, green, blue, grey] = PATCHES;
    // Four inks, a little darkened on their way; not inverted, not black.
    for name in ["06a-cmyk.jpg", "06b-ycck.jpg"] {
        check(name, [[192, 26, 26], [26, 175, 36], [35, 52, 184], [112; 3]], 6);
    }
    for name in ["06g-rgb16.png", "06h-apng.png"] {
        check(name, PATCHES, 0);
    }
    check("06i-animated.gif", PATCHES, 3);
    check("06e-palette-trns.png", [red, green, blue, [255; 3]], 0);
    check("06f-1bit.png", [[0; 3], [255; 3], [0; 3], [255; 3]], 0);
    assert_ne!(grey, red);
    let (ramp, half) = (read("06c-gray16.png"), read("06d-gray16-alpha.png"));
    for column in 0..EDGE {
        let grey = (column * 255 / 63) as u8;
        let near = |picture: &[u8], row| pixel(picture, row, column).iter().all(|c| c.abs_diff(grey) <= 1);
        assert!(near(&ramp, 10) && near(&ramp, 50) && near(&half, 10), "{column}");
        assert_eq!(pixel(&half, 50, column), [255; 3]);
    }
}

#[test]
fn pictures_stand_upright() {
    for name in ["08a-exif6.jpg", "08d-exif5.jpg"] {
        check(name, PATCHES, 6);
    }
    for name in ["08b-exif6.png", "08c-exif3.webp"] {
        check(name, PATCHES, 0);
    }
}
