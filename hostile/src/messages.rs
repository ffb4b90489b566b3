//! What the page and its workers say to each other: read, and served by the engine as far as that needs no browser.

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use burn::backend::Flex;
use serde_json::json;
use shared::weights::{AnyModelFile, Card, Precision};
use shared::{FlowBackend, Model, RgFlow};
use web::app::Visit;
use web::engine::Engine;
use web::engine::inpaint::Mender;
use web::protocol::{
    Draw, Edit, Fill, GpuTask, HandTask, HelperTask, LoanTask, PROTOCOL, Request, Response, Source, Task, TrainTask,
    Worker,
};
use web::training::Set;
use web::worker::check_source;

use crate::models::small;

/// A message of either side, as JSON.
pub fn messages(bytes: &[u8]) {
    if let Some(Request::Serve { task, .. }) = read::<Request<Task>>(bytes) {
        let engine = Rc::new(Engine::<Flex>::from_bytes(model(), Default::default()).unwrap());
        // What cannot be done is refused.
        let _ = serve(&engine, task);
    }
    read::<Request<GpuTask>>(bytes);
    read::<Request<HelperTask>>(bytes);
    read::<Request<LoanTask>>(bytes);
    read::<Request<HandTask>>(bytes);
    if let Some(Request::Serve { task: TrainTask::Begin(plan), .. }) = read(bytes) {
        // What cannot be learned from is refused.
        let _ = Set::new(plan.pictures, plan.seed);
    }
    if let Some(response) = read::<Response>(bytes) {
        let mut visit = Visit::at("", &small());
        visit.hear(response.clone());
        Visit::at(&visit.address(), &small());
        // The worker that trains says the same things, in answer to its first task.
        let mut visit = Visit::at("panel=train", &small());
        visit.hear_trainer(Response::Worker(Worker::Hello { protocol: PROTOCOL }));
        visit.hear_trainer(response);
        Visit::at(&visit.address(), &small());
    }
}

/// A message that reads back as it was.
fn read<T: serde::Serialize + for<'a> serde::Deserialize<'a> + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let message: T = serde_json::from_slice(bytes).ok()?;
    // Infinities pass between workers, but not through JSON.
    if let Ok(again) = serde_json::from_slice::<T>(&serde_json::to_vec(&message).unwrap()) {
        assert_eq!(again, message);
    }
    Some(message)
}

/// What the worker does with a task, but for its many turns.
fn serve<B: FlowBackend>(engine: &Rc<Engine<B>>, task: Task) -> web::Result<()> {
    let latents = |source: &Source| check_source(source).and_then(|()| now(engine.latents(source)));
    match task {
        Task::Draw(Draw::Samples { seed, indices, drawing }) => {
            check_source(&Source::Sample { seed, index: 0, drawing: drawing.clone() })?;
            now(engine.samples(seed, &indices[..indices.len().min(3)], &drawing))?;
        }
        Task::Draw(Draw::Mix { sources, cells }) => {
            let sources = sources.iter().take(3).map(latents).collect::<web::Result<Vec<_>>>()?;
            for cell in cells.into_iter().take(3) {
                now(engine.pictures(engine.mixed(&sources, cell)?))?;
            }
        }
        Task::Edit(Edit::Interpolate { a, b, share }) => {
            now(engine.pictures(engine.interpolated(latents(&a)?, latents(&b)?, share)?))?;
        }
        Task::Edit(Edit::Latents { source }) => drop(check_source(&source).and_then(|()| now(engine.values(&source)))?),
        Task::Edit(Edit::Change { source, changes, .. }) => {
            check_source(&source)?;
            now(engine.changed(&source, &changes))?;
        }
        Task::Edit(Edit::Positions { source, count }) => {
            check_source(&source)?;
            now(engine.positions(&source, count as usize))?;
        }
        Task::Edit(Edit::Strips { which, .. }) => drop(engine.places(&which)?),
        Task::Edit(Edit::Steps { source }) => drop(check_source(&source).and_then(|()| now(engine.steps(&source)))?),
        Task::Edit(Edit::Bits { source }) => drop(check_source(&source).and_then(|()| now(engine.bits(&source)))?),
        Task::Edit(Edit::Field { index }) => drop(now(engine.receptive_field(index))?),
        Task::Fill(Fill::Hole(hole)) if hole.samples < 3 => {
            check_source(&hole.source)?;
            let mender = Mender::new(Rc::clone(engine));
            let mut filling = now(mender.begin(&hole))?;
            now(mender.go_on(&mut filling))?;
            mender.completion(&filling)?;
        }
        _ => {}
    }
    Ok(())
}

fn model() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let model = Model::RgFlow(RgFlow::<Flex>::random(&small(), 0.2, 1, &Default::default()).unwrap());
        AnyModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap()
    })
}

