//! `trainer physics`: a model of a critical field, held against a sampler that is right.

mod latents;
mod picture;

use std::path::PathBuf;

use clap::Args;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::{DataKind, Temperature};

use crate::args::numbers::{count, seed};
use crate::args::{DeviceArgs, WhichArgs};
use crate::error::{Error, Result};
use crate::evaluate::log_mean_exp;
use crate::lattice::measure::{Estimate, Observed, Proposals, binder};
use crate::lattice::symmetry::Symmetry;
use crate::lattice::{Couplings, MOST_EDGE};
use crate::open::{Model, load_rg_flow};
use crate::output::say;
use crate::progress::Progress;

/// The stream of the fields that the model is held against: no run trains on it.
const STREAM: u64 = 2;
/// Fields of each that are drawn.
const SHOWN: usize = 2;
/// Fields whose weights are computed at once.
const AT_ONCE: usize = 64;
/// Of so many of the sampler's fields the latents are looked at.
const MOST_ENCODED: usize = 2_000;

/// Arguments of `physics`.
#[derive(Args, Debug, Clone)]
pub struct PhysicsArgs {
    /// Weights file, checkpoint, or run folder of a model of fields.
    pub model: PathBuf,
    /// The couplings, as phi4, phi4:beta=0.66,lambda=1 or ising:beta=0.4, of which the signs of fields are measured [default: those
    /// that the model was trained on].
    #[arg(long)]
    pub data: Option<String>,
    /// Edge of the lattice, the model's own times 2, 4 or 8: it grows by its second coarsest level, repeated, as a system at its
    /// critical point allows; any 4·2^k if its levels share their weights [default: the model's own].
    #[arg(long, value_parser = count(8..=MOST_EDGE))]
    pub size: Option<usize>,
    /// Fields of the model and of the sampler, 50 to 1000000.
    #[arg(long, default_value_t = 20_000, value_parser = count(50..=1_000_000_usize))]
    pub count: usize,
    /// Images of a field that are given the same density, the mean of the model's: none; sign, φ and −φ; or lattice, also the
    /// turns and reflections of the square and the shifts by multiples of a quarter of the edge, 256 passes for each field.
    #[arg(long, value_enum, default_value = "sign", hide_possible_values = true, value_name = "none|sign|lattice")]
    pub symmetry: Symmetry,
    /// Also draw the two-point function of both, and fields of both level by level, into this PNG file.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Seed of both.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Prints what is measured of the sampler's fields, of the model's, and of the model's weighted by e^{−S}/q; how many of
/// the model's fields count; how far the two distributions are apart; and what the latents of the sampler's fields look like.
///
/// # Errors
/// A model that cannot be read or is not one of fields, couplings that are not those of a theory.
pub fn run(args: PhysicsArgs) -> Result<()> {
    let mut file = load_rg_flow(&args.model, args.which.which)?;
    if let Some(size) = args.size {
        file = file.grown(size).map_err(Error::model(&args.model))?;
    }
    let model = Model::of(file, &args.model, args.device.device)?;
    let (edge, dims) = (model.config.size, model.config.dims());
    if model.config.data != DataKind::Field || model.config.channels != 1 {
        let problem = "it is not a model of fields with one channel";
        return Err(Error::content(
            args.model.display(),
            problem,
            "train one: trainer train --preset phi4 --data phi4",
        ));
    }
    // Of a run that changed its data, the last.
    let trained_on = model.card.dataset.rsplit(", then ").next().unwrap_or_default();
    let couplings: Couplings = args.data.as_deref().unwrap_or(trained_on).parse()?;
    let theory = couplings.theory();
    let truth = theory.draw(edge, args.count, args.seed, STREAM)?;
    let fields = model.engine.decode(&model.draw(args.seed, args.count as u64, &Temperature::uniform(1.0)))?;
    let log_weights = |fields: &[f32]| -> Result<Vec<f64>> {
        let mut weights = Vec::with_capacity(fields.len() / dims);
        let progress = Progress::new("likelihoods of fields", fields.len() / dims);
        for some in fields.chunks(AT_ONCE * dims) {
            let fields = some.chunks_exact(dims);
            let images: Vec<f32> = fields.clone().flat_map(|field| args.symmetry.images(field, edge)).collect();
            let parts = model.engine.encode(&images)?.log_prob;
            let log_q: Vec<f64> = parts.iter().map(|parts| parts.iter().sum()).collect();
            let of_images = log_q.chunks_exact(args.symmetry.order()).map(log_mean_exp);
            weights.extend(fields.zip(of_images).map(|(field, log_q)| -theory.action(field, edge) - log_q));
            progress.set(weights.len());
        }
        Ok(weights)
    };
    let (of_model, of_truth) = (log_weights(&fields)?, log_weights(&truth)?);
    if of_model.iter().any(|weight| !weight.is_finite()) {
        let problem = format!("{}: a field has no finite weight", args.model.display());
        return Err(Error::Diverged { problem, advice: "take an earlier checkpoint".into() });
    }
    let progress = Progress::new("observables", 0);
    let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
    let proposals = Proposals::of(&of_model, || rng.random());
    let largest = of_model.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (sampler, plain) = (Observed::of(&truth, edge, theory), Observed::of(&fields, edge, theory));
    let weighted = plain.weighted(of_model.iter().map(|weight| (weight - largest).exp()).collect());
    drop(progress);

    say!("{couplings} on {edge}×{edge}, {} fields of each", args.count)?;
    say!("{:<16}{:>22}{:>22}{:>8}{:>22}{:>8}", "", "sampler", "model", "σ apart", "model, weighted", "σ apart")?;
    let line = |name: &str, of: &dyn Fn(&Observed) -> Estimate| {
        let [truth, plain, weighted] = [&sampler, &plain, &weighted].map(of);
        // A power of what came out negative is no number.
        let known = |value: f64, text: String| if value.is_finite() { text } else { "—".to_owned() };
        let cell = |e: Estimate| known(e.error, format!("{:.5} ± {:.5}", e.value, e.error));
        let apart = |e: Estimate| known(e.apart(truth), format!("{:.1}", e.apart(truth)));
        let (a, b, c) = (cell(truth), cell(plain), cell(weighted));
        say!("{name:<16}{a:>22}{b:>22}{:>8}{c:>22}{:>8}", apart(plain), apart(weighted))
    };
    line("|m|", &Observed::magnetisation)?;
    line("action", &Observed::action)?;
    line("neighbours", &Observed::bond_energy)?;
    line("susceptibility", &Observed::susceptibility)?;
    line("Binder cumulant", &binder)?;
    for (i, (r, _)) in sampler.two_point().into_iter().enumerate() {
        line(&format!("two-point, r={r}"), &|observed| observed.two_point()[i].1)?;
    }
    for (i, (r, _)) in sampler.slopes().into_iter().enumerate() {
        line(&format!("slope, r={r} to {}", 2 * r), &|observed| observed.slopes()[i].1)?;
    }
    if let Some(path) = &args.out {
        let some = |fields: &[f32]| fields[..SHOWN * dims].to_vec();
        let shown = [("sampler", &sampler, some(&truth)), ("model", &plain, some(&fields))];
        let rows = shown.each_ref().map(|(name, _, fields)| picture::rows(&model, name, fields));
        let rows = rows.into_iter().collect::<Result<Vec<_>>>()?.concat();
        picture::draw(path, &shown.map(|(name, observed, _)| (name, observed.two_point())), &rows)?;
    }
    let sites = dims as f64;
    let mean = |weights: &[f64]| weights.iter().sum::<f64>() / weights.len() as f64;
    say!("effective sample size {:.3} of 1, acceptance {:.3}", proposals.effective, proposals.acceptance)?;
    let free_energy = theory.log_z(edge, (args.count / 16).max(50), args.seed)?;
    say!("log Z                 {:.5} a site", proposals.log_z / sites)?;
    say!("log Z, sampler        {:.5} ± {:.5} a site", free_energy.value, free_energy.error)?;
    say!("−⟨log q + S⟩          {:.5} a site, at most log Z", mean(&of_model) / sites)?;
    say!("KL(model‖field)       {:.5} nats a site", (proposals.log_z - mean(&of_model)) / sites)?;
    say!("KL(field‖model)       {:.5} nats a site", (mean(&of_truth) - proposals.log_z) / sites)?;
    say!("−log q of the field   {:.5} nats a site", mean(&of_truth) / sites + sampler.action().value)?;
    let encoded = model.engine.encode(&truth[..args.count.min(MOST_ENCODED) * dims])?.latents;
    say!(
        "latents of the sampler's fields{:>18}{:>18}   Gaussian likelier than Laplace by",
        "spread",
        "excess kurtosis"
    )?;
    for (level, of) in latents::measure(&model.config, &encoded).into_iter().enumerate().rev() {
        let Estimate { value, error } = of.for_gaussian;
        let name = format!("level {level}");
        say!("{name:<31}{:>18.3}{:>18.3}   {value:.4} ± {error:.4} nats a number", of.spread, of.kurtosis)?;
    }
    Ok(())
}
