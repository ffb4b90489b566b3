//! Which images, and loading them for a model.

use std::path::{Path, PathBuf};

use clap::Args;
use shared::DataKind;

use super::numbers::{MOST_IMAGES, count, seed};
use crate::data::{DataOptions, DataSource, Dataset, ImageSet, TestSet};
use crate::error::{Error, Result};
use crate::open::about;
use crate::output::aside;
use crate::train::best::Which;
use crate::train::state::RunState;

/// Which images.
#[derive(Args, Debug, Clone)]
pub struct DataSetArgs {
    /// Images: msds1 or msds2 (generated), a folder or .zip of images, CelebA (the official or Kaggle's archive), CIFAR-10
    /// (binary or python version) or MNIST, also as torchvision keeps them; for models of fields phi4 (drawn; its
    /// couplings as in phi4:beta=0.66,lambda=1), ising (spins, each a normal number of its sign, as in ising:beta=0.4) or a
    /// .npy file [N, L, L] or [N, C, L, L]. A folder or .zip may hold folders train and test (or val); otherwise about a
    /// tenth of the images, chosen by their names, is held out for testing [default: the data of the run that is given; of a
    /// new run, msds1].
    #[arg(long)]
    pub data: Option<String>,
    /// Folder or .zip of test images to use instead of those in --data.
    #[arg(long)]
    pub test_data: Option<PathBuf>,
    /// Use at most this many training images, picked at random by --data-seed (of msds1 and msds2 the first)
    /// [default: all].
    #[arg(long, value_parser = count(1..=MOST_IMAGES))]
    pub limit: Option<usize>,
    /// Use at most this many test images, the first by name where they are files [default: all].
    #[arg(long, value_parser = count(1..=MOST_IMAGES))]
    pub test_limit: Option<usize>,
    /// Skip images that cannot be read, and list them, instead of stopping.
    #[arg(long)]
    pub skip_broken: bool,
    /// Licence and attribution of the data, for the model's card.
    #[arg(long)]
    pub licence: Option<String>,
    /// Seed of generated sets, of --limit, and of the split where the data have none [default: 0].
    #[arg(long, value_parser = seed())]
    pub data_seed: Option<u64>,
}

impl DataSetArgs {
    /// The data's name or path.
    pub fn name(&self) -> &str {
        self.data.as_deref().unwrap_or("msds1")
    }

    /// The same for a command that is given a model: what is not given is as in the run that trained it.
    ///
    /// # Errors
    /// A model that cannot be read, and [`Error::Usage`] for a weights file, which does not say where its data are.
    pub fn of_model(&self, model: &Path, which: Which) -> Result<Self> {
        if self.data.is_some() {
            return Ok(self.clone());
        }
        match about(model, which)?.state {
            Some(state) => Ok(self.of_run(&state)),
            None => {
                let problem = format!("{} does not say where its images are", model.display());
                Err(Error::usage("--data", problem, "name them: a folder, a .zip, msds1, phi4, ising"))
            }
        }
    }

    /// The same with a run's own data in place of what is not given.
    pub fn of_run(&self, state: &RunState) -> Self {
        let part = &state.part;
        Self {
            data: Some(self.data.clone().unwrap_or_else(|| state.data.clone())),
            test_data: self.test_data.clone().or(part.test_data.as_ref().map(Into::into)),
            limit: self.limit.or(part.limit),
            test_limit: self.test_limit.or(part.test_limit),
            data_seed: self.data_seed.or(Some(part.seed)),
            ..self.clone()
        }
    }

    /// Loads the data for a model of images `[channels, size, size]`, and prints their notes.
    ///
    /// # Errors
    /// Data that cannot be read, and a model of neither three channels nor one.
    pub fn load(&self, [channels, size]: [usize; 2]) -> Result<Dataset> {
        let mut dataset = source(self.name())?.load(&self.options(size))?;
        tell(&dataset.notes);
        dataset.train = fitting(dataset.train, channels)?;
        dataset.test = fitting(dataset.test, channels)?;
        Ok(dataset)
    }

    /// The same for the test part alone: nothing else is decoded.
    ///
    /// # Errors
    /// As [`DataSetArgs::load`].
    pub fn load_test(&self, [channels, size]: [usize; 2]) -> Result<TestSet> {
        test_part(self.name(), &self.options(size), channels)
    }

    /// An error if `out` lies among these images.
    ///
    /// # Errors
    /// As [`keep_apart`].
    pub fn keep_apart(&self, out: &Path) -> Result<()> {
        keep_apart(self.name(), self.test_data.as_deref(), out)
    }

