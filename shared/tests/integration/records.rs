//! Burn's records, of which checkpoints are made: those written before a model knew its configuration are read, and
//! those written since can be read by older programs.

use burn::backend::Flex;
use burn::module::{Module, Param};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use shared::nn::{InvertibleMap, Linear};
use shared::real_nvp::{CouplingNet, RealNvp, RealNvpConfig};
use shared::{CouplingKind, RgFlow, RgFlowConfig, Temperature};

use crate::numbers::values;

#[derive(Module, Debug)]
struct OldRgFlow<B: Backend> {
    mean: Option<Param<Tensor<B, 3>>>,
    bijectors: Vec<OldBijector<B>>,
}

#[derive(Module, Debug)]
struct OldBijector<B: Backend> {
    entry: Option<InvertibleMap<B>>,
    linears: Vec<Linear<B>>,
    scale: Param<Tensor<B, 2>>,
    exit: Option<InvertibleMap<B>>,
}

#[derive(Module, Debug)]
struct OldRealNvp<B: Backend> {
    nets: Vec<CouplingNet<B>>,
}

impl From<RgFlow<Flex>> for OldRgFlow<Flex> {
    fn from(model: RgFlow<Flex>) -> Self {
        let bijectors = model.bijectors.iter().map(|b| OldBijector {
            entry: b.entry.clone(),
            linears: b.linears.clone(),
            scale: b.scale.clone(),
            exit: b.exit.clone(),
        });
        Self { mean: model.mean.clone(), bijectors: bijectors.collect() }
    }
}

impl From<RealNvp<Flex>> for OldRealNvp<Flex> {
    fn from(model: RealNvp<Flex>) -> Self {
        Self { nets: model.nets.clone() }
    }
}

fn bytes<M: Module<Flex>>(model: M) -> Vec<u8> {
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
    Recorder::<Flex>::record(&recorder, model.into_record(), ()).unwrap()
}

fn load<M: Module<Flex>>(model: M, bytes: Vec<u8>) -> M {
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
    model.load_record(recorder.load(bytes, &Default::default()).unwrap())
}

/// A model's record in both forms, each read as the other.
fn exchange<M: Module<Flex> + Into<Old>, Old: Module<Flex>>(trained: M, new: M) -> M {
    let old: Old = trained.clone().into();
    // What an older program reads of a new record, written again by it.
    let reread = load::<Old>(new.clone().into(), bytes(trained));
    assert_eq!(bytes(reread), bytes(old.clone()));
    load(new, bytes(old))
}

#[test]
fn records_are_read_with_and_without_the_configuration() {
    let device = Default::default();
    let sample = |flow: shared::Flow<Flex>| values(flow.sample(1, 0..2, &Temperature::uniform(1.0), &device));
    let splines = RgFlowConfig { coupling: CouplingKind::Spline(3), ..RgFlowConfig::tiny() };
    for config in [RgFlowConfig { linear_maps: true, mean_image: true, ..splines }, RgFlowConfig::tiny()] {
        let trained = RgFlow::random(&config, 0.1, 3, &device).unwrap();
        let loaded = exchange::<_, OldRgFlow<Flex>>(trained.clone(), RgFlow::new(&config, 0, &device).unwrap());
        assert_eq!(loaded.config(), &config);
        assert_eq!(sample(loaded.fold()), sample(trained.fold()));
    }
    let config = RealNvpConfig::tiny();
    let trained = RealNvp::random(&config, 0.1, 3, &device).unwrap();
    let loaded = exchange::<_, OldRealNvp<Flex>>(trained.clone(), RealNvp::new(&config, 0, &device).unwrap());
    assert_eq!((loaded.config(), bytes(loaded.clone())), (&config, bytes(trained)));
}
