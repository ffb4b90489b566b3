//! What most visits do without.
fn main() {
    web::worker::start_later();
}
