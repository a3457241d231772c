//! Named random streams.
//!
//! A stream is ChaCha with 8 rounds under a 256-bit key that is made of its name:
//!
//! 1. *Absorb*: the 64-bit FNV-1a hash of the actor's bytes, one byte 0xFF (which no UTF-8 text
//!    contains, so that "ab", "c" and "a", "bc" differ), and the purpose's bytes.
//! 2. *Squeeze*: SplitMix64, begun at mix(seed) XOR hash (`mix` being SplitMix64's finaliser),
//!    gives four words; the key is these, little-endian.
//!
//! The rule is part of the program's contract: seeds quoted in a report keep their meaning. It
//! depends on neither the platform nor the order in which streams are made. The 64 bits between the
//! steps mean that two among n streams of a run coincide with a chance of n²/2⁶⁵: never, for the
//! names of a scenario.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random numbers of one actor for one purpose.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of this name, at its beginning.
    pub fn new(seed: u64, actor: &str, purpose: &str) -> Stream {
        let mut state = mix(seed) ^ fnv1a(actor, purpose);
        let mut key = [0; 32];
        for word in key.chunks_exact_mut(8) {
            state = state.wrapping_add(GOLDEN_GAMMA);
            word.copy_from_slice(&mix(state).to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 to `bound - 1`, every one exactly alike (Lemire's multiplication with
    /// rejection).
    ///
    /// # Panics
    /// If `bound` is 0.
    #[inline]
    pub fn uniform_below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below 0");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// True with this probability: never at 0 or below, always at 1 or above. Draws one number in
    /// every case, so that a changed probability does not shift what is drawn later.
    #[inline]
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number from 0 (inclusive) to 1 (exclusive): a multiple of 2^-53.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * UNIT
    }
}

/// Sixty-four bits that change with the number of draws from any of some streams: in their order, what each of those
/// that were drawn from would give next. Watching costs nothing while a run goes on.
pub fn print_of_draws<'a>(streams: impl Iterator<Item = &'a Stream>) -> u64 {
    streams
        .filter(|stream| stream.0.get_word_pos() > 0)
        .fold(GOLDEN_GAMMA, |print, stream| {
            mix(print ^ stream.clone().next_u64())
        })
}

/// 2^-53
const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;

/// SplitMix64's increment: 2^64 divided by the golden ratio, made odd.
const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finaliser: every bit of the input moves every bit of the output.
fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

fn fnv1a(actor: &str, purpose: &str) -> u64 {
    let bytes = actor.bytes().chain([0xFF]).chain(purpose.bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(seed: u64, actor: &str, purpose: &str) -> Vec<u64> {
        let mut stream = Stream::new(seed, actor, purpose);
        (0..8).map(|_| stream.next_u64()).collect()
    }

    /// Reference outputs of Vigna's splitmix64.c for the seed 1234567.
    #[test]
    fn the_mixer_is_splitmix64() {
        let mut state = 1_234_567_u64;
        let words: Vec<u64> = (0..3)
            .map(|_| {
                state = state.wrapping_add(GOLDEN_GAMMA);
                mix(state)
            })
            .collect();
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(words, published);
    }

    /// FNV-1a of "foobar" is 0x85944171f73967e8 by the authors' test suite; the separator stands
    /// before it.
    #[test]
    fn the_hash_is_fnv1a() {
        let start: u64 = 0xCBF2_9CE4_8422_2325;
        let plain = "foobar".bytes().fold(start, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3)
        });
        assert_eq!(plain, 0x8594_4171_F739_67E8);
        let separated = (plain ^ 0xFF).wrapping_mul(0x100_0000_01B3);
        assert_eq!(fnv1a("foobar", ""), separated);
    }

    #[test]
    fn every_part_of_the_name_makes_another_stream() {
        let names = [
            (1, "worker", "processing"),
            (2, "worker", "processing"),
            (1, "worker-1", "processing"),
            (1, "worker", "failures"),
            (1, "workerp", "rocessing"),
            (1, "", "workerprocessing"),
        ];
        let all: Vec<_> = names
            .map(|(seed, actor, purpose)| draws(seed, actor, purpose))
            .to_vec();
        for (index, one) in all.iter().enumerate() {
            assert!(
                all[..index].iter().all(|other| one[0] != other[0]),
                "{:?}",
                names[index]
            );
        }
    }

    #[test]
    fn other_streams_do_not_move_a_stream() {
        let alone = draws(7, "worker", "processing");
        let mut one = Stream::new(7, "worker", "processing");
        let mut other = Stream::new(7, "other", "processing");
        let beside: Vec<u64> = (0..8)
            .map(|_| {
                other.next_u64();
                one.next_u64()
            })
            .collect();
        assert_eq!(alone, beside);
    }

    /// Streams of different names are as uncorrelated as chance allows: |r| of n pairs is below
    /// 4/√n.
    #[test]
    fn every_draw_shows_in_the_print_and_a_stream_that_nobody_used_does_not() {
        let print = |draws: [u32; 2]| {
            let streams = ["one", "other"]
                .into_iter()
                .zip(draws)
                .map(|(actor, draws)| {
                    let mut stream = Stream::new(7, actor, "processing");
                    (0..draws).for_each(|_| _ = stream.next_u64());
                    stream
                });
            print_of_draws(streams.collect::<Vec<_>>().iter())
        };
        assert_eq!(print([3, 40]), print([3, 40]));
        let others = [[3, 41], [4, 40], [40, 3], [0, 40], [3, 0], [0, 0]];
        assert!(others.iter().all(|draws| print(*draws) != print([3, 40])));
        let unused = Stream::new(8, "one", "processing");
        assert_eq!(print_of_draws([unused].iter()), print([0, 0]));
    }

    #[test]
    fn streams_are_uncorrelated() {
        let n = 100_000;
        let pairs = [
            (("worker-1", "processing"), ("worker-2", "processing")),
            (("worker-1", "processing"), ("worker-1", "failures")),
        ];
        for ((actor, purpose), (other_actor, other_purpose)) in pairs {
            let mut one = Stream::new(1, actor, purpose);
            let mut other = Stream::new(1, other_actor, other_purpose);
            let sum: f64 = (0..n)
                .map(|_| (one.unit() - 0.5) * (other.unit() - 0.5))
                .sum();
            let correlation = sum * 12.0 / f64::from(n);
            assert!(
                correlation.abs() < 4.0 / f64::from(n).sqrt(),
                "{correlation}"
            );
        }
    }

    #[test]
    fn below_is_uniform_even_for_bounds_that_do_not_divide() {
        let mut stream = Stream::new(3, "dice", "throw");
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[stream.uniform_below(6) as usize] += 1;
        }
        let chi_square: f64 = counts
            .map(|c| (f64::from(c) - 1e4) * (f64::from(c) - 1e4) / 1e4)
            .iter()
            .sum();
        assert!(
            chi_square < 20.5,
            "99.9 % of chi-square with 5 degrees is 20.5: {chi_square}"
        );
        // Above 2^63 a plain remainder would favour the lower half two to one.
        let bound = 3 << 62;
        let lower = (0..10_000)
            .filter(|_| stream.uniform_below(bound) < bound / 2)
            .count();
        assert!((4_800..5_200).contains(&lower), "{lower}");
    }

    #[test]
    fn chance_is_certain_at_its_ends() {
        let mut stream = Stream::new(3, "coin", "toss");
        assert!((0..1000).all(|_| stream.chance(1.0)));
        assert!((0..1000).all(|_| !stream.chance(0.0)));
        let heads = (0..10_000).filter(|_| stream.chance(0.25)).count();
        assert!((2_350..2_650).contains(&heads), "{heads}");
    }
}
