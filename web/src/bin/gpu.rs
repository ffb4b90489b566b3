//! The worker's worker, with WebGPU.
fn main() {
    web::worker::start_gpu();
}
