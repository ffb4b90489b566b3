//! The words of a link: numbers, seeds and temperatures, and what becomes of a value that may be anything.

use shared::Temperature;
use shared::weights::Card;

/// The largest seed: JavaScript's numbers are exact up to here.
pub const MAX_SEED: u64 = (1 << 53) - 1;
/// The highest temperature that the page offers.
pub const MAX_TEMPERATURE: f32 = Card::MAX_TEMPERATURE;
/// No model has more levels.
pub const MAX_LEVELS: usize = 12;

/// What became of a key's value: taken, or what is wrong with it.
pub type Verdict = Result<(), String>;

/// Takes a value that could be read.
///
/// # Errors
/// `problem` if it could not.
pub fn set<T>(place: &mut T, value: Option<T>, problem: &str) -> Verdict {
    *place = value.ok_or(problem)?;
    Ok(())
}

/// The seed that the page opens with: chosen by looking, as one without a bad picture among its sixteen.
pub const GOOD_SEED: u64 = 3;

/// Whether both give every level the same factor.
pub fn same_temperature(a: &Temperature, b: &Temperature) -> bool {
    (0..a.levels.len().max(b.levels.len())).all(|level| a.at(level) == b.at(level))
}

/// The factor that all levels share, if they do.
pub fn uniform(temperature: &Temperature) -> Option<f32> {
    let first = temperature.at(0);
    temperature.levels.iter().all(|&t| t == first).then_some(first)
}

/// A temperature as addresses spell it: one number, or one for each level, finest first.
pub fn spell_temperature(temperature: &Temperature) -> String {
    match uniform(temperature) {
        Some(t) => number(t),
        None => temperature.levels.iter().map(|&t| number(t)).collect::<Vec<_>>().join(","),
    }
}

/// A switch: 1 is on, 0 is off.
pub fn parse_flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// A seed as a reader may type it.
pub fn parse_seed(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|&seed| digits && seed <= MAX_SEED)
}

/// What [`spell_temperature`] writes.
pub fn parse_temperature(text: &str) -> Option<Temperature> {
    let levels: Vec<f32> = text.split(',').map(parse_factor).collect::<Option<_>>()?;
    (levels.len() <= MAX_LEVELS).then_some(Temperature { levels })
}

/// A level's temperature.
pub fn parse_factor(text: &str) -> Option<f32> {
    text.parse().ok().filter(|t| (0.0..=MAX_TEMPERATURE).contains(t))
}

/// Two decimals at most, and no sign before a zero.
pub fn number(t: f32) -> String {
    rounded(t).to_string()
}

/// To two decimals; what becomes 0 loses its sign.
pub fn rounded(x: f32) -> f32 {
    (x * 100.0).round() / 100.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.1 + 0.2), "0.3");
        assert_eq!(number(1.0), "1");
        assert_eq!((number(-0.0).as_str(), number(-0.001).as_str(), number(-0.01).as_str()), ("0", "0", "-0.01"));
    }
}
