//! What a run measures, as JSON lines and as a curve.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::plot::{self, Curve};

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Gradient norm before clipping, averaged likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grad_norm: Option<f64>,
    /// Learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
}

/// The metrics file of a run.
pub struct Metrics {
    path: PathBuf,
    lines: Vec<Line>,
}

impl Metrics {
    /// Opens `metrics.jsonl` in the run's folder and forgets what lies after `step`: a resumed run writes it again.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read or written.
    pub fn open(folder: &Path, step: u64) -> Result<Self> {
        let path = folder.join("metrics.jsonl");
        let mut lines: Vec<Line> = Vec::new();
        if step > 0 && path.exists() {
            let file = File::open(&path).map_err(Error::io(&path, "read it"))?;
            // A line that a crash cut short is no reason to lose the others.
            lines = BufReader::new(file).lines().map_while(|l| l.ok()).filter_map(|l| serde_json::from_str(&l).ok()).collect();
            lines.retain(|l| l.step <= step);
        }
        let text: String = lines.iter().filter_map(|l| serde_json::to_string(l).ok()).map(|l| l + "\n").collect();
        fs::write(&path, text).map_err(Error::io(&path, "write it"))?;
        Ok(Self { path, lines })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn add(&mut self, line: Line) -> Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.path).map_err(Error::io(&self.path, "append to it"))?;
        let text = serde_json::to_string(&line).unwrap_or_default();
        writeln!(file, "{text}").map_err(Error::io(&self.path, "append to it"))?;
        self.lines.push(line);
        Ok(())
    }

    /// All lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Draws bits/dim against images seen.
    ///
    /// # Errors
    /// [`Error::Plot`] if the picture cannot be drawn.
    pub fn draw(&self, path: &Path) -> Result<()> {
        let points = |of: fn(&Line) -> Option<f64>| self.lines.iter().filter_map(|l| Some((l.images as f64, of(l)?))).collect();
        let curves = [Curve { name: "training", points: points(|l| l.train) }, Curve { name: "test", points: points(|l| l.test) }];
        plot::curves(path, "images seen", "bits/dim", &curves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64) -> Line {
        Line { step, images: step * 8, seconds: 1.0, train: Some(5.0 - step as f64 * 0.1), test: None, grad_norm: None, learning_rate: None }
    }

    #[test]
    fn a_resumed_run_keeps_what_came_before_and_drops_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let mut metrics = Metrics::open(dir.path(), 0).unwrap();
        for step in 1..=4 {
            metrics.add(line(step)).unwrap();
        }
        let path = dir.path().join("metrics.jsonl");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"step\": 9, \"ima");
        fs::write(&path, text).unwrap();
        let resumed = Metrics::open(dir.path(), 2).unwrap();
        assert_eq!(resumed.lines(), [line(1), line(2)]);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
        assert!(Metrics::open(dir.path(), 0).unwrap().lines().is_empty());
    }

    #[test]
    fn the_curve_is_a_picture() {
        let dir = tempfile::tempdir().unwrap();
        let mut metrics = Metrics::open(dir.path(), 0).unwrap();
        let png = dir.path().join("curve.png");
        metrics.draw(&png).unwrap();
        for step in 1..=4 {
            metrics.add(line(step)).unwrap();
        }
        metrics.draw(&png).unwrap();
        let picture = image::open(&png).unwrap().to_rgb8();
        let colours: std::collections::HashSet<_> = picture.pixels().collect();
        assert!(picture.width() >= 600 && colours.len() > 2);
    }
}
