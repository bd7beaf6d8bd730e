//! Errors over the validation rows of models that predict the same rows.

use crate::eras::EraPlaces;
use crate::estimate::{Estimate, Method};
use crate::options::Options;
use crate::outputs::Outputs;
use crate::row_scores::{Predicted, RowScores};
use crate::scores::Scores;
use crate::series::Series;
use crate::stats::influence::{Influence, RowMetric};
use crate::stats::long_run::{Cosines, LongRun, TooShort, independent};
use crate::stats::two_way::TwoWay;

/// Reason why predictions give no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRowError {
    /// The models predict different rows, or have different metrics.
    OtherRows,
    /// The metric is undefined on these rows.
    Undefined,
    /// There are too few rows for how long they depend on each other.
    TooShort(TooShort),
}

impl From<TooShort> for NoRowError {
    fn from(error: TooShort) -> Self {
        Self::TooShort(error)
    }
}

/// Contribution of each row to the metrics of some models.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowErrors {
    influences: Vec<Influence>,
    dependence: Dependence,
    /// Cosine terms of each model, if rows depend on their neighbours in time; otherwise empty.
    terms: Vec<Vec<f64>>,
    /// Era of each row; `None` where the metric is that of all rows.
    eras: Option<EraPlaces>,
}

/// How rows depend on each other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dependence {
    /// The order of the rows is unknown; they count as independent.
    Unknown,
    /// Rows depend on their neighbours in time.
    Ordered {
        /// Cosine transform of that many rows.
        cosines: Cosines,
        /// Place of each row in time order.
        order: Vec<usize>,
    },
    /// Rows depend on those of their time and of their series.
    TwoWay(TwoWay),
}

impl Dependence {
    /// Prepares the errors of means over rows with these numbers. `order` has their places in time order;
    /// `None` if it is unknown.
    ///
    /// # Errors
    /// [`NoRowError`].
    pub(crate) fn new(
        rows: &[u64],
        series: &Series<'_>,
        order: Option<Vec<usize>>,
    ) -> Result<Self, NoRowError> {
        match (series.panel, order) {
            (Some(panel), _) => {
                let clusters = panel.clusters(rows, series.horizon);
                Ok(Self::TwoWay(TwoWay::new(clusters.ok_or(NoRowError::OtherRows)?)?))
            }
            (None, None) => Ok(Self::Unknown),
            (None, Some(order)) => {
                let cosines = Cosines::new(order.len(), series.horizon)?;
                Ok(Self::Ordered { cosines, order })
            }
        }
    }

    /// Returns the cosine terms of values, one for each row, if rows depend on their neighbours in time.
    fn terms(&self, values: &[f64]) -> Option<Vec<f64>> {
        let Self::Ordered { cosines, order } = self else { return None };
        Some(cosines.terms(&order.iter().map(|&place| values[place]).collect::<Vec<f64>>()))
    }

    /// Returns the error of the mean of values with mean 0, one for each row.
    ///
    /// # Errors
    /// [`TooShort`] if the rows depend on each other over too long a time.
    pub(crate) fn error(&self, values: &[f64]) -> Result<LongRun, TooShort> {
        match self {
            Self::Unknown => Ok(Cosines::unordered(values)),
            Self::Ordered { cosines, .. } => {
                let terms = self.terms(values).unwrap_or_default();
                cosines.error(&terms, independent(values))
            }
            Self::TwoWay(errors) => errors.error(values),
        }
    }
}

