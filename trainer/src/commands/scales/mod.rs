//! `trainer scales`: whether a shift of the data shows at its own scale.

mod auroc;
mod change;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use shared::DataKind;
use shared::geometry::counts_by_level;

use crate::args::{DataSetArgs, DeviceArgs, WhichArgs, tell};
use crate::data::{DataOptions, DataSource, ImageSet};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::evaluate::{moments, suits, whole};
use crate::files::write_atomically;
use crate::open::AnyModel;
use crate::output::say;
use auroc::{Auroc, auroc};
use change::Change;

/// The fewest test images.
const FEWEST: usize = 8;

/// Arguments of `scales`.
#[derive(Args, Debug, Clone)]
pub struct ScalesArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// The images that the model was trained on; the test part is what others are told from.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// What to tell from them: a change of half of these images (mirrored, blurred, jpeg20, broken, moved), or other
    /// images: msds1, msds2, or all images of a folder or .zip; for a model of fields phi4:beta=0.66 or a .npy file
    /// [default: all five changes].
    #[arg(long, num_args = 1..)]
    pub against: Vec<String>,
    /// Also write the areas to this file, as JSON.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// What images are told from.
enum Against {
    Change(Change),
    Images(DataSource),
}

/// Areas of one comparison, levels finest first.
#[derive(Serialize)]
struct Row {
    name: String,
    images: usize,
    /// By the bits of each level's numbers, and by bits/dim: more bits are a positive.
    bits: Vec<Area>,
    /// By how far these are from their mean, in deviations, and by the levels' distances together.
    distance: Vec<Area>,
}

/// An area and its standard error.
#[derive(Serialize)]
struct Area {
    auroc: f64,
    standard_error: f64,
}

impl From<Auroc> for Area {
    fn from(Auroc { value, standard_error }: Auroc) -> Self {
        Self { auroc: value, standard_error }
    }
}

/// Where images are usually, and how far they spread.
struct Usual {
    /// Mean and deviation of each level's bits, and of bits/dim at the end.
    moments: Vec<(f64, f64)>,
}

/// Prints how well each level's likelihood tells other images from those that the model was trained on.
///
/// Test images are split in two: from one half come the usual values and what is changed, and the other half is what it
/// is told from, so that no image is compared with itself.
///
/// # Errors
/// A model or data that cannot be read, too few images, a file that cannot be written.
pub fn run(args: ScalesArgs) -> Result<()> {
    let data = args.data.of_model(&args.model, args.which.which)?;
    if let Some(out) = &args.out {
        data.keep_apart(out)?;
    }
    let model = AnyModel::open_any(&args.model, args.which.which, args.device.device)?;
    let ([channels, size], engine) = (model.config.image_shape(), &*model.engine);
    // In colour, as changes take them.
    let test = data.load_test([3, size])?.images;
    suits(model.config.data(), test.kind())?;
    if test.kind() == DataKind::Field && args.against.is_empty() {
        let advice = "give other fields, for instance phi4:beta=0.66";
        return Err(Error::usage("--against", "nothing to tell the fields from", advice));
    }
    if test.len() < FEWEST {
        let problem = format!("{} has {} test images", data.name(), test.len());
        return Err(Error::usage("--data", problem, "give at least 8"));
    }
    let half = |odd: usize| test.subset(&(odd..test.len()).step_by(2).collect::<Vec<_>>());
    let (kept, plain) = (half(0)?, half(1)?);
    let counts = counts_by_level(&engine.latent_levels());
    let bits = |images: ImageSet| all_bits(engine, &fitting(images, channels)?, &counts);
    let usual = Usual::of(&bits(kept.clone())?);
    let negatives = bits(plain)?;
    say!("{} test images of {}, against", negatives.len(), data.name())?;
    let against = match args.against.is_empty() {
        true => Change::value_variants().iter().map(|&change| Ok(Against::Change(change))).collect(),
        false => args.against.iter().map(|text| parse(text)).collect::<Result<Vec<_>>>(),
    }?;
    let mut rows = Vec::new();
    for one in against {
        let (name, images) = match one {
            Against::Change(change) if test.kind() == DataKind::Images => {
                (format!("{change:?}").to_lowercase(), change.of(&kept)?)
            }
            Against::Change(_) => {
                let advice = "give other fields, for instance phi4:beta=0.66";
                return Err(Error::usage("--against", "fields are not changed like pictures", advice));
            }
            Against::Images(source) => {
                // What is drawn from a seed is not drawn as the images were.
                let seed = data.data_seed.unwrap_or(0).wrapping_add(1);
                let options = DataOptions { size, seed, test_limit: data.test_limit, ..DataOptions::default() };
                let set = source.load_whole(&options)?;
                tell(&set.notes);
                suits(model.config.data(), set.images.kind())?;
                (set.name, set.images)
            }
        };
        rows.push(usual.row(name, &bits(images)?, &negatives));
    }
    print(&rows, counts.len())?;
    match &args.out {
        Some(out) => {
            let json = serde_json::to_vec_pretty(&rows)
                .map_err(|e| Error::content(out.display(), e.to_string(), "report it"))?;
            write_atomically(out, &json)
        }
        None => Ok(()),
    }
}

