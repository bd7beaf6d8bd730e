use serde::Deserialize;

use super::*;
use crate::param::Params;
use crate::trial::TrialState;

#[derive(Deserialize)]
struct Oracle {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    points: Vec<Vec<f64>>,
    reference: Vec<f64>,
    ranks: Vec<usize>,
    best_trials: Vec<u64>,
    hypervolume: f64,
    crowding: Option<Vec<Option<f64>>>,
    elite: Option<Vec<usize>>,
}

#[test]
fn fronts_elites_and_volumes_are_optunas() {
    let oracle: Oracle = serde_json::from_str(include_str!("../../tests/oracle/pareto.json")).unwrap();
    assert!(oracle.cases.len() >= 6);
    for case in oracle.cases {
        let mut ranks = vec![usize::MAX; case.points.len()];
        for (rank, front) in fronts(&case.points).enumerate() {
            for i in front {
                ranks[i] = rank;
            }
        }
        assert_eq!(ranks, case.ranks);
        let directions = vec![Direction::Minimize; case.reference.len()];
        let trial = |(number, values): (usize, &Vec<f64>)| {
            FrozenTrial::new(number as u64, TrialState::Complete, values.clone(), Params::default())
        };
        let trials: Vec<FrozenTrial> = case.points.iter().enumerate().map(trial).collect();
        let best: Vec<u64> = best_trials(&trials, &directions).iter().map(|trial| trial.number.0).collect();
        assert_eq!(best, case.best_trials);
        let volume = hypervolume(&case.points, &case.reference);
        assert!((volume - case.hypervolume).abs() < 1e-9, "{volume} {}", case.hypervolume);
        if let (Some(crowding), Some(elite)) = (case.crowding, case.elite) {
            let front: Vec<&[f64]> = best.iter().map(|n| case.points[*n as usize].as_slice()).collect();
            for (own, other) in crowding_distances(&front).iter().zip(crowding) {
                let other = other.unwrap_or(f64::INFINITY);
                assert!(*own == other || (own - other).abs() < 1e-9, "{own} {other}");
            }
            let mut own = leading(&case.points, elite.len());
            own.sort_unstable();
            assert_eq!(own, elite);
        }
    }
}

#[test]
fn trials_without_every_value_are_no_part_of_a_front() {
    let mut trials: Vec<FrozenTrial> = (0..5)
        .map(|number| FrozenTrial::new(number, TrialState::Complete, Some(1.0), Params::default()))
        .collect();
    trials[1].values = vec![1.0, 2.0];
    trials[2].values = vec![1.5, f64::NEG_INFINITY];
    trials[3].state = TrialState::Pruned;
    trials[3].values = vec![1.0, 9.0];
    trials[4].values = vec![1.0, f64::INFINITY];
    let best = best_trials(&trials, &[Direction::Maximize; 2]);
    assert_eq!(best.iter().map(|trial| trial.number.0).collect::<Vec<_>>(), [1, 2]);
}
