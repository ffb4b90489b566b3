//! Colours of a signed number: blue below zero, orange above, pale at zero, which no kind of colour blindness confuses.

/// From the lowest to the highest, the same distance apart.
const ANCHORS: [[f32; 3]; 5] =
    [[13.0, 48.0, 105.0], [66.0, 133.0, 197.0], [243.0, 241.0, 236.0], [236.0, 145.0, 52.0], [125.0, 42.0, 6.0]];

/// The colour of a number in [−1, 1]; what is outside has that of the nearer end.
pub fn colour(number: f32) -> [u8; 3] {
    let last = ANCHORS.len() - 1;
    // `as` turns NaN into 0.
    let place = (number.clamp(-1.0, 1.0) + 1.0) / 2.0 * last as f32;
    let below = (place as usize).min(last - 1);
    let share = place - below as f32;
    std::array::from_fn(|i| (ANCHORS[below][i] * (1.0 - share) + ANCHORS[below + 1][i] * share).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_have_colours_that_red_and_green_do_not_decide() {
        assert_eq!(colour(0.0), [243, 241, 236]);
        assert_eq!((colour(-1.0), colour(1.0)), ([13, 48, 105], [125, 42, 6]));
        assert_eq!((colour(-9.0), colour(9.0)), (colour(-1.0), colour(1.0)));
        for i in 1..=20 {
            let ([_, _, cold], [_, _, warm]) = (colour(-f32::from(i as u8) / 20.0), colour(f32::from(i as u8) / 20.0));
            assert!(cold > warm, "{i}: blue tells the signs apart");
        }
    }

    #[test]
    fn what_is_farther_from_zero_is_darker() {
        let light = |number: f32| colour(number).iter().map(|&c| u32::from(c)).sum::<u32>();
        for sign in [-1.0, 1.0] {
            let lights: Vec<_> = (0..=20).map(|i| light(sign * i as f32 / 20.0)).collect();
            assert!(lights.windows(2).all(|pair| pair[1] < pair[0]), "{lights:?}");
        }
    }
}
