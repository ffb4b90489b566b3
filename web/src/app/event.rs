//! What can happen to the page as a whole. What happens within a panel is the panel's own.

use std::rc::Rc;

use serde_bytes::ByteBuf;
use shared::Temperature;
use shared::sampler::Latents;

use super::panel::Panel;
use super::slot::Slot;
use crate::address::{Own, Pick};
use crate::protocol::{BackendChoice, Image, Response, Snapshot};

/// Said where the worker is of another version than the page.
pub const OTHER_VERSION: &str = "The page was updated. Reload it to go on.";

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The worker said something.
    Engine(Response),
    /// The worker broke down and could not say why.
    EngineDied(String),
    /// The worker that trains said something.
    Trainer(Response),
    /// It broke down and could not say why.
    TrainerDied(String),
    /// Start over.
    Retry,
    /// Another panel.
    Show(Panel),
    /// Other samples, from this seed.
    NewSamples(u64),
    /// The seed's field was edited.
    SeedTyped(String),
    /// One temperature for all levels.
    Uniform(f32),
    /// One level's temperature.
    Level(usize, f32),
    /// All temperatures; `None` means those of the model's card.
    Temperatures(Option<Temperature>),
    /// How latents are drawn.
    Latents(Latents),
    /// Another model was chosen.
    Model(String),
    /// What to run models on.
    Backend(BackendChoice),
    /// The reader's own weights, with their file's name.
    Weights(String, ByteBuf),
    /// The address changed.
    Address(String),
    /// The samples are wanted to choose from.
    Gallery,
    /// A picture was chosen.
    Picked(&'static Slot, Pick),
    /// A picture that was looked at before is wanted again, where the reader is.
    Recall(Pick),
    /// Such a picture is to stay, or need not any more.
    Pin(Pick),
    /// This stop of the tour, or none.
    Tour(Option<usize>),
    /// So many stops on; after the last the tour is over.
    TourBy(isize),
    /// Nothing happened that the state knows of, but marks may have moved.
    Redraw,
    /// Pictures are wanted smooth, or in squares.
    Smooth(bool),
    /// The browser's address has to be brought up to date.
    AddressWanted,
    /// The reader chose a photograph, which has a number of its own; this is a small copy.
    Photo(u32, Snapshot),
    /// The browser kept these pictures of the reader's.
    Photos(Vec<Rc<Own>>),
    /// The browser keeps none of them.
    PhotosLost,
    /// A picture of the reader's is not wanted any more.
    RemovePhoto(Rc<Own>),
    /// Something is to be said to the reader.
    Notice(String),
    /// The stored first samples were read, in the order of their numbers.
    Preview(Vec<Rc<Image>>),
}
