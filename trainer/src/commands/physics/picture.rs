//! The picture: the two-point function of the sampler and of the model, and fields of both level by level.

use std::ops::Range;
use std::path::Path;

use image::{Rgb, RgbImage, imageops};
use plotters::prelude::*;
use shared::colours::colour;

use crate::error::Result;
use crate::figures::figure::{Row, figure};
use crate::figures::plot::{Area, Drawn, picture};
use crate::figures::sheet;
use crate::lattice::MOST_EDGE;
use crate::lattice::measure::Estimate;
use crate::open::Model;

/// Width and height of the plot, and the edge of a field below it.
const PLOT: (u32, u32) = (900, 520);
const FIELD: u32 = 176;

/// A two-point function, by distance.
type TwoPoint = Vec<(usize, Estimate)>;

/// Fields after each step of the renormalization group, coarsest first: a row for each.
///
/// # Errors
/// Numbers that are not one field after the other.
pub fn rows(model: &Model, name: &str, fields: &[f32]) -> Result<Vec<Row>> {
    let latents = model.engine.encode(fields)?.latents;
    let count = fields.len() / model.config.dims();
    let steps = model.engine.progressive(&latents)?;
    let row = |i: usize| {
        let of_step = |step: &Vec<f32>| {
            let sites = step.len() / count;
            coloured(&step[i * sites..][..sites], model.card.shown_range())
        };
        Row { label: name.to_owned(), pictures: steps.iter().map(of_step).collect() }
    };
    Ok((0..count).map(row).collect())
}

/// A square field in the colours of the page: blue is negative, orange positive. A coarse one, whose numbers have units of
/// their own, reaches as far as it goes.
fn coloured(field: &[f32], range: f32) -> RgbImage {
    let edge = field.len().isqrt();
    let furthest = field.iter().fold(0f32, |most, phi| most.max(phi.abs()));
    let scale = if furthest > range { furthest } else { range };
    RgbImage::from_fn(edge as u32, edge as u32, |x, y| Rgb(colour(field[y as usize * edge + x as usize] / scale)))
}

/// Draws the two-point functions over common axes, and the rows below them.
///
/// # Errors
/// [`Error::Plot`](crate::error::Error::Plot) if the picture cannot be drawn or written.
pub fn draw(path: &Path, functions: &[(&str, TwoPoint)], rows: &[Row]) -> Result<()> {
    let plot = picture(path, PLOT, |root| two_point(root, functions))?;
    let edges = rows.first().map_or(&[][..], |row| &row.pictures).iter().map(RgbImage::width);
    let columns: Vec<String> = edges.map(|edge| format!("{edge}×{edge}")).collect();
    let fields = figure(&columns, rows, FIELD)?;
    let width = plot.width().max(fields.width());
    let mut whole = RgbImage::from_pixel(width, plot.height() + fields.height(), Rgb([255; 3]));
    for (image, top) in [(&plot, 0), (&fields, plot.height())] {
        imageops::replace(&mut whole, image, i64::from((width - image.width()) / 2), i64::from(top));
    }
    sheet::save(&whole, path)
}

/// The logarithm of ⟨φ₀φ_r⟩ over that of r, with errors: a critical field's is a straight line until it comes back round the
/// lattice. What is not positive is left out.
fn two_point(root: &Area<'_>, functions: &[(&str, TwoPoint)]) -> Drawn {
    root.fill(&WHITE)?;
    let known = |&&(r, e): &&(usize, Estimate)| r > 0 && e.value > e.error && e.value.is_finite();
    let points = || functions.iter().flat_map(|(_, points)| points).filter(known);
    let span = |values: &mut dyn Iterator<Item = f64>| -> Range<f64> {
        let (low, high) = values.fold((f64::INFINITY, 0f64), |(low, high), v| (low.min(v), high.max(v)));
        if low < high { low / 1.08..high * 1.08 } else { 0.1..1.0 }
    };
    let across = span(&mut points().map(|&(r, _)| r as f64));
    let up = span(&mut points().flat_map(|&(_, e)| [e.value - e.error, e.value + e.error]));
    let distances: Vec<f64> = (0..MOST_EDGE.ilog2()).map(|k| f64::from(1u32 << k)).collect();
    let ticks = ticks(&up);
    let mut chart = ChartBuilder::on(root)
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(72)
        .build_cartesian_2d(across.log_scale().with_key_points(distances), up.log_scale().with_key_points(ticks))?;
    chart
        .configure_mesh()
        .x_desc("distance r")
        .y_desc("two-point function")
        .x_label_formatter(&|r| format!("{r:.0}"))
        .y_label_formatter(&f64::to_string)
        .label_style(("sans-serif", 16))
        .axis_desc_style(("sans-serif", 18))
        .light_line_style(WHITE)
        .draw()?;
    for (i, (name, function)) in functions.iter().enumerate() {
        let colour = Palette99::pick(i).to_rgba();
        let points: Vec<_> = function.iter().filter(known).map(|&(r, e)| (r as f64, e)).collect();
        let bar = |&(r, e): &(f64, Estimate)| {
            PathElement::new([(r, e.value - e.error), (r, e.value + e.error)], colour.stroke_width(2))
        };
        chart.draw_series(points.iter().map(bar))?;
        chart
            .draw_series(LineSeries::new(points.iter().map(|&(r, e)| (r, e.value)), colour.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 16))
        .draw()?;
    Ok(())
}

/// Round numbers in a range of positive ones, four to nine of them if it is no wider than a decade.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    let wide = range.end - range.start;
    let decade = 10f64.powf(wide.log10().floor());
    let step =
        [0.1, 0.2, 0.5, 1.0].map(|share| share * decade).into_iter().find(|step| wide / step < 9.0).unwrap_or(decade);
    let first = (range.start / step).ceil();
    // Through a decimal text, so that 0.30000000000000004 is written 0.3.
    let digits = (-step.log10().floor()).clamp(0.0, 300.0) as usize;
    let round = |value: f64| format!("{value:.digits$}").parse().unwrap_or(value);
    (0..10).map(|i| round((first + f64::from(i)) * step)).filter(|tick| range.contains(tick)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!(ticks(&(0.33..0.58)), [0.35, 0.4, 0.45, 0.5, 0.55]);
        assert_eq!(ticks(&(0.04..0.8)), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
        assert_eq!(ticks(&(3.0..41.0)), [5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0]);
    }

    fn estimate(value: f64) -> Estimate {
        Estimate { value, error: 0.01 }
    }

    #[test]
    fn signs_have_their_colours_however_large_the_numbers_are() {
        let field = coloured(&[30.0, -30.0, 40.0, 0.0], 3.0);
        let [r, _, b] = field.get_pixel(1, 0).0;
        assert!(b > r, "negative is blue");
        assert_eq!((field.get_pixel(0, 1).0, field.get_pixel(1, 1).0), (colour(1.0), colour(0.0)));
    }

    #[test]
    fn odd_numbers_make_a_picture_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("physics.png");
        let row =
            || Row { label: "model".into(), pictures: vec![coloured(&[1.0; 16], 3.0), coloured(&[-1.0; 64], 3.0)] };
        for values in [vec![1.0, 0.5, 0.4], vec![f64::NAN, -1.0, 0.0], vec![], vec![0.5], vec![1.0, 1e300, 1e-300]] {
            let function: TwoPoint = values.into_iter().enumerate().map(|(i, v)| (1 << i, estimate(v))).collect();
            draw(&path, &[("sampler", function.clone()), ("model", function)], &[row(), row()]).unwrap();
            assert_eq!(image::open(&path).unwrap().width(), PLOT.0);
        }
    }
}
