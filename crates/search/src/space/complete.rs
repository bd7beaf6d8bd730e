//! Completion of configurations with some given values.

use allometry_core::Params;

use super::configuration::Configuration;
use super::feasible::Feasible;
use super::mixed::shifted;

/// Largest number of points tried to find a configuration that meets constraints on other parameters too.
const TRIES: u32 = 4096;

impl Feasible {
    /// The configuration at a point of `[0, 1)^d`, mapped as in [`Self::at`], among those with the values of
    /// `fixed`. `None` where there is none (with constraints on other parameters too: where 4,096 points
    /// found none), or where a value is not in its set. Parameters of `fixed` that are not in the space are
    /// ignored.
    ///
    /// # Panics
    /// Where `point` has fewer than [`Self::dimension`] coordinates.
    pub fn complete(&self, fixed: &Params, point: &[f64]) -> Option<Params> {
        let mut ranks = Vec::with_capacity(self.architecture.len());
        for axis in &self.architecture {
            ranks.push(match fixed.get(&axis.name) {
                Some(value) => Some(axis.rank(value)?),
                None => None,
            });
        }
        let fits = |i: &usize| {
            ranks.iter().enumerate().all(|(d, rank)| rank.is_none_or(|rank| rank == self.digit(*i, d) as u64))
        };
        let mut given = Vec::with_capacity(self.rest.len());
        for axis in &self.rest {
            given.push(match fixed.get(&axis.name) {
                Some(value) => Some(axis.coordinate(value)?),
                None => None,
            });
        }
        let mut fitting: Option<Vec<usize>> = None;
        // Where a constraint does not hold, further points are tried.
        let tries = if self.mixed.is_empty() { 1 } else { TRIES };
        (0..tries).find_map(|k| {
            let point = shifted(point, k);
            let drawn = self.combination_at(&point);
            let architecture = if fits(&(drawn.architecture as usize)) {
                drawn.architecture
            } else {
                let fitting =
                    fitting.get_or_insert_with(|| (0..self.architecture_count()).filter(fits).collect());
                let place = (point.first().copied().unwrap_or(0.0) * fitting.len() as f64) as usize;
                *fitting.get(place)? as u32
            };
            let rest = drawn.rest.iter().zip(&given).map(|(drawn, given)| given.unwrap_or(*drawn)).collect();
            let mut configuration = Configuration { architecture, rest };
            self.settle(&mut configuration);
            self.meets(&configuration).then(|| self.params(&configuration))
        })
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::ParamValue;

    use super::super::tests::{any, floats, ints, space_of};
    use super::*;

    #[test]
    fn given_values_stay_and_the_rest_is_feasible() {
        let space = space_of(&[
            ("d_model", ints(&[32, 48, 64])),
            ("n_heads", ints(&[2, 3, 4])),
            ("dropout", floats(&[0.0, 0.1])),
        ]);
        let feasible = Feasible::new(&space, &any(), |_| None).unwrap();
        let fixed: Params =
            [("n_heads", ParamValue::Int(3)), ("dropout", ParamValue::Float(0.1))].into_iter().collect();
        for u in [0.0, 0.3, 0.6, 0.99] {
            let params = feasible.complete(&fixed, &[u, u, u]).unwrap();
            assert_eq!(
                params.get("d_model"),
                Some(&ParamValue::Int(48)),
                "the only width that 3 heads divide"
            );
            assert_eq!(params.get("dropout"), Some(&ParamValue::Float(0.1)));
            assert!(space.contains(&params));
        }
        let impossible: Params = [("d_model", 32i64), ("n_heads", 3)].into_iter().collect();
        assert_eq!(feasible.complete(&impossible, &[0.5; 3]), None);
        let outside: Params = [("dropout", 0.2)].into_iter().collect();
        assert_eq!(feasible.complete(&outside, &[0.5; 3]), None);
        assert_eq!(
            feasible.complete(&Params::default(), &[0.5; 3]),
            Some(feasible.params(&feasible.at(&[0.5; 3])))
        );
    }
}