impl RowErrors {
    /// Prepares the errors of any sum of the metrics of `models`.
    ///
    /// # Errors
    /// [`NoRowError`].
    pub(crate) fn new(models: &[RowScores<'_>]) -> Result<Self, NoRowError> {
        let (first, others) = models.split_first().ok_or(NoRowError::Undefined)?;
        if others.iter().any(|other| !first.same_rows(other)) {
            return Err(NoRowError::OtherRows);
        }
        let influences: Vec<Influence> =
            models.iter().map(RowScores::influence).collect::<Option<_>>().ok_or(NoRowError::Undefined)?;
        Self::of(first, influences)
    }

    /// Prepares the errors from the influences of models whose rows are those of `first`.
    ///
    /// # Errors
    /// [`NoRowError`].
    pub(crate) fn of(first: &RowScores<'_>, influences: Vec<Influence>) -> Result<Self, NoRowError> {
        let dependence = Dependence::new(first.row_numbers(), &first.series, first.time_order())?;
        Ok(Self { eras: first.era_places(), ..Self::of_influences(influences, dependence) })
    }

    /// Prepares the errors of any sum of metrics with these influences.
    pub(crate) fn of_influences(influences: Vec<Influence>, dependence: Dependence) -> Self {
        let terms = influences.iter().filter_map(|one| dependence.terms(&one.rows)).collect();
        Self { influences, dependence, terms, eras: None }
    }

    /// Returns the metric of each model, with each row's influence.
    pub(crate) fn influences(&self) -> &[Influence] {
        &self.influences
    }

    /// Whether the order of the rows is known.
    pub(crate) fn is_ordered(&self) -> bool {
        !matches!(self.dependence, Dependence::Unknown)
    }

    /// Returns the number of series of the rows; `None` for rows of one.
    pub(crate) fn series(&self) -> Option<usize> {
        match &self.dependence {
            Dependence::TwoWay(errors) => Some(errors.series()),
            Dependence::Unknown | Dependence::Ordered { .. } => None,
        }
    }

    /// Returns the number of eras of the rows; `None` where the metric is that of all rows.
    pub(crate) fn eras(&self) -> Option<usize> {
        self.eras.as_ref().map(EraPlaces::count)
    }

    /// Returns the error over rows of the weighted sum of the metrics, for fixed models. It is at least the
    /// one that follows from the spread of the eras.
    ///
    /// # Errors
    /// [`TooShort`] if the rows of the sum depend on each other over too long a time.
    pub(crate) fn of_sum(&self, weights: &[f64]) -> Result<LongRun, TooShort> {
        let series = self.of_rows(weights);
        let of_rows = match &self.dependence {
            Dependence::Unknown => Cosines::unordered(&series),
            Dependence::Ordered { cosines, .. } => {
                let terms = self.sum(weights, self.terms.iter().map(Vec::as_slice));
                cosines.error(&terms, independent(&series))?
            }
            Dependence::TwoWay(errors) => errors.error(&series)?,
        };
        Ok(match &self.eras {
            Some(eras) => eras.widened(of_rows, &series),
            None => of_rows,
        })
    }

    /// Returns the covariance of two sums over new rows, from the first `terms` cosine terms if the rows are
    /// ordered. With eras that of a sum with itself is the variance of [`RowErrors::of_sum`], and others are
    /// scaled alike.
    pub(crate) fn covariance(&self, first: &[f64], second: &[f64], terms: usize) -> f64 {
        let of_rows = self.covariance_over_rows(first, second, terms);
        let Some(eras) = &self.eras else { return of_rows };
        let of_eras = |weights: &[f64]| {
            let series = self.of_rows(weights);
            eras.covariance(&series, &series)
        };
        if first == second {
            return of_rows.max(of_eras(first));
        }
        let inflation = |weights: &[f64]| {
            let own = self.covariance_over_rows(weights, weights, terms);
            if own > 0.0 { (of_eras(weights) / own).max(1.0).sqrt() } else { 1.0 }
        };
        of_rows * inflation(first) * inflation(second)
    }

    fn covariance_over_rows(&self, first: &[f64], second: &[f64], terms: usize) -> f64 {
        let rows = self.influences.first().map_or(0.0, |one| one.rows.len() as f64);
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        match &self.dependence {
            Dependence::Unknown => product(&self.of_rows(first), &self.of_rows(second)) / (rows * rows),
            Dependence::Ordered { .. } => {
                let of = |weights| self.sum(weights, self.terms.iter().map(Vec::as_slice));
                let count = terms.min(self.terms[0].len());
                product(&of(first)[..count], &of(second)[..count]) / count as f64 / rows
            }
            Dependence::TwoWay(errors) => {
                errors.covariance(&self.of_rows(first), &self.of_rows(second), terms)
            }
        }
    }

    /// Returns the variance of one model's metric over new rows, from the first `terms` cosine terms if
    /// ordered.
    pub(crate) fn variance(&self, model: usize, terms: usize) -> f64 {
        let own = &self.influences[model].rows;
        let of_eras = self.eras.as_ref().map_or(0.0, |eras| eras.covariance(own, own));
        let of_rows = match &self.dependence {
            Dependence::Unknown => independent(own),
            Dependence::Ordered { .. } => {
                let terms_of_model = &self.terms[model];
                let count = terms.min(terms_of_model.len());
                let power =
                    terms_of_model[..count].iter().map(|term| term * term).sum::<f64>() / count as f64;
                power / own.len() as f64
            }
            Dependence::TwoWay(errors) => errors.covariance(own, own, terms),
        };
        of_rows.max(of_eras)
    }

    /// Returns the weighted sum of the influences of each row.
    fn of_rows(&self, weights: &[f64]) -> Vec<f64> {
        self.sum(weights, self.influences.iter().map(|one| one.rows.as_slice()))
    }

    fn sum<'s>(&self, weights: &[f64], parts: impl Iterator<Item = &'s [f64]>) -> Vec<f64> {
        debug_assert_eq!(weights.len(), self.influences.len());
        let mut sum = Vec::new();
        for (part, weight) in parts.zip(weights) {
            sum.resize(part.len(), 0.0);
            if *weight != 0.0 {
                sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        sum
    }
}

impl RowScores<'_> {
    /// Returns a trial's value with the error from these predictions, if they have that value and give an
    /// error.
    pub(crate) fn estimate(&self, value: f64, options: &Options) -> Option<Estimate> {
        let errors = RowErrors::new(&[*self]).ok()?;
        if !self.have_value(&errors.influences()[0], value) {
            return None;
        }
        let error = errors.of_sum(&[1.0]).ok()?;
        Estimate::of_rows(value, &error, Method::Rows, self.measures_auc(), options)
    }
}

impl Estimate {
    /// Returns an AUC with the error from its predictions; `None` if they have another AUC or give no error.
    pub fn scored_auc(
        point: f64,
        predictions: &Scores<'_>,
        series: Series<'_>,
        options: &Options,
    ) -> Option<Self> {
        RowScores { predicted: Predicted::Binary(*predictions), series }.estimate(point, options)
    }
}

/// Returns the metric of the second model minus that of the first on the same rows, with its error over new
/// rows; `None` if the rows differ or the models give every row the same influence.
pub(crate) fn paired(first: &RowScores<'_>, second: &RowScores<'_>, options: &Options) -> Option<Estimate> {
    let errors = RowErrors::new(&[*first, *second]).ok()?;
    let difference = errors.influences[1].value - errors.influences[0].value;
    let error = errors.of_sum(&[-1.0, 1.0]).ok()?;
    Estimate::of_rows(difference, &error, Method::PairedRows, false, options)
}

/// Returns the gain in AUC of the second of two models over the first on the same rows, with its error over
/// new rows (`DeLong` et al. 1988, the rows in time order); `None` if the rows differ or the gain has no
/// error.
pub fn paired_gain(
    first: &Scores<'_>,
    second: &Scores<'_>,
    series: Series<'_>,
    options: &Options,
) -> Option<Estimate> {
    let of = |predictions| RowScores { predicted: Predicted::Binary(predictions), series };
    paired(&of(*first), &of(*second), options)
}

/// Returns the metric of the second model minus that of the first on the same rows, with its error over new
/// rows; `None` if the rows differ or there is no error.
pub fn paired_difference(
    metric: RowMetric,
    first: &Outputs<'_>,
    second: &Outputs<'_>,
    series: Series<'_>,
    options: &Options,
) -> Option<Estimate> {
    let of = |outputs| RowScores { predicted: Predicted::Other(outputs, metric), series };
    paired(&of(*first), &of(*second), options)
}
