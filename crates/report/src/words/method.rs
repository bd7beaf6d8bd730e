//! Names of the methods that compute errors.

use allometry_analysis::Method;

/// Returns the name of a method for a list.
pub(crate) fn method(method: Method) -> &'static str {
    match method {
        Method::Observed => "as observed",
        Method::HanleyMcneil => "Hanley-McNeil, logit interval",
        Method::Independent => "the errors of both values, taken as independent",
        Method::AssumedCorrelation => "Hanley-McNeil, assumed correlation",
        Method::PairedRows => "influences of rows, paired, t interval",
        Method::PairedSeeds => "paired by seed, t interval",
        Method::SeedsAndRows => "spread over seeds, t interval",
        Method::Rows => "influences of rows, t interval",
        Method::Sources => "search, seeds and rows, t interval",
        Method::Sizes => "sizes as units, t interval",
        Method::LeftOutRows => "resamples that leave out rows, scaled percentiles",
        Method::Wilson => "Wilson",
        Method::ResidualBootstrap => "residual bootstrap",
        Method::NoncentralF => "noncentral F",
        Method::Hc3 => "HC3, t interval",
        Method::TrialJackknife => "jackknife over trials",
        Method::IndependentTrials => "the errors of both, taken as independent",
        Method::Identical => "none, because both have the same trials",
        Method::Superiority => "DeLong over trials, logit interval",
        Method::LawDraws => "law over the sizes",
        Method::GaussianProcess => "Gaussian process",
    }
}
