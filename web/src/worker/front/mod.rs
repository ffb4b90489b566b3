//! The page's worker: pictures from the CPU at once, from WebGPU when it has proved to be right and faster. What most
//! visits do without is the helper's.

mod beside;
mod edit;
mod helper;
mod trial;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use burn_flex::Flex;
use wasm_bindgen_futures::spawn_local;

use self::beside::Other;
use self::helper::Helper;
use self::trial::Run;
use super::adapter;
use super::desk::{self, Service, Turn};
use super::draw::Batch;
use super::fetch;
use super::models::Models;
use super::remote::{Remote, expect};
use super::scope::{breathe, now, part, report_panics, tell};
use crate::engine::random;
use crate::error::{Error, Result};
use crate::index::{MAX_INDEX_BYTES, ModelIndex};
use crate::protocol::{Backend, BackendChoice, Draw, GPU, GpuTask, Last, Load, Part, RequestId, Task, Worker};

/// Several at once read the weights once, but no more than are drawn before the reader notices a wait.
const BATCH: Batch = Batch { first: 1, then: 8 };

/// Starts the worker.
pub fn start() {
    report_panics("The engine broke down");
    desk::open(Front {
        cpu: Models::new(Default::default(), Backend::Cpu, BATCH),
        helper: Helper::default(),
        other: Other::default(),
        choice: Cell::default(),
        loaded: RefCell::default(),
        remote: RefCell::default(),
        gpu: Cell::default(),
        trials: Cell::default(),
        sound: Cell::default(),
    });
}

/// How far WebGPU is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gpu {
    #[default]
    Untried,
    Tried,
    Proved,
}

struct Front {
    cpu: Models<Flex>,
    helper: Helper,
    other: Other,
    choice: Cell<BackendChoice>,
    /// What loaded the model.
    loaded: RefCell<Option<Load>>,
    remote: RefCell<Option<Rc<Remote<GpuTask>>>>,
    gpu: Cell<Gpu>,
    /// Trials so far; what an older one finds is of no interest.
    trials: Cell<RequestId>,
    /// Whether the CPU's arithmetic is right, once that was looked at.
    sound: Cell<Option<bool>>,
}

impl Service for Front {
    type Task = Task;

    async fn serve(self: &Rc<Self>, task: Task, turn: &Turn) -> Result<Last> {
        match task {
            Task::Index { url } => Ok(Last::Index(ModelIndex::parse(&fetch::index(&url, MAX_INDEX_BYTES).await?)?)),
            Task::Use { backend } => {
                self.choose(backend);
                Ok(Last::Done)
            }
            Task::Load(load) => {
                self.forget();
                self.helper.forget();
                let last = self.cpu.load(load.clone(), turn).await?;
                self.loaded.replace(Some(load));
                Ok(last)
            }
            Task::Draw(draw) => self.draw(draw, turn).await,
            Task::Faces { base, photo } => self.helper.faces(base, photo, turn).await,
            Task::Edit(edit) => Ok(Last::Answer(edit::serve(&*self.cpu.engine()?, edit, turn).await?)),
            Task::Beside(beside) => Ok(Last::Answer(self.other.serve(*beside, turn).await?)),
            Task::Fill(fill) => self.helper.fill(&self.loaded, fill, turn).await,
        }
    }

    fn is_apart(task: &Task) -> bool {
        task.is_apart()
    }

    fn cancelled(&self, request: RequestId) {
        self.helper.cancel(request);
        if let Some(remote) = &*self.remote.borrow() {
            remote.cancel(request);
        }
    }
}

impl Front {
    /// Draws on the GPU if it has proved itself, and else, or if it fails, on the CPU.
    async fn draw(self: &Rc<Self>, draw: Draw, turn: &Turn) -> Result<Last> {
        let remote = self.remote.borrow().clone().filter(|_| self.gpu.get() == Gpu::Proved);
        if let Some(remote) = remote {
            let id = turn.id();
            match remote.ask(id, draw.clone(), move |some| part(id, some)).await {
                Ok(Last::Failed { message }) => self.fall_back(&Error::Gpu(message)),
                Ok(last) => return Ok(last),
                Err(error) => self.fall_back(&error),
            }
        }
        let last = self.cpu.draw(draw, turn).await?;
        // Now that there is something to look at.
        let front = Rc::clone(self);
        spawn_local(async move {
            if front.is_sound().await {
                front.try_gpu();
            }
        });
        Ok(last)
    }

