//! The learning curve: bits/dim against the time spent learning.

use super::words::time;
use crate::app::widgets::chart::{Anchor, Chart};
use crate::error::Result;
use crate::protocol::CurvePoint;

/// The plot's left, right, upper and lower border, in the chart's own units.
const PLOT: [f64; 4] = [44.0, 372.0, 14.0, 176.0];
/// Two names do not stand nearer to each other than this.
const APART: f64 = 16.0;
/// Lines across the plot, at most.
const TICKS: f64 = 5.0;

/// What the names of the curves are, in the order of their classes.
const NAMES: [&str; 2] = ["new pictures", "learned from"];

/// Draws the curve.
///
/// # Errors
/// [`crate::Error::Browser`] if the browser refuses.
pub fn draw(chart: &Chart, curve: &[CurvePoint]) -> Result<()> {
    chart.begin(&in_words(curve));
    let of: [fn(&CurvePoint) -> Option<f32>; 2] = [|point| Some(point.held_out), |point| point.train];
    let curves = of.map(|bits| -> Vec<(f64, f64)> {
        let points = curve.iter().filter_map(|point| Some((point.millis / 1000.0, f64::from(bits(point)?))));
        points.filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
    });
    let all = || curves.iter().flatten();
    let Some(last) = all().map(|point| point.0).reduce(f64::max) else { return Ok(()) };
    let (low, high) = all().fold((f64::MAX, f64::MIN), |(low, high), point| (low.min(point.1), high.max(point.1)));
    let step = nice((high - low).max(0.2) / TICKS);
    let (low, high) = ((low / step).floor() * step, ((high / step).ceil() * step).max(low + step));
    let [left, right, top, bottom] = PLOT;
    let span = last.max(10.0);
    let x = |seconds: f64| left + (right - left) * seconds / span;
    let y = |bits: f64| bottom - (bottom - top) * (bits - low) / (high - low);
    for tick in (0..=((high - low) / step).round() as u32).map(|i| low + step * f64::from(i)) {
        chart.line(&[(left, y(tick)), (right, y(tick))], "")?;
        chart.text((left - 6.0, y(tick) + 4.5), &number(tick, step), Anchor::End, "")?;
    }
    for share in [0.0, 0.5, 1.0] {
        chart.text((x(span * share), bottom + 18.0), &time(span * share * 1000.0), Anchor::Middle, "")?;
    }
    chart.text(((left + right) / 2.0, bottom + 36.0), "Time spent learning", Anchor::Middle, "")?;
    let ends = curves.each_ref().map(|curve| curve.last().map(|point| y(point.1)));
    for ((i, curve), end) in curves.iter().enumerate().zip(apart(ends)) {
        // A line needs two points; before the first step there is one.
        if let [only] = curve[..] {
            chart.dot((x(only.0), y(only.1)), 3.5, &format!("dot-{i}"))?;
        }
        let points: Vec<_> = curve.iter().map(|point| (x(point.0), y(point.1))).collect();
        chart.line(&points, &format!("curve-{i}"))?;
        if let (Some(end), Some(point)) = (end, curve.last()) {
            chart.text((right + 8.0, end + 4.5), &format!("{:.2} {}", point.1, NAMES[i]), Anchor::Start, "strong")?;
        }
    }
    Ok(())
}

/// What a screen reader says instead of the curve.
pub fn in_words(curve: &[CurvePoint]) -> String {
    match (curve.first(), curve.last()) {
        (Some(first), Some(last)) if last.millis > first.millis => {
            let (from, to) = (first.held_out, last.held_out);
            format!("Bits/dim on new pictures went from {from:.2} to {to:.2} in {}.", time(last.millis))
        }
        (Some(first), _) => format!("Bits/dim on new pictures: {:.2} before the first step.", first.held_out),
        _ => "The learning curve: nothing was learned yet.".to_owned(),
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not less.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|nice| *nice >= step * 0.999).unwrap_or(step)
}

fn number(tick: f64, step: f64) -> String {
    let decimals = if step < 0.1 { 2 } else { usize::from(step < 1.0) };
    format!("{tick:.decimals$}")
}

/// Where two names stand that would cover each other.
fn apart(ends: [Option<f64>; 2]) -> [Option<f64>; 2] {
    let [Some(a), Some(b)] = ends else { return ends };
    let short = (APART - (a - b).abs()).max(0.0) / 2.0;
    if a <= b { [Some(a - short), Some(b + short)] } else { [Some(a + short), Some(b - short)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        for (step, expected) in [(0.04, 0.05), (0.11, 0.2), (0.2, 0.2), (0.7, 1.0), (3.0, 5.0)] {
            assert!((nice(step) - expected).abs() < 1e-9, "{step}");
        }
        assert_eq!((number(2.4, 0.2), number(2.45, 0.05), number(3.0, 1.0)), ("2.4".into(), "2.45".into(), "3".into()));
    }

    #[test]
    fn names_do_not_cover_each_other() {
        assert_eq!(apart([Some(50.0), Some(52.0)]), [Some(43.0), Some(59.0)]);
        assert_eq!(apart([Some(52.0), Some(50.0)]), [Some(59.0), Some(43.0)]);
        assert_eq!(apart([Some(10.0), Some(50.0)]), [Some(10.0), Some(50.0)]);
        assert_eq!(apart([Some(10.0), None]), [Some(10.0), None]);
    }

    #[test]
    fn the_curve_is_put_in_words() {
        let point = |millis, held_out| CurvePoint { millis, train: None, held_out };
        assert!(in_words(&[]).contains("nothing was learned"));
        assert!(in_words(&[point(0.0, 4.5)]).contains("4.50 before the first step"));
        let said = in_words(&[point(0.0, 4.5), point(80_000.0, 3.25)]);
        assert_eq!(said, "Bits/dim on new pictures went from 4.50 to 3.25 in 1 min 20 s.");
    }
}
