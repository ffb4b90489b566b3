//! What a change of a latent does to the sixteen ovals of an MSDS picture: the paper's claim (fig. 3, appendix on the
//! synthetic sets) in numbers, from pixels.

/// Tiles along an edge.
const TILES: usize = 4;
/// A colour has changed when it moved by more than this, in grey levels.
pub const COLOUR: f64 = 10.0;
/// An oval has turned when its angle changed by more than this, in degrees.
pub const DEGREES: f64 = 8.0;
/// Brightness, summed over channels, below which a tile shows no oval.
const DARK: f64 = 600.0;
/// Share of the brightest pixel's brightness from which on a pixel is inside.
const INSIDE: f64 = 0.7;

/// An oval as measured from its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Oval {
    /// Mean colour of the inside, scaled to a brightest channel of 255: an oval of a few pixels changes its brightness as
    /// it turns, and the border's pixels mix with the black around them.
    pub colour: [f64; 3],
    /// Direction of its long axis in degrees, modulo 180.
    pub angle: f64,
}

/// How two pictures' ovals differ.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difference {
    /// Ovals whose colour changed.
    pub recoloured: f64,
    /// Ovals that turned.
    pub turned: f64,
    /// Mean change of colour over the ovals, of 255.
    pub colour: f64,
    /// Mean turn over the ovals, in degrees.
    pub degrees: f64,
}

/// The ovals of a planar picture `[3, edge, edge]`, tile by tile; none where a tile is dark.
pub fn ovals(picture: &[u8], edge: usize) -> Vec<Option<Oval>> {
    let tile = edge / TILES;
    (0..TILES * TILES).map(|t| oval(picture, edge, tile, (t / TILES * tile, t % TILES * tile))).collect()
}

fn oval(picture: &[u8], edge: usize, tile: usize, (top, left): (usize, usize)) -> Option<Oval> {
    let value = |c: usize, r: usize, q: usize| f64::from(picture[(c * edge + top + r) * edge + left + q]);
    let places = || (0..tile * tile).map(|i| (i / tile, i % tile));
    let weight = |(r, q): (usize, usize)| (0..3).map(|c| value(c, r, q)).sum::<f64>();
    let total: f64 = places().map(weight).sum();
    if total < DARK {
        return None;
    }
    let mean = |f: &dyn Fn((usize, usize)) -> f64| places().map(|p| weight(p) * f(p)).sum::<f64>() / total;
    let (y, x) = (mean(&|p| p.0 as f64), mean(&|p| p.1 as f64));
    let (yy, xx) = (mean(&|p| (p.0 as f64 - y).powi(2)), mean(&|p| (p.1 as f64 - x).powi(2)));
    let xy = mean(&|p| (p.0 as f64 - y) * (p.1 as f64 - x));
    let angle = (0.5 * (2.0 * xy).atan2(xx - yy)).to_degrees();
    let brightest = places().map(weight).fold(0.0, f64::max);
    let inside: Vec<_> = places().filter(|&p| weight(p) >= INSIDE * brightest).collect();
    let colour = [0, 1, 2].map(|c| inside.iter().map(|&(r, q)| value(c, r, q)).sum::<f64>() / inside.len() as f64);
    let top = colour.into_iter().fold(1.0, f64::max);
    Some(Oval { colour: colour.map(|c| c * 255.0 / top), angle })
}

/// Compares two pictures' ovals; those that either does not show are left out.
pub fn compare(before: &[u8], after: &[u8], edge: usize) -> Difference {
    let mut sum = Difference::default();
    let mut seen = 0.0f64;
    for (a, b) in ovals(before, edge).into_iter().zip(ovals(after, edge)) {
        let (Some(a), Some(b)) = (a, b) else { continue };
        let colour = a.colour.iter().zip(b.colour).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let degrees = turn(a.angle, b.angle);
        seen += 1.0;
        sum.colour += colour;
        sum.degrees += degrees;
        sum.recoloured += f64::from(u8::from(colour > COLOUR));
        sum.turned += f64::from(u8::from(degrees > DEGREES));
    }
    Difference { colour: sum.colour / seen.max(1.0), degrees: sum.degrees / seen.max(1.0), ..sum }
}

/// Degrees between two long axes, which have no direction: 179° and 1° are two degrees apart.
fn turn(a: f64, b: f64) -> f64 {
    let turn = (a - b).rem_euclid(180.0);
    turn.min(180.0 - turn)
}

impl Difference {
    /// The mean of several.
    pub fn mean(all: &[Self]) -> Self {
        let n = all.len().max(1) as f64;
        let of = |f: fn(&Self) -> f64| all.iter().map(f).sum::<f64>() / n;
        Self {
            recoloured: of(|d| d.recoloured),
            turned: of(|d| d.turned),
            colour: of(|d| d.colour),
            degrees: of(|d| d.degrees),
        }
    }
}

