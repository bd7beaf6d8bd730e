//! Series of a table's rows, and the order of rows series after series.

use std::collections::HashMap;
use std::ops::Range;

/// Series of the rows, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct SeriesIds {
    /// Names in order of appearance, and by code point after [`SeriesIds::sort`].
    pub(super) names: Vec<String>,
    places: HashMap<String, u32>,
    /// Place of each row's series among the names.
    pub(super) rows: Vec<u32>,
}

impl SeriesIds {
    /// Appends the series of the next row.
    pub(super) fn push(&mut self, name: &str) {
        let name = name.trim();
        let known = self.places.get(name).copied();
        let place = known.unwrap_or(self.names.len() as u32);
        if known.is_none() {
            self.places.insert(name.to_owned(), place);
            self.names.push(name.to_owned());
        }
        self.rows.push(place);
    }

    /// Orders the series by the code points of their names, so that they do not depend on the file's order.
    pub(super) fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_by(|&a, &b| self.names[a].cmp(&self.names[b]));
        let mut places = vec![0; order.len()];
        for (place, &before) in order.iter().enumerate() {
            places[before] = place as u32;
        }
        self.rows.iter_mut().for_each(|row| *row = places[*row as usize]);
        self.names = order.into_iter().map(|place| std::mem::take(&mut self.names[place])).collect();
        self.places.clear();
    }
}

/// Rows of a table, series after series and in time order within each. A table without series counts as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Numbers of the rows in the file.
    pub(super) rows: Vec<usize>,
    /// Place in `rows` after the last row of each series, which may have none.
    pub(super) ends: Vec<usize>,
}

impl Sequence {
    /// Makes the sequence of the rows of one series.
    pub(super) fn single(rows: Vec<usize>) -> Self {
        let ends = vec![rows.len()];
        Self { rows, ends }
    }

    /// Returns the places in `rows` of each series.
    pub(super) fn spans(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| start..*end)
    }

    /// Returns the rows for which `keep` holds, and their places in this sequence. Series stay, also without
    /// rows.
    pub(super) fn filtered(&self, keep: impl Fn(usize) -> bool) -> (Self, Vec<usize>) {
        let (mut rows, mut ends, mut places) = (Vec::new(), Vec::with_capacity(self.ends.len()), Vec::new());
        for span in self.spans() {
            for place in span.filter(|place| keep(self.rows[*place])) {
                rows.push(self.rows[place]);
                places.push(place);
            }
            ends.push(rows.len());
        }
        (Self { rows, ends }, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_in_the_order_of_their_names() {
        let mut ids = SeriesIds::default();
        for name in ["b", " a", "c", "a ", "b"] {
            ids.push(name);
        }
        assert_eq!((ids.names.join(""), &ids.rows[..]), ("bac".to_owned(), &[0, 1, 2, 1, 0][..]));
        ids.sort();
        assert_eq!((ids.names.join(""), &ids.rows[..]), ("abc".to_owned(), &[1, 0, 2, 0, 1][..]));
    }

    #[test]
    fn series_keep_their_place_without_rows() {
        let all = Sequence { rows: vec![5, 2, 9, 1], ends: vec![2, 3, 4] };
        let (left, places) = all.filtered(|row| row != 9);
        assert_eq!(left, Sequence { rows: vec![5, 2, 1], ends: vec![2, 2, 3] });
        assert_eq!(places, [0, 1, 3]);
        assert_eq!(left.spans().collect::<Vec<_>>(), [0..2, 2..2, 2..3]);
    }
}