    /// Whether this browser's CPU draws a known seed as stored; if not, a GPU could not be compared with it either.
    async fn is_sound(&self) -> bool {
        if let Some(sound) = self.sound.get() {
            return sound;
        }
        let sound = random::check().await.unwrap_or(false);
        self.sound.set(Some(sound));
        if !sound {
            say(Backend::Cpu, "This browser computes other numbers than others do: pictures may be wrong.".to_owned());
        }
        sound
    }

    fn choose(self: &Rc<Self>, choice: BackendChoice) {
        self.choice.set(choice);
        self.forget();
        if choice == BackendChoice::Cpu {
            self.end();
        }
        say(Backend::Cpu, String::new());
        self.try_gpu();
    }

    /// What WebGPU has proved, or failed to, no longer counts.
    fn forget(&self) {
        self.gpu.set(Gpu::Untried);
        self.trials.set(self.trials.get().wrapping_add(1));
    }

    fn end(&self) {
        if let Some(remote) = self.remote.take() {
            remote.end();
        }
    }

    fn fall_back(&self, error: &Error) {
        self.end();
        self.gpu.set(Gpu::Tried);
        say(Backend::Cpu, format!("{error}."));
    }

    /// Starts a trial if one is due. Meanwhile the CPU goes on.
    fn try_gpu(self: &Rc<Self>) {
        let Some(load) = self.loaded.borrow().clone() else { return };
        if self.choice.get() == BackendChoice::Cpu || self.gpu.get() != Gpu::Untried {
            return;
        }
        self.gpu.set(Gpu::Tried);
        let (front, trial) = (Rc::clone(self), self.trials.get());
        spawn_local(async move {
            let result = front.trial(load, trial).await;
            if front.trials.get() != trial {
                return;
            }
            match result {
                Ok(note) => {
                    front.gpu.set(Gpu::Proved);
                    say(Backend::Gpu, note);
                }
                Err(error) => front.fall_back(&error),
            }
        });
    }

    async fn trial(&self, load: Load, trial: RequestId) -> Result<String> {
        // The page's own ids start from the other end.
        let (choice, id) = (self.choice.get(), RequestId::MAX - trial);
        adapter::find(choice).await?;
        say(Backend::Cpu, "Trying WebGPU…".to_owned());
        let here = self.remote.borrow().clone();
        let remote = match here {
            Some(remote) => remote,
            None => Rc::new(Remote::start(GPU, Error::Gpu)?),
        };
        self.remote.replace(Some(Rc::clone(&remote)));
        remote.hello(id).await?;
        if self.trials.get() != trial {
            return Err(Error::Cancelled);
        }
        expect(remote.ask(id, load, |_| {}).await?)?;
        // The first time is for compiling.
        run_there(&remote, id).await?;
        let gpu = run_there(&remote, id).await?;
        trial::judge(&self.run_here().await?, &gpu, choice)
    }

    async fn run_here(&self) -> Result<Run> {
        let engine = self.cpu.engine()?;
        let mut run = Run::default();
        let indices = trial::indices();
        for some in BATCH.cut(&indices) {
            breathe().await?;
            let start = now();
            let drawn = engine.samples(trial::seed(), some, &trial::drawing()).await?;
            run.pictures.extend(drawn.into_iter().map(|drawn| drawn.rgba));
            run.millis += (now() - start) / indices.len() as f64;
        }
        Ok(run)
    }
}

async fn run_there(remote: &Remote<GpuTask>, id: RequestId) -> Result<Run> {
    let run = Rc::new(RefCell::new(Run::default()));
    let heard = Rc::clone(&run);
    let part = move |part| {
        if let Part::Picture(picture) = part {
            let mut run = heard.borrow_mut();
            run.pictures.push(picture.rgba.into_vec());
            run.millis = picture.millis;
        }
    };
    expect(remote.ask(id, trial::task(), part).await?)?;
    Ok(run.take())
}

fn say(backend: Backend, note: String) {
    tell(Worker::RunsOn { backend, note });
}
