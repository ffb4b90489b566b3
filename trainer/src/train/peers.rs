//! Training on several devices: each keeps a copy of the model and takes its share of every batch. Burn's collective sums
//! the gradients over all of them, so that every copy takes the step that one device would take with the whole batch.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, spawn};

use burn::module::Module;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorPrimitive, read_sync};
use burn_collective::{CollectiveConfig, PeerId, ReduceOperation, all_reduce, register, reset_collective};
use shared::Model;
use shared::train::{self, AdamW, Measured, Recipe, TrainBackend, Values, apply, parts, step};

use super::checkpoint::Run;
use crate::error::{Error, Result};
use crate::panics::caught;

/// Burn has one group for each backend in a process, so that one run after the other can have several devices.
static GROUP: Mutex<()> = Mutex::new(());

/// A run's devices, of which the first is the caller's own.
pub struct Peers<B: TrainBackend> {
    settings: Settings<B>,
    others: Vec<Other>,
    /// None on one device.
    _group: Option<MutexGuard<'static, ()>>,
}

/// A device with a thread of its own.
struct Other {
    shares: Sender<Share>,
    thread: JoinHandle<std::result::Result<(), String>>,
}

/// A step's outcome.
type Taken<B> = (Model<B>, AdamW<<B as AutodiffBackend>::InnerBackend>, Measured);

/// What is the same at every step.
#[derive(Clone)]
struct Settings<B: TrainBackend> {
    recipe: Recipe,
    /// Channels and edge.
    shape: [usize; 2],
    device: B::Device,
}

/// What a device takes of a batch.
struct Share {
    /// The step's number.
    number: u64,
    values: Values,
    /// Number of its first image, of all that the run has seen.
    first: u64,
    /// Its share of the batch's images.
    weight: f64,
}

impl<B: TrainBackend> Peers<B> {
    /// Puts copies of a run's model on all devices but the first, which has the run.
    ///
    /// # Errors
    /// [`Error::Usage`] if a device would have no image.
    pub fn new(run: &Run<B>, devices: Vec<B::Device>) -> Result<Self> {
        let (recipe, shape) = (run.state.recipe.clone(), run.state.config.image_shape());
        let mut devices = devices.into_iter();
        let device = devices.next().unwrap_or_default();
        let settings = Settings { recipe, shape, device };
        let count = devices.len() + 1;
        if count == 1 {
            return Ok(Self { settings, others: Vec::new(), _group: None });
        }
        if settings.recipe.batch < count {
            let problem = format!("{} images are too few for {count} devices", settings.recipe.batch);
            return Err(Error::usage("--batch", problem, "give each device an image at least"));
        }
        let group = GROUP.lock().unwrap_or_else(PoisonError::into_inner);
        let others = devices.enumerate().map(|(i, device)| {
            let settings = Settings { device, ..settings.clone() };
            let model = run.model.clone().fork(&settings.device);
            let optimizer = run.optimizer.clone().to_device(&settings.device);
            let (shares, received) = channel();
            let thread = spawn(move || follow(settings, PeerId::from(i + 1), count, model, optimizer, received));
            Other { shares, thread }
        });
        let peers = Self { others: others.collect(), settings, _group: Some(group) };
        join::<B>(PeerId::from(0), &peers.settings.device, count).map_err(stopped)?;
        Ok(peers)
    }

    /// Takes step `number` with a batch: pictures or fields, the first of which is the run's image number `first`.
    ///
    /// # Errors
    /// [`Error::Device`] if another device stopped.
    pub fn step(
        &mut self,
        model: Model<B>,
        optimizer: AdamW<B::InnerBackend>,
        number: u64,
        values: &Values,
        first: u64,
    ) -> Result<Taken<B>> {
        let Settings { recipe, shape, device } = &self.settings;
        if self.others.is_empty() {
            let batch = values.batch::<B>(*shape, recipe.seed, first, device);
            return Ok(read_sync(step(model, optimizer, recipe, number, batch)));
        }
        let dims = shape[0] * shape[1] * shape[1];
        let mut shares = parts(recipe.batch, self.others.len() + 1).map(|part| Share {
            number,
            values: values.part(part.clone(), dims),
            first: first + part.start as u64,
            weight: part.len() as f64 / recipe.batch as f64,
        });
        let Some(own) = shares.next() else { return Err(Error::Device("a run without a device".into())) };
        let sent = self.others.iter().zip(shares).all(|(other, share)| other.shares.send(share).is_ok());
        let taken = if sent {
            caught(|| together(&self.settings, PeerId::from(0), model, optimizer, own)).and_then(|taken| taken)
        } else {
            Err("it ended".into())
        };
        taken.map_err(|why| stopped(self.reason().unwrap_or(why)))
    }

    /// Why a device stopped, if one did.
    fn reason(&mut self) -> Option<String> {
        reset_collective::<B::InnerBackend>();
        let ends = self.others.drain(..).map(|Other { shares, thread }| {
            drop(shares);
            thread.join()
        });
        ends.collect::<Vec<_>>().into_iter().find_map(|end| end.ok()?.err())
    }
}

impl<B: TrainBackend> Drop for Peers<B> {
    fn drop(&mut self) {
        if !self.others.is_empty() {
            // Whoever waits for this device, which may be in the middle of a panic, waits in vain.
            self.reason();
        }
    }
}

