//! Why no configuration is recommended, in words.

use allometry_analysis::recommendation::NotRecommended;

/// Returns why a recommendation, or its mean, is not known, as a clause.
pub fn not_recommended(why: NotRecommended) -> String {
    match why {
        NotRecommended::NoSpace => "the search space is not known".into(),
        NotRecommended::OddSpace => "a set of the search space is empty or not finite".into(),
        NotRecommended::ManyChoices => {
            "a parameter has more than 4,096 choices, which are too many for a model".into()
        }
        NotRecommended::NoValue => {
            "no complete trial in the search space has a value and satisfies the constraints".into()
        }
        NotRecommended::NoExpectation(why) => why.to_string(),
    }
}
