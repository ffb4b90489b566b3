//! Gradients of a half-step's weights, as sums over rows. The rows are cut into parts, whose sums are added at the end:
//! the same numbers in the same order every time.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

use super::net::{Net, Rows};

/// Edge of the tiles that matrices are cut into, one workgroup each.
pub const TILE: usize = 32;
/// Groups of rows that a workgroup reads at once, such that a tile's inputs and outputs are one vector for each of its
/// invocations.
const DEPTH: usize = 4;
/// Edge of an invocation's part of a tile.
const OWN: usize = 2;

/// Tiles of a net's matrices before those of linear l.
fn tiles_before(net: Net, l: usize) -> usize {
    (0..l).map(|l| tiles(net, l)).sum()
}

fn tiles(net: Net, l: usize) -> usize {
    net.inputs(l).div_ceil(TILE) * net.outputs(l).div_ceil(TILE)
}

/// Workgroups for the tiles of both nets' matrices.
pub fn matrix_cubes(net: Net) -> usize {
    2 * tiles_before(net, net.linears())
}

/// Workgroups for the other weights, which have an invocation each.
pub fn sum_cubes(net: Net, units: usize) -> usize {
    (2 * net.sums()).div_ceil(units)
}

/// Adds the gradients of the weights of half-step `at` to those in `parts`: workgroups `[tiles and sums, parts]`, each
/// part `depth` of the groups.
///
/// # Shapes
/// - kept: `[groups, 2 · net.kept()]` and sums: `[groups, 2 · net.sums()]`, as [`super::half_step::half_step`] left
///   them
/// - parts: `[parts, len]`
#[cube(launch)]
pub fn weight_gradients(
    kept: &Array<Rows>,
    sums: &Array<f32>,
    parts: &mut Array<f32>,
    groups: u32,
    depth: u32,
    layers: u32,
    at: u32,
    len: u32,
    #[comptime] net: Net,
) {
    let nets = 2 * layers as usize;
    let net_s = (at / 2 * 2) as usize;
    let this = (at % 2) as usize * comptime!(net.half());
    let other = comptime!(net.half()) - this;
    let part = CUBE_POS_Y as usize;
    let first = part * depth as usize;
    let end = (first + depth as usize).min(groups as usize);
    let start = part * len as usize;
    let tile = CUBE_POS_X as usize;
    if tile < comptime!(matrix_cubes(net)) {
        matrix(kept, parts, tile, first, end, start, nets, net_s, this, other, net);
    } else {
        let column = (tile - comptime!(matrix_cubes(net))) * CUBE_DIM as usize + UNIT_POS as usize;
        if column < comptime!(2 * net.sums()) {
            column_sum(sums, parts, column, first, end, start, nets, net_s, this, other, net);
        }
    }
}

/// One tile of one matrix: Σ_rows input · output's gradient.
#[cube]
fn matrix(
    kept: &Array<Rows>,
    parts: &mut Array<f32>,
    tile: usize,
    first: usize,
    end: usize,
    start: usize,
    nets: usize,
    net_s: usize,
    this: usize,
    other: usize,
    #[comptime] net: Net,
) {
    let of_net = comptime!(tiles_before(net, net.linears()));
    let which = tile / of_net;
    let tile = tile % of_net;
    // Which linear's tile this is, and where that linear's numbers are.
    let mut local = 0;
    let mut inputs = 0;
    let mut outputs = 0;
    let mut place = 0;
    let mut weight = 0;
    let mut stride = 0;
    #[unroll]
    for l in 0..comptime!(net.linears()) {
        let before = comptime!(tiles_before(net, l));
        if tile >= before && tile < comptime!(before + tiles(net, l)) {
            local = tile - before;
            inputs = comptime!(net.inputs(l)).runtime();
            outputs = comptime!(net.outputs(l)).runtime();
            place = comptime!(net.place(l)).runtime();
            stride = comptime!(net.stored_outputs(l)).runtime();
            weight =
                nets * comptime!(net.before(l) + net.stored_inputs(l)) + (net_s + which) * comptime!(net.matrix(l));
            if comptime!(l == 0) {
                weight += this * stride;
            }
            if comptime!(net.ends(l)) {
                weight += other;
            }
        }
    }
    let wide = (outputs + comptime!(TILE - 1)) / TILE;
    let first_input = local / wide * TILE;
    let first_output = local % wide * TILE;

    let mut factors = SharedMemory::<Rows>::new(comptime!(2 * DEPTH * TILE));
    let mut sum = Array::<f32>::new(comptime!(OWN * OWN));
    #[unroll]
    for k in 0..comptime!(OWN * OWN) {
        sum[k] = 0.0;
    }
    let unit = UNIT_POS as usize;
    // What this invocation loads: one number of one of the groups.
    let fetches_output = unit / comptime!(DEPTH * TILE);
    let fetched_group = unit % comptime!(DEPTH * TILE) / TILE;
    let fetched = unit % TILE + select(fetches_output == 1, first_output, first_input);
    let there = fetched < select(fetches_output == 1, outputs, inputs);
    let from = which * comptime!(net.kept()) + place + fetches_output * inputs + fetched;
    // Its part of the tile: neighbours have neighbouring outputs.
    let row = unit / comptime!(TILE / OWN);
    let column = unit % comptime!(TILE / OWN);

    let mut group = first;
    while group < end {
        let mut value = Rows::new(0.0);
        if there && group + fetched_group < end {
            value = kept[(group + fetched_group) * comptime!(2 * net.kept()) + from];
        }
        factors[unit] = value;
        sync_cube();
        #[unroll]
        for g in 0..DEPTH {
            #[unroll]
            for i in 0..OWN {
                let input = factors[comptime!(g * TILE + i * TILE / OWN) + row];
                #[unroll]
                for o in 0..OWN {
                    let products = input * factors[comptime!((DEPTH + g) * TILE + o * TILE / OWN) + column];
                    sum[comptime!(i * OWN + o)] += products[0] + products[1] + products[2] + products[3];
                }
            }
        }
        sync_cube();
        group += DEPTH;
    }
    #[unroll]
    for i in 0..OWN {
        #[unroll]
        for o in 0..OWN {
            let input = first_input + comptime!(i * TILE / OWN) + row;
            let output = first_output + comptime!(o * TILE / OWN) + column;
            if input < inputs && output < outputs {
                parts[start + weight + input * stride + output] += sum[comptime!(i * OWN + o)];
            }
        }
    }
}