/// What another device's thread does: its share of each step, until there are no more.
fn follow<B: TrainBackend>(
    settings: Settings<B>,
    peer: PeerId,
    count: usize,
    model: Model<B>,
    optimizer: AdamW<B::InnerBackend>,
    shares: Receiver<Share>,
) -> std::result::Result<(), String> {
    let worked = caught(|| {
        join::<B>(peer, &settings.device, count)?;
        let mut state = (model, optimizer);
        for share in shares {
            let (model, optimizer, _) = together(&settings, peer, state.0, state.1, share)?;
            state = (model, optimizer);
        }
        Ok(())
    });
    let worked = worked.and_then(|worked| worked);
    if worked.is_err() {
        // The others wait for this device's gradient.
        reset_collective::<B::InnerBackend>();
    }
    worked
}

/// Becomes one of the group, once all are there.
fn join<B: TrainBackend>(peer: PeerId, device: &B::Device, count: usize) -> std::result::Result<(), String> {
    let config = CollectiveConfig::default().with_num_devices(count);
    register::<B::InnerBackend>(peer, device.clone(), config).map_err(|error| format!("{error:?}"))
}

fn stopped(why: String) -> Error {
    Error::Device(format!(
        "one of several stopped working ({why}); resume from the newest checkpoint, with fewer devices or a smaller --batch"
    ))
}

/// A step on a share, with the gradient of the whole batch.
fn together<B: TrainBackend>(
    settings: &Settings<B>,
    peer: PeerId,
    model: Model<B>,
    optimizer: AdamW<B::InnerBackend>,
    share: Share,
) -> std::result::Result<Taken<B>, String> {
    let Settings { recipe, shape, device } = settings;
    let batch = share.values.batch::<B>(*shape, recipe.seed, share.first, device);
    let own = read_sync(train::Share::of(&model, batch, share.weight));
    // As one tensor: a device waits for the others once a step, not once for each parameter.
    let flat = own.flat(&model).into_primitive().tensor();
    let sum = all_reduce::<B::InnerBackend>(peer, flat, ReduceOperation::Sum).map_err(|error| format!("{error:?}"))?;
    let train::Share { loss, grads } = own.with(&model, Tensor::from_primitive(TensorPrimitive::Float(sum)));
    Ok(read_sync(apply(model, optimizer, recipe, share.number, loss, &grads)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::train::state::RunState;
    use burn::backend::Flex;
    use burn::module::AutodiffModule;
    use shared::ModelConfig;

    fn run(batch: usize) -> Run<Cpu> {
        let config = ModelConfig::preset("tiny").unwrap();
        let recipe = Recipe { batch, warmup: 0, ..Recipe::cosine(20) };
        let model = Model::<Cpu>::new(&config, 3, &Default::default()).unwrap();
        let average = model.valid();
        let state = RunState::new(config, recipe, "noise".into());
        Run { optimizer: AdamW::new(&average), average, model, state }
    }

    /// The losses and gradient norms of some steps.
    fn steps(devices: usize, batch: usize) -> Vec<Measured> {
        let Run { mut model, mut optimizer, average, state } = run(batch);
        let run = Run { model: model.clone(), optimizer: optimizer.clone(), average, state };
        let mut peers = Peers::new(&run, vec![Default::default(); devices]).unwrap();
        let values = Values::Pixels((0..batch * run.state.config.dims()).map(|i| (i * i % 251) as u8).collect());
        let mut all = Vec::new();
        for number in 0..6 {
            let first = number * batch as u64;
            let taken = peers.step(model, optimizer, number, &values, first).unwrap();
            (model, optimizer) = (taken.0, taken.1);
            all.push(taken.2);
        }
        all
    }

    #[test]
    fn several_devices_take_the_steps_of_one() {
        // Seven images are no equal shares.
        for (devices, batch) in [(2, 8), (2, 7), (3, 7)] {
            let (one, several) = (steps(1, batch), steps(devices, batch));
            // AdamW's first steps go by the sign of each gradient, which rounding decides where it is almost zero.
            for (number, (a, b)) in one.iter().zip(&several).enumerate() {
                let (bits, norm) = if number == 0 { (1e-6, 1e-4) } else { (1e-4, 1e-2) };
                assert!((a.bits_per_dim - b.bits_per_dim).abs() < bits * a.bits_per_dim, "{number}: {a:?} {b:?}");
                assert!((a.grad_norm - b.grad_norm).abs() < norm * a.grad_norm, "{number}: {a:?} {b:?}");
            }
            assert!(one[0].bits_per_dim > one[5].bits_per_dim, "it does not learn: {one:?}");
        }
    }

    #[test]
    fn every_device_has_an_image() {
        let error = Peers::new(&run(2), vec![Default::default(); 3]).err().unwrap().to_string();
        assert!(error.contains("--batch") && error.contains("3 devices"), "{error}");
    }

    #[test]
    fn a_device_that_stops_ends_the_run_with_its_reason() {
        let run = run(4);
        let mut peers = Peers::new(&run, vec![Default::default(); 2]).unwrap();
        // What the other device sends first does not fit this one's gradient.
        let dims = run.state.config.dims();
        let stranger = spawn(|| {
            let tensor = Tensor::<Flex, 1>::ones([3], &Default::default()).into_primitive().tensor();
            all_reduce::<Flex>(PeerId::from(1), tensor, ReduceOperation::Sum).is_err()
        });
        std::thread::sleep(std::time::Duration::from_millis(100));
        let Run { model, optimizer, .. } = run;
        let error = peers.step(model, optimizer, 0, &Values::Pixels(vec![7; 4 * dims]), 0).err().unwrap().to_string();
        assert!(error.contains("stopped working") && error.contains("--batch"), "{error}");
        assert!(stranger.join().unwrap());
        drop(peers);
        assert_eq!(steps(2, 4).len(), 6, "the next run finds the group as new");
    }
}
