//! Series and times of the rows of a data set.

/// The series of a data set's rows, whose rows stand together, and the times of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Panel {
    /// Names of the series, in the order of their rows.
    pub names: Vec<String>,
    /// Index after the last row of each series.
    pub(super) ends: Vec<usize>,
    /// Place of each row's time among the different times of all rows.
    pub times: Vec<u32>,
}

impl Panel {
    /// Returns the place of a row's series among the names.
    pub fn series_of(&self, row: usize) -> usize {
        self.ends.partition_point(|end| *end <= row)
    }

    /// Returns the index of the first row of a series.
    pub(super) fn start_of(&self, series: usize) -> usize {
        series.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}
