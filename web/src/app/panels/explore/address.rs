//! The explore panel's part of the address.

use shared::geometry::LatentAddress;

use crate::address::{GOOD_SEED, Pick, Verdict, number, set};
use crate::app::panels::PanelSettings;

/// The most edits that an address holds.
pub const MAX_EDITS: usize = 64;
/// The largest value that a latent is given: ten standard deviations.
const MAX_VALUE: f32 = 10.0;

/// A latent and the value it was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatentEdit {
    /// The latent.
    pub at: LatentAddress,
    /// Its new value.
    pub value: f32,
}

/// Leading directions that the panel offers.
pub const DIRECTIONS: usize = 8;
/// The farthest that a link moves a picture along one, in standard deviations.
const MAX_MOVE: f32 = 5.0;

/// A leading direction and the place that the picture is moved to along it, in standard deviations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DirectionMove {
    /// Its number.
    pub direction: usize,
    /// The place.
    pub to: f32,
}

/// What is explored.
#[derive(Clone, Debug, PartialEq)]
pub struct ExploreSettings {
    /// The picture.
    pub pick: Pick,
    /// What was done to it. The model may lack some of the latents.
    pub edits: Vec<LatentEdit>,
    /// Where it was moved along leading directions, before the edits.
    pub moves: Vec<DirectionMove>,
    /// The chosen latent.
    pub at: Option<LatentAddress>,
    /// The chosen pixel, (row, column), where no latent is chosen.
    pub pixel: Option<(usize, usize)>,
}

impl Default for ExploreSettings {
    fn default() -> Self {
        let pick = Pick::Sample { seed: GOOD_SEED, index: 12 };
        Self { pick, edits: vec![], moves: vec![], at: None, pixel: None }
    }
}

impl ExploreSettings {
    /// Forgets which latents were chosen and moved: another model's mean other things.
    pub fn forget_latents(&mut self) {
        (self.at, self.edits, self.moves) = (None, vec![], vec![]);
    }
}

impl PanelSettings for ExploreSettings {
    fn read(&mut self, key: &str, value: &str) -> Verdict {
        match key {
            "x" => set(&mut self.pick, Pick::parse(value), "is not a picture"),
            "z" => set(&mut self.edits, parse_edits(value), "is not a list of changed latents"),
            "d" => set(&mut self.moves, parse_moves(value), "is not a list of moves along directions"),
            "at" => set(&mut self.at, value.parse().ok().map(Some), "is not a latent"),
            "px" => set(&mut self.pixel, parse_pixel(value).map(Some), "is not a pixel"),
            _ => Ok(()),
        }
    }

    fn write(&self, push: &mut dyn FnMut(&str, &str)) {
        push("x", &self.pick.spell());
        if !self.edits.is_empty() {
            let spell = |edit: &LatentEdit| format!("{}:{}", edit.at, number(edit.value));
            push("z", &self.edits.iter().map(spell).collect::<Vec<_>>().join(","));
        }
        if !self.moves.is_empty() {
            let spell = |one: &DirectionMove| format!("{}:{}", one.direction, number(one.to));
            push("d", &self.moves.iter().map(spell).collect::<Vec<_>>().join(","));
        }
        if let Some(at) = self.at {
            push("at", &at.to_string());
        } else if let Some((row, col)) = self.pixel {
            push("px", &format!("{row}.{col}"));
        }
    }

    fn picks(&mut self) -> Vec<&mut Pick> {
        vec![&mut self.pick]
    }
}

fn parse_pixel(text: &str) -> Option<(usize, usize)> {
    let (row, col) = text.split_once('.')?;
    Some((row.parse().ok()?, col.parse().ok()?))
}

fn parse_edits(text: &str) -> Option<Vec<LatentEdit>> {
    let edit = |text: &str| {
        let (at, value) = text.split_once(':')?;
        let value = value.parse().ok().filter(|value: &f32| value.abs() <= MAX_VALUE)?;
        Some(LatentEdit { at: at.parse().ok()?, value })
    };
    let edits: Vec<_> = text.split(',').map(edit).collect::<Option<_>>()?;
    (edits.len() <= MAX_EDITS).then_some(edits)
}

fn parse_moves(text: &str) -> Option<Vec<DirectionMove>> {
    let one = |text: &str| {
        let (direction, to) = text.split_once(':')?;
        let direction = direction.parse().ok().filter(|&direction: &usize| direction < DIRECTIONS)?;
        Some(DirectionMove { direction, to: to.parse().ok().filter(|to: &f32| to.abs() <= MAX_MOVE)? })
    };
    let moves: Vec<_> = text.split(',').map(one).collect::<Option<_>>()?;
    let twice = |i: usize| moves[..i].iter().any(|other: &DirectionMove| other.direction == moves[i].direction);
    (!(0..moves.len()).any(twice)).then_some(moves)
}
