//! Weight norm and its gradient, net by net.

use super::vectors::arch;
use crate::threads::each;
use burn::tensor::{Bytes, DType};
use burn_flex::{FlexTensor, Layout};

/// See [`crate::backend::Kernels::weight_norm`].
pub fn run(v: &FlexTensor, g: &FlexTensor) -> FlexTensor {
    let (net, outputs) = sizes(v);
    let mut w = vec![0.0; v.layout().num_elements()];
    let nets = w.chunks_mut(net).zip(v.storage::<f32>().chunks(net)).zip(g.storage::<f32>().chunks(outputs));
    each(nets.collect(), |((w, v), g)| {
        let factors: Vec<f32> = squared_norms(v, outputs).iter().zip(g).map(|(n, g)| g / n.sqrt()).collect();
        scale_columns(v, &factors, w);
    });
    like(v, w)
}

/// See [`crate::backend::DifferentiableKernels::weight_norm_grad`].
pub fn grad(v: &FlexTensor, g: &FlexTensor, grad: &FlexTensor) -> (FlexTensor, FlexTensor) {
    let (net, outputs) = sizes(v);
    let (mut d_v, mut d_g) = (vec![0.0; v.layout().num_elements()], vec![0.0; g.layout().num_elements()]);
    let inputs =
        v.storage::<f32>().chunks(net).zip(grad.storage::<f32>().chunks(net)).zip(g.storage::<f32>().chunks(outputs));
    let nets = d_v.chunks_mut(net).zip(d_g.chunks_mut(outputs)).zip(inputs);
    each(nets.collect(), |((d_v, d_g), ((v, grad), g))| {
        let squares = squared_norms(v, outputs);
        let mut projections = vec![0.0; outputs];
        column_products(v, grad, &mut projections);
        let along: Vec<f32> = projections.iter().zip(&squares).map(|(p, n)| p / n).collect();
        let factors: Vec<f32> = g.iter().zip(&squares).map(|(g, n)| g / n.sqrt()).collect();
        norm_grad(v, grad, &factors, &along, d_v);
        for ((d_g, p), n) in d_g.iter_mut().zip(&projections).zip(&squares) {
            *d_g = p / n.sqrt();
        }
    });
    (like(v, d_v), like(g, d_g))
}

/// Numbers in a net's matrix, and its outputs.
fn sizes(v: &FlexTensor) -> (usize, usize) {
    let shape = v.layout().shape();
    (shape[1] * shape[2], shape[2])
}

fn squared_norms(v: &[f32], outputs: usize) -> Vec<f32> {
    let mut sums = vec![0.0; outputs];
    column_products(v, v, &mut sums);
    sums
}

fn like(tensor: &FlexTensor, values: Vec<f32>) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(tensor.layout().shape().clone()), DType::F32)
}

/// sums += column sums of x·y.
fn column_products(x: &[f32], y: &[f32], sums: &mut [f32]) {
    let n = sums.len();
    arch().dispatch(
        #[inline(always)]
        || {
            for (x, y) in x.chunks_exact(n).zip(y.chunks_exact(n)) {
                for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
                    *sum += x * y;
                }
            }
        },
    );
}

/// y = x with each column multiplied by its factor.
fn scale_columns(x: &[f32], factors: &[f32], y: &mut [f32]) {
    let n = factors.len();
    arch().dispatch(
        #[inline(always)]
        || {
            for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
                for ((y, x), f) in y.iter_mut().zip(x).zip(factors) {
                    *y = x * f;
                }
            }
        },
    );
}

/// The weight norm's gradient in its directions: f·(grad − along·v), column by column.
fn norm_grad(v: &[f32], grad: &[f32], factors: &[f32], along: &[f32], d_v: &mut [f32]) {
    let n = factors.len();
    arch().dispatch(
        #[inline(always)]
        || {
            for ((v, grad), d_v) in v.chunks_exact(n).zip(grad.chunks_exact(n)).zip(d_v.chunks_exact_mut(n)) {
                for ((((d, v), g), f), a) in d_v.iter_mut().zip(v).zip(grad).zip(factors).zip(along) {
                    *d = f * (g - a * v);
                }
            }
        },
    );
}
