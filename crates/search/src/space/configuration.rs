//! Configurations as indices.

/// A configuration as indices instead of values. Two are equal exactly if the configurations are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Configuration {
    /// Index of the architecture among the admitted ones.
    pub architecture: u32,
    /// Coordinate of each other parameter: the rank of its value, the bits of a continuous value, or
    /// `u64::MAX` where the parameter is inactive.
    pub rest: Vec<u64>,
}
