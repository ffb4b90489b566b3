//! The vocabulary of links: what panels and the page spell their settings with.

mod own;
mod pick;
mod words;

pub use own::{MAX_EDGE, Own, resize};
pub use pick::Pick;
pub use words::{
    GOOD_SEED, MAX_LEVELS, MAX_SEED, MAX_TEMPERATURE, Verdict, number, parse_factor, parse_flag, parse_seed,
    parse_temperature, rounded, same_temperature, set, spell_temperature, uniform,
};
