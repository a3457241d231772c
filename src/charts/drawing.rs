//! A drawing: shapes in the order in which they are painted, laid out once and then shown to any
//! backend of plotters.
//!
//! Coordinates are points on a page 1,000 points wide, y downwards. A backend gets them in tenths
//! of a point, because plotters speaks in integers and lines that are rounded to whole points look
//! stepped.

use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingBackend};
use plotters_svg::SVGBackend;

use super::bitmap::Bitmap;
use super::font::{self, Align, TextStyle};
use super::palette::Color;

/// Width of every page in points.
pub const PAGE_WIDTH: f64 = 1000.0;
/// Width of every PNG in pixels.
const PNG_WIDTH: u32 = 1600;
const UNITS_PER_POINT: f64 = 10.0;

/// A place on the page.
pub type Place = (f64, f64);

/// An upright rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Area {
    /// From corner to corner.
    pub fn new(left: f64, top: f64, right: f64, bottom: f64) -> Area {
        Area {
            left,
            top,
            right,
            bottom,
        }
    }

    /// From left to right.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// From top to bottom.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// How a text looks.
#[derive(Clone, Copy)]
pub struct Type {
    /// Height of the em in points.
    pub em: f64,
    /// Bold or regular.
    pub bold: bool,
    /// Which colour.
    pub color: Color,
}

impl Type {
    /// How wide a line is, in points.
    pub fn width(&self, text: &str) -> f64 {
        font::width(text, self.em, self.bold)
    }

    /// A line that fits in `room`, cut if need be.
    pub fn shorten(&self, text: &str, room: f64) -> String {
        font::shorten(text, self.em, self.bold, room)
    }

    /// The same in another colour.
    pub fn colored(self, color: Color) -> Type {
        Type { color, ..self }
    }
}

enum Shape {
    Rectangle(Area, Color),
    Path(Vec<Place>, f64, Color),
    Polygon(Vec<Place>, Color),
    Circle(Place, f64, Color),
    Text(Place, String, Type, Align),
}

struct Stroke {
    width: u32,
    color: Color,
}

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

/// Shapes on a page.
#[derive(Default)]
pub struct Drawing {
    /// What the picture is called: read aloud where it can't be seen.
    pub title: String,
    /// Height of the page in points.
    pub height: f64,
    shapes: Vec<Shape>,
}

impl Drawing {
    /// A filled rectangle.
    pub fn rectangle(&mut self, area: Area, color: Color) {
        self.shapes.push(Shape::Rectangle(area, color));
    }

    /// A line through places.
    pub fn path(&mut self, places: Vec<Place>, width: f64, color: Color) {
        if places.len() > 1 {
            self.shapes.push(Shape::Path(places, width, color));
        }
    }

    /// A straight line.
    pub fn line(&mut self, from: Place, to: Place, width: f64, color: Color) {
        self.path(vec![from, to], width, color);
    }

    /// A straight line in dashes.
    pub fn dashes(&mut self, from: Place, to: Place, width: f64, color: Color) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt();
        let count = ((length / 10.0) as usize).clamp(1, 400);
        let at = |share: f64| (from.0 + dx * share, from.1 + dy * share);
        for dash in 0..count {
            let start = dash as f64 / count as f64;
            self.line(at(start), at(start + 0.6 / count as f64), width, color);
        }
    }

    /// A filled polygon.
    pub fn polygon(&mut self, corners: Vec<Place>, color: Color) {
        self.shapes.push(Shape::Polygon(corners, color));
    }

    /// A disc.
    pub fn circle(&mut self, center: Place, radius: f64, color: Color) {
        self.shapes.push(Shape::Circle(center, radius, color));
    }

    /// A line of text with its baseline at a place.
    pub fn text(&mut self, place: Place, align: Align, look: Type, text: impl Into<String>) {
        let text: String = text.into();
        let text = text.replace(|letter: char| letter.is_control(), " ");
        if !text.is_empty() {
            self.shapes.push(Shape::Text(place, text, look, align));
        }
    }

    /// As an SVG file.
    pub fn svg(&self) -> Vec<u8> {
        let mut body = String::new();
        self.show(&mut SVGBackend::with_string(&mut body, self.units()));
        let (width, height) = self.units();
        let shapes = body.split_once('\n').map_or("", |(_, shapes)| shapes);
        let title = escape(&self.title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{}\" height=\"{}\" role=\"img\" stroke-linejoin=\"round\">\n\
             <title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>\n{shapes}",
            PAGE_WIDTH,
            self.height.ceil(),
        )
        .into_bytes()
    }

    /// As a PNG file.
    pub fn png(&self) -> Vec<u8> {
        let mut bitmap = Bitmap::new(self.units(), PNG_WIDTH);
        self.show(&mut bitmap);
        bitmap.png()
    }

    fn units(&self) -> (u32, u32) {
        let units = |points: f64| (points * UNITS_PER_POINT) as u32;
        (units(PAGE_WIDTH), units(self.height.ceil()))
    }

    /// Paints every shape on a backend that draws into memory.
    fn show<B: DrawingBackend>(&self, backend: &mut B) {
        for shape in &self.shapes {
            paint(backend, shape).expect("memory takes every shape");
        }
        backend.present().expect("memory takes every shape");
    }
}

