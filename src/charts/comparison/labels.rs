//! Labels beside marks, where there is room.

use super::super::drawing::{Area, Drawing, Place, Type};
use super::super::font::Align;
use super::super::palette::RULE;

/// Looks for room and remembers what is taken.
pub struct Labels {
    within: Area,
    taken: Vec<Area>,
}

impl Labels {
    /// All labels stand within an area.
    pub fn within(within: Area) -> Labels {
        Labels {
            within,
            taken: Vec::new(),
        }
    }

    /// Keeps a square around a place free.
    pub fn avoid(&mut self, (x, y): Place, half: f64) {
        self.taken
            .push(Area::new(x - half, y - half, x + half, y + half));
    }

    /// Keeps a line free.
    pub fn avoid_line(&mut self, from: Place, to: Place) {
        const STEP: f64 = 6.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = libm::ceil((dx * dx + dy * dy).sqrt() / STEP).clamp(1.0, 400.0);
        for step in 0..=steps as usize {
            let share = step as f64 / steps;
            self.avoid((from.0 + share * dx, from.1 + share * dy), 2.0);
        }
    }

    /// Writes a label as near to a mark as there is room, with a line to it if it is not beside
    /// it. False if there is no room anywhere near.
    pub fn write(&mut self, drawing: &mut Drawing, mark: Place, look: Type, text: &str) -> bool {
        const DISTANCES: [f64; 6] = [13.0, 22.0, 34.0, 50.0, 72.0, 100.0];
        const DIRECTIONS: [Place; 8] = [
            (1.0, 0.0),
            (0.7, -0.7),
            (0.7, 0.7),
            (0.0, -1.0),
            (0.0, 1.0),
            (-1.0, 0.0),
            (-0.7, -0.7),
            (-0.7, 0.7),
        ];
        let width = look.width(text);
        for distance in DISTANCES {
            for (right, down) in DIRECTIONS {
                let near = (mark.0 + distance * right, mark.1 + distance * down);
                let left = near.0 + width * (right.signum() * f64::from(right != 0.0) - 1.0) / 2.0;
                let middle = near.1 + look.em * 0.4 * down;
                let half = look.em * 0.55;
                let area = Area::new(left, middle - half, left + width, middle + half);
                if !self.is_free(area) {
                    continue;
                }
                if distance > DISTANCES[1] {
                    let stub = (mark.0 + 11.0 * right, mark.1 + 11.0 * down);
                    drawing.line(stub, near, 1.0, RULE);
                    self.avoid_line(stub, near);
                }
                self.taken.push(area);
                drawing.text((left, middle + look.em * 0.36), Align::Left, look, text);
                return true;
            }
        }
        false
    }

    fn is_free(&self, area: Area) -> bool {
        let inside = area.left >= self.within.left
            && area.right <= self.within.right
            && area.top >= self.within.top
            && area.bottom <= self.within.bottom;
        inside && !self.taken.iter().any(|other| overlap(area, *other))
    }
}

fn overlap(one: Area, other: Area) -> bool {
    one.left < other.right
        && other.left < one.right
        && one.top < other.bottom
        && other.top < one.bottom
}

#[cfg(test)]
mod tests {
    use super::super::super::page::LABEL;
    use super::*;

    #[test]
    fn labels_of_one_place_do_not_cover_each_other() {
        let mut drawing = Drawing::default();
        let page = Area::new(0.0, 0.0, 300.0, 300.0);
        let mut labels = Labels::within(page);
        labels.avoid((150.0, 150.0), 5.0);
        for text in ["1", "10", "100", "a longer one"] {
            assert!(labels.write(&mut drawing, (150.0, 150.0), LABEL, text));
        }
        let texts = drawing.texts();
        assert_eq!(texts.len(), 4);
        for (index, (area, text)) in texts.iter().enumerate() {
            for (other, _) in &texts[..index] {
                assert!(!overlap(*area, *other), "{text}");
            }
            assert!(
                !overlap(*area, Area::new(145.0, 145.0, 155.0, 155.0)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_label_without_room_is_left_out() {
        let mut drawing = Drawing::default();
        let mut labels = Labels::within(Area::new(0.0, 0.0, 60.0, 60.0));
        assert!(!labels.write(&mut drawing, (30.0, 30.0), LABEL, "far too long for this"));
        assert!(drawing.texts().is_empty());
    }
}