    fn options(&self, size: usize) -> DataOptions {
        DataOptions {
            size,
            seed: self.data_seed.unwrap_or(0),
            test_data: self.test_data.clone(),
            limit: self.limit,
            test_limit: self.test_limit,
            skip_broken: self.skip_broken,
            licence: self.licence.clone(),
            ..DataOptions::default()
        }
    }
}

/// The test part of data by name or path, for a model of that many channels; prints its notes.
///
/// # Errors
/// As [`DataSetArgs::load`].
pub fn test_part(data: &str, options: &DataOptions, channels: usize) -> Result<TestSet> {
    let test = source(data)?.load_test(options)?;
    tell(&test.notes);
    Ok(TestSet { images: fitting(test.images, channels)?, ..test })
}

/// Data by name or path.
///
/// # Errors
/// [`Error::Usage`] for an empty name, and couplings of phi4 that make no sense.
pub fn source(data: &str) -> Result<DataSource> {
    if data.is_empty() {
        return Err(Error::usage("--data", "it is empty", "give msds1, msds2, phi4, ising or a path"));
    }
    data.parse()
}

/// Prints what the user should know about the data.
pub fn tell(notes: &[String]) {
    for note in notes {
        aside(format_args!("note: {note}"));
    }
}

/// An error if what a command writes to `out` would lie among the images that it reads, where the next run would take it
/// for one of them.
///
/// # Errors
/// [`Error::Usage`] names the folder of images.
pub fn keep_apart(data: &str, test_data: Option<&Path>, out: &Path) -> Result<()> {
    // What is yet to be made has no canonical path, but one of the folders above it has.
    let made = std::path::absolute(out).map_err(Error::io(out, "access it"))?;
    let whole = made.ancestors().find_map(|above| above.canonicalize().ok());
    for images in [Some(Path::new(data)), test_data].into_iter().flatten() {
        let folder = images.is_dir().then(|| images.canonicalize().ok()).flatten();
        if folder.is_some_and(|folder| whole.as_ref().is_some_and(|whole| whole.starts_with(folder))) {
            let problem = format!(
                "{} lies among the images of {}, and would be taken for one of them",
                out.display(),
                images.display()
            );
            return Err(Error::usage("--out", problem, "give a path outside that folder"));
        }
    }
    Ok(())
}

/// The images with as many channels as the model has.
fn fitting(images: ImageSet, channels: usize) -> Result<ImageSet> {
    match channels {
        // Whether fields fit is seen where the model is known.
        _ if images.kind() == DataKind::Field => Ok(images),
        3 => Ok(images),
        1 => Ok(images.grey()),
        _ => {
            let (n, size) = (images.len(), images.size);
            let problem = format!("{n} images of 3×{size}×{size}, but the model takes {channels}×{size}×{size}");
            Err(Error::usage("--data", problem, "use a model with 3 channels, or with 1 for greyscale"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        data: DataSetArgs,
    }

    #[test]
    fn what_is_written_stays_out_of_the_images() {
        let dir = tempfile::tempdir().unwrap();
        let photos = dir.path().join("photos");
        std::fs::create_dir_all(photos.join("2024")).unwrap();
        let data = photos.display().to_string();
        for inside in ["photos", "photos/run", "photos/2024/../new/deep/sheet.png", "photos/sheet.png"] {
            let error = keep_apart(&data, None, &dir.path().join(inside)).unwrap_err().to_string();
            assert!(error.contains("--out") && error.contains("among the images"), "{error}");
        }
        for outside in ["runs/latest", "photos-out", "sheet.png"] {
            keep_apart(&data, None, &dir.path().join(outside)).unwrap();
        }
        keep_apart("msds1", None, &photos).unwrap();
        assert!(keep_apart("msds1", Some(&photos), &photos.join("a.png")).is_err());
    }

    #[test]
    fn images_get_the_channels_of_the_model() {
        let line = ["line", "--data", "msds1", "--limit", "3", "--test-limit", "2"];
        let data = Line::parse_from(line).data;
        let colour = data.load([3, 16]).unwrap();
        let grey = data.load([1, 16]).unwrap();
        assert_eq!((grey.train.channels, grey.train.len(), grey.test.image_len()), (1, 3, 256));
        assert_eq!(grey.train, colour.train.grey());
        assert_eq!(data.load_test([1, 16]).unwrap().images, grey.test);
        let error = data.load([2, 16]).unwrap_err().to_string();
        assert!(error.contains("3×16×16") && error.contains("2×16×16"), "{error}");
    }
}
