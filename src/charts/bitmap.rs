//! A backend for plotters that paints anti-aliased pixels.
//!
//! plotters' own bitmap backend drops the side bearings of glyphs and leaves the edges of polygons
//! jagged. Here every shape becomes an outline whose exact coverage of each pixel is the weight of
//! its colour, and upright rectangles snap to whole pixels, so that bars and grid lines stay crisp
//! (rectangles are opaque). Only additions, products and square roots of IEEE floats: the same
//! pixels on every machine.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle,
};

use super::font;

/// Drawing into memory never fails.
pub type Never = std::convert::Infallible;
type Drawn = Result<(), DrawingErrorKind<Never>>;

/// A white page of RGB pixels. Coordinates arrive in fine units, of which several make a pixel.
pub struct Bitmap {
    units: (u32, u32),
    width: u32,
    height: u32,
    pixels_per_unit: f32,
    pixels: Vec<Rgb>,
}

type Rgb = [u8; 3];

impl Bitmap {
    /// A page of `units` fine units in a picture that is `width` pixels wide.
    pub fn new(units: (u32, u32), width: u32) -> Bitmap {
        let pixels_per_unit = width as f32 / units.0 as f32;
        let height = (units.1 as f32 * pixels_per_unit).ceil() as u32;
        let pixels = vec![[255; 3]; width as usize * height as usize];
        Bitmap {
            units,
            width,
            height,
            pixels_per_unit,
            pixels,
        }
    }

    /// The picture as a PNG file: with a palette, a third of the size and of the time.
    pub fn png(&self) -> Vec<u8> {
        let (palette, indices) = self.indexed();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette.concat());
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::FilterType::Up);
        let mut writer = encoder.write_header().expect("memory takes every byte");
        writer
            .write_image_data(&indices)
            .expect("memory takes every byte");
        writer.finish().expect("memory takes every byte");
        bytes
    }

    /// The 256 most frequent colours, and for each pixel the nearest of them.
    fn indexed(&self) -> (Vec<Rgb>, Vec<u8>) {
        let mut colors = Colors::default();
        let mut numbers = Vec::with_capacity(self.pixels.len());
        for run in self.pixels.chunk_by(|a, b| a == b) {
            let number = colors.number_of(run[0]);
            colors.counts[number as usize] += run.len();
            numbers.resize(numbers.len() + run.len(), number);
        }
        let (palette, places) = colors.palette();
        let indices = numbers
            .into_iter()
            .map(|number| places[number as usize])
            .collect();
        (palette, indices)
    }

    fn place(&self, (x, y): BackendCoord) -> Point {
        let clip = |value: i32, size: u32| (value as f32).clamp(0.0, size as f32);
        let (x, y) = (clip(x, self.units.0), clip(y, self.units.1));
        point(x * self.pixels_per_unit, y * self.pixels_per_unit)
    }

    fn blend(&mut self, x: i32, y: i32, color: BackendColor, coverage: f32) {
        if x < 0 || y < 0 || x >= self.width as i32 || y >= self.height as i32 {
            return;
        }
        // Sixteen steps are as smooth to the eye as 256, and leave few colours.
        let coverage = (coverage.min(1.0) * 16.0 + 0.5) as u32;
        let weight = (coverage as f32 * color.alpha as f32 * 16.0) as u32;
        let (red, green, blue) = color.rgb;
        let pixel = &mut self.pixels[y as usize * self.width as usize + x as usize];
        for (paper, ink) in pixel.iter_mut().zip([red, green, blue]) {
            let mixed = u32::from(*paper) * (256 - weight) + u32::from(ink) * weight;
            *paper = (mixed / 256) as u8;
        }
    }

    /// Fills whole pixels: at least one in each direction.
    fn fill_snapped(&mut self, from: Point, to: Point, color: BackendColor) {
        let snap = |low: f32, high: f32, most: u32| {
            let start = low.round();
            let end = high.round().max(start + 1.0);
            (start as usize, (end as usize).min(most as usize))
        };
        let (x0, x1) = snap(from.x.min(to.x), from.x.max(to.x), self.width);
        let (y0, y1) = snap(from.y.min(to.y), from.y.max(to.y), self.height);
        let (red, green, blue) = color.rgb;
        let width = self.width as usize;
        for row in self.pixels.chunks_exact_mut(width).take(y1).skip(y0) {
            row[x0.min(x1)..x1].fill([red, green, blue]);
        }
    }

    /// Fills outlines of one orientation: where they overlap, once.
    fn fill_outlines(&mut self, outlines: &[Vec<Point>], color: BackendColor) {
        let Some((low, high)) = bounds(outlines) else {
            return;
        };
        let corner = point(low.x.floor(), low.y.floor());
        let width = (high.x.ceil() - corner.x) as usize + 1;
        let height = (high.y.ceil() - corner.y) as usize + 1;
        let mut rasterizer = Rasterizer::new(width, height);
        for outline in outlines {
            for (index, &from) in outline.iter().enumerate() {
                let to = outline[(index + 1) % outline.len()];
                rasterizer.draw_line(from - corner, to - corner);
            }
        }
        let (left, top) = (corner.x as i32, corner.y as i32);
        rasterizer.for_each_pixel_2d(|x, y, coverage| {
            if coverage > 1.0 / 512.0 {
                self.blend(left + x as i32, top + y as i32, color, coverage);
            }
        });
    }

    fn stroke(&mut self, path: &[Point], width: f32, color: BackendColor) {
        if let [from, to] = *path
            && (from.x == to.x || from.y == to.y)
        {
            return self.stroke_upright(from, to, width, color);
        }
        // Piece by piece, for the cost is that of the box around a piece.
        for start in (0..path.len().saturating_sub(1)).step_by(PIECE) {
            let piece = &path[start..path.len().min(start + PIECE + 1)];
            let segments = piece
                .windows(2)
                .filter_map(|ends| segment(ends[0], ends[1], width / 2.0));
            let joints = piece.iter().map(|&joint| disc(joint, width / 2.0));
            let outlines: Vec<_> = segments.chain(joints).collect();
            self.fill_outlines(&outlines, color);
        }
    }

    fn stroke_upright(&mut self, from: Point, to: Point, width: f32, color: BackendColor) {
        let thickness = width.round().max(1.0);
        let shift = if from.x == to.x {
            point(thickness, 0.0)
        } else {
            point(0.0, thickness)
        };
        let offset = point(shift.x / 2.0, shift.y / 2.0);
        let start = point((from.x - offset.x).round(), (from.y - offset.y).round());
        let end = point((to.x - offset.x).round(), (to.y - offset.y).round());
        self.fill_snapped(start, end + shift, color);
    }
}

