//! The differences between budgets with their intervals.

use allometry_analysis::Analysis;
use allometry_analysis::scaling::Difference;

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel, WIDTH};
use super::scale::Scale;
use super::shown;
use crate::number::signed;

/// The largest number of differences that are drawn.
const MOST: usize = 60;

/// Draws a forest plot with one line per pair of budgets or, if there are too many pairs, one line for each
/// budget against the smallest. Returns `None` if even these lines are too many to be legible.
pub(super) fn figure(analysis: &Analysis) -> Option<Figure> {
    let all = &analysis.scaling.differences;
    let smallest = &all.first()?.smaller;
    let mut differences: Vec<&Difference> = all.iter().collect();
    if all.len() > MOST {
        differences.retain(|difference| difference.smaller == *smallest);
    }
    if differences.len() > MOST {
        return None;
    }
    let interest = analysis.options.effect();
    let ends = differences.iter().flat_map(|difference| {
        difference.gain.interval.into_iter().flat_map(|i| [i.lower, i.upper]).chain([difference.gain.point])
    });
    let x = Axis::new(
        format!("gain of the larger, {}", shown(&analysis.metric)),
        Scale::linear(ends.chain([0.0, interest, -interest])),
    );
    let names = differences
        .iter()
        .rev()
        .map(|d| format!("{} over {}", shown(&d.larger), shown(&d.smaller)))
        .collect();
    let height = 70.0 + differences.len() as f64 * 34.0;
    let mut panel = Panel::new("", x, Axis::new("", Scale::Places(names)), (WIDTH, height));
    let (bottom, top) = panel.y.scale.ends();
    panel.layers.push(Layer::Bar {
        class: "pale soft".into(),
        from: (-interest, bottom),
        to: (interest, top),
        tip: format!("smaller than {interest}, the smallest difference of interest"),
    });
    panel.layers.push(Layer::segment("guide", (0.0, bottom), (0.0, top), ""));
    for (place, difference) in differences.iter().rev().enumerate() {
        let y = place as f64;
        let tip =
            format!("{} over {}: {}", difference.larger, difference.smaller, signed(difference.gain.point));
        if let Some(ends) = difference.gain.interval {
            let (from, to) = ((ends.lower, y), (ends.upper, y));
            panel.layers.push(Layer::segment("ink", from, to, tip.clone()));
        }
        panel.layers.push(Layer::Mark { class: "best small".into(), at: (difference.gain.point, y), tip });
    }
    let mut figure = Figure::new("differences", "Differences between budgets", vec![panel]);
    let level = analysis.options.level * 100.0;
    figure.caption = format!(
        "Each line is the {level:.0}% interval of one difference by itself; a line that crosses 0 does not \
         show which budget is better. The grey strip marks differences below {interest}, the smallest of \
         interest (`--smallest-effect`).{}",
        if differences.len() < all.len() {
            " Each budget is drawn against the smallest; the table has the other pairs."
        } else {
            ""
        }
    );
    figure.describe(differences.iter().map(|d| {
        let ends = d
            .gain
            .interval
            .map_or_else(String::new, |i| format!(", interval {} to {}", signed(i.lower), signed(i.upper)));
        format!("{} over {}: {}{ends}.", d.larger, d.smaller, signed(d.gain.point))
    }));
    Some(figure)
}
