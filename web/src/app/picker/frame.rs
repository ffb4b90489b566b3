//! The square that is cut out of a picture: where it lies, how large it is, how far it is turned. No browser here.

use std::f64::consts::PI;
use std::ops::RangeInclusive;

/// A place, (column, row), in a picture's pixels or in shares of a square's edge.
pub type Place = (f64, f64);

/// The strongest enlargement of the largest square in a picture.
pub const MAX_ZOOM: f64 = 32.0;
/// A face may fill its picture and more: the square may be this much larger than the picture is wide or high.
const MAX_EDGE: f64 = 2.0;
/// What the zoom's slider says of the largest and of the smallest square.
pub const ZOOMS: RangeInclusive<f64> = -0.2..=1.0;

/// The square, in the picture's pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// Its centre.
    pub x: f64,
    /// Its centre.
    pub y: f64,
    /// Its edge.
    pub edge: f64,
    /// How far it is turned, clockwise, in radians.
    pub turn: f64,
}

impl Frame {
    /// The largest in a picture.
    pub fn whole((width, height): (f64, f64)) -> Self {
        Self { x: width / 2.0, y: height / 2.0, edge: width.min(height), turn: 0.0 }
    }

    /// In which a face's eyes lie where they are wanted, in shares of its edge; `None` if they are one place.
    pub fn on_eyes(eyes: [Place; 2], wanted: [Place; 2]) -> Option<Self> {
        let along = |[a, b]: [Place; 2]| (b.0 - a.0, b.1 - a.1);
        let mut eyes = eyes;
        // Whoever points at them may begin with either.
        let (x, y) = along(eyes);
        if x < 0.0 && x.abs() > y.abs() {
            eyes.swap(0, 1);
        }
        let (here, there) = (along(eyes), along(wanted));
        let (distance, share) = (here.0.hypot(here.1), there.0.hypot(there.1));
        if distance < 1.0 || share == 0.0 {
            return None;
        }
        let turn = here.1.atan2(here.0) - there.1.atan2(there.0);
        let frame = Self { x: 0.0, y: 0.0, edge: distance / share, turn };
        // Its centre follows from where the first eye would lie.
        let (x, y) = frame.place(wanted[0]);
        Some(Self { x: eyes[0].0 - x, y: eyes[0].1 - y, ..frame })
    }

    /// The nearest one that a picture allows: its centre is in the picture, its size within limits.
    pub fn kept(self, (width, height): (f64, f64)) -> Self {
        let whole = width.min(height);
        let edge = self.edge.clamp(whole / MAX_ZOOM, whole * MAX_EDGE);
        Self { x: self.x.clamp(0.0, width), y: self.y.clamp(0.0, height), edge, ..self }
    }

    /// The place in the picture of a place in the square, in shares of its edge from its upper left corner.
    pub fn place(&self, (u, v): Place) -> Place {
        let (x, y) = turned(((u - 0.5) * self.edge, (v - 0.5) * self.edge), self.turn);
        (self.x + x, self.y + y)
    }

    /// Whether all of it lies in the picture.
    pub fn is_inside(&self, (width, height): (f64, f64)) -> bool {
        let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|corner| self.place(corner));
        corners.iter().all(|&(x, y)| (0.0..=width).contains(&x) && (0.0..=height).contains(&y))
    }

    /// After fingers moved, in shares of the edge: what was under them stays under them.
    pub fn dragged(self, from: &[Place], to: &[Place]) -> Self {
        let turn = bearing(to) - bearing(from);
        let ((from, near), (to, far)) = (middle(from), middle(to));
        let (zoom, turn) = if near > 0.0 && far > 0.0 { (far / near, turn) } else { (1.0, 0.0) };
        let wanted = self.place(from);
        let frame = Self { edge: self.edge / zoom, turn: wrapped(self.turn - turn), ..self };
        let (x, y) = frame.place(to);
        Self { x: frame.x + wanted.0 - x, y: frame.y + wanted.1 - y, ..frame }
    }

    /// Enlarged about a place in it, in shares of its edge.
    pub fn zoomed(self, at: Place, by: f64) -> Self {
        let ((x, y), frame) = (self.place(at), Self { edge: self.edge / by, ..self });
        let (now_x, now_y) = frame.place(at);
        Self { x: frame.x + x - now_x, y: frame.y + y - now_y, ..frame }
    }

    /// What the zoom's slider says of it.
    pub fn zoom(&self, (width, height): (f64, f64)) -> f64 {
        (width.min(height) / self.edge).ln() / MAX_ZOOM.ln()
    }
}

/// The edge of which the zoom's slider says this.
pub fn edge(zoom: f64, (width, height): (f64, f64)) -> f64 {
    width.min(height) / MAX_ZOOM.powf(zoom)
}

fn turned((x, y): Place, by: f64) -> Place {
    let (sin, cos) = by.sin_cos();
    (x * cos - y * sin, x * sin + y * cos)
}