/// Distinct colours, numbered as they come, with the number of their pixels.
#[derive(Default)]
struct Colors {
    numbers: BTreeMap<Rgb, u32>,
    counts: Vec<usize>,
    /// The last colour of each hash: most questions repeat.
    recent: Vec<Option<(Rgb, u32)>>,
}

impl Colors {
    fn number_of(&mut self, color: Rgb) -> u32 {
        const PLACES: usize = 1024;
        self.recent.resize(PLACES, None);
        let [red, green, blue] = color.map(usize::from);
        let place = (red ^ (green << 1) ^ (blue << 2)) % PLACES;
        match self.recent[place] {
            Some((known, number)) if known == color => number,
            _ => {
                let next = self.counts.len() as u32;
                let number = *self.numbers.entry(color).or_insert(next);
                if number == next {
                    self.counts.push(0);
                }
                self.recent[place] = Some((color, number));
                number
            }
        }
    }

    /// The most frequent colours, and by number of colour the place of the nearest of them.
    fn palette(&self) -> (Vec<Rgb>, Vec<u8>) {
        let count = |number: u32| self.counts[number as usize];
        let mut frequent: Vec<(Rgb, u32)> = self.numbers.iter().map(|(c, n)| (*c, *n)).collect();
        frequent.sort_by_key(|(color, number)| (std::cmp::Reverse(count(*number)), *color));
        let palette: Vec<Rgb> = frequent.iter().take(256).map(|(color, _)| *color).collect();
        let mut places = vec![0; self.counts.len()];
        for (place, (color, number)) in frequent.into_iter().enumerate() {
            let exact = u8::try_from(place).ok();
            places[number as usize] = exact.unwrap_or_else(|| nearest(&palette, color));
        }
        (palette, places)
    }
}

