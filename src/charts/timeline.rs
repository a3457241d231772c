//! The timeline: a lane per consumer that shows what waits in its buffer, what it works on, what
//! waits for an ack, and every ack command, crash and pause. The picture that explains why one
//! consumer starves while another hoards.
//!
//! All lanes share one scale for buffers, so that who hoards is seen by height. Where only a part
//! of the run is shown, a strip per lane below tells the rest: the buffer over the whole run, and
//! where the consumer starved.

use super::axis::{Axis, thousands, times};
use super::consumers::most_different;
use super::drawing::{Area, Drawing, PAGE_WIDTH, Place};
use super::font::Align;
use super::lanes::{Bar, Lane, Stretch, lanes};
use super::page::{LABEL, MARGIN, NAME, SMALL, Sample, columns, header, legend, swatch};
use super::palette::{
    BLUE, Color, GREY, INK, ORANGE, PALE, PURPLE, RULE, SKY, VERMILLION, WHITE, YELLOW, tint,
};
use super::signs::{
    ack_color, ack_sign, concerns_consumer, failed_sample, mark_sign, pause_sample,
};
use super::window::Mark;
use super::{Charts, words};
use crate::facts::Outcome;
use crate::kernel::Time;
use crate::wire::AckType;

/// Most lanes of a picture.
const MOST_LANES: usize = 12;
const RIGHT: f64 = PAGE_WIDTH - MARGIN;

const WAITING: Color = SKY;
const WORKING: Color = BLUE;
const AGAIN: Color = VERMILLION;
const AWAITING: Color = PURPLE;

fn starving() -> Color {
    tint(YELLOW, 0.4)
}

/// Draws it.
pub fn draw(charts: &Charts) -> Drawing {
    let mut drawing = Drawing::default();
    let all = lanes(&charts.view, &charts.queues);
    let lanes = chosen(charts, all);
    let top = header(&mut drawing, &words::timeline(charts, lanes.len()));
    let picture = Picture::new(charts, lanes, top);
    let mut bottom = picture.detail(&mut drawing);
    if !charts.view.is_whole {
        bottom = picture.overview(&mut drawing, bottom);
    }
    drawing.height = legend(&mut drawing, picture.legend(), bottom + 8.0) + MARGIN / 2.0;
    drawing
}

/// The lanes that differ most.
fn chosen(charts: &Charts, mut all: Vec<Lane>) -> Vec<Lane> {
    let chosen = most_different(&charts.consumers[..all.len()], MOST_LANES);
    all.retain(|lane| chosen.contains(&lane.consumer));
    all
}

struct Picture<'a> {
    charts: &'a Charts,
    lanes: Vec<Lane>,
    x: Axis,
    left: f64,
    top: f64,
    lane_height: f64,
    most_buffered: u32,
    most_awaiting: u32,
}

/// The horizontal zones of a lane.
struct Zones {
    whole: Area,
    buffer: Area,
    work: Area,
    awaiting: Area,
    acks: Area,
}

