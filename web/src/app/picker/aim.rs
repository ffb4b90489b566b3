//! How a square comes to lie on a face: the faces that were found, or two taps on the eyes. No browser here.

use super::frame::{Frame, Place};
use face_finder::Face;

/// Two taps nearer than this, in shares of the picture's longer side, are on one eye.
const APART: f64 = 0.01;

/// What became of looking for faces.
#[derive(Clone, Debug, PartialEq)]
pub enum Looked {
    /// These, the largest first; perhaps none.
    Faces(Vec<Face>),
    /// Nobody could look.
    Failed(String),
}

/// What a tap led to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tapped {
    /// Nothing, or the other eye is still to come.
    NotYet,
    /// Both eyes are known.
    Both(Frame),
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq)]
enum Progress {
    /// The model's pictures are no faces.
    #[default]
    Idle,
    /// Somebody looks for faces.
    Looking,
    /// Faces were looked for.
    Looked,
    /// Nobody could look for them.
    Failed(String),
    /// The reader pointed at both eyes.
    Pointed,
}

/// Where the eyes are wanted, and what is known of a picture's faces.
#[derive(Debug, Default)]
pub struct Aim {
    hundredths: Vec<[u8; 2]>,
    wanted: Vec<Place>,
    number: u32,
    progress: Progress,
    faces: Vec<Face>,
    chosen: Option<usize>,
    /// Whether the reader has moved the square: nothing moves it then but the reader.
    touched: bool,
    /// Whether that was since its eyes were put on the crosses.
    moved: bool,
    /// The eyes that were pointed at, while that is what taps mean.
    taps: Option<Vec<Place>>,
    cursor: Option<Place>,
    /// Whether the last tap was on the eye of the one before.
    same: bool,
    /// How many of the picture's pixels one of the small copy's stands for.
    scale: f64,
}

impl Aim {
    /// Where the eyes are wanted, in hundredths of the square's edge. Whether that is new.
    pub fn want(&mut self, eyes: &[[u8; 2]]) -> bool {
        let is_new = self.hundredths != eyes || self.number == 0;
        if is_new {
            self.hundredths = eyes.to_vec();
            self.wanted = eyes.iter().map(|eye| (f64::from(eye[0]) / 100.0, f64::from(eye[1]) / 100.0)).collect();
        }
        is_new
    }

    /// Whether there are two eyes to be put somewhere.
    pub fn wants_eyes(&self) -> bool {
        self.wanted.len() == 2
    }

    /// Where the eyes are wanted, in shares of the square's edge.
    pub fn wanted(&self) -> &[Place] {
        &self.wanted
    }

    /// Starts with another picture; `scale` of its pixels are one of the copy's in which faces are looked for. Its number.
    pub fn start(&mut self, scale: f64) -> u32 {
        let progress = if self.wants_eyes() { Progress::Looking } else { Progress::Idle };
        let (hundredths, wanted) = (std::mem::take(&mut self.hundredths), std::mem::take(&mut self.wanted));
        *self = Self { hundredths, wanted, progress, scale, number: self.number.wrapping_add(1), ..Self::default() };
        self.number
    }

    /// Whether the faces of the picture of that number are still to come.
    pub fn waits_for(&self, number: u32) -> bool {
        self.number == number && self.progress == Progress::Looking
    }

    /// What was found; and the square that follows.
    pub fn looked(&mut self, looked: &Looked) -> Option<Frame> {
        match looked {
            Looked::Faces(faces) => {
                (self.faces, self.progress) = (faces.clone(), Progress::Looked);
            }
            Looked::Failed(message) => self.progress = Progress::Failed(message.clone()),
        }
        match (self.faces.is_empty(), self.touched) {
            (false, false) => self.choose(0),
            (true, false) => {
                self.taps = Some(Vec::new());
                None
            }
            (_, true) => None,
        }
    }

    /// The square about a face.
    pub fn choose(&mut self, face: usize) -> Option<Frame> {
        let eyes = self.faces.get(face)?.eyes.map(|(x, y)| (f64::from(x) * self.scale, f64::from(y) * self.scale));
        (self.chosen, self.taps, self.progress, self.moved) = (Some(face), None, Progress::Looked, false);
        Frame::on_eyes(eyes, [*self.wanted.first()?, *self.wanted.get(1)?])
    }

