//! Where the values of a varied setting stand on an axis.

use serde_json::Value;

use crate::experiment::{Axis, shown};
use crate::scenario::{parse_duration, parse_size};

use super::super::axis;

/// An axis is logarithmic where its ends are so far apart.
const WIDE: f64 = 10.0;

/// The values of a setting as numbers: themselves, nanoseconds, or bytes. None if any is neither,
/// or if they are not of one kind.
pub fn numbers(axis: &Axis) -> Option<Vec<f64>> {
    let all = |number: fn(&Value) -> Option<f64>| -> Option<Vec<f64>> {
        axis.values.iter().map(number).collect()
    };
    let plain = |value: &Value| value.as_f64().filter(|number| number.is_finite());
    let duration = |value: &Value| Some(parse_duration(value.as_str()?).ok()?.0 as f64);
    let size = |value: &Value| Some(parse_size(value.as_str()?).ok()? as f64);
    all(plain).or_else(|| all(duration)).or_else(|| all(size))
}

/// Values on an axis from left to right.
#[derive(Clone, Debug, PartialEq)]
pub struct Positions {
    /// By number of the value: from 0 to 1.
    pub shares: Vec<f64>,
    /// The numbers of the values, from left to right.
    pub order: Vec<usize>,
    /// As the values are written.
    pub labels: Vec<String>,
    /// Whether equal ratios are equally far apart.
    pub logarithmic: bool,
    /// Whether 0 stands beside a logarithmic axis, on which it has no place.
    pub zero_beside: bool,
}

impl Positions {
    /// None if the values have no place on an axis.
    pub fn of(axis: &Axis) -> Option<Positions> {
        let numbers = numbers(axis)?;
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]).then(a.cmp(b)));
        let above_zero = || numbers.iter().copied().filter(|number| *number > 0.0);
        let least = above_zero().fold(f64::INFINITY, f64::min);
        let most = numbers.iter().copied().fold(0.0, f64::max);
        let none_below = numbers.iter().all(|number| *number >= 0.0);
        let logarithmic =
            none_below && above_zero().count() > 2 && most / least >= WIDE && are_crowded(&numbers);
        let zero_beside = logarithmic && numbers.contains(&0.0);
        let scale = if logarithmic {
            let start = if zero_beside {
                1.0 / numbers.len() as f64
            } else {
                0.0
            };
            axis::Axis::logarithmic((least, most), (start, 1.0))
        } else {
            let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            axis::Axis::linear(
                (least, numbers.iter().copied().fold(least, f64::max)),
                (0.0, 1.0),
            )
        };
        let share = |number: &f64| match zero_beside && *number == 0.0 {
            true => 0.0,
            false => scale.map(*number),
        };
        Some(Positions {
            shares: numbers.iter().map(share).collect(),
            order,
            labels: axis.values.iter().map(shown).collect(),
            logarithmic,
            zero_beside,
        })
    }
}

/// Whether most values would stand in the first quarter of a linear axis.
fn are_crowded(numbers: &[f64]) -> bool {
    let most = numbers.iter().copied().fold(0.0, f64::max);
    let low = numbers.iter().filter(|number| **number < 0.25 * most);
    2 * low.count() > numbers.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(values: &str) -> Option<Positions> {
        Positions::of(&Axis::parse(&format!("worker.field={values}")).unwrap())
    }

    #[test]
    fn numbers_that_grow_by_ratio_get_a_logarithmic_axis() {
        for (values, logarithmic) in [
            ("1,2,5,10,20,50,100,500,1000", true),
            ("1..1000 log 7", true),
            ("1ms,10ms,1s", true),
            ("1..20", false),
            ("10,20,30,40", false),
            ("1,1000", false),
            ("0,1,2,3,4", false),
        ] {
            let positions = positions(values).expect("numbers");
            assert_eq!(positions.logarithmic, logarithmic, "{values}");
        }
    }

    #[test]
    fn places_keep_ratios_and_order() {
        let places = positions("100,1,10").unwrap();
        assert_eq!(places.order, [1, 2, 0]);
        assert!((places.shares[2] - 0.5).abs() < 1e-9, "{places:?}");
        let linear = positions("1,3,2").unwrap();
        assert_eq!(linear.shares, [0.0, 1.0, 0.5]);
    }

    #[test]
    fn zero_stands_beside_a_logarithmic_axis() {
        let places = positions("0,1,10,100,1000").unwrap();
        assert!(places.logarithmic && places.zero_beside);
        assert_eq!(places.shares[0], 0.0);
        assert!(
            places.shares[1] > 0.1 && places.shares[4] == 1.0,
            "{places:?}"
        );
    }

    #[test]
    fn units_are_understood_and_words_are_not() {
        let places = positions("500us,1ms,1.5ms").unwrap();
        assert!((places.shares[1] - 0.5).abs() < 1e-9);
        assert!(positions("1kb,2kb").is_some());
        for values in [
            "true,false",
            "AUTO_ACKNOWLEDGE,CLIENT_ACKNOWLEDGE",
            "1,1ms",
            "{},[]",
        ] {
            assert_eq!(positions(values), None, "{values}");
        }
    }

    #[test]
    fn a_single_value_has_a_place() {
        assert_eq!(positions("7").unwrap().shares, [0.0]);
        assert_eq!(positions("0").unwrap().shares, [0.0]);
    }
}