impl Picture<'_> {
    fn new(charts: &Charts, lanes: Vec<Lane>, top: f64) -> Picture<'_> {
        let lane_height = match lanes.len() {
            _ if lanes.iter().all(|lane| lane.most_buffered() < 2) => 84.0,
            0..=3 => 124.0,
            4..=6 => 96.0,
            _ => 74.0,
        };
        let most_buffered = lanes
            .iter()
            .map(Lane::most_buffered)
            .max()
            .unwrap_or(0)
            .max(1);
        let (from, to) = (charts.view.from.0 as f64, charts.view.to.0 as f64);
        let names = lanes
            .iter()
            .map(|lane| NAME.width(&charts.consumers[lane.consumer].name));
        let left = MARGIN + 14.0 + names.fold(124.0, f64::max).min(190.0);
        let x = Axis::linear((from, to), (left, RIGHT));
        let pixel = ((to - from) / (RIGHT - left)) as u64;
        let most_awaiting = lanes.iter().map(|lane| lane.most_awaiting(2 * pixel));
        let most_awaiting = most_awaiting.max().unwrap_or(0);
        Picture {
            charts,
            lanes,
            x,
            left,
            top,
            lane_height,
            most_buffered,
            most_awaiting,
        }
    }

    fn is_visible(&self, stretch: &Stretch) -> bool {
        self.at(stretch.1) - self.at(stretch.0) >= 1.5
    }

    fn at(&self, nanos: u64) -> f64 {
        self.x.map(nanos as f64)
    }

    fn zones(&self, index: usize) -> Zones {
        let top = self.top + index as f64 * (self.lane_height + 10.0);
        let bottom = top + self.lane_height;
        let zone = |from: f64, to: f64| Area::new(self.left, from, RIGHT, to);
        let acks = bottom - 13.0;
        let awaits = if self.most_awaiting > 0 {
            4.0 + self.lane_height * 0.10
        } else {
            0.0
        };
        let work = acks - 2.0 - awaits;
        let bars = self.lane_height * 0.2;
        Zones {
            whole: zone(top, bottom),
            // Room for the number over the highest level.
            buffer: zone(top + 17.0, work - bars - 3.0),
            work: zone(work - bars, work),
            awaiting: zone(work + 2.0, acks - 2.0),
            acks: zone(acks, bottom),
        }
    }

    fn bottom(&self) -> f64 {
        self.top + self.lanes.len() as f64 * (self.lane_height + 10.0) - 10.0
    }

    fn detail(&self, drawing: &mut Drawing) -> f64 {
        if self.lanes.is_empty() {
            drawing.text(
                (MARGIN, self.top + 30.0),
                Align::Left,
                LABEL,
                "There is no consumer.",
            );
            return self.top + 50.0;
        }
        let below = Area::new(self.left, self.top, RIGHT, self.bottom() + 8.0);
        self.broker_down(drawing, below);
        for (index, lane) in self.lanes.iter().enumerate() {
            self.lane(drawing, lane, &self.zones(index));
        }
        let ticks = times(self.charts.view.from, self.charts.view.to, 8);
        columns(drawing, below, self.x, &ticks.ticks, &ticks.caption)
    }

    fn broker_down(&self, drawing: &mut Drawing, area: Area) {
        for &(from, to) in &self.charts.view.broker_down {
            if to < self.charts.view.from.0 || from > self.charts.view.to.0 {
                continue;
            }
            let (left, right) = (self.at(from), self.at(to).max(self.at(from) + 2.0));
            let band = Area {
                left,
                right,
                ..area
            };
            drawing.rectangle(band, tint(INK, 0.16));
            if band.width() > 60.0 {
                let place = ((left + right) / 2.0, area.bottom - 2.0);
                drawing.text(place, Align::Middle, SMALL, "broker down");
            }
        }
    }

    fn lane(&self, drawing: &mut Drawing, lane: &Lane, zones: &Zones) {
        self.name(drawing, lane, zones);
        let block = Area {
            bottom: zones.work.bottom,
            ..zones.whole
        };
        let stretches = [
            (&lane.starved, starving(), "starved"),
            (&lane.down, PALE, "not connected"),
        ];
        for (stretches, color, text) in stretches {
            for stretch in stretches.iter().filter(|stretch| self.is_visible(stretch)) {
                let (left, right) = (self.at(stretch.0), self.at(stretch.1));
                background(
                    drawing,
                    Area {
                        left,
                        right,
                        ..block
                    },
                    color,
                    text,
                );
            }
        }
        self.steps(
            drawing,
            &lane.buffered,
            zones.buffer,
            self.most_buffered,
            WAITING,
        );
        self.peak(drawing, lane, zones.buffer);
        for &(from, to) in &lane.pauses {
            self.pause(drawing, self.at(from), self.at(to), zones.work);
        }
        for bar in &lane.bars {
            self.bar(drawing, bar, zones.work);
        }
        self.steps(
            drawing,
            &lane.awaiting,
            zones.awaiting,
            self.most_awaiting,
            AWAITING,
        );
        drawing.line(
            (self.left, zones.work.bottom + 1.0),
            (RIGHT, zones.work.bottom + 1.0),
            1.0,
            tint(RULE, 0.5),
        );
        self.acks(drawing, lane, zones.acks);
        self.marks(drawing, lane, zones);
    }

    fn name(&self, drawing: &mut Drawing, lane: &Lane, zones: &Zones) {
        let consumer = &self.charts.consumers[lane.consumer];
        let room = self.left - MARGIN - 14.0;
        let mut y = zones.whole.top + 18.0;
        let name = NAME.shorten(&consumer.name, room);
        drawing.text((MARGIN, y), Align::Left, NAME, name);
        let mut lines = vec![(
            format!("prefetch {}", thousands(consumer.prefetch.into())),
            GREY,
        )];
        if consumer.shares.starved >= 0.01 {
            let share = super::axis::percent(consumer.shares.starved);
            lines.push((format!("starved {share}"), INK));
        }
        for (line, color) in lines {
            y += 20.0;
            let look = SMALL.colored(color);
            drawing.text((MARGIN, y), Align::Left, look, look.shorten(&line, room));
        }
    }

    /// A level as an area of steps.
    fn steps(
        &self,
        drawing: &mut Drawing,
        levels: &[(u64, u32)],
        zone: Area,
        most: u32,
        color: Color,
    ) {
        if most == 0 {
            return;
        }
        let y = Axis::linear((0.0, f64::from(most)), (zone.bottom, zone.top));
        let ends = levels
            .iter()
            .skip(1)
            .map(|(at, _)| *at)
            .chain([self.charts.view.to.0]);
        let mut outline: Vec<Place> = Vec::new();
        for (&(at, level), end) in levels.iter().zip(ends) {
            if level > 0 {
                if outline.is_empty() {
                    outline.push((self.at(at), zone.bottom));
                }
                let height = y.map(f64::from(level));
                outline.extend([(self.at(at), height), (self.at(end), height)]);
            }
            if level == 0 || end == self.charts.view.to.0 {
                close(drawing, &mut outline, zone.bottom, color);
            }
        }
    }

    /// Writes how many messages the buffer held at most, where it did.
    fn peak(&self, drawing: &mut Drawing, lane: &Lane, zone: Area) {
        let most = lane.most_buffered();
        let Some(&(at, _)) = lane.buffered.iter().find(|(_, level)| *level == most) else {
            return;
        };
        if most < 2 {
            return;
        }
        let y = Axis::linear(
            (0.0, f64::from(self.most_buffered)),
            (zone.bottom, zone.top),
        );
        let text = thousands(most.into());
        let half = SMALL.width(&text) / 2.0;
        let height = y.map(f64::from(most)) - 4.0;
        let wanted = self.at(at).clamp(self.left + half, RIGHT - half);
        let marks = self.visible_marks(lane);
        let is_free = |x: &f64| {
            marks
                .iter()
                .all(|(_, mark)| (mark - x).abs() >= half + 11.0)
        };
        let steps = (0..40).flat_map(|step| [8.0 * f64::from(step), -8.0 * f64::from(step)]);
        let mut places = steps.map(|step| (wanted + step).clamp(self.left + half, RIGHT - half));
        let top_is_free = height > zone.top + 12.0;
        let Some(x) = places.find(|x| top_is_free || is_free(x)) else {
            return;
        };
        drawing.text((x, height), Align::Middle, SMALL, text);
    }

    fn pause(&self, drawing: &mut Drawing, left: f64, right: f64, zone: Area) {
        let middle = (zone.top + zone.bottom) / 2.0;
        drawing.line((left, middle), (right, middle), 3.0, ORANGE);
        for end in [left, right] {
            drawing.line((end, zone.top + 3.0), (end, zone.bottom - 3.0), 2.0, ORANGE);
        }
    }

    fn bar(&self, drawing: &mut Drawing, bar: &Bar, zone: Area) {
        let (left, right) = (self.at(bar.stretch.0), self.at(bar.stretch.1));
        // A gap tells deliveries apart where they are wide enough to be counted.
        let right = if right - left > 4.0 {
            right - 1.0
        } else {
            right.max(left + 0.7)
        };
        let color = match (bar.outcome, bar.again) {
            (Some(Outcome::Skipped), _) => RULE,
            (_, true) => AGAIN,
            (_, false) => WORKING,
        };
        drawing.rectangle(
            Area {
                left,
                right,
                ..zone
            },
            color,
        );
        if matches!(bar.outcome, Some(Outcome::Failed | Outcome::Interrupted)) {
            let notch = (right - 3.0).max(left);
            let from = (zone.top + zone.bottom) / 2.0;
            drawing.rectangle(
                Area {
                    left: notch,
                    right,
                    top: zone.top - 3.0,
                    bottom: from,
                },
                INK,
            );
        }
    }

    fn acks(&self, drawing: &mut Drawing, lane: &Lane, zone: Area) {
        let middle = (zone.top + zone.bottom) / 2.0 + 1.0;
        let dense = lane.acks.len() as f64 * 9.0 > RIGHT - self.left;
        let is_ordinary = |kind: AckType| kind == AckType::Standard;
        let (mut free_sign, mut free_text) = (self.left, self.left);
        for ordinary in [true, false] {
            free_sign = if ordinary {
                free_sign
            } else {
                self.left - 10.0
            };
            for &(at, kind, count) in &lane.acks {
                let x = self.at(at);
                if is_ordinary(kind) != ordinary {
                    continue;
                }
                if dense && (ordinary || x < free_sign) {
                    let area = Area::new(x - 0.6, middle - 5.0, x + 0.6, middle + 5.0);
                    drawing.rectangle(area, ack_color(kind));
                    continue;
                }
                free_sign = x + 12.0;
                ack_sign(drawing, kind, (x, middle));
                let text = thousands(count.max(0) as u64);
                let width = SMALL.width(&text);
                if count > 1 && x + 7.0 >= free_text && x + 9.0 + width < RIGHT {
                    let place = (x + 7.0, middle + 5.0);
                    drawing.text(place, Align::Left, SMALL.colored(GREY), text);
                    free_text = x + 16.0 + width;
                }
            }
        }
    }

    /// The marks that have room, with their place.
    fn visible_marks(&self, lane: &Lane) -> Vec<(Mark, f64)> {
        let mut seen: Vec<(Mark, f64)> = Vec::new();
        for &(at, mark) in &lane.marks {
            let x = self.at(at);
            let first_start = mark == Mark::Start && seen.is_empty() && x < self.left + 12.0;
            let near = |other: &(Mark, f64)| other.0 == mark && (other.1 - x).abs() < 15.0;
            let is_shown = !first_start && mark != Mark::NotSlow;
            if is_shown && !seen.iter().rev().take(8).any(near) {
                seen.push((mark, x));
            }
        }
        seen
    }

    fn marks(&self, drawing: &mut Drawing, lane: &Lane, zones: &Zones) {
        for (mark, x) in self.visible_marks(lane) {
            let place = (x.clamp(self.left + 6.0, RIGHT - 6.0), zones.whole.top + 9.0);
            if concerns_consumer(mark) {
                drawing.line((x, place.1), (x, zones.work.bottom), 1.0, INK);
                drawing.circle(place, 9.5, WHITE);
            }
            mark_sign(drawing, mark, place);
        }
    }

    /// A strip per lane over the whole run, and the part of it that is shown above.
    fn overview(&self, drawing: &mut Drawing, top: f64) -> f64 {
        let charts = self.charts;
        let x = Axis::linear((0.0, charts.shown_until.0 as f64), (self.left, RIGHT));
        let first = top + 30.0;
        let height = if self.lanes.len() > 6 { 17.0 } else { 24.0 };
        let step = height + 4.0;
        let bottom = first + self.lanes.len() as f64 * step;
        drawing.text((MARGIN, first - 10.0), Align::Left, NAME, "The whole run");
        for (index, lane) in self.lanes.iter().enumerate() {
            let top = first + index as f64 * step;
            self.strip(
                drawing,
                lane.consumer,
                Area::new(self.left, top, RIGHT, top + height),
                x,
            );
        }
        let (from, to) = (
            x.map(charts.view.from.0 as f64),
            x.map(charts.view.to.0 as f64),
        );
        let from = from.min(RIGHT - 3.0);
        let frame = Area::new(from, first - 4.0, to.max(from + 3.0), bottom);
        self.frame(drawing, frame, top);
        let ticks = times(Time::ZERO, charts.shown_until, 8);
        let area = Area::new(self.left, first, RIGHT, bottom);
        columns(drawing, area, x, &ticks.ticks, &ticks.caption)
    }

    /// A frame around the part that is shown above, and lines that lead up to it.
    fn frame(&self, drawing: &mut Drawing, frame: Area, above: f64) {
        let Area {
            left,
            top,
            right,
            bottom,
        } = frame;
        let corners = vec![
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        ];
        drawing.path(corners, 2.0, INK);
        drawing.line((self.left, above), (left, top), 1.0, RULE);
        drawing.line((RIGHT, above), (right, top), 1.0, RULE);
    }

    fn strip(&self, drawing: &mut Drawing, consumer: usize, strip: Area, x: Axis) {
        let charts = self.charts;
        let summary = &charts.consumers[consumer];
        let look = SMALL;
        let room = self.left - MARGIN - 14.0;
        let baseline = (strip.top + strip.bottom) / 2.0 + 5.0;
        drawing.text(
            (MARGIN, baseline),
            Align::Left,
            look,
            look.shorten(&summary.name, room),
        );
        drawing.rectangle(strip, tint(PALE, 0.45));
        let levels = &charts.levels.consumers[consumer];
        starved_strip(drawing, &charts.bins(&levels.starved), strip, x);
        let bins = charts.bins(&levels.buffered);
        let most = charts
            .levels
            .consumers
            .iter()
            .map(|other| other.buffered.peak())
            .max()
            .unwrap_or(1)
            .max(1);
        let y = Axis::linear((0.0, most as f64), (strip.bottom, strip.top));
        let mut outline = vec![(self.left, strip.bottom)];
        let mut start = self.left;
        for (end, bin) in bins {
            let end = x.map(end.0 as f64);
            let height = y.map(bin.largest as f64);
            outline.extend([(start, height), (end, height)]);
            start = end;
        }
        outline.push((start, strip.bottom));
        drawing.polygon(outline, WAITING);
    }

    /// What of all that can be seen needs an explanation.
    fn legend(&self) -> Vec<(Sample<'static>, String)> {
        let lanes = &self.lanes;
        let any = |test: &dyn Fn(&Lane) -> bool| lanes.iter().any(test);
        let bars = |test: &dyn Fn(&Bar) -> bool| any(&|lane| lane.bars.iter().any(test));
        let visible = |of: &dyn Fn(&Lane) -> &Vec<Stretch>| {
            lanes
                .iter()
                .any(|lane| of(lane).iter().any(|stretch| self.is_visible(stretch)))
        };
        let failed =
            |bar: &Bar| matches!(bar.outcome, Some(Outcome::Failed | Outcome::Interrupted));
        let boxes: [(bool, Color, &str); 7] = [
            (
                any(&|lane| lane.most_buffered() > 0),
                WAITING,
                "waiting in its buffer",
            ),
            (bars(&|bar| !bar.again), WORKING, "processing"),
            (bars(&|bar| bar.again), AGAIN, "processing a redelivery"),
            (
                bars(&|bar| bar.outcome == Some(Outcome::Skipped)),
                RULE,
                "repeat, skipped",
            ),
            (
                self.most_awaiting > 0,
                AWAITING,
                "processed, waiting for its ack",
            ),
            (
                visible(&|lane| &lane.starved),
                starving(),
                "starved: others have messages",
            ),
            (visible(&|lane| &lane.down), PALE, "not connected"),
        ];
        let mut entries: Vec<(Sample<'static>, String)> = boxes
            .into_iter()
            .filter(|(shown, ..)| *shown)
            .map(|(_, color, text)| (swatch(color), text.to_owned()))
            .collect();
        if bars(&failed) {
            entries.push((Box::new(failed_sample), "failed or cut off".to_owned()));
        }
        if any(&|lane| !lane.pauses.is_empty()) {
            entries.push((Box::new(pause_sample), "redelivery delay".to_owned()));
        }
        for kind in AckType::ALL {
            if any(&|lane| lane.acks.iter().any(|(_, other, _)| *other == kind)) {
                let sample = move |drawing: &mut Drawing, at: Place| ack_sign(drawing, kind, at);
                entries.push((Box::new(sample), format!("{} ack", kind.name())));
            }
        }
        let marks: Vec<Mark> = lanes
            .iter()
            .flat_map(|lane| self.visible_marks(lane))
            .map(|(mark, _)| mark)
            .collect();
        for (mark, text) in MARKS.into_iter().filter(|(mark, _)| marks.contains(mark)) {
            let sample = move |drawing: &mut Drawing, at: Place| mark_sign(drawing, mark, at);
            entries.push((Box::new(sample), text.to_owned()));
        }
        entries
    }
}

