//! The oval of the synthetic sets: drawn crisp in an 8×8 tile, then rotated.

/// Edge of a tile in pixels.
pub const TILE: usize = 8;

/// Free parameter of the cubic convolution kernel (Keys); PIL's `rotate`, which the authors use, takes −1.
const A: f64 = -1.0;

/// Ink per pixel of a tile, by row: 0 none, 1 full, a little below 0 or above 1 where the kernel
/// overshoots.
pub(super) type Mask = [[f64; TILE]; TILE];

/// The unrotated oval, with corners (1, 3) and (7, 5) inclusive.
/// The same 17 pixels as PIL's `ImageDraw.ellipse` fills.
const CRISP: Mask = crisp();

const fn crisp() -> Mask {
    let mut mask = [[0.0; TILE]; TILE];
    let mut at = 0;
    while at < TILE * TILE {
        let (x, y) = (at % TILE, at / TILE);
        let (dx, dy) = ((x as f64 - 4.0) / 3.5, (y as f64 - 4.0) / 1.5);
        if dx * dx + dy * dy <= 1.0 {
            mask[y][x] = 1.0;
        }
        at += 1;
    }
    mask
}

/// The oval turned by `degrees` counter-clockwise about the tile's centre.
///
/// As PIL's `rotate` does it, but for the kernel's parameter: the centre is the tile's middle, (4, 4), half a pixel from the oval's
/// own; pixels whose source lies outside the tile are empty, and the kernel's taps beyond the edge
/// repeat the edge.
pub(super) fn rotated(degrees: f64) -> Mask {
    // libm, not the platform's: a seed gives the same pictures everywhere.
    let (sin, cos) = libm::sincos(degrees.to_radians());
    let half = TILE as f64 / 2.0;
    let mut mask = Mask::default();
    for (row, line) in mask.iter_mut().enumerate() {
        for (column, ink) in line.iter_mut().enumerate() {
            let (x, y) = (column as f64 + 0.5 - half, row as f64 + 0.5 - half);
            *ink = sample(cos * x - sin * y + half, sin * x + cos * y + half);
        }
    }
    mask
}

/// The ink at a point of the tile. Inlined, all 64 pixels are unrolled: 60 kB of a page's bundle.
#[inline(never)]
fn sample(x: f64, y: f64) -> f64 {
    let inside = 0.0..TILE as f64;
    if !inside.contains(&x) || !inside.contains(&y) {
        return 0.0;
    }
    let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
    let (across, down) = (weights(x - 0.5 - left), weights(y - 0.5 - top));
    let mut ink = 0.0;
    for (j, down) in down.iter().enumerate() {
        let row = &CRISP[tap(top, j)];
        for (i, across) in across.iter().enumerate() {
            ink += down * across * row[tap(left, i)];
        }
    }
    ink
}

/// Where tap `i` of four reads, if tap 1 stands on `base`.
fn tap(base: f64, i: usize) -> usize {
    (base as i32 + i as i32 - 1).clamp(0, TILE as i32 - 1) as usize
}

/// Weights of the taps at −1, 0, 1, 2 for a point `d` of the way from tap 0 to tap 1.
fn weights(d: f64) -> [f64; 4] {
    let near = |t: f64| ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
    let far = |t: f64| ((A * t - 5.0 * A) * t + 8.0 * A) * t - 4.0 * A;
    [far(1.0 + d), near(d), near(1.0 - d), far(2.0 - d)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unrotated_it_is_the_crisp_oval() {
        let mask = rotated(0.0);
        let rows: Vec<String> =
            mask.iter().map(|row| row.iter().map(|&ink| if ink > 0.5 { '#' } else { '.' }).collect()).collect();
        let none = "........";
        assert_eq!(rows, [none, none, none, "..#####.", ".#######", "..#####.", none, none]);
        assert!(mask.iter().flatten().all(|&ink| ink.abs() < 1e-12 || (ink - 1.0).abs() < 1e-12));
    }

    #[test]
    fn a_quarter_turn_is_counter_clockwise() {
        let (level, upright) = (rotated(0.0), rotated(90.0));
        for y in 0..TILE {
            for x in 0..TILE {
                assert!((upright[y][x] - level[x][TILE - 1 - y]).abs() < 1e-9, "{x} {y}");
            }
        }
        // A small positive angle lifts the right end.
        let tilted = rotated(20.0);
        let right: f64 = (0..4).map(|y| tilted[y][6]).sum();
        let left: f64 = (0..4).map(|y| tilted[y][1]).sum();
        assert!(right > left + 0.5, "{right} {left}");
    }

    #[test]
    fn turning_keeps_the_ink() {
        for degrees in [0.0, 17.0, 45.0, 101.0, 135.0, 179.0] {
            let mask = rotated(degrees);
            let ink: f64 = mask.iter().flatten().sum();
            assert!((15.0..18.5).contains(&ink), "{degrees}: {ink}");
            assert!(mask.iter().flatten().all(|&ink| (-0.4..1.4).contains(&ink)));
        }
    }

    #[test]
    fn the_kernel_interpolates_and_sums_to_one() {
        let on_tap = weights(0.0);
        assert!((on_tap[1] - 1.0).abs() < 1e-12 && on_tap[0].abs() < 1e-12);
        assert_eq!(weights(0.5), [-0.125, 0.625, 0.625, -0.125]);
        assert!((weights(0.3).iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
