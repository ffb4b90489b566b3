//! The optimizer's passes over the parameters, in place where a tensor has no other owner.

use burn_flex::FlexTensor;

use super::vectors::arch;
use crate::backend::optimizer::{Adam, Moments};
use crate::threads::each;

/// Numbers that a thread takes at a time.
const CHUNK: usize = 1 << 16;

/// See [`crate::backend::DifferentiableKernels::blend`].
pub fn blend(mut mean: FlexTensor, towards: &FlexTensor, keep: f32) -> FlexTensor {
    let chunks = mean.storage_mut::<f32>().chunks_mut(CHUNK).zip(towards.storage::<f32>().chunks(CHUNK));
    each(chunks.collect(), |(mean, towards)| {
        arch().dispatch(
            #[inline(always)]
            || {
                for (m, x) in mean.iter_mut().zip(towards) {
                    *m = keep * *m + (1.0 - keep) * x;
                }
            },
        );
    });
    mean
}

/// See [`crate::backend::DifferentiableKernels::adam`].
pub fn adam(mut parameter: Moments<FlexTensor>, grad: &FlexTensor, adam: Adam) -> Moments<FlexTensor> {
    let [factor, keep_first, keep_second] = [adam.factor, adam.keep[0], adam.keep[1]].map(|x| x as f32);
    let [rate, second_factor, epsilon, decay] =
        [adam.rate, adam.second_factor, adam.epsilon, adam.decay].map(|x| x as f32);
    let Moments { value, first, second } = &mut parameter;
    let moments = first.storage_mut::<f32>().chunks_mut(CHUNK).zip(second.storage_mut::<f32>().chunks_mut(CHUNK));
    let values = value.storage_mut::<f32>().chunks_mut(CHUNK).zip(grad.storage::<f32>().chunks(CHUNK));
    each(values.zip(moments).collect(), |((value, grad), (first, second))| {
        arch().dispatch(
            #[inline(always)]
            || {
                for (((value, g), m), v) in value.iter_mut().zip(grad).zip(first).zip(second) {
                    let g = factor * g;
                    *m = keep_first * *m + (1.0 - keep_first) * g;
                    *v = keep_second * *v + (1.0 - keep_second) * (g * g);
                    *value = decay * *value - rate * *m / ((second_factor * *v).sqrt() + epsilon);
                }
            },
        );
    });
    parameter
}
