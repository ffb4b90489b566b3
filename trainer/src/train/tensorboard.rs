//! TensorBoard event files, to which records are appended while a run is at work.
//!
//! A file is a row of TFRecords (length, checksum, bytes, checksum), each a protobuf message `Event`. The crates that write
//! them have had no release for years; the few fields that are needed take less than they do.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// How the names of event files begin; TensorBoard reads all files of a folder that have it in their name, in the order
/// of their names.
const PREFIX: &str = "events.out.tfevents.";

/// An event file of a run's folder: every start of the run writes its own.
pub struct EventFile {
    file: File,
    path: PathBuf,
}

impl EventFile {
    /// Whether a folder has event files.
    pub fn any(folder: &Path) -> bool {
        let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.into_iter().any(|name| name.to_string_lossy().starts_with(PREFIX))
    }

    /// Begins a new file, in which a run starts, or goes on, after `steps` steps: what earlier files say of later steps is
    /// void.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn create(folder: &Path, steps: Option<u64>) -> Result<Self> {
        let seconds = now() as u64;
        let mut files = (0..1000).map(|k| folder.join(format!("{PREFIX}{seconds:010}.{k:03}.rg-flow")));
        let opened = files.find_map(|path| match OpenOptions::new().append(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => None,
            opened => Some((opened, path)),
        });
        // Nobody starts a run a thousand times a second.
        let Some((file, path)) = opened else {
            return Err(Error::io(folder, "write into it")(ErrorKind::AlreadyExists.into()));
        };
        let file = file.map_err(Error::io(&path, "write it"))?;
        let mut events = Self { file, path };
        let mut version = Message::default();
        version.bytes(3, b"brain.Event:2");
        events.write(0, version)?;
        let mut start = Message::default();
        // SessionLog.START
        start.integer(1, 1);
        let mut session = Message::default();
        session.bytes(7, &start.0);
        events.write(steps.map_or(0, |steps| steps + 1), session)?;
        Ok(events)
    }

    /// Appends numbers of a step, by their tags.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn scalars(&mut self, step: u64, values: &[(String, f64)]) -> Result<()> {
        let mut summary = Message::default();
        for (tag, value) in values {
            let mut one = Message::default();
            one.bytes(1, tag.as_bytes());
            one.float(2, *value as f32);
            summary.bytes(1, &one.0);
        }
        self.summary(step, &summary)
    }

    /// Appends a PNG of a step.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn picture(&mut self, step: u64, tag: &str, [width, height]: [u32; 2], png: &[u8]) -> Result<()> {
        let mut image = Message::default();
        image.integer(1, height.into());
        image.integer(2, width.into());
        // RGB.
        image.integer(3, 3);
        image.bytes(4, png);
        let mut one = Message::default();
        one.bytes(1, tag.as_bytes());
        one.bytes(4, &image.0);
        let mut summary = Message::default();
        summary.bytes(1, &one.0);
        self.summary(step, &summary)
    }

    fn summary(&mut self, step: u64, summary: &Message) -> Result<()> {
        let mut event = Message::default();
        event.bytes(5, &summary.0);
        self.write(step, event)
    }

    /// At once and whole: whoever watches reads up to the last whole record.
    fn write(&mut self, step: u64, what: Message) -> Result<()> {
        let mut event = Message::default();
        event.double(1, now());
        event.integer(2, step);
        event.0.extend(what.0);
        self.file.write_all(&record(&event.0)).map_err(Error::io(&self.path, "append to it"))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Bytes as a TFRecord.
fn record(bytes: &[u8]) -> Vec<u8> {
    let masked = |bytes: &[u8]| crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
    let length = (bytes.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), bytes, &masked(bytes)].concat()
}

/// A protobuf message: fields one after the other, each with its number and how it is stored.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value > 127 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn integer(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_bytes_that_tensorboard_writes() {
        // Event(wall_time=1.5, step=300, summary=Summary(value=[Value(tag="a", simple_value=0.5)])), as the
        // `tensorboard` package stores it.
        let mut one = Message::default();
        one.bytes(1, b"a");
        one.float(2, 0.5);
        let mut summary = Message::default();
        summary.bytes(1, &one.0);
        let mut event = Message::default();
        event.double(1, 1.5);
        event.integer(2, 300);
        event.bytes(5, &summary.0);
        assert_eq!(record(&event.0), EXPECTED_RECORD);
    }

    const EXPECTED_RECORD: [u8; 40] = [
        0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0xf8, 0x3f, 0x10, 0xac, 0x02, 0x2a, 0x0a, 0x0a, 0x08, 0x0a, 0x01, 0x61, 0x15, 0x00, 0x00, 0x00, 0x3f,
        0x64, 0x07, 0x6a, 0x3f,
    ];

    #[test]
    fn every_start_has_its_own_file_and_their_names_are_in_order() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!EventFile::any(dir.path()));
        let files: Vec<PathBuf> = (0..3).map(|_| EventFile::create(dir.path(), None).unwrap().path).collect();
        assert!(EventFile::any(dir.path()) && files.is_sorted() && files[0] != files[1]);
        assert!(EventFile::create(&dir.path().join("no"), None).is_err());
    }
}
