//! The reader's own pictures, many at a time: from files, folders and zip archives, one after the other, so that no more
//! than one of them is in memory as it was.

mod entries;
mod junk;
mod square;
mod unpack;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, DataTransfer, Document, File, FileList};

use super::dispatch::Dispatch;
use super::picker::MAX_FILE;
use super::picker::files::{HEAD, Kind};
use crate::error::Result;
use crate::protocol::TRAINING_PICTURES;
use entries::Folder;
use square::Squares;

/// Pictures that are told of at once.
const BATCH: usize = 8;

/// How reading goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Gathered {
    /// It began.
    Begun,
    /// Some were read.
    Some(Batch),
    /// It is over. Whether more was there than is taken.
    Over {
        /// Whether something was left.
        left: bool,
    },
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Pictures, one after the other, each row by row, three bytes per pixel, of edge [`crate::protocol::TRAINING_EDGE`].
    pub rgb: Vec<u8>,
    /// How many.
    pub count: usize,
    /// What could not be used: a name, and what it is.
    pub skipped: Vec<(String, String)>,
}

/// Something to be read.
enum Source {
    File(File),
    Folder(Folder),
}

/// Reads what it is given.
pub struct Gatherer {
    squares: Squares,
    told: Dispatch<Gathered>,
    waiting: RefCell<VecDeque<Source>>,
    running: Cell<bool>,
    /// Counts how often everything was thrown away: what is still being read then is nobody's.
    turn: Cell<u32>,
    /// Pictures that were taken.
    count: Cell<usize>,
}

impl Gatherer {
    /// One that tells of what it reads.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if there is nothing to draw on.
    pub fn new(document: &Document, told: Dispatch<Gathered>) -> Result<Rc<Self>> {
        Ok(Rc::new(Self {
            squares: Squares::new(document)?,
            told,
            waiting: RefCell::default(),
            running: Cell::default(),
            turn: Cell::default(),
            count: Cell::default(),
        }))
    }

    /// Reads files that were chosen.
    pub fn take_files(self: &Rc<Self>, files: Option<FileList>) {
        let files = files.iter().flat_map(|files| (0..files.length()).filter_map(|i| files.get(i)));
        self.take(files.map(Source::File).collect());
    }

    /// Reads what was dropped, folders too.
    pub fn take_dropped(self: &Rc<Self>, data: &DataTransfer) {
        let folders = entries::folders(data);
        if folders.is_empty() {
            return self.take_files(data.files());
        }
        self.take(folders.into_iter().map(Source::Folder).collect());
    }

    /// Begins anew.
    pub fn clear(&self) {
        self.turn.set(self.turn.get().wrapping_add(1));
        self.waiting.take();
        self.count.set(0);
        self.running.set(false);
    }

    fn take(self: &Rc<Self>, sources: Vec<Source>) {
        if sources.is_empty() {
            return;
        }
        self.waiting.borrow_mut().extend(sources);
        if !self.running.replace(true) {
            let gatherer = Rc::clone(self);
            spawn_local(async move { gatherer.work().await });
        }
    }

    async fn work(self: Rc<Self>) {
        let mut reading = Reading { gatherer: &self, turn: self.turn.get(), batch: Batch::default(), left: false };
        (self.told)(Gathered::Begun);
        while !reading.is_over() {
            let next = self.waiting.borrow_mut().pop_front();
            match next {
                Some(Source::File(file)) => reading.file(&file).await,
                Some(Source::Folder(folder)) => match folder.open().await {
                    Ok((files, folders)) => {
                        let found = files.into_iter().map(Source::File).chain(folders.into_iter().map(Source::Folder));
                        let found: Vec<Source> = found.collect();
                        if !reading.is_stale() {
                            found.into_iter().rev().for_each(|source| self.waiting.borrow_mut().push_front(source));
                        }
                    }
                    Err(error) => reading.skip(folder.name(), error.to_string()),
                },
                None => break,
            }
        }
        if reading.is_stale() {
            return;
        }
        reading.tell();
        let left = reading.left || !self.waiting.take().is_empty();
        self.running.set(false);
        (self.told)(Gathered::Over { left });
    }

    fn is_full(&self) -> bool {
        self.count.get() >= TRAINING_PICTURES.1
    }
}

/// One go at what waits.
struct Reading<'a> {
    gatherer: &'a Gatherer,
    turn: u32,
    batch: Batch,
    /// Whether something of an archive was left.
    left: bool,
}

impl Reading<'_> {
    /// Whether everything was thrown away meanwhile.
    fn is_stale(&self) -> bool {
        self.turn != self.gatherer.turn.get()
    }

    fn is_over(&self) -> bool {
        self.is_stale() || self.gatherer.is_full()
    }

    fn tell(&mut self) {
        if !self.is_stale() && self.batch != Batch::default() {
            (self.gatherer.told)(Gathered::Some(std::mem::take(&mut self.batch)));
        }
    }

    fn skip(&mut self, name: &str, what: impl Into<String>) {
        self.batch.skipped.push((name.to_owned(), what.into()));
        if self.batch.skipped.len() >= BATCH {
            self.tell();
        }
    }

    async fn file(&mut self, file: &File) {
        let name = file.name();
        if junk::is_junk(&name) {
            return;
        }
        let kind = kind(&name, file).await;
        if kind == Some(Kind::Archive) {
            self.archive(&name, file).await;
        } else {
            self.picture(&name, kind, file).await;
        }
    }

    /// A file that may be a picture.
    async fn picture(&mut self, name: &str, kind: Option<Kind>, blob: &Blob) {
        let Some(kind) = kind else { return self.skip(name, "cannot be read") };
        if !kind.may_be_shown() || blob.size() > MAX_FILE {
            return self.skip(name, if kind.may_be_shown() { "too large" } else { kind.word() });
        }
        let taken = self.gatherer.squares.read(blob).await;
        if self.is_over() {
            return;
        }
        match taken {
            Ok(rgb) => {
                self.batch.rgb.extend(rgb);
                self.batch.count += 1;
                self.gatherer.count.set(self.gatherer.count.get() + 1);
                if self.batch.count >= BATCH {
                    self.tell();
                }
            }
            Err(_) => self.skip(name, kind.word()),
        }
    }

    /// The pictures in an archive.
    async fn archive(&mut self, name: &str, file: &File) {
        let entries = match unpack::list(file).await {
            Ok(entries) => entries,
            Err(error) => return self.skip(name, error.to_string()),
        };
        for entry in &entries {
            if self.is_over() {
                self.left = true;
                return;
            }
            let name = entry.name.rsplit('/').next().unwrap_or_default();
            if entry.name.split('/').any(junk::is_junk) {
                continue;
            }
            if entry.size as f64 > MAX_FILE {
                self.skip(name, "too large");
                continue;
            }
            match unpack::unpack(file, entry).await {
                Ok(blob) => {
                    let kind = kind(name, &blob).await;
                    self.picture(name, kind, &blob).await;
                }
                Err(error) => self.skip(name, error.to_string()),
            }
        }
    }
}

/// What kind of file this is; `None` if it cannot be read.
async fn kind(name: &str, blob: &Blob) -> Option<Kind> {
    let head = blob.slice_with_i32_and_i32(0, HEAD as i32).ok()?;
    Some(Kind::of(name, &bytes(&head).await.ok()?))
}

async fn bytes(blob: &Blob) -> Result<Vec<u8>> {
    let buffer = JsFuture::from(blob.array_buffer()).await?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}
