//! The worker's worker, with WebGPU.
fn main() {
    #[cfg(any(target_arch = "wasm32", clippy))]
    web::worker::start_gpu();
}
