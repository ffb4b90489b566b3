//! Which vector instructions the kernels use: chosen once, by what the processor is.

#[cfg(target_arch = "x86_64")]
use std::sync::OnceLock;

use pulp::{Arch, Simd, WithSimd};

/// What the CPU's kernels run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuVectors {
    /// The processor's name, or its architecture where it does not say.
    pub processor: String,
    /// The vector instructions.
    pub instructions: &'static str,
    /// Numbers (f32) that one of them takes.
    pub lanes: usize,
    /// Why these.
    pub why: &'static str,
}

/// Numbers in a vector.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// The instructions that kernels use.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn arch() -> Arch {
    Arch::new()
}

/// The same for strips of N rows, which may be fewer than the numbers of a vector.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn arch_for<const N: usize>() -> Arch {
    Arch::new()
}

/// What the kernels run on, and why.
#[cfg(not(target_arch = "x86_64"))]
pub fn cpu_vectors() -> CpuVectors {
    let lanes = arch().dispatch(Lanes);
    let instructions = match (lanes, std::env::consts::ARCH) {
        (1, _) => "none",
        (_, "aarch64") => "NEON",
        _ => "SIMD",
    };
    let (processor, why) = (std::env::consts::ARCH.to_owned(), "the widest that there are");
    CpuVectors { processor, instructions, lanes, why }
}

/// A choice among vectors, and its reason.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Choice {
    arch: Arch,
    why: &'static str,
}

#[cfg(target_arch = "x86_64")]
static CHOICE: OnceLock<Choice> = OnceLock::new();

/// Takes vectors of this many bits in place of the best ones known; `false` if there are none such, or if the kernels
/// have run already.
#[cfg(target_arch = "x86_64")]
pub fn use_vectors(bits: usize) -> bool {
    let arch = match bits {
        256 => narrower(),
        512 => match Arch::new() {
            arch @ Arch::V4(_) => Some(arch),
            _ => None,
        },
        _ => None,
    };
    arch.is_some_and(|arch| CHOICE.set(Choice { arch, why: "as asked for" }).is_ok())
}

/// Takes vectors of this many bits; `false` since there is no choice on this architecture.
#[cfg(not(target_arch = "x86_64"))]
pub fn use_vectors(_bits: usize) -> bool {
    false
}

/// AVX2, where the processor has it.
#[cfg(target_arch = "x86_64")]
fn narrower() -> Option<Arch> {
    pulp::x86::V3::try_new().map(Arch::V3)
}

#[cfg(target_arch = "x86_64")]
fn choice() -> &'static Choice {
    CHOICE.get_or_init(|| {
        let widest = Arch::new();
        match (widest, narrower()) {
            // Zen 4 runs AVX-512 on 256-bit units: training is 0.95 times as fast with it. Zen 5 has units of 512 bits:
            // 1.4 to 1.7 times. Intel's servers have two such units; its laptops one, as wide as two of AVX2.
            (Arch::V4(_), Some(arch)) if halves_vectors() => {
                Choice { arch, why: "AVX-512 takes this processor two passes" }
            }
            _ => Choice { arch: widest, why: "the widest that the processor has" },
        }
    })
}

/// Whether the processor has AVX-512, but computes with half a vector at a time: AMD before Zen 5.
#[cfg(target_arch = "x86_64")]
fn halves_vectors() -> bool {
    const ZEN_5: u8 = 0x1a;
    let id = raw_cpuid::CpuId::new();
    let amd = id.get_vendor_info().is_some_and(|vendor| vendor.as_str() == "AuthenticAMD");
    amd && id.get_feature_info().is_some_and(|info| info.family_id() < ZEN_5)
}

/// The instructions that kernels use.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn arch() -> Arch {
    choice().arch
}

/// The same for strips of N rows, which may be fewer than the numbers of a vector.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn arch_for<const N: usize>() -> Arch {
    match arch() {
        Arch::V4(simd) if !N.is_multiple_of(16) => Arch::V3(*simd),
        arch => arch,
    }
}

/// What the kernels run on, and why.
#[cfg(target_arch = "x86_64")]
pub fn cpu_vectors() -> CpuVectors {
    let Choice { arch, why } = *choice();
    let instructions = match arch {
        Arch::V4(_) => "AVX-512",
        Arch::V3(_) => "AVX2",
        _ => "none",
    };
    let brand = raw_cpuid::CpuId::new().get_processor_brand_string();
    let brand = brand.map(|brand| brand.as_str().trim().to_owned()).filter(|name| !name.is_empty());
    let processor = brand.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    CpuVectors { processor, instructions, lanes: arch.dispatch(Lanes), why }
}

#[cfg(test)]
mod tests {
    use super::super::strip::{NARROW, WIDE};
    use super::*;

    #[test]
    fn strips_are_whole_vectors() {
        let (wide, narrow) = (arch_for::<WIDE>().dispatch(Lanes), arch_for::<NARROW>().dispatch(Lanes));
        assert!(WIDE.is_multiple_of(wide) && NARROW.is_multiple_of(narrow), "{wide} {narrow}");
        let said = cpu_vectors();
        assert_eq!(said.lanes, wide);
        assert_eq!(said.instructions == "none", wide == 1);
        assert!(!said.processor.is_empty());
        // The kernels have run, or there is no such vector.
        assert!(!use_vectors(512) && !use_vectors(100));
    }
}
