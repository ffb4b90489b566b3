//! What the action does not see: the sign of a field, where it begins, and from which side it is looked at.

use clap::ValueEnum;

/// Symmetries of the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Symmetry {
    /// None.
    None,
    /// φ → −φ.
    Sign,
    /// The sign, the eight turns and reflections of the square, and the shifts by multiples of a quarter of the edge.
    Lattice,
}

impl Symmetry {
    /// How many images a field has, itself among them.
    pub fn order(self) -> usize {
        match self {
            Self::None => 1,
            Self::Sign => 2,
            Self::Lattice => 2 * 8 * SHIFTS * SHIFTS,
        }
    }

    /// A field's images, one after the other, itself first.
    pub fn images(self, field: &[f32], edge: usize) -> Vec<f32> {
        let negative = |field: &[f32]| field.iter().map(|phi| -phi).collect::<Vec<_>>();
        match self {
            Self::None => field.to_vec(),
            Self::Sign => [field.to_vec(), negative(field)].concat(),
            Self::Lattice => {
                let mut all = Vec::with_capacity(self.order() * field.len());
                for turn in 0..8 {
                    for shift in 0..SHIFTS * SHIFTS {
                        let (down, right) = (shift / SHIFTS * edge / SHIFTS, shift % SHIFTS * edge / SHIFTS);
                        all.extend((0..field.len()).map(|i| {
                            let (row, col) = turned(((i / edge + down) % edge, (i % edge + right) % edge), turn, edge);
                            field[row * edge + col]
                        }));
                    }
                }
                let negatives = negative(&all);
                [all, negatives].concat()
            }
        }
    }
}

/// Shifts along an edge.
const SHIFTS: usize = 4;

/// Where a site lies after one of the square's eight turns and reflections.
fn turned((row, col): (usize, usize), turn: usize, edge: usize) -> (usize, usize) {
    let (row, col) = if turn & 1 == 1 { (col, row) } else { (row, col) };
    let row = if turn & 2 == 2 { edge - 1 - row } else { row };
    (row, if turn & 4 == 4 { edge - 1 - col } else { col })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::lattice::{Phi4, Theory};

    #[test]
    fn images_have_the_fields_action_and_form_a_group() {
        let edge = 8;
        let field: Vec<f32> = (0..64).map(|i| ((i * i * 37 % 101) as f32 / 50.0) - 1.0).collect();
        let set = |symmetry: Symmetry, field: &[f32]| -> HashSet<Vec<u32>> {
            let images = symmetry.images(field, edge);
            assert_eq!(images.len(), symmetry.order() * 64);
            images.chunks_exact(64).map(|image| image.iter().map(|phi| phi.to_bits()).collect()).collect()
        };
        for symmetry in [Symmetry::None, Symmetry::Sign, Symmetry::Lattice] {
            let images = symmetry.images(&field, edge);
            assert_eq!(images[..64], field);
            let all = set(symmetry, &field);
            assert_eq!(all.len(), symmetry.order(), "all images of this field differ");
            let action = Phi4::CRITICAL.action(&field, edge);
            for image in images.chunks_exact(64) {
                assert!((Phi4::CRITICAL.action(image, edge) - action).abs() < 1e-9);
                assert_eq!(set(symmetry, image), all, "an image's images are the field's");
            }
        }
    }
}