const MARKS: [(Mark, &str); 8] = [
    (Mark::Crash, "crash"),
    (Mark::Start, "connected again"),
    (Mark::Close, "closed"),
    (Mark::Slow, "marked slow"),
    (Mark::Checked, "found slow by a check"),
    (Mark::Aborted, "aborted for slowness"),
    (Mark::Expired, "expired"),
    (Mark::Dead, "dead-lettered"),
];

/// A tinted stretch of a lane, with a word in it if there is room.
fn background(drawing: &mut Drawing, area: Area, color: Color, text: &str) {
    drawing.rectangle(area, color);
    if area.width() > SMALL.width(text) + 16.0 {
        let place = ((area.left + area.right) / 2.0, area.top + 34.0);
        drawing.text(place, Align::Middle, SMALL.colored(GREY), text);
    }
}

fn close(drawing: &mut Drawing, outline: &mut Vec<Place>, bottom: f64, color: Color) {
    if let Some(&(x, _)) = outline.last() {
        outline.push((x, bottom));
        drawing.polygon(std::mem::take(outline), color);
    }
}

/// Tints the stretches of the whole run in which a consumer starved, the stronger the more of the
/// time.
fn starved_strip(drawing: &mut Drawing, bins: &[(Time, super::series::Bin)], strip: Area, x: Axis) {
    let group = bins.len().div_ceil(190).max(1);
    let (mut start, mut before) = (0, 0);
    for bins in bins.chunks(group) {
        let Some((end, bin)) = bins.last() else {
            return;
        };
        let starved = bin.last.saturating_sub(before) as f64;
        let share = (starved / end.0.saturating_sub(start).max(1) as f64).min(1.0);
        if share >= 0.02 {
            let (left, right) = (x.map(start as f64), x.map(end.0 as f64));
            drawing.rectangle(
                Area {
                    left,
                    right,
                    ..strip
                },
                tint(YELLOW, 0.1 + 0.4 * share),
            );
        }
        start = end.0;
        before = bin.last;
    }
}