fn nearest(palette: &[Rgb], color: Rgb) -> u8 {
    let distance = |other: &Rgb| -> i32 {
        let parts = other.iter().zip(color);
        parts
            .map(|(a, b)| (i32::from(*a) - i32::from(b)) * (i32::from(*a) - i32::from(b)))
            .sum()
    };
    let nearest = (0..palette.len()).min_by_key(|index| (distance(&palette[*index]), *index));
    nearest.unwrap_or(0) as u8
}

/// The corners of the box around outlines.
fn bounds(outlines: &[Vec<Point>]) -> Option<(Point, Point)> {
    let mut points = outlines.iter().flatten();
    let first = *points.next()?;
    Some(points.fold((first, first), |(low, high), next| {
        let low = point(low.x.min(next.x), low.y.min(next.y));
        (low, point(high.x.max(next.x), high.y.max(next.y)))
    }))
}

/// A straight stroke; its orientation is that of [`disc`].
fn segment(from: Point, to: Point, half_width: f32) -> Option<Vec<Point>> {
    let along = to - from;
    let length = (along.x * along.x + along.y * along.y).sqrt();
    if length == 0.0 {
        return None;
    }
    let aside = point(
        -along.y / length * half_width,
        along.x / length * half_width,
    );
    Some(vec![from + aside, to + aside, to - aside, from - aside])
}

/// Segments of a path that are painted together.
const PIECE: usize = 32;

/// Directions around a circle.
static DIRECTIONS: LazyLock<[Point; 24]> = LazyLock::new(|| {
    std::array::from_fn(|corner| {
        let angle = -std::f32::consts::TAU * corner as f32 / 24.0;
        point(libm::cosf(angle), libm::sinf(angle))
    })
});

fn disc(center: Point, radius: f32) -> Vec<Point> {
    let step = if radius < 3.0 { 3 } else { 1 };
    let corner = |direction: &Point| center + point(direction.x * radius, direction.y * radius);
    DIRECTIONS.iter().step_by(step).map(corner).collect()
}

impl DrawingBackend for Bitmap {
    type ErrorType = Never;

    fn get_size(&self) -> (u32, u32) {
        self.units
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        let (from, to) = (self.place((x, y)), self.place((x + 1, y + 1)));
        self.fill_snapped(from, to, color);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, a: BackendCoord, b: BackendCoord, s: &S) -> Drawn {
        self.draw_path([a, b], s)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (x0, y0): BackendCoord,
        (x1, y1): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        if !fill {
            return self.draw_path([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], style);
        }
        let (from, to) = (self.place((x0, y0)), self.place((x1, y1)));
        self.fill_snapped(from, to, style.color());
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let points: Vec<_> = path.into_iter().map(|place| self.place(place)).collect();
        let width = style.stroke_width() as f32 * self.pixels_per_unit;
        self.stroke(&points, width, style.color());
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        let outline: Vec<_> = corners.into_iter().map(|place| self.place(place)).collect();
        self.fill_outlines(&[outline], style.color());
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        let outline = disc(self.place(center), radius as f32 * self.pixels_per_unit);
        self.fill_outlines(&[outline], style.color());
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let em = font::em_of(style) * f64::from(self.pixels_per_unit);
        let bold = matches!(style.style(), FontStyle::Bold);
        let width = font::width(text, em, bold) as f32;
        let shift = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => width / 2.0,
            HPos::Right => width,
        };
        let left = x as f32 * self.pixels_per_unit - shift;
        let baseline = y as f32 * self.pixels_per_unit + (font::BASELINE * em) as f32;
        let color = style.color();
        font::rasterize(
            text,
            em,
            bold,
            (left, baseline.round()),
            |x, y, coverage| {
                self.blend(x, y, color, coverage);
            },
        );
        Ok(())
    }
}
