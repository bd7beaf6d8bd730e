//! Tables that fit a width: bars become shorter, and columns are left out in an order.

use std::fmt::Write as _;

use textwrap::core::display_width;

/// Columns between two cells.
const GAP: usize = 2;
/// The least and the greatest width of a bar in columns.
const BARS: (usize, usize) = (10, 30);

/// A column of a table.
pub(super) struct Column {
    heading: String,
    cells: Cells,
    /// Position in the order in which columns are left out of narrow tables; `None` if this one stays.
    leaves: Option<u8>,
}

enum Cells {
    Texts(Vec<String>),
    Bars(Vec<Bar>),
}

/// A bar. Its places are shares of the bar's width.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bar {
    Empty,
    /// A bar from the left to a place.
    Share(f64),
    /// An interval with its point, or a point alone.
    Interval {
        point: f64,
        ends: Option<(f64, f64)>,
    },
}

impl Column {
    pub(super) fn texts(heading: &str, cells: Vec<String>) -> Self {
        Self { heading: heading.to_owned(), cells: Cells::Texts(cells), leaves: None }
    }

    pub(super) fn bars(cells: Vec<Bar>) -> Self {
        Self { heading: String::new(), cells: Cells::Bars(cells), leaves: None }
    }

    /// Makes the column leave narrow tables; the one with the lowest number leaves first.
    pub(super) fn leaves(mut self, position: u8) -> Self {
        self.leaves = Some(position);
        self
    }

    /// Returns the least width of the column.
    fn least(&self) -> usize {
        match &self.cells {
            Cells::Bars(_) => BARS.0,
            Cells::Texts(cells) => {
                let widest = cells.iter().map(|cell| display_width(cell)).max().unwrap_or(0);
                widest.max(display_width(&self.heading))
            }
        }
    }

    fn cell(&self, row: usize, width: usize) -> String {
        match &self.cells {
            Cells::Texts(cells) => cells.get(row).cloned().unwrap_or_default(),
            Cells::Bars(bars) => bars.get(row).map_or_else(String::new, |bar| bar.drawn(width)),
        }
    }
}

impl Bar {
    /// Draws the bar: `████`, `  ├────●───┤ `.
    fn drawn(self, width: usize) -> String {
        let place = |share: f64| (share.clamp(0.0, 1.0) * (width - 1) as f64).round() as usize;
        match self {
            Self::Empty => String::new(),
            Self::Share(share) => "█".repeat((share.clamp(0.0, 1.0) * width as f64).round() as usize),
            Self::Interval { point, ends } => {
                let mut bar = vec![' '; width];
                if let Some((lower, upper)) = ends {
                    let (first, last) = (place(lower), place(upper));
                    bar[first..=last].fill('─');
                    bar[first] = '├';
                    bar[last] = '┤';
                }
                bar[place(point)] = '●';
                bar.into_iter().collect()
            }
        }
    }
}

/// Returns the lines of a table of at most `width` columns, the headings first.
pub(super) fn lines(mut columns: Vec<Column>, rows: usize, width: usize) -> Vec<String> {
    let least = |columns: &[Column]| {
        let gaps = GAP * columns.len().saturating_sub(1);
        columns.iter().map(Column::least).sum::<usize>() + gaps
    };
    while least(&columns) > width {
        let leaving = columns.iter().enumerate().filter_map(|(at, column)| Some((column.leaves?, at)));
        let Some((_, at)) = leaving.min() else { break };
        columns.remove(at);
    }
    let room = width.saturating_sub(least(&columns));
    let bar = BARS.1.min(BARS.0 + room);
    let widths: Vec<usize> = columns
        .iter()
        .map(|column| if matches!(column.cells, Cells::Bars(_)) { bar } else { column.least() })
        .collect();
    let headings = columns.iter().map(|column| column.heading.clone());
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            let room = width.saturating_sub(display_width(&cell)) + GAP;
            write!(text, "{cell}{:room$}", "").expect("writing to a string cannot fail");
        }
        text.trim_end().to_owned()
    };
    let first = line(&mut headings.into_iter());
    let cells = |row: usize| columns.iter().zip(&widths).map(move |(column, width)| column.cell(row, *width));
    std::iter::once(first).chain((0..rows).map(|row| line(&mut cells(row)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_tables_have_shorter_bars_and_fewer_columns() {
        let columns = || {
            vec![
                Column::texts("Budget", vec!["2M".into(), "20M".into()]),
                Column::bars(vec![
                    Bar::Interval { point: 0.5, ends: Some((0.0, 1.0)) },
                    Bar::Interval { point: 1.0, ends: None },
                ])
                .leaves(1),
                Column::texts("Trials", vec!["16".into(), "7".into()]).leaves(0),
            ]
        };
        let drawn = |width| lines(columns(), 2, width).join("\n");
        assert_eq!(
            drawn(28),
            "Budget                Trials\n\
             2M      ├─────●────┤  16\n\
             20M                ●  7"
        );
        assert_eq!(drawn(20), "Budget\n2M      ├─────●────┤\n20M                ●");
        assert_eq!(drawn(12), "Budget\n2M\n20M");
    }
}