/// One column of `sums`: a slope, a bias or a scale.
#[cube]
fn column_sum(
    sums: &Array<f32>,
    parts: &mut Array<f32>,
    column: usize,
    first: usize,
    end: usize,
    start: usize,
    nets: usize,
    net_s: usize,
    this: usize,
    other: usize,
    #[comptime] net: Net,
) {
    let of_net = comptime!(net.sums());
    let at_net = net_s + column / of_net;
    let i = column % of_net;
    // The scale's, unless it is a linear's.
    let mut index =
        nets * comptime!(net.before(net.linears())) + at_net * comptime!(net.dim) + other + i - comptime!(net.kept());
    #[unroll]
    for l in 0..comptime!(net.linears()) {
        let place = comptime!(net.place(l));
        let slopes = nets * comptime!(net.before(l));
        if i >= place && i < comptime!(place + net.inputs(l)) {
            index = slopes + at_net * comptime!(net.stored_inputs(l)) + i - place;
            if comptime!(l == 0) {
                index += this;
            }
        }
        let place = comptime!(net.place(l) + net.inputs(l));
        if i >= place && i < comptime!(place + net.outputs(l)) {
            let bias = slopes + nets * comptime!(net.stored_inputs(l) + net.matrix(l));
            index = bias + at_net * comptime!(net.stored_outputs(l)) + i - place;
            if comptime!(net.ends(l)) {
                index += other;
            }
        }
    }
    let mut sum = 0.0f32;
    let mut group = first;
    while group < end {
        sum += sums[group * comptime!(2 * of_net) + column];
        group += 1;
    }
    parts[start + index] += sum;
}

/// The sum of the parts.
///
/// # Shapes
/// - parts: `[count, len]`, total: `[len]`
#[cube(launch)]
pub fn add_parts(parts: &Array<f32>, total: &mut Array<f32>, count: u32) {
    let len = total.len();
    let mut i = ABSOLUTE_POS;
    while i < len {
        let mut sum = 0.0f32;
        for part in 0..count as usize {
            sum += parts[part * len + i];
        }
        total[i] = sum;
        i += CUBE_COUNT * CUBE_DIM as usize;
    }
}

/// All weights with each matrix transposed, so that neighbouring invocations read neighbouring weights on the way back
/// too.
///
/// # Shapes
/// - theta, transposed: all weights as [`crate::shape::BijectorShape`] orders them
#[cube(launch)]
pub fn transpose(theta: &Array<f32>, transposed: &mut Array<f32>, layers: u32, #[comptime] net: Net) {
    let nets = 2 * layers as usize;
    let mut i = ABSOLUTE_POS;
    while i < transposed.len() {
        let mut from = i;
        #[unroll]
        for l in 0..comptime!(net.linears()) {
            let start = nets * comptime!(net.before(l) + net.stored_inputs(l));
            let size = comptime!(net.matrix(l));
            if i >= start && i < start + nets * size {
                let at = (i - start) % size;
                let column = at / comptime!(net.stored_inputs(l));
                let row = at % comptime!(net.stored_inputs(l));
                from = i - at + row * comptime!(net.stored_outputs(l)) + column;
            }
        }
        transposed[i] = theta[from];
        i += CUBE_COUNT * CUBE_DIM as usize;
    }
}
