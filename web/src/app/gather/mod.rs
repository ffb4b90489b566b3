//! The reader's own pictures, many at a time: from files, folders and zip archives, one after the other, so that no more
//! than one of them is in memory as it was.

mod align;
mod entries;
mod junk;
mod square;
mod unpack;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, DataTransfer, Document, File, FileList, ImageBitmap};

use super::dispatch::Dispatch;
use super::picker::files::{HEAD, Kind};
use super::picker::frame::Frame;
use super::picker::{MAX_FILE, paint};
use crate::error::Result;
use crate::protocol::{Snapshot, TRAINING_PICTURES};
use align::Choice;
use entries::Folder;
use face_finder::Face;
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
    /// Whether they are aligned by the eyes of the faces in them: that is decided now.
    Aligned(bool),
    /// Somebody has to look for faces in this one, and to tell [`Gatherer::looked`].
    Look {
        /// Its number.
        number: u32,
        /// The picture, or a smaller copy.
        photo: Snapshot,
    },
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
    /// How many of them were aligned.
    pub faces: usize,
    /// What could not be used: a name, and what it is.
    pub skipped: Vec<(String, String)>,
}

/// A picture's squares.
struct Squared {
    central: Vec<u8>,
    /// The one about a face, if one was looked for and found.
    aligned: Option<Vec<u8>>,
}

/// Something to be read.
enum Source {
    File(File),
    Folder(Folder),
}

/// Reads what it is given.
pub struct Gatherer {
    document: Document,
    squares: Squares,
    told: Dispatch<Gathered>,
    waiting: RefCell<VecDeque<Source>>,
    running: Cell<bool>,
    /// Counts how often everything was thrown away: what is still being read then is nobody's.
    turn: Cell<u32>,
    /// Pictures that were taken.
    count: Cell<usize>,
    /// Files that were read, to be read again if they are to be aligned, or not any more.
    read: RefCell<Vec<File>>,
    choice: Cell<Choice>,
    /// The picture in which faces are being looked for: its number, and what to call then.
    looking: RefCell<Option<(u32, Function)>>,
    looks: Cell<u32>,
    found: RefCell<Vec<Face>>,
}

impl Gatherer {
    /// One that tells of what it reads.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if there is nothing to draw on.
    pub fn new(document: &Document, told: Dispatch<Gathered>) -> Result<Rc<Self>> {
        Ok(Rc::new(Self {
            document: document.clone(),
            squares: Squares::new(document)?,
            told,
            waiting: RefCell::default(),
            running: Cell::default(),
            turn: Cell::default(),
            count: Cell::default(),
            read: RefCell::default(),
            choice: Cell::default(),
            looking: RefCell::default(),
            looks: Cell::default(),
            found: RefCell::default(),
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
        self.read.take();
        self.count.set(0);
        self.running.set(false);
        self.choice.take();
        let looking = self.looking.take();
        if let Some((number, done)) = looking {
            self.answer(number, &done, &[]);
        }
    }

    /// Reads everything again, aligned or not.
    pub fn align(self: &Rc<Self>, aligned: bool) {
        let (read, waiting) = (self.read.take(), self.waiting.take());
        self.clear();
        self.choice.set(Choice::set(aligned));
        self.take(read.into_iter().map(Source::File).chain(waiting).collect());
    }

    /// The faces in the picture of that number.
    pub fn looked(&self, number: u32, faces: &[Face]) {
        let looking = self.looking.borrow_mut().take_if(|(looking, _)| *looking == number);
        if let Some((number, done)) = looking {
            self.answer(number, &done, faces);
        }
    }

    fn answer(&self, number: u32, done: &Function, faces: &[Face]) {
        self.found.replace(faces.to_vec());
        let _ = done.call1(&JsValue::NULL, &number.into());
    }

    /// The squares of a picture.
    async fn squares(&self, blob: &Blob) -> Result<Squared> {
        let bitmap = self.squares.open(blob).await?;
        let size = paint::size(&bitmap);
        let frame = if self.choice.get().looks(size) { self.frame(&bitmap).await? } else { None };
        let aligned = frame.map(|frame| self.squares.of_frame(&bitmap, frame)).transpose();
        let squared = self.squares.central(&bitmap).and_then(|central| Ok(Squared { central, aligned: aligned? }));
        bitmap.close();
        squared
    }

    /// The square about the face in a picture.
    async fn frame(&self, bitmap: &ImageBitmap) -> Result<Option<Frame>> {
        let (photo, scale) = paint::snapshot(&self.document, bitmap, align::SIDE)?;
        let number = self.looks.get().wrapping_add(1);
        self.looks.set(number);
        let found = Promise::new(&mut |done, _| drop(self.looking.replace(Some((number, done)))));
        (self.told)(Gathered::Look { number, photo });
        JsFuture::from(found).await?;
        Ok(align::about(&self.found.take(), scale, paint::size(bitmap)))
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
        let mut reading =
            Reading { gatherer: &self, turn: self.turn.get(), batch: Batch::default(), left: false, held: vec![] };
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
        reading.end();
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
    /// Pictures that were read before it was decided whether they are aligned.
    held: Vec<Squared>,
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
        self.gatherer.read.borrow_mut().push(file.clone());
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
        let taken = self.gatherer.squares(blob).await;
        if self.is_over() {
            return;
        }
        match taken {
            Ok(squared) => {
                self.gatherer.count.set(self.gatherer.count.get() + 1);
                let mut choice = self.gatherer.choice.get();
                let decided = choice.saw(squared.aligned.is_some());
                self.gatherer.choice.set(choice);
                self.held.push(squared);
                self.release(decided);
            }
            Err(_) => self.skip(name, kind.word()),
        }
    }

    /// Once it is decided whether pictures are aligned, they are told of.
    fn release(&mut self, decided: bool) {
        let Some(aligned) = self.gatherer.choice.get().decided() else { return };
        if decided {
            (self.gatherer.told)(Gathered::Aligned(aligned));
        }
        for squared in std::mem::take(&mut self.held) {
            let square = squared.aligned.filter(|_| aligned);
            self.batch.faces += usize::from(square.is_some());
            self.batch.rgb.extend(square.unwrap_or(squared.central));
            self.batch.count += 1;
        }
        // To look for a face takes so long that each is told of.
        if self.batch.count >= BATCH || aligned {
            self.tell();
        }
    }

    /// No more will come.
    fn end(&mut self) {
        let mut choice = self.gatherer.choice.get();
        let decided = choice.end();
        self.gatherer.choice.set(choice);
        self.release(decided);
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