/// The same turn, by at most half a circle either way.
fn wrapped(turn: f64) -> f64 {
    (turn + PI).rem_euclid(2.0 * PI) - PI
}

/// The direction from the first of two fingers to the second; other numbers of fingers have none.
fn bearing(places: &[Place]) -> f64 {
    match places {
        [one, other] => (other.1 - one.1).atan2(other.0 - one.0),
        _ => 0.0,
    }
}

/// The middle of some places, and their mean distance from it.
fn middle(places: &[Place]) -> (Place, f64) {
    let count = places.len().max(1) as f64;
    let (x, y) = places.iter().fold((0.0, 0.0), |(x, y), place| (x + place.0 / count, y + place.1 / count));
    let spread = places.iter().map(|place| (place.0 - x).hypot(place.1 - y)).sum::<f64>() / count;
    ((x, y), spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [Place; 2] = [(0.33, 0.31), (0.67, 0.31)];

    fn near(a: Place, b: Place) -> bool {
        (a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9
    }

    #[test]
    fn eyes_come_where_they_are_wanted() {
        let eyes = [(100.0, 80.0), (160.0, 110.0)];
        let frame = Frame::on_eyes(eyes, WANTED).unwrap();
        for (eye, wanted) in eyes.into_iter().zip(WANTED) {
            assert!(near(frame.place(wanted), eye), "{frame:?}");
        }
        assert!((frame.turn.to_degrees() - 26.565).abs() < 1e-3);
        // In either order, but where one is above the other.
        assert_eq!(Frame::on_eyes([eyes[1], eyes[0]], WANTED), Some(frame));
        let lying = Frame::on_eyes([(10.0, 90.0), (10.0, 10.0)], WANTED).unwrap();
        assert!((lying.turn.to_degrees() + 90.0).abs() < 1e-9);
        assert_eq!(Frame::on_eyes([eyes[0], eyes[0]], WANTED), None);
    }

    #[test]
    fn the_square_stays_at_the_picture() {
        let (size, whole) = ((300.0, 200.0), Frame::whole((300.0, 200.0)));
        assert_eq!(whole, Frame { x: 150.0, y: 100.0, edge: 200.0, turn: 0.0 });
        assert!(whole.is_inside(size) && !Frame { turn: 0.1, ..whole }.is_inside(size));
        let moved = Frame { x: -5.0, y: 500.0, edge: 9000.0, turn: 1.0 }.kept(size);
        assert_eq!(moved, Frame { x: 0.0, y: 200.0, edge: 400.0, turn: 1.0 });
        assert_eq!(Frame { edge: 1.0, ..whole }.kept(size).edge, 200.0 / MAX_ZOOM);
    }

    #[test]
    fn what_is_under_the_fingers_stays_there() {
        let frame = Frame { x: 150.0, y: 100.0, edge: 200.0, turn: 0.4 };
        let one = frame.dragged(&[(0.5, 0.5)], &[(0.6, 0.4)]);
        assert!(near(one.place((0.6, 0.4)), frame.place((0.5, 0.5))) && one.edge == 200.0);
        let (from, to) = ([(0.4, 0.5), (0.6, 0.5)], [(0.2, 0.6), (0.6, 0.6)]);
        let two = frame.dragged(&from, &to);
        assert!((two.edge - 100.0).abs() < 1e-9);
        for (from, to) in from.into_iter().zip(to) {
            assert!(near(frame.place(from), two.place(to)), "{two:?}");
        }
        // Two fingers turn it, too.
        let round = [(0.5, 0.4), (0.5, 0.6)];
        let turned = frame.dragged(&from, &round);
        assert!((turned.turn - (0.4 - PI / 2.0)).abs() < 1e-9);
        for (from, to) in from.into_iter().zip(round) {
            assert!(near(frame.place(from), turned.place(to)), "{turned:?}");
        }
        assert!((Frame { turn: -3.0, ..frame }.dragged(&from, &round).turn - (1.5 * PI - 3.0)).abs() < 1e-9);
        // Fingers that meet, or go, change no size.
        assert_eq!(frame.dragged(&from, &[(0.5, 0.5), (0.5, 0.5)]).edge, 200.0);
    }

    #[test]
    fn a_wheel_enlarges_at_the_pointer() {
        let frame = Frame { x: 150.0, y: 100.0, edge: 200.0, turn: -0.3 };
        let near_corner = frame.zoomed((0.1, 0.2), 2.0);
        assert!(near(near_corner.place((0.1, 0.2)), frame.place((0.1, 0.2))) && near_corner.edge == 100.0);
        let size = (300.0, 200.0);
        assert!((edge(near_corner.zoom(size), size) - 100.0).abs() < 1e-9);
        assert!((edge(*ZOOMS.start(), size) - 400.0).abs() < 1e-9);
    }
}
