//! How many latents a hole touches in larger pictures (section 3.2 of the paper): a count on the geometry alone.

use shared::RgFlowConfig;
use shared::geometry::inference_cone;

use super::address::Mask;

/// Edges of the pictures that are compared.
pub const SIZES: [usize; 5] = [16, 32, 64, 128, 256];

/// The count for one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Edge L of the picture.
    pub size: usize,
    /// Numbers in the hole's cone: what an RG-Flow touches.
    pub cone: usize,
    /// All latents: what a globally connected flow touches.
    pub all: usize,
}

/// The same hole, as many pixels from the middle, in pictures of all sizes that it fits into.
pub fn growth(mask: &Mask, config: &RgFlowConfig) -> Vec<Growth> {
    let places = mask.places();
    let of = |size: usize| {
        let larger = config.resized(size).ok()?;
        let moved = |at: usize| (at + size / 2).checked_sub(config.size / 2).filter(|&at| at < size);
        let hole: Vec<_> = places.iter().map(|&(row, col)| Some((moved(row)?, moved(col)?))).collect::<Option<_>>()?;
        let cone = inference_cone(&larger, &hole).iter().map(|level| level.latents.len()).sum::<usize>();
        Some(Growth { size, cone: config.channels * cone, all: larger.dims() })
    };
    SIZES.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_in_a_larger_picture_costs_a_little_more_while_all_latents_quadruple() {
        let config = RgFlowConfig::tiny();
        let mut mask = Mask::new(16);
        (4..8).for_each(|row| (4..8).for_each(|col| mask.set(row, col, true)));
        let grown = growth(&mask, &config);
        assert_eq!(grown.iter().map(|g| g.size).collect::<Vec<_>>(), SIZES);
        assert_eq!(grown.iter().map(|g| g.all).collect::<Vec<_>>(), [768, 3072, 12288, 49152, 196_608]);
        // In the model's own size it is the panel's count.
        let own: usize = inference_cone(&config, &mask.places()).iter().map(|level| level.latents.len()).sum();
        assert_eq!(grown[0].cone, 3 * own);
        let steps: Vec<_> = grown.windows(2).map(|two| two[1].cone as f64 / two[0].cone as f64).collect();
        assert!(steps[1..].iter().all(|step| (1.0..1.6).contains(step)), "{grown:?}");
        assert!(steps.windows(2).skip(1).all(|two| two[1] < two[0] + 0.01), "{grown:?}");
    }

    #[test]
    fn a_hole_is_counted_where_it_fits() {
        let config = RgFlowConfig::tiny().resized(32).unwrap();
        let mut mask = Mask::new(32);
        (0..32).for_each(|row| (0..32).for_each(|col| mask.set(row, col, row >= 16)));
        let grown = growth(&mask, &config);
        assert_eq!(grown.iter().map(|g| g.size).collect::<Vec<_>>(), SIZES[1..]);
        assert!(grown[0].cone <= grown[0].all && grown[0].cone > grown[0].all / 2, "{grown:?}");
    }
}
