//! The optimizer's passes over the parameters, in place where a tensor has no other owner.

use burn_flex::FlexTensor;
use pulp::Arch;

use super::threads::each;
use crate::backend::Adam;

/// Numbers that a thread takes at once.
const CHUNK: usize = 1 << 16;

/// See [`crate::backend::DifferentiableKernels::blend`].
pub fn blend(mut mean: FlexTensor, towards: &FlexTensor, keep: f32, factor: f32, squared: bool) -> FlexTensor {
    let chunks = mean.storage_mut::<f32>().chunks_mut(CHUNK).zip(towards.storage::<f32>().chunks(CHUNK));
    each(chunks.collect(), |(mean, towards)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (m, x) in mean.iter_mut().zip(towards) {
                    let x = factor * x;
                    let x = if squared { x * x } else { x };
                    *m = keep * *m + (1.0 - keep) * x;
                }
            },
        );
    });
    mean
}

/// See [`crate::backend::DifferentiableKernels::adam`].
pub fn adam(mut value: FlexTensor, first: &FlexTensor, second: &FlexTensor, adam: Adam) -> FlexTensor {
    let [rate, second_factor, epsilon, decay] =
        [adam.rate, adam.second_factor, adam.epsilon, adam.decay].map(|x| x as f32);
    let moments = first.storage::<f32>().chunks(CHUNK).zip(second.storage::<f32>().chunks(CHUNK));
    let chunks = value.storage_mut::<f32>().chunks_mut(CHUNK).zip(moments);
    each(chunks.collect(), |(value, (first, second))| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for ((value, m), v) in value.iter_mut().zip(first).zip(second) {
                    *value = decay * *value - rate * m / ((second_factor * v).sqrt() + epsilon);
                }
            },
        );
    });
    value
}
