//! What a run measures, as JSON lines, as a curve and for TensorBoard.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use serde::{Deserialize, Serialize};

use super::tensorboard::EventFile;
use crate::error::{Error, Result};
use crate::figures::plot::{self, Curve};
use crate::files::{set_aside, write_whole};
use crate::quality::Scores;

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Steps taken.
    pub step: u64,
    /// Images seen.
    pub images: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Training bits/dim, averaged since the last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<f64>,
    /// Test bits/dim of the averaged weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<f64>,
    /// What samples of a fixed seed score, at checkpoints where that costs little.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Scores>,
    /// Gradient norm before clipping, averaged likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grad_norm: Option<f64>,
    /// Share of batches whose gradient was clipped since the last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clipped: Option<f64>,
    /// What these gradients were multiplied by, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_factor: Option<f64>,
    /// Learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
}

/// The metrics file of a run.
pub struct Metrics {
    path: PathBuf,
    lines: Vec<Line>,
    /// Where TensorBoard reads the same, if it is to; a run that writes nothing makes no file.
    events: Events,
}

/// Event files for TensorBoard.
enum Events {
    Off,
    Wanted,
    Open(EventFile),
}

/// Largest metrics file that is read: a line for each of ten million steps.
const MAX_BYTES: u64 = 2 << 30;

impl Metrics {
    /// Begins `metrics.jsonl` in a new run's folder. One that exists is renamed: a run without a checkpoint left it.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn create(folder: &Path) -> Result<Self> {
        let path = folder.join("metrics.jsonl");
        if std::fs::metadata(&path).is_ok_and(|found| found.len() > 0) {
            set_aside(&path)?;
        }
        Self::write(path, Vec::new())
    }

    /// Goes on with the file of the folder `history` in the run's folder, and forgets what lies after `step`: a resumed
    /// run writes it again.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read or written.
    pub fn resume(folder: &Path, history: &Path, step: u64) -> Result<Self> {
        let mut lines = read(&history.join("metrics.jsonl"))?;
        lines.retain(|(_, line)| line.step <= step);
        lines.dedup_by_key(|(_, line)| line.step);
        Self::write(folder.join("metrics.jsonl"), lines)
    }

    /// The texts stay as they are: decimals read and written again may change in the last place.
    fn write(path: PathBuf, lines: Vec<(String, Line)>) -> Result<Self> {
        let text: String = lines.iter().flat_map(|(text, _)| [text.as_str(), "\n"]).collect();
        write_whole(&path, text.as_bytes())?;
        Ok(Self { path, lines: lines.into_iter().map(|(_, line)| line).collect(), events: Events::Off })
    }

    /// The same, and TensorBoard's event files in the same folder.
    pub fn with_tensorboard(self) -> Self {
        Self { events: Events::Wanted, ..self }
    }

    /// The event file, if it is wanted. The first one of a folder begins with the lines so far.
    fn events(&mut self) -> Result<Option<&mut EventFile>> {
        if let Events::Wanted = self.events {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let first = !EventFile::any(folder);
            let mut file = EventFile::create(folder, self.lines.last().filter(|_| !first).map(|line| line.step))?;
            for (i, line) in self.lines.iter().enumerate().filter(|_| first) {
                file.scalars(line.step, &scalars(line, i.checked_sub(1).and_then(|i| self.lines.get(i))))?;
            }
            self.events = Events::Open(file);
        }
        Ok(match &mut self.events {
            Events::Open(file) => Some(file),
            Events::Off | Events::Wanted => None,
        })
    }

    /// Shows TensorBoard a sheet of samples.
    ///
    /// # Errors
    /// [`Error::Io`] if the event file cannot be written, [`Error::Draw`] if the picture cannot be encoded.
    pub fn picture(&mut self, step: u64, tag: &str, picture: &RgbImage) -> Result<()> {
        let path = self.path.clone();
        let Some(events) = self.events()? else { return Ok(()) };
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).map_err(Error::draw(&path))?;
        events.picture(step, tag, picture.dimensions().into(), png.get_ref())
    }

    /// Appends a line.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn add(&mut self, line: Line) -> Result<()> {
        let fail = || Error::io(&self.path, "append to it");
        let mut file = OpenOptions::new().append(true).open(&self.path).map_err(fail())?;
        let text = serde_json::to_string(&line).unwrap_or_default() + "\n";
        file.write_all(text.as_bytes()).map_err(fail())?;
        let values = scalars(&line, self.lines.last());
        if let Some(events) = self.events()? {
            events.scalars(line.step, &values)?;
        }
        self.lines.push(line);
        Ok(())
    }

    /// Sees to it that the lines so far are on the disk.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn sync(&self) -> Result<()> {
        let file = OpenOptions::new().append(true).open(&self.path);
        file.and_then(|file| file.sync_all()).map_err(Error::io(&self.path, "write it"))
    }

    /// The line of a step, if it has one.
    pub fn at(&self, step: u64) -> Option<&Line> {
        self.lines.iter().find(|line| line.step == step)
    }

    /// All lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Draws what the data cost, in this unit, against images seen.
    ///
    /// # Errors
    /// [`Error::Plot`] if the picture cannot be drawn.
    pub fn draw(&self, path: &Path, unit: &str) -> Result<()> {
        let points =
            |of: fn(&Line) -> Option<f64>| self.lines.iter().filter_map(|l| Some((l.images as f64, of(l)?))).collect();
        let curves = [
            Curve { name: "training", points: points(|l| l.train) },
            Curve { name: "test", points: points(|l| l.test) },
        ];
        plot::curves(path, "images seen", unit, &curves)
    }
}

