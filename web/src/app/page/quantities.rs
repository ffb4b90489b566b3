//! Quantities in words.

/// A number of bytes, in the unit that suits it.
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} bytes"),
        1_000..1_000_000 => format!("{:.0} kB", n as f64 / 1e3),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}

/// A time in milliseconds, in the unit that suits it.
pub fn duration(millis: f64) -> String {
    match millis {
        ..10.0 => format!("{millis:.1} ms"),
        10.0..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_for_people() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(12_345), "12 kB");
        assert_eq!(bytes(3_210_000), "3.2 MB");
        assert_eq!(duration(4.26), "4.3 ms");
        assert_eq!(duration(42.6), "43 ms");
        assert_eq!(duration(1234.0), "1.2 s");
    }
}
