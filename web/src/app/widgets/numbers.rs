//! How numbers are spelled.

/// A whole number with a comma between thousands.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let comma = |(i, digit): (usize, char)| {
        let comma = i > 0 && (digits.len() - i).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

/// A number with its sign, which a zero has only as a plus, and so many digits after the point.
pub fn signed(value: f32, digits: usize) -> String {
    let scale = 10f32.powi(digits as i32);
    format!("{:+.digits$}", (value * scale).round() / scale + 0.0).replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn signs_are_minus_signs_and_no_zero_has_one() {
        assert_eq!([0.617, -0.617, -0.001].map(|value| signed(value, 2)), ["+0.62", "−0.62", "+0.00"]);
    }
}
