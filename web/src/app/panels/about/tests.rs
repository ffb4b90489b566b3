use super::state::moved_latents;
use shared::geometry::Levels;
use shared::{LevelConfig, RgFlowConfig};

#[test]
fn the_moved_latents_are_there() {
    let level = LevelConfig { layers: 1, res_blocks: 1, mlp: 1, hidden: 4 };
    for size in [8, 16, 32, 64] {
        let config = RgFlowConfig::new(size, vec![level; (size / 4).ilog2() as usize + 1]);
        for at in moved_latents(&config) {
            assert!(Levels::new(&config).index(at).is_ok(), "{at:?} of {size}");
        }
    }
}
