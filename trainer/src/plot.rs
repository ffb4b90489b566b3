//! Plots, by plotters, with a font that travels with the program.

use std::path::Path;
use std::sync::Once;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

use crate::error::{Error, Result};
use crate::guard::caught;

/// A line of points in a plot.
pub struct Curve<'a> {
    /// Name in the legend.
    pub name: &'a str,
    /// (x, y).
    pub points: Vec<(f64, f64)>,
}

/// Draws curves over common axes; a curve without points is left out.
///
/// # Errors
/// [`Error::Plot`] if the picture cannot be drawn or written.
pub fn curves(path: &Path, x_label: &str, y_label: &str, curves: &[Curve<'_>]) -> Result<()> {
    font();
    drawn(path, || draw(path, x_label, y_label, curves))
}

/// Draws; whatever goes wrong, a panic of the library included, is an error about the picture's file.
pub(crate) fn drawn(
    path: &Path,
    draw: impl FnOnce() -> std::result::Result<(), Box<dyn std::error::Error>>,
) -> Result<()> {
    let fail = |problem: String| Error::Plot(format!("{}: {problem}", path.display()));
    caught(draw).map_err(fail)?.map_err(|error| fail(error.to_string()))
}

/// Whether a number has a place in a plot. The axis of a larger one has no end.
fn shown(value: f64) -> bool {
    value.abs() < 1e30
}

fn draw(
    path: &Path,
    x_label: &str,
    y_label: &str,
    curves: &[Curve<'_>],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = BitMapBackend::new(path, (900, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let all = || curves.iter().flat_map(|c| &c.points).filter(|(x, y)| shown(*x) && shown(*y));
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high { 0.0..1.0 } else { low - 0.02 * (high - low).max(0.1)..high + 0.02 * (high - low).max(0.1) }
    };
    // The first steps are far off the rest and would flatten it.
    let mut ys: Vec<f64> = all().map(|p| p.1).collect();
    ys.sort_by(f64::total_cmp);
    ys.truncate((ys.len() * 97).div_ceil(100));
    let (x_range, y_range) = (range(&mut all().map(|p| p.0)), range(&mut ys.iter().copied()));
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(x_range, y_range.clone())?;
    let text = ("sans-serif", 16);
    chart
        .configure_mesh()
        .x_label_formatter(&f64::to_string)
        .x_desc(x_label)
        .y_desc(y_label)
        .label_style(text)
        .axis_desc_style(("sans-serif", 18))
        .light_line_style(WHITE)
        .draw()?;
    for (i, curve) in curves.iter().enumerate().filter(|(_, c)| !c.points.is_empty()) {
        let colour = Palette99::pick(i).to_rgba();
        let points = curve.points.iter().filter(|(x, y)| shown(*x) && shown(*y));
        let points = points.map(|&(x, y)| (x, y.min(y_range.end)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
    }
    if curves.iter().any(|c| !c.points.is_empty()) {
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.3))
            .label_font(text)
            .draw()?;
    }
    root.present()?;
    Ok(())
}

/// Draws a histogram for each group of numbers, one below the other over a common axis.
///
/// # Errors
/// [`Error::Plot`] if the picture cannot be drawn or written.
pub fn histograms(path: &Path, x_label: &str, groups: &[(String, Vec<f64>)]) -> Result<()> {
    font();
    drawn(path, || draw_histograms(path, x_label, groups))
}

fn draw_histograms(
    path: &Path,
    x_label: &str,
    groups: &[(String, Vec<f64>)],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    const BINS: usize = 60;
    let root = BitMapBackend::new(path, (900, 60 + 150 * groups.len().max(1) as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let all = || groups.iter().flat_map(|(_, values)| values).copied().filter(|v| shown(*v));
    if all().next().is_none() {
        return Err("there is no number to draw".into());
    }
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = if low < high { (low, high) } else { (low.min(0.0), low.max(0.0) + 1.0) };
    let width = (high - low) / BINS as f64;
    let (panels, axis) = root.split_vertically(150 * groups.len().max(1) as u32);
    for ((name, values), panel) in groups.iter().zip(panels.split_evenly((groups.len().max(1), 1))) {
        let mut counts = [0u32; BINS];
        for value in values.iter().filter(|v| shown(**v)) {
            counts[(((value - low) / width) as usize).min(BINS - 1)] += 1;
        }
        let most = counts.iter().max().copied().unwrap_or(0).max(1);
        let mut chart = ChartBuilder::on(&panel)
            .margin_top(8)
            .margin_left(14)
            .margin_right(16)
            .set_label_area_size(LabelAreaPosition::Left, 72)
            .set_label_area_size(LabelAreaPosition::Bottom, 22)
            .build_cartesian_2d(low..high, 0..most + most / 10 + 1)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .y_labels(4)
            .y_desc(name)
            .x_label_formatter(&|x| format!("{x:.1}"))
            .label_style(("sans-serif", 15))
            .axis_desc_style(("sans-serif", 17))
            .light_line_style(WHITE)
            .draw()?;
        let bar = |(i, &count): (usize, &u32)| {
            let left = low + i as f64 * width;
            Rectangle::new([(left, 0), (left + 0.9 * width, count)], Palette99::pick(0).filled())
        };
        chart.draw_series(counts.iter().enumerate().filter(|(_, count)| **count > 0).map(bar))?;
    }
    let centre = TextStyle::from(("sans-serif", 18)).pos(Pos::new(HPos::Center, VPos::Center));
    axis.draw_text(x_label, &centre, (490, 20))?;
    root.present()?;
    Ok(())
}

/// Registers the font; text cannot be drawn before.
pub(crate) fn font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The only way to fail is a font that cannot be parsed, and this one is a constant; text would be left out.
        let _ = register_font("sans-serif", FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_goes_wrong_names_the_picture() {
        let path = Path::new("curve.png");
        let errors = [drawn(path, || panic!("no such glyph")), drawn(path, || Err("the disk is full".into()))];
        for (error, problem) in errors.into_iter().zip(["no such glyph", "the disk is full"]) {
            assert_eq!(error.unwrap_err().to_string(), format!("plot: curve.png: {problem}"));
        }
        let dir = tempfile::tempdir().unwrap();
        let odd = vec![(0.0, 1e308), (1e-308, -1e308), (f64::NAN, f64::INFINITY), (3.0, 3.0)];
        for points in [vec![], vec![(1.0, 2.0)], odd] {
            let curve = Curve { name: "a", points: points.clone() };
            // Drawn or refused, but no panic.
            let _ = curves(&dir.path().join("a.png"), "x", "y", &[curve]);
            let _ = histograms(&dir.path().join("b.png"), "x", &[("a".into(), points.iter().map(|p| p.1).collect())]);
        }
    }
}
