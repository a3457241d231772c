//! Standard exponential and normal draws by the ziggurat method (Marsaglia & Tsang 2000; the order
//! of its steps as in Doornik 2005).
//!
//! The area under the density is covered by 256 layers of equal area. A draw picks a layer and a
//! point across it; in 98 of 100 cases that point lies under the density for sure and one
//! multiplication and one comparison are all. The tables are made by the pinned `libm`, so they
//! hold the same bits on every machine.

use std::sync::LazyLock;

use super::random::Stream;

const LAYERS: usize = 256;

/// Where the tail of the exponential density begins, and the area of each layer.
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;
const EXPONENTIAL_AREA: f64 = 0.003_949_659_822_581_557;

/// The same of the normal density exp(-x²/2).
const NORMAL_TAIL: f64 = 3.654_152_885_361_009;
const NORMAL_AREA: f64 = 0.004_928_673_233_992_336;

/// The layers under one density that falls from f(0) = 1. Layer 0 holds the tail; layer i > 0
/// reaches from 0 to `edge[i]` and from height `density[i]` to `density[i + 1]`.
#[derive(Debug)]
struct Layers {
    edge: [f64; LAYERS + 1],
    density: [f64; LAYERS + 1],
}

impl Layers {
    fn new(tail: f64, area: f64, density: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Layers {
        let mut edge = [0.0; LAYERS + 1];
        edge[0] = area / density(tail);
        edge[1] = tail;
        for layer in 2..LAYERS {
            let below = edge[layer - 1];
            edge[layer] = inverse(area / below + density(below));
        }
        Layers {
            edge,
            density: edge.map(density),
        }
    }

    /// Whether a point at `x` in a layer, at a random height of it, lies under the density.
    fn is_under(&self, layer: usize, density_at_x: f64, stream: &mut Stream) -> bool {
        let (bottom, top) = (self.density[layer], self.density[layer + 1]);
        top + (bottom - top) * stream.unit() < density_at_x
    }
}

static EXPONENTIAL: LazyLock<Layers> = LazyLock::new(|| {
    let density = |x: f64| libm::exp(-x);
    let inverse = |y: f64| -libm::log(y);
    Layers::new(EXPONENTIAL_TAIL, EXPONENTIAL_AREA, density, inverse)
});

static NORMAL: LazyLock<Layers> = LazyLock::new(|| {
    let inverse = |y: f64| (-2.0 * libm::log(y)).sqrt();
    Layers::new(NORMAL_TAIL, NORMAL_AREA, normal_density, inverse)
});

fn normal_density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x)
}

/// The lowest 8 bits choose the layer, the highest 53 the point across it, from 0 to 1.
fn layer_and_point(bits: u64) -> (usize, f64) {
    let point = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    (bits as usize % LAYERS, point)
}

/// Draws from the exponential distribution with mean 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exponential(&'static Layers);

impl Exponential {
    pub(super) fn new() -> Exponential {
        Exponential(&EXPONENTIAL)
    }

    #[inline]
    pub(super) fn draw(self, stream: &mut Stream) -> f64 {
        loop {
            let (layer, point) = layer_and_point(stream.next_u64());
            let x = point * self.0.edge[layer];
            if x < self.0.edge[layer + 1] {
                return x;
            }
            if let Some(x) = self.draw_at_edge(layer, x, stream) {
                return x;
            }
        }
    }

    /// Two in a hundred.
    #[cold]
    #[inline(never)]
    fn draw_at_edge(self, layer: usize, x: f64, stream: &mut Stream) -> Option<f64> {
        if layer == 0 {
            return Some(EXPONENTIAL_TAIL + exponential_by_logarithm(stream));
        }
        let is_under = self.0.is_under(layer, libm::exp(-x), stream);
        is_under.then_some(x)
    }
}

/// Draws from the normal distribution with mean 0 and standard deviation 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normal(&'static Layers);

impl Normal {
    pub(super) fn new() -> Normal {
        Normal(&NORMAL)
    }

    #[inline]
    pub(super) fn draw(self, stream: &mut Stream) -> f64 {
        loop {
            let (layer, point) = layer_and_point(stream.next_u64());
            // Across both halves of the bell: from -1 to 1.
            let x = (2.0 * point - 1.0) * self.0.edge[layer];
            if x.abs() < self.0.edge[layer + 1] {
                return x;
            }
            if layer == 0 {
                return normal_tail(stream).copysign(x);
            }
            if self.0.is_under(layer, normal_density(x), stream) {
                return x;
            }
        }
    }
}

/// Mean 1, the slow way; finite, since `unit` never gives 1.
fn exponential_by_logarithm(stream: &mut Stream) -> f64 {
    -libm::log(1.0 - stream.unit())
}

/// A normal draw beyond `NORMAL_TAIL` (Marsaglia 1964).
fn normal_tail(stream: &mut Stream) -> f64 {
    loop {
        let beyond = exponential_by_logarithm(stream) / NORMAL_TAIL;
        if 2.0 * exponential_by_logarithm(stream) >= beyond * beyond {
            return NORMAL_TAIL + beyond;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published constants are right if the last layer ends exactly at the top of the density,
    /// f(0) = 1.
    #[test]
    fn layers_fill_the_area_under_the_density() {
        for (layers, area) in [(&EXPONENTIAL, EXPONENTIAL_AREA), (&NORMAL, NORMAL_AREA)] {
            for layer in 1..LAYERS {
                let height = layers.density[layer + 1] - layers.density[layer];
                let error = layers.edge[layer] * height / area - 1.0;
                assert!(error.abs() < 1e-8, "layer {layer}: {error}");
            }
        }
    }

    #[test]
    fn tails_have_their_weight() {
        let mut stream = Stream::new(1, "tail", "weight");
        let n = 4_000_000;
        let exponential = (0..n)
            .filter(|_| Exponential::new().draw(&mut stream) > 8.0)
            .count();
        let expected = 4e6 * 3.354_626_279e-4; // exp(-8)
        assert!(
            (exponential as f64 - expected).abs() < 4.0 * expected.sqrt(),
            "{exponential}"
        );
        let normal: Vec<f64> = (0..n)
            .map(|_| Normal::new().draw(&mut stream))
            .filter(|z| z.abs() > 3.7)
            .collect();
        let expected = 4e6 * 2.156e-4; // two-sided, from a printed table of the normal distribution
        assert!(
            (normal.len() as f64 - expected).abs() < 4.0 * expected.sqrt(),
            "{}",
            normal.len()
        );
        let left = normal.iter().filter(|z| **z < 0.0).count() as f64;
        let half = normal.len() as f64 / 2.0;
        assert!(
            (left - half).abs() < 4.0 * (half / 2.0).sqrt(),
            "{left} of {}",
            normal.len()
        );
    }
}
