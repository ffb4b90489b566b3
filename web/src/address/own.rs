//! The reader's own picture, and how an address holds it.
//!
//! Each value is predicted from its neighbours as PNG does, the differences are deflated, and the bytes are spelled in
//! the 64 characters that addresses take as they are.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// Edge of the largest picture that an address holds.
pub const MAX_EDGE: usize = 64;
/// The best compression that the library knows.
const EFFORT: u8 = 10;

/// A picture of the reader's own, as large as the model takes it. Its code is made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    size: usize,
    rgb: Vec<u8>,
    code: String,
}

impl Own {
    /// From RGB bytes, row by row; `None` if they are no square picture of a size that an address holds.
    pub fn new(size: usize, rgb: Vec<u8>) -> Option<Self> {
        if !(1..=MAX_EDGE).contains(&size) || rgb.len() != size * size * 3 {
            return None;
        }
        let mut bytes = vec![size as u8];
        bytes.extend(compress_to_vec(&filter(&rgb, size), EFFORT));
        Some(Self { size, rgb, code: BASE64_URL_SAFE_NO_PAD.encode(bytes) })
    }

    /// From an address that may hold anything.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(code).ok()?;
        let (&size, packed) = bytes.split_first()?;
        let size = usize::from(size);
        if !(1..=MAX_EDGE).contains(&size) {
            return None;
        }
        let differences = decompress_to_vec_with_limit(packed, size * size * 3).ok()?;
        let rgb = (differences.len() == size * size * 3).then(|| unfilter(&differences, size))?;
        Some(Self { size, rgb, code: code.to_owned() })
    }

    /// Its edge.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The address's spelling.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// RGB bytes of the picture at another edge.
    pub fn at_edge(&self, edge: usize) -> Vec<u8> {
        resize(&self.rgb, self.size, edge)
    }
}

/// RGB bytes of a picture at another edge: each the mean of what it covers, or the nearest where the picture grows.
pub fn resize(rgb: &[u8], from: usize, to: usize) -> Vec<u8> {
    let span = |i: usize| {
        let start = i * from / to;
        start..((i + 1) * from / to).max(start + 1)
    };
    let mut resized = Vec::with_capacity(to * to * 3);
    for (row, col) in (0..to * to).map(|i| (i / to, i % to)) {
        for channel in 0..3 {
            let at = |r: usize, c: usize| u32::from(rgb[(r * from + c) * 3 + channel]);
            let sum: u32 = span(row).flat_map(|r| span(col).map(move |c| (r, c))).map(|(r, c)| at(r, c)).sum();
            let count = (span(row).len() * span(col).len()) as u32;
            resized.push(((sum + count / 2) / count) as u8);
        }
    }
    resized
}

/// Differences to the prediction.
fn filter(rgb: &[u8], size: usize) -> Vec<u8> {
    (0..rgb.len()).map(|i| rgb[i].wrapping_sub(predict(rgb, i, size))).collect()
}

fn unfilter(differences: &[u8], size: usize) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(differences.len());
    for (i, difference) in differences.iter().enumerate() {
        let value = difference.wrapping_add(predict(&rgb, i, size));
        rgb.push(value);
    }
    rgb
}

/// PNG's Paeth predictor: whichever of the left, upper and upper left value is nearest to left + upper − upper left.
fn predict(rgb: &[u8], i: usize, size: usize) -> u8 {
    let (column, row) = (i / 3 % size, i / 3 / size);
    let at = |back: usize, inside: bool| if inside { i32::from(rgb[i - back]) } else { 0 };
    let left = at(3, column > 0);
    let upper = at(3 * size, row > 0);
    let corner = at(3 * size + 3, column > 0 && row > 0);
    let guess = left + upper - corner;
    let nearest = [left, upper, corner].into_iter().min_by_key(|value| (guess - value).abs());
    nearest.unwrap_or_default() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(size: usize) -> Vec<u8> {
        (0..size * size * 3).map(|i| (i * i / 7 % 251) as u8).collect()
    }

    #[test]
    fn pictures_survive_the_address() {
        for size in [1, 4, 32, 64] {
            let own = Own::new(size, picture(size)).unwrap();
            assert_eq!(Own::parse(own.code()).unwrap(), own);
            assert!(own.code().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            assert_eq!(own.at_edge(size), picture(size));
        }
        let smooth: Vec<u8> = (0..32 * 32 * 3).map(|i| (i / 96 * 4 + i / 3 % 32) as u8).collect();
        assert!(Own::new(32, smooth).unwrap().code().len() < 400);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(Own::new(65, vec![0; 65 * 65 * 3]).is_none());
        assert!(Own::new(4, vec![0; 47]).is_none());
        let code = Own::new(4, picture(4)).unwrap().code().to_owned();
        for bad in ["", "A", "IA", "====", "<script>", &code[..code.len() - 4], &format!("x{code}")] {
            assert!(Own::parse(bad).is_none(), "{bad}");
        }
        // A bomb: 64 MB of zeros in 64 kB.
        let mut bomb = vec![32u8];
        bomb.extend(compress_to_vec(&vec![0; 1 << 26], 1));
        assert!(Own::parse(&BASE64_URL_SAFE_NO_PAD.encode(bomb)).is_none());
    }

    #[test]
    fn another_edge_gives_means_or_repeats() {
        let own = Own::new(2, vec![0, 0, 0, 10, 10, 10, 20, 20, 20, 30, 30, 30]).unwrap();
        assert_eq!(own.at_edge(1), [15, 15, 15]);
        let large = own.at_edge(4);
        assert_eq!((large[0], large[3], large[6], large[9]), (0, 0, 10, 10));
        assert_eq!(large.len(), 48);
    }
}