/// What kind of feature a latent controls, by what it does on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It changes the colour of most ovals and turns few: the global feature of MSDS1.
    Colour,
    /// It turns most ovals and changes the colour of few: the global feature of MSDS2.
    Turn,
    /// It turns one oval and changes no colour: the local feature of MSDS1.
    OneTurn,
    /// It changes one oval's colour and turns none: the local feature of MSDS2.
    OneColour,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Colour, Self::Turn, Self::OneTurn, Self::OneColour];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Colour => "recolours most",
            Self::Turn => "turns most",
            Self::OneTurn => "turns one only",
            Self::OneColour => "recolours one only",
        }
    }

    /// Whether a mean difference is of this kind.
    pub fn is(self, difference: &Difference) -> bool {
        let Difference { recoloured, turned, .. } = *difference;
        let (most, few) = ((TILES * TILES) as f64 * 0.5, (TILES * TILES) as f64 * 0.25);
        let one = |count: f64| (0.5..1.5).contains(&count);
        match self {
            Self::Colour => recoloured > most && turned < few,
            Self::Turn => turned > most && recoloured < few,
            Self::OneTurn => one(turned) && recoloured < 0.25,
            Self::OneColour => one(recoloured) && turned < 0.25,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sixteen bars of one colour, the first turned by `degrees`.
    fn picture(colour: [u8; 3], degrees: f64) -> Vec<u8> {
        let mut pixels = vec![0; 3 * 32 * 32];
        for t in 0..16 {
            let angle = if t == 0 { degrees } else { 20.0 }.to_radians();
            for (r, q) in (0..64).map(|i| (i / 8, i % 8)) {
                let (y, x) = (r as f64 - 3.5, q as f64 - 3.5);
                let (along, across) = (x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin());
                if along.abs() < 3.5 && across.abs() < 1.5 {
                    for c in 0..3 {
                        pixels[(c * 32 + t / 4 * 8 + r) * 32 + t % 4 * 8 + q] = colour[c];
                    }
                }
            }
        }
        pixels
    }

    #[test]
    fn angles_and_colours_are_read_from_pixels() {
        let ovals = ovals(&picture([200, 100, 50], 70.0), 32);
        let first = ovals[0].unwrap();
        assert!((first.angle - 70.0).abs() < 6.0, "{first:?}");
        assert!((ovals[9].unwrap().angle - 20.0).abs() < 6.0);
        assert_eq!(first.colour, [255.0, 127.5, 63.75]);
        assert_eq!(super::ovals(&[0; 3 * 32 * 32], 32), vec![None; 16]);
    }

    #[test]
    fn a_soft_border_does_not_change_the_colour() {
        let mut soft = picture([200, 100, 50], 70.0);
        // A row of half-lit pixels at the foot of the second tile's bar, wherever it is dark.
        for (c, lit) in [100, 50, 25].into_iter().enumerate() {
            for i in (8..16).map(|q| c * 1024 + 6 * 32 + q) {
                if soft[i] == 0 {
                    soft[i] = lit;
                }
            }
        }
        let difference = compare(&picture([200, 100, 50], 70.0), &soft, 32);
        assert_eq!((difference.colour, difference.recoloured), (0.0, 0.0));
    }

    #[test]
    fn kinds_exclude_each_other() {
        let of = |recoloured, turned| {
            let difference = Difference { recoloured, turned, ..Difference::default() };
            Kind::ALL.into_iter().filter(|kind| kind.is(&difference)).collect::<Vec<_>>()
        };
        assert_eq!(of(15.0, 1.3), [Kind::Colour]);
        assert_eq!(of(1.0, 14.0), [Kind::Turn]);
        assert_eq!(of(0.1, 0.9), [Kind::OneTurn]);
        assert_eq!(of(1.0, 0.0), [Kind::OneColour]);
        assert!(of(1.0, 0.7).is_empty() && of(15.0, 15.0).is_empty() && of(0.0, 0.0).is_empty());
    }

    #[test]
    fn one_turned_oval_and_sixteen_recoloured_ones_are_told_apart() {
        let base = picture([200, 100, 50], 70.0);
        let turned = compare(&base, &picture([200, 100, 50], 110.0), 32);
        assert_eq!((turned.turned, turned.recoloured), (1.0, 0.0), "{turned:?}");
        let recoloured = compare(&base, &picture([160, 100, 50], 70.0), 32);
        assert_eq!((recoloured.turned, recoloured.recoloured), (0.0, 16.0), "{recoloured:?}");
        // Through zero is a small turn.
        assert_eq!((turn(178.0, 2.0), turn(-89.0, 89.0), turn(10.0, 100.0)), (4.0, 2.0, 90.0));
    }
}
