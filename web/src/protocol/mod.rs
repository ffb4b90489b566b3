//! What the page and its worker say to each other.
//!
//! Every task has an id of the asker's choosing. Its answer is any number of [`Part`]s and one [`Last`]. A worker serves
//! tasks one after the other and looks for cancellations between the parts of each. The types say who serves what: the
//! page's worker takes a [`Task`], the one with the GPU a [`GpuTask`], its helper a [`HelperTask`], the one that trains a
//! [`TrainTask`], the one that trains on the GPU for it a [`LoanTask`], those that take shares of its batches a [`HandTask`].

mod answer;
mod backend;
mod message;
mod picture;
mod task;
mod train;

pub use answer::{
    Answer, Completion, Factor, Grown, Image, Lane, Last, Leading, ModelInfo, Part, Picture, STRENGTH_BINS, Standing,
    Strip, Worker, opaque, without_alpha,
};
pub use backend::{Backend, BackendChoice};
pub use message::{PROTOCOL, Request, RequestId, Response, from_js, to_js};
pub use picture::{Change, Drawing, Hole, MixCell, Move, Race, Reroll, Snapshot, Source, Walk};
pub use task::{Beside, Draw, Edit, Fill, GPU, GpuTask, HELPER, HelperTask, Load, Task, Which};
pub use train::{
    CurvePoint, GPU_TRAINER, HAND, HandTask, LEARNING_RATES, Learned, LoanTask, ModelSize, Pictures, Plan, Run,
    TRAINER, TRAINING_EDGE, TRAINING_PICTURES, TrainTask,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{ModelEntry, ModelIndex};
    use face_finder::Face;
    use serde::{Deserialize, Serialize};
    use serde_bytes::ByteBuf;
    use shared::weights::Card;
    use shared::{RgFlowConfig, Temperature};

    fn survives<T: Serialize + for<'a> Deserialize<'a> + PartialEq + std::fmt::Debug>(message: &T) -> String {
        let json = serde_json::to_string(message).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), message);
        json
    }

    #[test]
    fn requests_survive() {
        let drawing = Drawing::independent(Temperature::mixed(0.8, 0.2, 1));
        let draw = Draw::Samples { seed: 7, indices: vec![0, 3], drawing };
        let request = Request::<Task>::Serve { id: 4, task: draw.clone().into() };
        let json = survives(&request);
        assert_eq!(
            json,
            r#"{"serve":{"id":4,"task":{"draw":{"samples":{"seed":7,"indices":[0,3],"drawing":{"latents":"independent","temperature":{"levels":[0.2,0.8]}}}}}}}"#
        );
        // All workers spell alike what several serve.
        assert_eq!(survives(&Request::<GpuTask>::Serve { id: 4, task: draw.into() }), json);
        survives(&Request::<Task>::Cancel { id: 4 });
        let sample = Source::Sample { seed: 7, index: 1, drawing: Drawing::independent(Temperature::uniform(0.5)) };
        let own = Source::Own { rgb: ByteBuf::from([1, 2, 3]) };
        let rerolled = Source::Rerolled {
            of: Box::new(sample.clone()),
            rerolls: vec![Reroll { below: 2, seed: 9 }],
            drawing: Drawing::independent(Temperature::uniform(0.5)),
        };
        let cells = vec![MixCell { high: 0, low: 1, cut: 2 }];
        for task in [
            Task::Index { url: "http://x/index.json".into() },
            Task::Use { backend: BackendChoice::Gpu },
            Load::Listed {
                base: "http://x/".into(),
                model: ModelEntry { id: "faces".into(), ..ModelEntry::default() }.into(),
            }
            .into(),
            Load::Own { bytes: ByteBuf::from([1]) }.into(),
            Draw::Mix { sources: vec![sample.clone(), own.clone()], cells }.into(),
            Edit::Interpolate { a: sample.clone(), b: own, share: 0.5 }.into(),
            Beside {
                base: "http://x/".into(),
                model: ModelEntry::default().into(),
                edit: Edit::Strips {
                    source: Source::Moved {
                        from: Box::new(sample.clone()),
                        moves: vec![Move { direction: 1, to: -0.5 }],
                    },
                    which: Which::Leading(4),
                    values: vec![-1.0, 1.0],
                },
            }
            .into(),
            Fill::Race(Race {
                hole: Hole { source: sample, unknown: vec![1], samples: 0, seed: 0 },
                base: "http://x/".into(),
                rival: ModelEntry { id: "faces-realnvp".into(), ..ModelEntry::default() }.into(),
            })
            .into(),
            Edit::Steps { source: rerolled }.into(),
            Task::Faces {
                base: "http://x/".into(),
                photo: Snapshot { width: 1, height: 1, rgb: vec![1, 2, 3].into() },
            },
        ] {
            survives(&Request::Serve { id: 8, task });
        }
    }

    #[test]
    fn responses_survive() {
        let info = ModelInfo {
            joint: true,
            config: RgFlowConfig::tiny(),
            card: Card { bits_per_dim: Some(3.5), ..Card::default() },
            backend: Backend::Cpu,
            cached: true,
            millis: 1.5,
        };
        let rgba = ByteBuf::from([0, 1, 2, 255]);
        let image = Image { size: 1, rgba: rgba.clone() };
        for worker in
            [Worker::Hello { protocol: PROTOCOL }, Worker::RunsOn { backend: Backend::Gpu, note: "fast".into() }]
        {
            survives(&Response::Worker(worker));
        }
        for part in [
            Part::Progress { loaded: 1, total: 2 },
            Part::Searched(40),
            Part::Picture(Picture { index: 3, size: 1, rgba, bits: 3.5, millis: 2.0 }),
            Part::Completion(Completion { image: image.clone(), samples: vec![], taken: 1, of: 2 }),
            Part::Race(Standing {
                loaded: 1,
                total: 1,
                lanes: vec![Lane {
                    image: image.clone(),
                    touched: 1,
                    reach: 2,
                    latents: 3,
                    taken: 1,
                    of: 2,
                    millis: 0.5,
                }],
            }),
        ] {
            survives(&Response::Part { id: 1, part });
        }
        for last in [
            Last::Index(ModelIndex { format: 1, models: vec![] }),
            Last::Ready(Box::new(info)),
            Last::Answer(Answer::Images(vec![image])),
            Last::Faces(vec![Face { eyes: [(1.0, 2.0), (3.0, 2.5)], frame: [0.0, 1.0, 4.0, 4.0] }]),
            Last::Done,
            Last::Cancelled,
        ] {
            survives(&Response::Last { id: 1, last });
        }
    }

    #[test]
    fn a_failure_is_spelled_as_the_workers_script_spells_it() {
        // web/js/engine.js writes this when the engine does not even start.
        let json = r#"{"worker":{"failed":{"message":"x"}}}"#;
        let response: Response = serde_json::from_str(json).unwrap();
        assert_eq!(response, Response::Worker(Worker::Failed { message: "x".into() }));
    }
}