fn paint<B: DrawingBackend>(
    backend: &mut B,
    shape: &Shape,
) -> Result<(), plotters_backend::DrawingErrorKind<B::ErrorType>> {
    match shape {
        Shape::Rectangle(area, color) => {
            let from = fine((area.left, area.top));
            backend.draw_rect(from, fine((area.right, area.bottom)), color, true)
        }
        Shape::Path(places, width, color) => {
            let stroke = Stroke {
                width: (width * UNITS_PER_POINT) as u32,
                color: *color,
            };
            backend.draw_path(places.iter().copied().map(fine), &stroke)
        }
        Shape::Polygon(corners, color) => {
            backend.fill_polygon(corners.iter().copied().map(fine), color)
        }
        Shape::Circle(center, radius, color) => backend.draw_circle(
            fine(*center),
            (radius * UNITS_PER_POINT) as u32,
            color,
            true,
        ),
        Shape::Text((x, y), text, look, align) => {
            let style = TextStyle {
                em: look.em * UNITS_PER_POINT,
                bold: look.bold,
                color: look.color,
                align: *align,
            };
            backend.draw_text(text, &style, fine((*x, *y - font::BASELINE * look.em)))
        }
    }
}

fn fine((x, y): Place) -> BackendCoord {
    let unit = |points: f64| (points * UNITS_PER_POINT).round() as i32;
    (unit(x), unit(y))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
impl Drawing {
    /// Every text with the box that it covers.
    pub fn texts(&self) -> Vec<(Area, String)> {
        let text = |shape: &Shape| match shape {
            Shape::Text((x, y), text, look, align) => {
                let width = look.width(text);
                let left = match align {
                    Align::Left => *x,
                    Align::Middle => x - width / 2.0,
                    Align::Right => x - width,
                };
                // Letters of usual height: from the top of an x to the baseline.
                let area = Area::new(left, y - look.em * 0.55, left + width, *y);
                Some((area, text.clone()))
            }
            _ => None,
        };
        self.shapes.iter().filter_map(text).collect()
    }

    /// Every corner of every shape.
    pub fn places(&self) -> Vec<Place> {
        let places = |shape: &Shape| match shape {
            Shape::Rectangle(area, _) => vec![(area.left, area.top), (area.right, area.bottom)],
            Shape::Path(places, ..) | Shape::Polygon(places, _) => places.clone(),
            Shape::Circle(center, ..) => vec![*center],
            Shape::Text(place, ..) => vec![*place],
        };
        self.shapes.iter().flat_map(places).collect()
    }

    /// The page has a size that can be looked at, and nothing lies beyond its edges.
    pub fn assert_on_page(&self, name: &str) {
        let height = self.height;
        assert!((50.0..4_000.0).contains(&height), "{name}: {height}");
        for (x, y) in self.places() {
            assert!((-1.0..=PAGE_WIDTH + 1.0).contains(&x), "{name}: {x}");
            assert!((-1.0..=height + 1.0).contains(&y), "{name}: {y}");
        }
    }

    /// No text runs over the edge or over another.
    pub fn assert_legible(&self, name: &str) {
        let texts = self.texts();
        for (index, (area, text)) in texts.iter().enumerate() {
            let inside = area.left >= 0.0 && area.right <= PAGE_WIDTH;
            assert!(inside, "{name}: {text} {area:?}");
            for (other, other_text) in &texts[..index] {
                let apart = area.right <= other.left
                    || other.right <= area.left
                    || area.bottom <= other.top
                    || other.bottom <= area.top;
                assert!(apart, "{name}: {text} over {other_text}");
            }
        }
    }

    /// No name of anything is markup, and every number is one.
    pub fn assert_well_formed(&self, name: &str) {
        let svg = String::from_utf8(self.svg()).expect("SVG is text");
        let strange = ["<b>", "NaN", "inf"]
            .into_iter()
            .find(|text| svg.contains(text));
        assert_eq!(strange, None, "{name}");
        let (opened, closed) = (svg.matches("<text").count(), svg.matches("</text>").count());
        assert_eq!(opened, closed, "{name}");
        assert!(svg.ends_with("</svg>\n"), "{name}");
    }
}
