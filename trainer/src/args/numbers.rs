//! Numbers on the command line. What an option takes is said where it is declared, by one of these, and anything else
//! is refused with what it may be: nothing that is not finite gets past them.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Most steps of a run: the names of checkpoints sort like their steps up to there.
pub const MOST_STEPS: u64 = 99_999_999;
/// Most images of any kind that a command is asked for.
pub const MOST_IMAGES: usize = 100_000_000;
/// Highest temperature of samples; far beyond what gives pictures.
pub const MOST_TEMPERATURE: f32 = 10.0;

/// What an option may hold: a number that can be read and compared.
pub trait Number: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static {}

impl<T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static> Number for T {}

/// A whole number of the range.
pub fn count<T: Number>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    let says = format!("give a whole number from {} to {}", range.start(), range.end());
    number(says, move |value| range.contains(value))
}

/// A number of the range.
pub fn within<T: Number>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    let says = format!("give a number from {} to {}", range.start(), range.end());
    number(says, move |value| range.contains(value))
}

/// A number above zero, and at most `most`.
pub fn positive(most: f64) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync {
    number(format!("give a number above 0 and at most {most}"), move |&value| value > 0.0 && value <= most)
}

/// A share of a whole, which it is not: 0 up to, but not, 1.
pub fn share_below_one() -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync {
    number("give a number from 0 to less than 1".to_owned(), |value| (0.0..1.0).contains(value))
}

/// A factor on the scale of the prior, level by level.
pub fn temperature() -> impl Fn(&str) -> Result<f32, String> + Clone + Send + Sync {
    within(0.0..=MOST_TEMPERATURE)
}

/// A seed.
pub fn seed() -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync {
    count(0..=u64::MAX)
}

/// How many times a picture's pixels are enlarged.
pub fn zoom() -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync {
    count(1..=32)
}

fn number<T: Number>(
    says: String,
    fits: impl Fn(&T) -> bool + Clone + Send + Sync,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    move |text| text.trim().parse().ok().filter(|value| fits(value)).ok_or_else(|| says.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_in_and_everything_beyond_says_what_may_be_given() {
        assert_eq!(count(1u64..=9)("9"), Ok(9));
        for bad in ["0", "10", "-1", "1.5", "", "nan", "18446744073709551616"] {
            assert_eq!(count(1u64..=9)(bad), Err("give a whole number from 1 to 9".into()), "{bad}");
        }
        assert_eq!((positive(2.0)("2"), positive(2.0)("1e-9")), (Ok(2.0), Ok(1e-9)));
        for bad in ["0", "-0.0", "2.1", "NaN", "inf", "-inf", "1e999", "two"] {
            assert_eq!(positive(2.0)(bad), Err("give a number above 0 and at most 2".into()), "{bad}");
        }
        assert_eq!((share_below_one()("0"), share_below_one()("0.998")), (Ok(0.0), Ok(0.998)));
        for bad in ["1", "-0.1", "nan"] {
            assert!(share_below_one()(bad).is_err(), "{bad}");
        }
        assert_eq!((temperature()("0"), temperature()("10")), (Ok(0.0), Ok(10.0)));
        for bad in ["NaN", "inf", "1e30", "-1"] {
            assert_eq!(temperature()(bad), Err("give a number from 0 to 10".into()), "{bad}");
        }
        assert_eq!(within(-1.0..=1.0)("-1"), Ok(-1.0));
    }
}
