//! Series and times of the scored rows of a table with several series.

use allometry_core::PanelRow;

use crate::stats::two_way::Clusters;

/// The scored rows of a table with several series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Panel {
    /// Names of the series.
    names: Vec<String>,
    /// Rows by their numbers.
    rows: Vec<PanelRow>,
}

impl Panel {
    /// Makes a panel of rows in any order.
    pub fn new(names: Vec<String>, rows: impl IntoIterator<Item = PanelRow>) -> Self {
        let mut rows: Vec<PanelRow> = rows.into_iter().collect();
        rows.sort_by_key(|row| row.row);
        Self { names, rows }
    }

    /// Returns the name of a series.
    pub(crate) fn name(&self, series: u32) -> &str {
        self.names.get(series as usize).map_or("", String::as_str)
    }

    /// Returns these rows, in their order; `None` if one of them is unknown.
    pub(crate) fn found(&self, rows: &[u64]) -> Option<Vec<PanelRow>> {
        let find = |row: &u64| {
            let place = self.rows.binary_search_by_key(row, |known| known.row).ok()?;
            Some(self.rows[place])
        };
        rows.iter().map(find).collect()
    }

    /// Returns the series and the times of these rows, in their order, for labels that look `horizon` rows
    /// ahead in their series; `None` if a row is unknown.
    pub(crate) fn clusters(&self, rows: &[u64], horizon: u64) -> Option<Clusters> {
        let found = self.found(rows)?;
        let series: Vec<u32> = found.iter().map(|row| row.series).collect();
        let times: Vec<u32> = found.iter().map(|row| row.time).collect();
        Some(Clusters::new(&series, &times, horizon))
    }
}
