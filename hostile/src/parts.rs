//! Inputs in parts, of which a file is built with lengths and checksums that are right, so that changed bytes get past
//! them.

/// What stands between two parts.
pub const BETWEEN: &[u8] = b"<|>";

/// A part that ends in this and a number is repeated up to so many bytes: a short input can hold large pictures.
const REPEATED: &[u8] = b"...";

/// The parts of an input; an input of one part is the file itself.
pub fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(rest) = bytes.get(at..) {
        if rest.is_empty() {
            break;
        }
        if rest.starts_with(BETWEEN) {
            parts.push(&bytes[start..at]);
            at += BETWEEN.len();
            start = at;
        } else {
            at += 1;
        }
    }
    parts.push(&bytes[start..]);
    parts
}

/// What [`split`] takes apart.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(BETWEEN)
}

/// A part with its repetition carried out.
pub fn filled(part: &[u8]) -> Vec<u8> {
    let found = (1..=5usize).find_map(|digits| {
        let (pattern, count) = part.split_at_checked(part.len().checked_sub(digits)?)?;
        let pattern = pattern.strip_suffix(REPEATED)?;
        let count = std::str::from_utf8(count).ok()?.parse::<usize>().ok()?;
        Some((pattern, count))
    });
    match found {
        Some((pattern, count)) if !pattern.is_empty() => pattern.iter().copied().cycle().take(count).collect(),
        _ => part.to_vec(),
    }
}

/// A safetensors file of this header, with the length that it has.
pub fn with_header(header: &[u8], data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_as_they_were_split() {
        for parts in [&[&b"a"[..], b"", b"bc"][..], &[b"whole"], &[b""], &[b"", b""]] {
            assert_eq!(split(&join(parts)), parts);
        }
        assert_eq!(filled(b"ab...5"), b"ababa");
        assert_eq!(filled(b"ab...99999").len(), 99_999);
        for plain in [&b"ab..5"[..], b"...5", b"ab...x", b"", b"..."] {
            assert_eq!(filled(plain), plain);
        }
    }
}
