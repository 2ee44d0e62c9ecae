//! Memory, descriptors and errors over time as SVG: a panel each, a line for each server.

use core::fmt::Write;

use crate::report::{Report, Row};

/// Draws the panels below each other, over one axis of time. It has a background of its own, for pages of any colour.
pub(crate) fn draw(reports: &[Report]) -> String {
    let end = reports.iter().filter_map(|report| report.rows.last()).map(minute).fold(f64::MIN_POSITIVE, f64::max);
    let height = TOP + PANELS.len() as f64 * (PANEL + GAP) + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\">\n\
         <title>What the servers hold, over time</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"27\" font-size=\"16\" font-weight=\"600\" fill=\"#1f2328\">What the servers hold, over time</text>\n"
    );
    for (at, (report, colour)) in reports.iter().zip(COLOURS).enumerate() {
        let x = WIDTH - RIGHT - 180.0 + 90.0 * at as f64;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"17\" width=\"14\" height=\"4\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"24\" fill=\"#1f2328\">{}</text>",
            x + 20.0,
            report.driver
        );
    }
    for (at, panel) in PANELS.iter().enumerate() {
        draw_panel(&mut svg, panel, reports, TOP + at as f64 * (PANEL + GAP), end);
    }
    let y = height - BOTTOM + 4.0;
    for tick in ticks(end) {
        let x = x(tick, end);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\" fill=\"#59636e\">{tick}</text>");
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let _ =
        writeln!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#59636e\">minutes</text>", y + 20.0);
    svg.push_str("</svg>\n");
    svg
}

/// What one panel shows.
struct Panel {
    title: &'static str,
    of: fn(&Row) -> f64,
}

const PANELS: [Panel; 3] = [
    Panel { title: "resident memory, MiB", of: |row| row.figures.resident as f64 / (1 << 20) as f64 },
    Panel { title: "descriptors", of: |row| row.figures.descriptors as f64 },
    Panel { title: "errors so far", of: |row| row.errors as f64 },
];

fn draw_panel(svg: &mut String, panel: &Panel, reports: &[Report], top: f64, end: f64) {
    let most = reports.iter().flat_map(|report| &report.rows).map(panel.of).fold(FEW, f64::max);
    let scale = ticks(most);
    let most = scale.last().copied().unwrap_or(most).max(most);
    let y = |value: f64| top + PANEL - value / most * PANEL;
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\" fill=\"#1f2328\" font-weight=\"600\">{}</text>",
        top - 8.0,
        panel.title
    );
    for tick in scale {
        let y = y(tick);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#d8dee4\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#59636e\">{tick}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0
        );
    }
    for (report, colour) in reports.iter().zip(COLOURS) {
        let mut points = String::new();
        for row in &report.rows {
            let _ = write!(points, "{:.1},{:.1} ", x(minute(row), end), y((panel.of)(row)));
        }
        let points = points.trim_end();
        let _ = writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>");
    }
}

/// Round values from zero up, some five of them, the last one no smaller than `most` less a step.
fn ticks(most: f64) -> Vec<f64> {
    let rough = most / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough).unwrap_or(rough);
    // What is printed has no digits that come of the arithmetic.
    (0..).map(|at| (f64::from(at) * step * 1000.0).round() / 1000.0).take_while(|tick| *tick <= most).collect()
}

fn x(minute: f64, end: f64) -> f64 {
    LEFT + minute / end * (WIDTH - LEFT - RIGHT)
}

fn minute(row: &Row) -> f64 {
    row.at.as_secs_f64() / 60.0
}

/// No axis is so short that whole numbers would not do.
const FEW: f64 = 5.0;

const COLOURS: [&str; 2] = ["#d1541f", "#4b79b8"];

const WIDTH: f64 = 860.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 68.0;
const PANEL: f64 = 120.0;
const GAP: f64 = 40.0;
const BOTTOM: f64 = 40.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_what_there_is() {
        assert_eq!(ticks(30.0), [0.0, 10.0, 20.0, 30.0]);
        assert_eq!(ticks(7.0), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(ticks(1.0), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(ticks(430.0), [0.0, 100.0, 200.0, 300.0, 400.0]);
    }
}
