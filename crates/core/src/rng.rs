//! Named streams of random numbers: equal seeds and names give equal numbers on every platform and in every
//! order of calls.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// Generator of one stream; its values are stable across releases, unlike those of `StdRng`.
pub type TrialRng = ChaCha8Rng;

/// Seed of the stream `name`, `index` under `seed`.
///
/// The seed is FNV-1a over the name and the two integers, followed by the finalizer of `SplitMix64` (Steele,
/// Lea & Flood 2014), so that neighbouring indices give unrelated seeds.
pub fn stream_seed(seed: u64, name: &str, index: u64) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let bytes = seed.to_le_bytes().into_iter().chain(name.bytes()).chain(index.to_le_bytes());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// Generator of the stream `name`, `index` under `seed`.
pub fn stream(seed: u64, name: &str, index: u64) -> TrialRng {
    ChaCha8Rng::seed_from_u64(stream_seed(seed, name, index))
}

/// A uniform number in `[0, 1)` with 53 random bits.
pub fn uniform(rng: &mut TrialRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_stable_and_distinct() {
        assert_eq!(stream_seed(42, "sampler", 0), stream_seed(42, "sampler", 0));
        let mut seeds: Vec<u64> = (0..1000).map(|i| stream_seed(42, "sampler", i)).collect();
        seeds.extend((0..1000).map(|i| stream_seed(42, "trial", i)));
        seeds.extend((0..1000).map(|i| stream_seed(43, "trial", i)));
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 3000);
    }
}
