//! Latents as pictures.

use serde_bytes::ByteBuf;
use shared::RgFlowConfig;
use shared::geometry::Levels;

use crate::protocol::Image;

/// One level's latents as colours: grey is 0. What belongs to coarser levels is left out.
pub fn draw_level(values: &[f32], level: usize, config: &RgFlowConfig) -> Image {
    let (levels, edge, area) = (Levels::new(config), config.size >> level, config.size * config.size);
    let shade = |value: f32| (128.0 + 45.0 * value).clamp(0.0, 255.0) as u8;
    let mut rgba = Vec::with_capacity(edge * edge * 4);
    for (row, col) in (0..edge * edge).map(|i| ((i / edge) << level, (i % edge) << level)) {
        if levels.level_at(row, col) == level {
            let channel = |c: usize| shade(values[c.min(config.channels - 1) * area + row * config.size + col]);
            rgba.extend([channel(0), channel(1), channel(2), u8::MAX]);
        } else {
            rgba.extend([0; 4]);
        }
    }
    Image { size: edge as u32, rgba: ByteBuf::from(rgba) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_drawn_with_gaps_for_the_coarser_ones() {
        let config = RgFlowConfig::tiny();
        let mut values = vec![0.0; config.dims()];
        values[1] = 9.0;
        let level = draw_level(&values, 0, &config);
        assert_eq!((level.size, &level.rgba[..8]), (16, &[0, 0, 0, 0, 255, 128, 128, 255][..]));
        let top = draw_level(&values, 2, &config);
        assert_eq!((top.size, top.rgba.chunks(4).all(|pixel| pixel == [128, 128, 128, 255])), (4, true));
    }
}