/// What TensorBoard shows of a line, given the one before it.
fn scalars(line: &Line, before: Option<&Line>) -> Vec<(String, f64)> {
    let (images, seconds) = before.map_or((0, 0.0), |before| (before.images, before.seconds));
    let (images, seconds) = (line.images.saturating_sub(images) as f64, line.seconds - seconds);
    let rate = (images > 0.0 && seconds > 0.0).then(|| images / seconds);
    let single = [
        ("bits_per_dim/train", line.train),
        ("bits_per_dim/test", line.test),
        ("gradient/norm", line.grad_norm),
        ("gradient/clipped_share", line.clipped),
        ("gradient/clip_factor", line.clip_factor),
        ("speed/learning_rate", line.learning_rate),
        ("speed/images_per_second", rate),
    ];
    let mut all: Vec<_> = single.into_iter().filter_map(|(tag, value)| Some((tag.to_owned(), value?))).collect();
    if let Some(scores) = &line.quality {
        all.extend(scores.swd.iter().map(|(edge, distance)| (format!("quality/swd_{edge}"), *distance)));
        all.extend([
            ("quality/swd_mean".to_owned(), scores.swd_mean()),
            ("quality/frechet".to_owned(), scores.frechet),
            ("quality/precision".to_owned(), scores.precision),
            ("quality/recall".to_owned(), scores.recall),
        ]);
    }
    all
}

/// The lines of a file, of which there may be none. One that a crash cut short is no reason to lose the others.
fn read(path: &Path) -> Result<Vec<(String, Line)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(path, "read it")(error)),
    };
    let texts = BufReader::new(file.take(MAX_BYTES)).split(b'\n').map_while(|text| text.ok());
    let line = |text: Vec<u8>| {
        let text = String::from_utf8(text).ok()?;
        let line = serde_json::from_str(&text).ok()?;
        Some((text, line))
    };
    Ok(texts.filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn line(step: u64) -> Line {
        Line { step, images: step * 8, seconds: 1.0, train: Some(5.0 - step as f64 * 0.1), ..Line::default() }
    }

    #[test]
    fn a_resumed_run_keeps_what_came_before_and_drops_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let mut metrics = Metrics::create(dir.path()).unwrap();
        for step in 1..=4 {
            metrics.add(line(step)).unwrap();
        }
        metrics.sync().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"step\": 9, \"ima");
        fs::write(&path, text).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let branch = Metrics::resume(elsewhere.path(), dir.path(), 3).unwrap();
        assert_eq!(branch.lines(), [line(1), line(2), line(3)]);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 5);
        let resumed = Metrics::resume(dir.path(), dir.path(), 2).unwrap();
        assert_eq!((resumed.lines(), resumed.at(2)), (&[line(1), line(2)][..], Some(&line(2))));
        assert_eq!((fs::read_to_string(&path).unwrap().lines().count(), resumed.at(3)), (2, None));
        let nowhere = tempfile::tempdir().unwrap();
        assert!(Metrics::resume(nowhere.path(), nowhere.path(), 2).unwrap().lines().is_empty());
    }

    #[test]
    fn a_new_run_starts_empty_and_deletes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        fs::write(&path, "{\"step\":1}\n").unwrap();
        assert!(Metrics::create(dir.path()).unwrap().lines().is_empty());
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        assert_eq!(fs::read_to_string(dir.path().join("metrics.jsonl.old")).unwrap(), "{\"step\":1}\n");
    }

    #[test]
    fn the_curve_is_a_picture() {
        let dir = tempfile::tempdir().unwrap();
        let mut metrics = Metrics::create(dir.path()).unwrap();
        let png = dir.path().join("curve.png");
        metrics.draw(&png, "bits/dim").unwrap();
        for step in 1..=4 {
            metrics.add(line(step)).unwrap();
        }
        metrics.draw(&png, "bits/dim").unwrap();
        let picture = image::open(&png).unwrap().to_rgb8();
        let colours: std::collections::HashSet<_> = picture.pixels().collect();
        assert!(picture.width() >= 600 && colours.len() > 2);
    }
}