/// A CPU answers at once.
fn now<T>(future: impl Future<Output = web::Result<T>>) -> web::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU made us wait"),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let drawing = json!({ "latents": "independent", "temperature": { "levels": [0.2, 0.8] } });
    let sample = json!({ "sample": { "seed": 7, "index": 1, "drawing": drawing } });
    let own = json!({ "own": { "rgb": vec![100u8; 48] } });
    let rerolled = json!({ "rerolled": { "of": sample, "rerolls": [{ "below": 1, "seed": 9 }], "drawing": drawing } });
    let moved = json!({ "moved": { "from": sample, "moves": [{ "direction": 0, "to": 1.5 }] } });
    let hole = json!({ "source": own, "unknown": [0, 1, 5], "samples": 1, "seed": 3 });
    let tasks = [
        json!({ "draw": { "samples": { "seed": 7, "indices": [0, 3], "drawing": drawing } } }),
        json!({ "draw": { "mix": { "sources": [sample, own], "cells": [{ "high": 0, "low": 1, "cut": 1 }] } } }),
        json!({ "edit": { "interpolate": { "a": sample, "b": own, "share": 0.5 } } }),
        json!({ "edit": { "latents": { "source": rerolled } } }),
        json!({ "edit": { "latents": { "source": moved } } }),
        json!({ "edit": { "change": { "source": sample, "changes": [{ "index": 3, "value": 1.5 }], "walk": null } } }),
        json!({ "edit": { "strips": { "source": sample, "which": { "these": [1, 2] }, "values": [-1.0, 1.0] } } }),
        json!({ "edit": { "steps": { "source": own } } }),
        json!({ "edit": { "bits": { "source": own } } }),
        json!({ "edit": { "field": { "index": 4 } } }),
        json!({ "fill": { "hole": hole } }),
        json!({ "use": { "backend": "gpu" } }),
        json!({ "index": { "url": "http://x/index.json" } }),
    ];
    let learned = json!({
        "step": 3, "images": 48, "millis": 900.0, "speed": 160.0, "kept": true,
        "curve": [{ "millis": 0.0, "train": null, "held_out": 4.5 }, { "millis": 900.0, "train": 4.0, "held_out": 4.1 }],
        "samples": [{ "size": 1, "rgba": [0, 1, 2, 255] }],
    });
    let run = json!({
        "size": "small", "own": true, "pictures": 90, "held_out": 10, "params": 5000, "rate": 0.005, "learned": learned,
    });
    let pictures = json!({ "own": { "rgb": vec![7u8; 48], "mirrored": true } });
    let lessons = [
        json!("find"),
        json!({ "begin": { "size": "small", "pictures": pictures, "rate": 0.01, "seed": 3 } }),
        json!({ "begin": { "size": "large", "pictures": "ovals", "rate": 0.01, "seed": 3 } }),
        json!({ "learn": { "rate": 0.02 } }),
    ];
    let said = [
        json!({ "worker": { "failed": { "message": "x" } } }),
        json!({ "part": { "id": 1, "part": { "progress": { "loaded": 1, "total": 2 } } } }),
        json!({ "part": { "id": 4, "part": { "picture": { "index": 3, "size": 1, "rgba": [0, 1, 2, 255], "bits": 3.5, "millis": 2.0 } } } }),
        json!({ "last": { "id": 4, "last": "done" } }),
        json!({ "last": { "id": 4, "last": { "run": run } } }),
        json!({ "part": { "id": 4, "part": { "learned": learned } } }),
        json!({ "last": { "id": 4, "last": { "file": [1, 2, 3] } } }),
        json!({ "last": { "id": 6, "last": { "run": null } } }),
        json!({ "last": { "id": 5, "last": { "answer": { "images": [{ "size": 1, "rgba": [0, 1, 2, 255] }] } } } }),
    ];
    let requests = tasks.into_iter().chain(lessons).map(|task| json!({ "serve": { "id": 4, "task": task } }));
    requests.chain(said).map(|message| message.to_string().into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_messages_that_are_served() {
        let engine = Rc::new(Engine::<Flex>::from_bytes(model(), Default::default()).unwrap());
        let (mut served, mut learned, mut heard) = (0, 0, 0);
        for seed in seeds() {
            if let Some(Request::Serve { task, .. }) = read::<Request<Task>>(&seed) {
                served += usize::from(serve(&engine, task).is_ok());
            } else if read::<Request<TrainTask>>(&seed).is_some() {
                learned += 1;
            } else {
                heard += usize::from(read::<Response>(&seed).is_some());
            }
        }
        // Without a sampler there are no leading directions.
        assert_eq!((served, learned, heard), (12, 4, 9));
    }
}
