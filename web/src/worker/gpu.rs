//! Models on WebGPU. By its name, a worker with this program draws for the front, or trains for the one that trains.

use std::fmt::{Debug, Display};
use std::rc::Rc;
use std::sync::Arc;

use burn::backend::Wgpu;
use burn::backend::wgpu::graphics::WebGpu;
use burn::backend::wgpu::{WgpuDevice, init_setup_async};
use serde_bytes::ByteBuf;
use wasm_bindgen_futures::spawn_local;

use super::desk::{self, Service, Turn};
use super::draw::Batch;
use super::learner::Learner;
use super::models::Models;
use super::scope::{report_panics, scope, tell};
use crate::error::Result;
use crate::protocol::{Backend, GPU_TRAINER, GpuTask, Last, LoanTask, Worker};

/// A GPU takes as long for one picture as for many.
const BATCH: Batch = Batch { first: 64, then: 64 };

/// Starts the worker; it says hello when the GPU is there. Whoever starts it has asked for an adapter before.
pub fn start_gpu() {
    // The backend panics where the browser does not keep what its adapter promises.
    report_panics("this browser offers a GPU, but then does not give it to the page");
    spawn_local(async {
        let device = WgpuDevice::default();
        let setup = init_setup_async::<WebGpu>(&device, Default::default()).await;
        // A device that goes while results are read back makes it panic before it is reported as lost.
        report_panics("the GPU was lost, or failed");
        setup.device.set_device_lost_callback(lost);
        setup.device.on_uncaptured_error(Arc::new(failed));
        if scope().name() == GPU_TRAINER {
            desk::open(Learner::<Wgpu>::new(device));
        } else {
            desk::open(Models::<Wgpu>::new(device, Backend::Gpu, BATCH));
        }
    });
}

/// Nothing more will come of this device.
fn lost(reason: impl Debug, message: String) {
    tell(Worker::Failed { message: format!("the GPU was lost ({reason:?}). {message}").trim_end().to_owned() });
}

/// Out of memory, or a shader that this browser rejects. What was computed since cannot be trusted.
fn failed(error: impl Display) {
    tell(Worker::Failed { message: format!("the GPU failed: {error}") });
}

impl Service for Models<Wgpu> {
    type Task = GpuTask;

    async fn serve(self: &Rc<Self>, task: GpuTask, turn: &Turn) -> Result<Last> {
        match task {
            GpuTask::Load(load) => self.load(load, turn).await,
            GpuTask::Draw(draw) => self.draw(draw, turn).await,
        }
    }
}

impl Service for Learner<Wgpu> {
    type Task = LoanTask;

    async fn serve(self: &Rc<Self>, task: LoanTask, turn: &Turn) -> Result<Last> {
        match task {
            LoanTask::Take { run } => {
                self.take_up(&run)?;
                Ok(Last::Done)
            }
            LoanTask::Learn { rate, steps } => {
                self.set_rate(rate)?;
                self.learn(turn, steps).await?;
                Ok(Last::Run(Some(Box::new(self.standing(false).await?))))
            }
            LoanTask::Give => Ok(Last::File(ByteBuf::from(self.bytes().await?))),
        }
    }
}
