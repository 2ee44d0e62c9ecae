//! Charts as SVG: horizontal bars, one for each server.

use core::fmt::Write;

use crate::table::is_ours;

/// A bar.
#[derive(Debug)]
pub struct Bar {
    /// What it stands for.
    pub name: String,
    /// How long it is.
    pub value: f64,
    /// What stands at its end.
    pub label: String,
}

/// Draws bars below each other, the first on top. It has a background of its own, for pages of any colour.
pub fn draw(title: &str, axis: &str, bars: &[Bar]) -> String {
    let longest = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let height = TOP + ROW * bars.len() as f64 + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"{MARGIN}\" y=\"27\" font-size=\"16\" font-weight=\"600\" fill=\"#1f2328\">{title}</text>\n\
         <text x=\"{MARGIN}\" y=\"47\" fill=\"#59636e\">{axis}</text>\n",
        title = escape(title),
        axis = escape(axis),
    );
    for (at, bar) in bars.iter().enumerate() {
        let top = TOP + ROW * at as f64;
        let (width, base) = (bar.value / longest * BARS, top + 16.0);
        let (weight, text, fill) = match bar.name.as_str() {
            name if is_ours(name) => ("600", "#1f2328", "#d1541f"),
            name if name.starts_with("raw-") => ("400", "#59636e", "#b4bcc4"),
            _ => ("400", "#1f2328", "#4b79b8"),
        };
        let (name, label) = (escape(&bar.name), escape(&bar.label));
        let _ = write!(
            svg,
            "<text x=\"{NAMES}\" y=\"{base}\" text-anchor=\"end\" font-weight=\"{weight}\" fill=\"{text}\">{name}</text>\n\
             <rect x=\"{start}\" y=\"{bar_top}\" width=\"{width:.1}\" height=\"{THICK}\" rx=\"2\" fill=\"{fill}\"/>\n\
             <text x=\"{end:.1}\" y=\"{base}\" font-weight=\"{weight}\" fill=\"{text}\">{label}</text>\n",
            start = NAMES + GAP,
            bar_top = top + 2.0,
            end = NAMES + GAP + width + GAP,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const WIDTH: f64 = 940.0;
const MARGIN: f64 = 16.0;
/// Where the names end.
const NAMES: f64 = 210.0;
const GAP: f64 = 8.0;
/// The longest bar: what is left holds its label.
const BARS: f64 = 470.0;
const TOP: f64 = 62.0;
const ROW: f64 = 26.0;
const THICK: f64 = 19.0;
const BOTTOM: f64 = 12.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values_and_names_are_escaped() {
        let bar = |name: &str, value| Bar { name: name.into(), value, label: "half & half".into() };
        let svg = draw("a < b", "messages", &[bar("ws-stack", 10.0), bar("<x>", 5.0)]);
        for part in ["<title>a &lt; b</title>", "width=\"470.0\"", "width=\"235.0\"", ">&lt;x&gt;<", "half &amp; half"]
        {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
    }
}
