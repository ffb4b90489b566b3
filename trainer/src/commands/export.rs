//! `trainer export`.

use shared::weights::{AnyModelFile, Precision};

use super::eval::Eval;
use super::model::Loaded;
use crate::cli::{ExportArgs, PrecisionName};
use crate::data::DataOptions;
use crate::device::dispatch;
use crate::error::{Error, Result};
use crate::train::checkpoint::write_atomically;

/// Writes a weights file; with data, evaluates exactly what it writes.
///
/// # Errors
/// A checkpoint that cannot be read, weights that are not finite, a file that cannot be written.
pub fn run(args: ExportArgs) -> Result<()> {
    let Loaded { mut file, state } = super::model::load_any(&args.model)?;
    let of_model = |source| Error::Model { file: args.model.display().to_string(), source };
    file.card_mut().name = args.name.clone();
    if let Some(dataset) = &args.dataset {
        file.card_mut().dataset = dataset.clone();
    }
    if let Some(licence) = &args.licence {
        file.card_mut().licence = licence.clone();
    }
    let levels = file.config().level_count();
    if ![0, 1, levels].contains(&args.temperatures.len()) {
        let problem = format!("{} temperatures for {levels} levels", args.temperatures.len());
        return Err(Error::usage("--temperatures", problem, "give one, or one a level"));
    }
    file.card_mut().temperature = args.temperatures.clone();
    let precision = precision(args.precision);
    if let Some(data) = &args.data {
        let [_, size] = file.config().image_shape();
        let options = DataOptions { size, ..DataOptions::default() };
        let dataset = super::source(data)?.load(&options)?;
        let written = AnyModelFile::from_bytes(&file.to_bytes(precision).map_err(of_model)?).map_err(of_model)?;
        let loaded = Loaded { file: written, state };
        let job = Eval { loaded: &loaded, path: &args.model, images: &dataset.test, draws: 1 };
        let score = dispatch(args.device.device, job)?;
        println!("{:.4} ± {:.4} bits/dim on {} test images", score.mean, score.standard_error, score.images);
        file.card_mut().bits_per_dim = Some((score.mean * 1e4).round() / 1e4);
    }
    let bytes = file.to_bytes(precision).map_err(of_model)?;
    write_atomically(&args.out, &bytes)?;
    println!("{}: {:.2} MB", args.out.display(), bytes.len() as f64 / 1e6);
    Ok(())
}

/// As the library takes it.
pub fn precision(name: PrecisionName) -> Precision {
    match name {
        PrecisionName::F16 => Precision::F16,
        PrecisionName::F32 => Precision::F32,
    }
}
