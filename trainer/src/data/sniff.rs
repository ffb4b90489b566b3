//! What a file really is, by its first bytes.

/// What the bytes are, in words ("a web page"), if it is easy to tell.
pub(crate) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    const MAGICS: [(&[u8], &str); 12] = [
        (b"II*\0", "a TIFF picture"),
        (b"MM\0*", "a TIFF picture"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
        (b"8BPS", "a Photoshop picture"),
        (b"%PDF", "a PDF"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "packed with gzip"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"version https://git-lfs", "a pointer of Git LFS, not the file"),
    ];
    if bytes.is_empty() {
        return Some("empty");
    }
    if let Some((_, what)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(what);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(match bytes.get(8..12) {
            Some(b"avif" | b"avis") => "an AVIF picture",
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1") => "a HEIC picture",
            _ => "a video",
        });
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let starts = |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if starts(b"<!doctype html") || starts(b"<html") || starts(b"<head") {
        return Some("a web page");
    }
    if starts(b"<svg") || (starts(b"<?xml") && text.windows(4).take(1024).any(|at| at == b"<svg")) {
        return Some("an SVG drawing");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_out_instead_of_a_file_is_told() {
        for (bytes, what) in [
            (&b""[..], "empty"),
            (b"\n<!DOCTYPE HTML><title>403", "a web page"),
            (b"\xef\xbb\xbf<html>", "a web page"),
            (b"\0\0\0\x18ftypheic\0\0", "a HEIC picture"),
            (b"\0\0\0 ftypavif\0\0", "an AVIF picture"),
            (b"\0\0\0 ftypisom\0\0", "a video"),
            (b"II*\0\x08", "a TIFF picture"),
            (b"<?xml version='1.0'?><svg>", "an SVG drawing"),
            (b"version https://git-lfs.example/spec/v1\n", "a pointer of Git LFS, not the file"),
        ] {
            assert_eq!(sniff(bytes), Some(what));
        }
        for bytes in [&b"hello"[..], b"\0\0\x08\x03\0\0", b"<", b"\0\0\0\x18ftyp"] {
            assert!(sniff(bytes).is_none_or(|what| what == "a video"), "{bytes:?}");
        }
    }
}
