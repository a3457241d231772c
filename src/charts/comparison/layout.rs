//! Which varied setting stands where in a picture.

use super::COLORS;
use super::position::numbers;
use crate::experiment::Axis;

/// Settings that get a row of their own; more become a map.
pub const MOST_ROWS: usize = 60;

/// How settings are laid out.
#[derive(Clone, Debug, PartialEq)]
pub enum Layout {
    /// Lines over a number.
    Curves(Curves),
    /// A coloured cell for each pair of values.
    Map(Map),
    /// A row for each setting.
    Rows,
}

/// Axes by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// From left to right.
    pub x: usize,
    /// A line for each of its values.
    pub lines: Option<usize>,
    /// A panel for each combination.
    pub panels: Vec<usize>,
}

/// Axes by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// From left to right.
    pub x: usize,
    /// From top to bottom.
    pub y: usize,
    /// A panel for each combination.
    pub panels: Vec<usize>,
}

/// The layout that reads best.
pub fn choose(axes: &[Axis]) -> Layout {
    let count = |axis: &usize| axes[*axis].values.len();
    let varied: Vec<usize> = (0..axes.len()).filter(|axis| count(axis) > 1).collect();
    let without = |used: &[usize]| -> Vec<usize> {
        let rest = varied.iter().copied();
        rest.filter(|axis| !used.contains(axis)).collect()
    };
    let settings: usize = axes.iter().map(|axis| axis.values.len()).product();
    let is_line = |axis: &usize| count(axis) <= COLORS.len();
    let numeric = varied
        .iter()
        .filter(|axis| numbers(&axes[**axis]).is_some());
    let is_choice = |axis: usize| !axes[axis].is_circumstance();
    let best = first_max(numeric.copied(), |axis| {
        (!is_line(axis), is_choice(*axis), count(axis))
    });
    let Some(x) = best else {
        return match varied[..] {
            [_, _, ..] if settings > MOST_ROWS => map(&varied, &without, count),
            _ => Layout::Rows,
        };
    };
    let rest = without(&[x]);
    let lines = first_max(rest.iter().copied().filter(is_line), count);
    match lines {
        None if !rest.is_empty() => {
            let y = first_max(rest.into_iter(), count).unwrap_or(x);
            let panels = without(&[x, y]);
            Layout::Map(Map { x, y, panels })
        }
        _ => {
            let used: Vec<usize> = [Some(x), lines].into_iter().flatten().collect();
            let panels = without(&used);
            Layout::Curves(Curves { x, lines, panels })
        }
    }
}

fn map(
    varied: &[usize],
    without: &dyn Fn(&[usize]) -> Vec<usize>,
    count: impl Fn(&usize) -> usize,
) -> Layout {
    let y = first_max(varied.iter().copied(), &count).unwrap_or(0);
    let x = first_max(without(&[y]).into_iter(), &count).unwrap_or(y);
    let panels = without(&[x, y]);
    Layout::Map(Map { x, y, panels })
}

/// The first of those with the largest key.
fn first_max<K: Ord>(
    axes: impl Iterator<Item = usize>,
    key: impl Fn(&usize) -> K,
) -> Option<usize> {
    axes.reduce(|best, other| {
        if key(&other) > key(&best) {
            other
        } else {
            best
        }
    })
}

/// The number of a setting, by its value of each axis: the last axis changes fastest.
pub fn setting(axes: &[Axis], values: &[usize]) -> usize {
    let parts = axes.iter().zip(values);
    parts.fold(0, |number, (axis, value)| {
        number * axis.values.len() + value
    })
}

/// Every combination of values of some axes, as the value of each axis of all; those not asked for
/// stand at their first.
pub fn combinations(axes: &[Axis], asked: &[usize]) -> Vec<Vec<usize>> {
    let start = vec![vec![0; axes.len()]];
    asked.iter().fold(start, |combinations, axis| {
        let extended = |combination: &Vec<usize>| {
            let with = |value: usize| {
                let mut combination = combination.clone();
                combination[*axis] = value;
                combination
            };
            (0..axes[*axis].values.len()).map(with).collect::<Vec<_>>()
        };
        combinations.iter().flat_map(extended).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(vary: &[&str]) -> Layout {
        let axes: Vec<Axis> = vary.iter().map(|text| Axis::parse(text).unwrap()).collect();
        choose(&axes)
    }

    fn curves(x: usize, lines: Option<usize>, panels: &[usize]) -> Layout {
        let panels = panels.to_vec();
        Layout::Curves(Curves { x, lines, panels })
    }

    #[test]
    fn numbers_make_an_axis_and_few_values_lines() {
        assert_eq!(layout(&["w.prefetchSize=1,10,100"]), curves(0, None, &[]));
        let flags = [
            "w.jms.optimizeAcknowledge=true,false",
            "w.prefetchSize=1,10,100",
        ];
        assert_eq!(layout(&flags), curves(1, Some(0), &[]));
        let network = ["network.latency=1ms,10ms,50ms", "w.prefetchSize=1,10"];
        assert_eq!(
            layout(&network),
            curves(1, Some(0), &[]),
            "a choice is looked along"
        );
        let many = ["network.latency=1ms..9ms", "w.prefetchSize=1,10"];
        assert_eq!(
            layout(&many),
            curves(0, Some(1), &[]),
            "two lines rather than nine"
        );
        let three = ["a.jms.x=true,false", "b.jms.y=1,2,3", "w.prefetchSize=1..9"];
        assert_eq!(layout(&three), curves(2, Some(1), &[0]));
    }

    #[test]
    fn two_long_axes_make_a_map() {
        let two = ["network.latency=1ms..9ms", "w.prefetchSize=1..9"];
        let map = Map {
            x: 1,
            y: 0,
            panels: vec![],
        };
        assert_eq!(layout(&two), Layout::Map(map));
    }

    #[test]
    fn settings_without_an_order_make_rows() {
        assert_eq!(
            layout(&["w.acknowledgeMode=AUTO_ACKNOWLEDGE,CLIENT_ACKNOWLEDGE"]),
            Layout::Rows
        );
        assert_eq!(
            layout(&["w.prefetchSize=10"]),
            Layout::Rows,
            "a single setting"
        );
        assert_eq!(layout(&[]), Layout::Rows);
    }

    #[test]
    fn settings_are_found_by_their_values() {
        let axes = ["a.x=1,2", "b.y=1,2,3", "c.z=1,2"].map(|text| Axis::parse(text).unwrap());
        assert_eq!(setting(&axes, &[0, 0, 0]), 0);
        assert_eq!(setting(&axes, &[1, 2, 1]), 11);
        assert_eq!(setting(&axes, &[1, 0, 1]), 7);
        let panels = combinations(&axes, &[0, 2]);
        assert_eq!(panels, [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]]);
    }
}
