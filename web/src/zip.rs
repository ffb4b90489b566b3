//! What is in a zip archive, and where: read from its end, without the rest.
//!
//! Layout: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end).
//! Archives of 4 GiB and more, or of 65,535 files and more, need the extension Zip64 and are refused.

use crate::error::{Error, Result};

/// As many bytes of an archive's end as [`find`] needs: the directory's end, and the longest comment after it.
pub const TAIL: u64 = END as u64 + u16::MAX as u64;
/// The bytes of a local header that [`data_start`] reads.
pub const LOCAL: u64 = 30;
/// The largest directory that is read, in bytes.
const MAX_DIRECTORY: u64 = 16 * 1024 * 1024;
/// Lengths of the directory's end and of an entry's header.
const END: usize = 22;
const HEADER: usize = 46;

/// Where the directory lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its first byte.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Stored,
    /// By Deflate.
    Deflated,
    /// In another way, or with a password.
    Other,
}

/// A file in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, with its folders.
    pub name: String,
    /// How it is packed.
    pub packing: Packing,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes when unpacked, as the archive says.
    pub size: u64,
    /// Where its local header begins.
    pub local: u64,
}

/// Where the directory of an archive of `len` bytes lies, found in its last [`TAIL`] bytes, or in all if it is shorter.
///
/// # Errors
/// [`Error::File`] if there is none, or none that is read here.
pub fn find(tail: &[u8], len: u64) -> Result<Directory> {
    let before = len.saturating_sub(tail.len() as u64);
    let last = tail.len().checked_sub(END).ok_or_else(damaged)?;
    // From the end: a comment may look like anything, so its length has to fit.
    let at = (0..=last)
        .rev()
        .find(|&at| tail[at..].starts_with(b"PK\x05\x06") && number(tail, at + 20, 2) == Some((last - at) as u64));
    let at = at.ok_or_else(damaged)?;
    let field = |offset, bytes| number(tail, at + offset, bytes).ok_or_else(damaged);
    let (count, length, start) = (field(10, 2)?, field(12, 4)?, field(16, 4)?);
    if count == u64::from(u16::MAX) || length == u64::from(u32::MAX) || start == u64::from(u32::MAX) {
        let text = "is an archive of 4 GB or of 65,535 files or more: open the folder instead, or smaller archives";
        return Err(Error::File(text.to_owned()));
    }
    let end = start + length;
    if end > before + at as u64 || length > MAX_DIRECTORY {
        return Err(damaged());
    }
    Ok(Directory { start, end })
}

/// The files that a directory lists, without folders.
///
/// # Errors
/// [`Error::File`] if it is damaged.
pub fn entries(directory: &[u8]) -> Result<Vec<Entry>> {
    let (mut entries, mut rest) = (Vec::new(), directory);
    while !rest.is_empty() {
        let field = |offset, bytes| number(rest, offset, bytes).ok_or_else(damaged);
        if !rest.starts_with(b"PK\x01\x02") {
            return Err(damaged());
        }
        let [name, extra, comment] = [field(28, 2)? as usize, field(30, 2)? as usize, field(32, 2)? as usize];
        let end = HEADER + name + extra + comment;
        let text = rest.get(HEADER..HEADER + name).ok_or_else(damaged)?;
        let name = String::from_utf8_lossy(text).into_owned();
        let encrypted = field(8, 2)? & 1 == 1;
        let packing = match field(10, 2)? {
            _ if encrypted => Packing::Other,
            0 => Packing::Stored,
            8 => Packing::Deflated,
            _ => Packing::Other,
        };
        if !name.ends_with('/') {
            entries.push(Entry { name, packing, packed: field(20, 4)?, size: field(24, 4)?, local: field(42, 4)? });
        }
        rest = rest.get(end..).ok_or_else(damaged)?;
    }
    Ok(entries)
}

/// How many bytes after its local header's beginning a file's own begin; `local` has the header's first [`LOCAL`] bytes.
///
/// # Errors
/// [`Error::File`] if there is no such header.
pub fn data_start(local: &[u8]) -> Result<u64> {
    if !local.starts_with(b"PK\x03\x04") {
        return Err(damaged());
    }
    let lengths = number(local, 26, 2).zip(number(local, 28, 2));
    lengths.map(|(name, extra)| LOCAL + name + extra).ok_or_else(damaged)
}

/// The little-endian number in so many bytes.
fn number(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + count)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

fn damaged() -> Error {
    Error::File("is no zip archive, or a damaged one: copy it again, or open the folder instead".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::write::{SimpleFileOptions, ZipWriter};

    /// Two files, one in a folder, as another program writes them, and a comment.
    fn archive() -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let deflated = stored.compression_method(zip::CompressionMethod::Deflated);
        writer.add_directory("photos/", stored).unwrap();
        writer.start_file("photos/ä.txt", stored).unwrap();
        writer.write_all(b"as it is").unwrap();
        writer.start_file("long.txt", deflated).unwrap();
        writer.write_all(&[b'a'; 5000]).unwrap();
        writer.set_comment("PK\x05\x06 is no end").unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn directory(archive: &[u8]) -> Result<Vec<Entry>> {
        let tail = &archive[archive.len().saturating_sub(TAIL as usize)..];
        let Directory { start, end } = find(tail, archive.len() as u64)?;
        entries(&archive[start as usize..end as usize])
    }

    fn data<'a>(archive: &'a [u8], entry: &Entry) -> &'a [u8] {
        let local = entry.local as usize;
        let start = local + data_start(&archive[local..local + LOCAL as usize]).unwrap() as usize;
        &archive[start..start + entry.packed as usize]
    }

    #[test]
    fn files_are_where_another_program_put_them() {
        let archive = archive();
        let [stored, deflated] = &directory(&archive).unwrap()[..] else { panic!() };
        assert_eq!((stored.name.as_str(), stored.packing, stored.size), ("photos/ä.txt", Packing::Stored, 8));
        assert_eq!(data(&archive, stored), b"as it is");
        assert_eq!((deflated.packing, deflated.size), (Packing::Deflated, 5000));
        assert_eq!(miniz_oxide::inflate::decompress_to_vec(data(&archive, deflated)).unwrap(), [b'a'; 5000]);
    }

    #[test]
    fn what_was_cut_or_damaged_is_refused() {
        let archive = archive();
        for end in 0..archive.len() {
            assert!(directory(&archive[..end]).is_err(), "{end}");
        }
        // Any one byte of the directory and its end.
        let start = directory(&archive).unwrap()[1].local as usize;
        for (at, byte) in (start..archive.len()).flat_map(|at| [0, 0xff].map(|byte| (at, byte))) {
            let mut changed = archive.clone();
            changed[at] = byte;
            for entry in directory(&changed).into_iter().flatten() {
                let local = entry.local.min(changed.len() as u64) as usize;
                let _ = data_start(&changed[local..]);
            }
        }
        assert!(find(&[], 0).is_err() && data_start(b"PK").is_err() && entries(b"PK\x01\x02").is_err());
    }

    #[test]
    fn archives_of_more_than_four_gigabytes_are_named() {
        let mut archive = archive();
        let end = archive.len() - END - "PK\x05\x06 is no end".len();
        archive[end + 16..end + 20].fill(0xff);
        assert!(directory(&archive).unwrap_err().to_string().contains("4 GB"));
    }
}
