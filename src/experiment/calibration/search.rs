//! The search of Nelder and Mead: it needs no derivatives, and little exactness of what it looks at.

/// Values that are looked at.
const BUDGET: usize = 100;
/// It is over where the values at all corners are as close as this.
const CLOSE: f64 = 1e-7;

type Corner = (Vec<f64>, f64);

/// Where a function is small, and how small, beginning at `start` and `step` beside it in each
/// dimension.
pub fn minimum(start: &[f64], step: f64, function: &dyn Fn(&[f64]) -> f64) -> Corner {
    let mut search = Search {
        corners: Vec::new(),
        function,
        looked: 0,
    };
    search.begin(start, step);
    while search.looked < BUDGET && !search.is_flat() {
        search.step();
    }
    search.sort();
    search.corners.swap_remove(0)
}

struct Search<'a> {
    /// One more than there are dimensions.
    corners: Vec<Corner>,
    function: &'a dyn Fn(&[f64]) -> f64,
    looked: usize,
}

impl Search<'_> {
    fn begin(&mut self, start: &[f64], step: f64) {
        let first = self.look(start.to_vec());
        self.corners.push(first);
        for dimension in 0..start.len() {
            let mut point = start.to_vec();
            point[dimension] += step;
            let corner = self.look(point);
            self.corners.push(corner);
        }
    }

    fn look(&mut self, point: Vec<f64>) -> Corner {
        self.looked += 1;
        let value = (self.function)(&point);
        (point, value)
    }

    fn sort(&mut self) {
        self.corners.sort_by(|one, other| one.1.total_cmp(&other.1));
    }

    fn is_flat(&self) -> bool {
        let values = || self.corners.iter().map(|corner| corner.1);
        let least = values().fold(f64::INFINITY, f64::min);
        let most = values().fold(0.0, f64::max);
        most - least < CLOSE
    }

    /// Replaces the worst corner by a better one, or draws all towards the best.
    fn step(&mut self) {
        self.sort();
        let worst = self.corners.len() - 1;
        let (best, second, last) = (
            self.corners[0].1,
            self.corners[worst - 1].1,
            self.corners[worst].1,
        );
        let mirrored = self.look(self.beyond(1.0));
        let next = if mirrored.1 < best {
            let farther = self.look(self.beyond(2.0));
            Some(if farther.1 < mirrored.1 {
                farther
            } else {
                mirrored
            })
        } else if mirrored.1 < second {
            Some(mirrored)
        } else {
            let (factor, limit) = if mirrored.1 < last {
                (0.5, mirrored.1)
            } else {
                (-0.5, last)
            };
            Some(self.look(self.beyond(factor))).filter(|nearer| nearer.1 < limit)
        };
        match next {
            Some(corner) => self.corners[worst] = corner,
            None => self.shrink(),
        }
    }

    /// The worst corner, mirrored at the middle of the others, so many times as far away.
    fn beyond(&self, factor: f64) -> Vec<f64> {
        let (last, others) = self.corners.split_last().expect("there are corners");
        let of = |dimension: usize| {
            let sum: f64 = others.iter().map(|corner| corner.0[dimension]).sum();
            let middle = sum / others.len() as f64;
            middle + factor * (middle - last.0[dimension])
        };
        (0..last.0.len()).map(of).collect()
    }

    fn shrink(&mut self) {
        let best = self.corners[0].0.clone();
        for index in 1..self.corners.len() {
            let point = &self.corners[index].0;
            let nearer = point.iter().zip(&best).map(|(at, best)| (at + best) / 2.0);
            let nearer = nearer.collect();
            self.corners[index] = self.look(nearer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valley_is_found() {
        let valley = |point: &[f64]| {
            let (x, y) = (point[0] - 3.0, point[1] + 1.0);
            x * x + 4.0 * y * y + x * y
        };
        let (point, value) = minimum(&[0.0, 0.0], 0.7, &valley);
        assert!(
            (point[0] - 3.0).abs() < 0.01 && (point[1] + 1.0).abs() < 0.01,
            "{point:?}"
        );
        assert!(value < 1e-4);
    }
}
