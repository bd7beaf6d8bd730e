//! Why no configuration is recommended, in words.

use allometry_analysis::recommendation::NotRecommended;

/// Returns why a recommendation, or its mean, is not known, as a clause.
pub fn not_recommended(why: NotRecommended) -> String {
    match why {
        NotRecommended::NoSpace => "the search space is not known".into(),
        NotRecommended::OddSpace => {
            "a set of the search space is empty, not finite, or has too many values for a model".into()
        }
        NotRecommended::NoValue => {
            "no complete trial in the search space has a value and satisfies the constraints".into()
        }
        NotRecommended::NoExpectation(why) => why.to_string(),
    }
}
