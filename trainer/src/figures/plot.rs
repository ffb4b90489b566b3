//! Plots, by plotters, with a font that travels with the program.

use std::ops::Range;
use std::path::Path;
use std::sync::Once;

use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

use super::sheet;
use crate::error::{Error, Result};
use crate::panics::caught;

/// What plots are drawn on.
pub(crate) type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
/// How drawing ends.
pub(crate) type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

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
    save(path, (900, 560), |root| draw(root, x_label, y_label, curves))
}

/// Has a picture of that many pixels drawn in memory, and writes it. Whatever goes wrong, a panic of the library included,
/// is an error about the picture's file.
pub(crate) fn save(path: &Path, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<()> {
    sheet::save(&picture(path, size, draw)?, path)
}

/// The same without writing it: `path` is for the error alone.
pub(crate) fn picture(
    path: &Path,
    (width, height): (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<RgbImage> {
    font();
    let mut image = RgbImage::new(width, height);
    let root = BitMapBackend::with_buffer(&mut image, (width, height)).into_drawing_area();
    let fail = |problem: String| Error::Plot(format!("{}: {problem}", path.display()));
    let drawn = caught(|| draw(&root).and_then(|()| Ok(root.present()?)));
    drawn.map_err(fail)?.map_err(|error| fail(error.to_string()))?;
    drop(root);
    Ok(image)
}

fn draw(root: &Area<'_>, x_label: &str, y_label: &str, curves: &[Curve<'_>]) -> Drawn {
    root.fill(&WHITE)?;
    let all = || curves.iter().flat_map(|c| &c.points).filter(|(x, y)| drawable(x) && drawable(y));
    // The first steps are far off the rest and would flatten it.
    let mut ys: Vec<f64> = all().map(|p| p.1).collect();
    ys.sort_by(f64::total_cmp);
    ys.truncate((ys.len() * 97).div_ceil(100));
    let [x_range, y_range] = [range(all().map(|p| p.0)), range(ys.into_iter())].map(|Range { start, end }| {
        let margin = 0.02 * (end - start).max(0.1);
        start - margin..end + margin
    });
    let mut chart = ChartBuilder::on(root)
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(x_range.clone(), y_range.clone())?;
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
        let inside = |value: f64, range: &Range<f64>| value.clamp(range.start, range.end);
        let points = curve.points.iter().filter(|(x, y)| drawable(x) && drawable(y));
        let points = points.map(|&(x, y)| (inside(x, &x_range), inside(y, &y_range)));
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
    Ok(())
}

/// Whether a number can be shown on an axis.
fn drawable(value: &f64) -> bool {
    value.abs() < 1e100
}

/// From the least to the greatest of some numbers, widened where needed: plotters looks for ticks without an end on
/// an axis that is infinite, or too short for the digits of its numbers.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let least = 1e-6 * low.abs().max(high.abs()).max(1e-3);
    if high - low < least { low.min(0.0)..high.max(0.0) + least.max(1.0) } else { low..high }
}

/// Draws a histogram for each group of numbers, one below the other over a common axis.
///
/// # Errors
/// [`Error::Plot`] if the picture cannot be drawn or written.
pub fn histograms(path: &Path, x_label: &str, groups: &[(String, Vec<f64>)]) -> Result<()> {
    let height = 60 + 150 * groups.len().max(1) as u32;
    save(path, (900, height), |root| draw_histograms(root, x_label, groups))
}

fn draw_histograms(root: &Area<'_>, x_label: &str, groups: &[(String, Vec<f64>)]) -> Drawn {
    const BINS: usize = 60;
    root.fill(&WHITE)?;
    let all = groups.iter().flat_map(|(_, values)| values).copied().filter(drawable);
    let Range { start: low, end: high } = range(all);
    let width = (high - low) / BINS as f64;
    let (panels, axis) = root.split_vertically(150 * groups.len().max(1) as u32);
    for ((name, values), panel) in groups.iter().zip(panels.split_evenly((groups.len().max(1), 1))) {
        let mut counts = [0u32; BINS];
        for value in values.iter().filter(|v| drawable(v)) {
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

    /// Numbers that axes have trouble with.
    const ODD: [&[f64]; 8] = [
        &[],
        &[f64::NAN],
        &[f64::INFINITY, 1.0],
        &[3.0, 3.0],
        &[1.0, 1.0 + f64::EPSILON],
        &[1e15, 1e15 + 1.0],
        &[-1e308, 1e308],
        &[1e-320, 5e-324],
    ];

    #[test]
    fn whatever_goes_wrong_names_the_picture() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("curve.png");
        let errors = [save(&path, (9, 9), |_| panic!("no such glyph")), save(&path, (9, 9), |_| Err("no room".into()))];
        for (error, problem) in errors.into_iter().zip(["no such glyph", "no room"]) {
            assert!(error.unwrap_err().to_string().ends_with(&format!("curve.png: {problem}")));
            assert!(!path.exists());
        }
    }

    #[test]
    fn any_numbers_make_a_picture() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plot.png");
        for values in ODD {
            histograms(&path, "x", &[("a".into(), values.to_vec()), ("b".into(), vec![1.0])]).unwrap();
            histograms(&path, "x", &[("a".into(), values.to_vec())]).unwrap();
            let points = values.iter().enumerate().map(|(i, &y)| (i as f64, y)).collect();
            let across = values.iter().map(|&x| (x, 1.0)).collect();
            curves(&path, "x", "y", &[Curve { name: "a", points }]).unwrap();
            curves(&path, "x", "y", &[Curve { name: "a", points: across }]).unwrap();
            assert!(image::open(&path).unwrap().width() == 900);
        }
    }
}
