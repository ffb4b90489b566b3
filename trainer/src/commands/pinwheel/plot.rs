//! The picture: a row for each prior, with the latents and the axes of latent space in the plane.

use std::ops::Range;
use std::path::Path;

use plotters::prelude::*;

use super::wheel::{Point, Trained};
use crate::error::Result;
use crate::figures::plot::{Area, Drawn, save};

/// Draws the data and each trained flow into a PNG.
///
/// # Errors
/// [`Error::Plot`](crate::error::Error::Plot) if the picture cannot be drawn or written.
pub fn draw(path: &Path, data: &[Point], trained: &[Trained]) -> Result<()> {
    save(path, (2 * EDGE, EDGE * trained.len() as u32), |root| panels(root, data, trained))
}

/// Edge of a panel.
const EDGE: u32 = 440;

fn panels(root: &Area<'_>, data: &[Point], trained: &[Trained]) -> Drawn {
    root.fill(&WHITE)?;
    for (areas, flow) in root.split_evenly((trained.len(), 2)).chunks_exact(2).zip(trained) {
        let axes = [0, 1].map(|k| (-8..=8).map(|i| if k == 0 { [i as f32, 0.0] } else { [0.0, i as f32] }).collect());
        let title = format!("{:?} prior: latents, {:.2} nats", flow.prior, flow.nats);
        panel(&areas[0], &title, -5.0..5.0, &flow.latents, &axes)?;
        let title = format!("{:?} prior: its axes among the data", flow.prior);
        panel(&areas[1], &title, -3.5..3.5, data, &flow.axes)?;
    }
    Ok(())
}

fn panel(area: &Area<'_>, title: &str, range: Range<f32>, points: &[Point], axes: &[Vec<[f32; 2]>; 2]) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(title, ("sans-serif", 18))
        .x_label_area_size(24)
        .y_label_area_size(32)
        .build_cartesian_2d(range.clone(), range.clone())?;
    chart.configure_mesh().light_line_style(WHITE).label_style(("sans-serif", 13)).draw()?;
    let dot = |(place, arm): &Point| Circle::new((place[0], place[1]), 2, Palette99::pick(*arm).mix(0.6).filled());
    chart.draw_series(points.iter().filter(|(p, _)| p.iter().all(|v| range.contains(v))).map(dot))?;
    for (axis, colour) in axes.iter().zip([BLACK, RGBColor(120, 120, 120)]) {
        let line = axis.iter().map(|p| (p[0].clamp(range.start, range.end), p[1].clamp(range.start, range.end)));
        chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::PriorKind;

    #[test]
    fn each_flow_gets_a_row() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pinwheel.png");
        let trained = Trained {
            prior: PriorKind::Laplace,
            latents: vec![([0.5, 1.0], 0), ([9.0, 0.0], 1)],
            axes: [vec![[0.0, 0.0], [1.0, 1.0]], vec![[0.0, 0.0], [-1.0, 1.0]]],
            nats: 1.0,
        };
        draw(&path, &trained.latents, &[trained.clone(), trained.clone()]).unwrap();
        let picture = image::open(&path).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (880, 880));
        assert!(picture.pixels().collect::<std::collections::HashSet<_>>().len() > 4);
        assert!(draw(&path.join("b.png"), &[], &[trained]).is_err());
    }
}