fn parse(text: &str) -> Result<Against> {
    match Change::from_str(text, false) {
        Ok(change) => Ok(Against::Change(change)),
        Err(_) => text.parse().map(Against::Images),
    }
}

/// In the model's channels.
fn fitting(images: ImageSet, channels: usize) -> Result<ImageSet> {
    Ok(if channels == 1 && images.kind() == DataKind::Images { images.grey() } else { images })
}

/// The bits of each level's numbers, finest first, and at the end bits/dim, `[image][levels + 1]`.
fn all_bits(engine: &dyn Engine, images: &ImageSet, counts: &[usize]) -> Result<Vec<Vec<f64>>> {
    let mut bits = engine.bits_by_level(images)?;
    for bits in &mut bits {
        bits.push(whole(bits, counts));
    }
    Ok(bits)
}

impl Usual {
    fn of(bits: &[Vec<f64>]) -> Self {
        let columns = bits.first().map_or(0, Vec::len);
        Self { moments: (0..columns).map(|i| moments(&column(bits, i))).collect() }
    }

    /// How far each of an image's bits is from the mean, in deviations; at the end, of the levels together.
    fn distances(&self, bits: &[f64]) -> Vec<f64> {
        let mut distances: Vec<f64> =
            bits.iter().zip(&self.moments).map(|(bits, (mean, deviation))| (bits - mean).abs() / deviation).collect();
        let levels = distances.len() - 1;
        distances.push(distances[..levels].iter().map(|z| z * z).sum::<f64>().sqrt());
        distances
    }

    fn row(&self, name: String, positives: &[Vec<f64>], negatives: &[Vec<f64>]) -> Row {
        let areas = |positives: &[Vec<f64>], negatives: &[Vec<f64>]| {
            let columns = negatives.first().map_or(0, Vec::len);
            (0..columns).map(|i| auroc(&column(positives, i), &column(negatives, i)).into()).collect()
        };
        let far = |all: &[Vec<f64>]| all.iter().map(|bits| self.distances(bits)).collect::<Vec<_>>();
        let distance = areas(&far(positives), &far(negatives));
        Row { name, images: positives.len(), bits: areas(positives, negatives), distance }
    }
}

fn column(rows: &[Vec<f64>], i: usize) -> Vec<f64> {
    rows.iter().map(|row| row[i]).collect()
}

fn print(rows: &[Row], levels: usize) -> Result<()> {
    let heading = |more: &[&str]| {
        let levels = (0..levels).rev().map(|level| format!("level {level}"));
        let names: String =
            levels.chain(more.iter().map(|&name| name.to_owned())).map(|name| format!("{name:>17}")).collect();
        format!("{:<22}{:>7}{names}", "", "images")
    };
    let line = |row: &Row, areas: &[Area]| {
        let area = |area: &Area| {
            let text = format!("{:.3} ± {:.3}", area.auroc, area.standard_error);
            format!("{text:>17}")
        };
        let (by_level, rest) = areas.split_at(levels);
        let cells: String = by_level.iter().rev().chain(rest).map(area).collect();
        format!("{:<22}{:>7}{cells}", row.name, row.images)
    };
    say!("AUROC of bits: above 0.5 where the others take more")?;
    say!("{}", heading(&["all"]))?;
    rows.iter().try_for_each(|row| say!("{}", line(row, &row.bits)))?;
    say!("AUROC of the distance from the usual bits, either way")?;
    say!("{}", heading(&["all", "levels together"]))?;
    rows.iter().try_for_each(|row| say!("{}", line(row, &row.distance)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_either_way_and_together() {
        let usual = Usual::of(&[vec![1.0, 10.0, 5.0], vec![3.0, 14.0, 7.0]]);
        let root = 2f64.sqrt();
        assert_eq!(usual.moments, [(2.0, root), (12.0, 2.0 * root), (6.0, root)]);
        let found = usual.distances(&[2.0 + 3.0 * root, 12.0 - 8.0 * root, 6.0]);
        for (found, expected) in found.iter().zip([3.0, 4.0, 0.0, 5.0]) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
        // What takes fewer bits than usual is below one half, and as far away as what takes more.
        let negatives: Vec<_> = (0..9).map(|i| vec![1.5 + 0.1 * f64::from(i), 12.0, 6.0]).collect();
        let row = usual.row("few".into(), &[vec![-9.0, 12.0, 6.0], vec![-8.0, 12.0, 6.0]], &negatives);
        assert_eq!((row.images, row.bits[0].auroc, row.bits[1].auroc), (2, 0.0, 0.5));
        assert_eq!((row.distance.len(), row.distance[0].auroc, row.distance[3].auroc), (4, 1.0, 1.0));
    }

    #[test]
    fn changes_are_told_from_data_by_their_names() {
        assert!(matches!(parse("jpeg20"), Ok(Against::Change(Change::Jpeg20))));
        assert!(matches!(parse("msds1"), Ok(Against::Images(DataSource::Msds(_)))));
        assert!(matches!(parse("./blurred"), Ok(Against::Images(DataSource::Path(_)))));
        assert!(parse("").is_err());
    }
}
