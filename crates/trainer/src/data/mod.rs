//! Tables and the windows cut from them.
//!
//! [`load`] reads a CSV or Parquet file, checks that it contains what the ladder asks for, and splits it in
//! time order such that no row and no label of one part reaches into another. [`describe()`] describes a
//! table for which there is no ladder yet.

mod categories;
mod columns;
mod cut;
mod dataset;
mod describe;
mod error;
mod fill;
mod format;
mod holes;
mod kept_rows;
mod label;
mod leakage;
mod load;
mod names;
mod numbers;
mod panel;
mod read_csv;
mod read_parquet;
mod rows;
pub(crate) mod scale;
mod series;
mod split;
mod summary;
mod time;
mod unlabelled;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use categories::width;
pub use categories::{Categories, Unseen};
pub use cut::check_classes;
pub use dataset::{Dataset, PartName, Preparation, SplitPart, Window};
pub use describe::{
    ColumnDescription, Distinct, MOST_DISTINCT, SeriesColumn, TableDescription, TimeDescription, describe,
    describe_times,
};
pub use error::{DataError, Gap, Location, NotNumeric, RepeatedTime, Role, Site, TimeKind, TrainPartProblem};
pub use holes::{Hole, Holes, Spacing, duration};
pub(crate) use leakage::most_frequent;
pub use leakage::{Evidence, Leak, leaks};
pub use load::{Loaded, check_train_part, load};
pub use numbers::read_numbers;
pub use panel::Panel;
pub use summary::{LeftOut, PartOfSeries, PartSummary, SeriesSummary, TableSummary};
pub use unlabelled::{Row, Unlabelled, load_unlabelled};