    /// The reader moved the square.
    pub fn touch(&mut self) {
        (self.touched, self.moved, self.taps) = (true, true, None);
    }

    /// The faces that were found.
    pub fn faces(&self) -> &[Face] {
        &self.faces
    }

    /// Boxes about them, in the picture's pixels: left, top, width, height.
    pub fn boxes(&self) -> impl Iterator<Item = [f64; 4]> + use<'_> {
        self.faces.iter().map(|face| face.frame.map(|length| f64::from(length) * self.scale))
    }

    /// The face that a place of the picture is in.
    pub fn face_at(&self, (x, y): Place) -> Option<usize> {
        let holds = |[left, top, width, height]: [f64; 4]| {
            (left..left + width).contains(&x) && (top..top + height).contains(&y)
        };
        self.boxes().position(holds)
    }

    /// The chosen face.
    pub fn chosen(&self) -> Option<usize> {
        self.chosen
    }

    /// Whether there is a face to choose: several, or one that came too late to be chosen by itself.
    pub fn offers_faces(&self) -> bool {
        self.faces.len() > 1 || !self.faces.is_empty() && self.chosen.is_none()
    }

    /// The eyes that were pointed at, while that is what taps mean.
    pub fn taps(&self) -> Option<&[Place]> {
        self.taps.as_deref()
    }

    /// From now on, or no longer, taps point at eyes.
    pub fn toggle_taps(&mut self) {
        self.taps = if self.taps.is_some() { None } else { Some(Vec::new()) };
        (self.cursor, self.same) = (None, false);
    }

    /// Where the next tap is by the keyboard.
    pub fn cursor(&self) -> Option<&Place> {
        self.cursor.as_ref().filter(|_| self.taps.is_some())
    }

    /// Moves it, in shares of the picture's longer side.
    pub fn move_cursor(&mut self, (x, y): Place, (width, height): (f64, f64)) {
        let (at, side) = (self.cursor.unwrap_or((width / 2.0, height / 2.0)), width.max(height));
        self.cursor = Some(((at.0 + x * side).clamp(0.0, width), (at.1 + y * side).clamp(0.0, height)));
    }

    /// A tap at a place of a picture of this size.
    pub fn tap(&mut self, (x, y): Place, (width, height): (f64, f64)) -> Tapped {
        let Some(taps) = &mut self.taps else { return Tapped::NotYet };
        if !(0.0..=width).contains(&x) || !(0.0..=height).contains(&y) {
            return Tapped::NotYet;
        }
        let far = |a: &Place| (a.0 - x).hypot(a.1 - y) >= APART * width.max(height);
        self.same = !taps.iter().all(far);
        if self.same {
            return Tapped::NotYet;
        }
        taps.push((x, y));
        let (&[one, other], &[left, right]) = (&taps[..], &self.wanted[..]) else { return Tapped::NotYet };
        (self.touched, self.moved, self.taps, self.chosen) = (true, false, None, None);
        self.progress = Progress::Pointed;
        Frame::on_eyes([one, other], [left, right]).map_or(Tapped::NotYet, Tapped::Both)
    }

    /// What there is to say.
    pub fn said(&self) -> String {
        if let Some(taps) = &self.taps {
            let why = match &self.progress {
                Progress::Looked if self.faces.is_empty() => "No face was found. ".to_owned(),
                Progress::Failed(message) => format!("Faces could not be looked for: {message}. "),
                _ => String::new(),
            };
            return match (taps.len(), self.same) {
                (_, true) => "That is the same place. Tap the other eye.".to_owned(),
                (0, _) => format!("{why}Tap both eyes, one after the other, or use the picture as it is."),
                _ => "Now tap the other eye.".to_owned(),
            };
        }
        let by_hand = "Drag to move it.";
        match (&self.progress, self.faces.len()) {
            (Progress::Looking, _) => "Looking for a face…".to_owned(),
            (Progress::Looked, 1..) if self.chosen.is_none() => {
                "A face was found. The picture stays as you moved it until you choose the face.".to_owned()
            }
            (Progress::Looked | Progress::Pointed, _) if self.moved && !self.wanted.is_empty() => {
                "Moved by hand. The crosses show where the model’s faces have their eyes.".to_owned()
            }
            (Progress::Looked, 1) => {
                "A face was found, and its eyes are on the crosses. Drag to correct it.".to_owned()
            }
            (Progress::Looked, 2..) => {
                "Several faces were found. Choose one; its eyes come onto the crosses.".to_owned()
            }
            (Progress::Pointed, _) => "The eyes are on the crosses. Drag to correct it.".to_owned(),
            (Progress::Idle | Progress::Looked | Progress::Failed(_), _) => by_hand.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EYES: [[u8; 2]; 2] = [[33, 31], [67, 31]];
    const SIZE: (f64, f64) = (400.0, 300.0);

    fn face(x: f32) -> Face {
        Face { eyes: [(x, 50.0), (x + 17.0, 50.0)], frame: [x - 10.0, 20.0, 40.0, 60.0] }
    }

    fn started() -> (Aim, u32) {
        let mut aim = Aim::default();
        assert!(aim.want(&EYES));
        let number = aim.start(2.0);
        (aim, number)
    }

    #[test]
    fn the_largest_face_is_chosen_and_another_can_be() {
        let (mut aim, number) = started();
        assert!(aim.waits_for(number) && !aim.waits_for(number + 1));
        let frame = aim.looked(&Looked::Faces(vec![face(40.0), face(90.0)])).unwrap();
        // The copy's pixels are two of the picture's.
        assert_eq!(frame.edge.round(), 100.0);
        assert!((frame.place((0.33, 0.31)).0 - 80.0).abs() < 1e-6);
        assert!(aim.offers_faces() && !aim.waits_for(number));
        assert_eq!((aim.chosen(), aim.face_at((100.0, 60.0)), aim.face_at((200.0, 60.0))), (Some(0), Some(0), Some(1)));
        let other = aim.choose(1).unwrap();
        assert!((other.x - frame.x - 100.0).abs() < 1e-6 && aim.chosen() == Some(1));
        assert_eq!((aim.face_at((5.0, 5.0)), aim.choose(2)), (None, None));
    }

    #[test]
    fn without_a_face_two_taps_do() {
        let (mut aim, _) = started();
        assert_eq!(aim.looked(&Looked::Faces(vec![])), None);
        assert!(aim.said().starts_with("No face was found. Tap both eyes"), "{}", aim.said());
        assert_eq!(aim.tap((-5.0, 10.0), SIZE), Tapped::NotYet);
        assert_eq!(aim.taps(), Some(&[][..]));
        aim.tap((100.0, 100.0), SIZE);
        aim.tap((101.0, 100.0), SIZE);
        assert!(aim.said().contains("same place"));
        let Tapped::Both(frame) = aim.tap((134.0, 100.0), SIZE) else { panic!() };
        assert_eq!((frame.edge.round(), aim.taps()), (100.0, None));
        assert!(aim.said().contains("on the crosses"));
    }

    #[test]
    fn taps_need_no_pointer() {
        let (mut aim, _) = started();
        aim.looked(&Looked::Failed("offline".to_owned()));
        assert!(aim.said().contains("offline"));
        aim.move_cursor((-0.25, 0.0), SIZE);
        assert_eq!(aim.cursor(), Some(&(100.0, 150.0)));
        aim.tap((100.0, 150.0), SIZE);
        aim.move_cursor((9.0, 0.0), SIZE);
        assert_eq!(aim.cursor(), Some(&(400.0, 150.0)));
        aim.toggle_taps();
        assert_eq!((aim.taps(), aim.cursor()), (None, None));
    }

    #[test]
    fn what_the_reader_moved_stays() {
        let (mut aim, _) = started();
        aim.touch();
        assert_eq!(aim.looked(&Looked::Faces(vec![face(40.0)])), None);
        assert!(aim.offers_faces() && aim.said().contains("stays as you moved it"));
        assert!(aim.choose(0).is_some() && !aim.offers_faces());
        assert!(aim.said().contains("its eyes are on the crosses"));
        aim.touch();
        assert!(aim.said().starts_with("Moved by hand"));
    }

    #[test]
    fn only_models_of_faces_look_for_any() {
        let mut aim = Aim::default();
        aim.want(&[]);
        let number = aim.start(1.0);
        assert!(!aim.waits_for(number) && !aim.wants_eyes());
        assert_eq!(aim.said(), "Drag to move it.");
    }
}
