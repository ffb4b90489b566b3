//! Whether a picture's file is complete. Decoders fill what is missing with grey, which would be trained on.

/// Whether the file ends before its picture does; only where the format says where it ends.
pub(crate) fn is_cut(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xd8") {
        return jpeg_end(bytes).is_none();
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        let size = bytes.get(4..8).and_then(|size| size.try_into().ok()).map_or(0, u32::from_le_bytes);
        return (bytes.len() as u64) < 8 + u64::from(size);
    }
    false
}

/// Where a JPEG's end-of-image marker stands: after the last scan, and not in a segment (a thumbnail has one, too).
fn jpeg_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        // Bytes between segments are skipped, as decoders do; so are fill bytes before a marker.
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        at += bytes.get(at..)?.iter().position(|&byte| byte != 0xff)?;
        let marker = *bytes.get(at)?;
        at += 1;
        match marker {
            0xd9 => return Some(at),
            // A stuffed zero in a scan's data, and markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            _ => at += usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])).max(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{encoded, gradient};
    use image::{DynamicImage, ImageFormat};

    #[test]
    fn every_cut_of_a_jpeg_and_a_webp_is_noticed() {
        let picture = DynamicImage::ImageRgb8(gradient(24, 20));
        for format in [ImageFormat::Jpeg, ImageFormat::WebP] {
            let whole = encoded(&picture, format);
            assert!(!is_cut(&whole));
            assert!(!is_cut(&[whole.as_slice(), b"trailing"].concat()));
            for length in 12..whole.len() - 1 {
                assert!(is_cut(&whole[..length]), "{format:?} {length} of {}", whole.len());
            }
        }
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end() {
        let whole = encoded(&DynamicImage::ImageRgb8(gradient(24, 20)), ImageFormat::Jpeg);
        let thumbnail = [&[0xff, 0xe1, 0, 8][..], &[0xff, 0xd8, 1, 2, 0xff, 0xd9]].concat();
        let with = [&whole[..2], &thumbnail, &whole[2..]].concat();
        assert_eq!(jpeg_end(&with), Some(with.len()));
        assert!(is_cut(&with[..with.len() - 30]));
        assert!(!is_cut(b"GIF89a") && is_cut(b"\xff\xd8") && is_cut(b"RIFF\x64\0\0\0WEBP"));
    }
}
