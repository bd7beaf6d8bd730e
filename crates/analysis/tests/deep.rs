//! Tests of multi-parameter statistics against SciPy, statsmodels, scikit-learn and exact enumeration
//! (`oracle/deep.py`).

use allometry_analysis::stats::design::{Design, Term};
use allometry_analysis::stats::isotonic::{Monotone, isotonic};
use allometry_analysis::stats::least_squares::Fit;
use allometry_analysis::stats::one_way::OneWay;
use allometry_analysis::stats::{
    benjamini_hochberg, best_of, bootstrap, delong, discrepancy, distribution, jonckheere, kendall, lmg,
    noncentral_f, permutation, power_law, random, table, two_sample,
};
use allometry_core::rng::stream;
use serde_json::Value;

fn cases(name: &str) -> Vec<Value> {
    let oracle: Value = serde_json::from_str(include_str!("oracle/deep.json")).unwrap();
    oracle[name].as_array().unwrap().clone()
}

fn number(json: &Value) -> f64 {
    json.as_f64().unwrap_or_else(|| panic!("no number: {json}"))
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(number).collect()
}

fn codes(json: &Value) -> Vec<usize> {
    json.as_array().unwrap().iter().map(|code| code.as_u64().unwrap() as usize).collect()
}

#[track_caller]
fn near(ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1e-3), "{ours} against {theirs}");
}

#[track_caller]
fn close(ours: f64, theirs: f64) {
    near(ours, theirs, 1e-9);
}

#[track_caller]
fn all_close(ours: &[f64], theirs: &Value) {
    let theirs = numbers(theirs);
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).for_each(|(ours, theirs)| close(*ours, theirs));
}

fn factor(codes: Vec<usize>) -> Term {
    let levels = codes.iter().max().unwrap() + 1;
    Term::Factor { codes, levels }
}

#[test]
fn tails_of_distributions() {
    for case in cases("tails") {
        let (x, df) = (number(&case["x"]), number(&case["df"]));
        close(distribution::t_upper_tail(x, df).unwrap(), number(&case["t"]));
        close(distribution::f_upper_tail(x, df, df + 3.0).unwrap(), number(&case["f"]));
        close(distribution::chi_squared_upper_tail(x, df).unwrap(), number(&case["chi2"]));
        close(distribution::t_half_width(0.95, df).unwrap(), number(&case["t95"]));
    }
    for case in cases("many_degrees") {
        let df = number(&case["df"]);
        close(distribution::t_half_width(0.95, df).unwrap(), number(&case["t95"]));
        close(distribution::t_half_width(0.999, df).unwrap(), number(&case["t999"]));
        close(distribution::t_two_sided(2.0, df).unwrap(), number(&case["p"]));
    }
    assert_eq!(distribution::t_upper_tail(1.0, 0.0), None);
    assert_eq!(distribution::f_upper_tail(f64::NAN, 2.0, 2.0), None);
}

/// Compares with SciPy (`oracle/noncentral_f.py`).
#[test]
fn noncentral_f_and_the_noncentralities_it_admits() {
    let oracle: Value = serde_json::from_str(include_str!("oracle/noncentral_f.json")).unwrap();
    for case in oracle["cdf"].as_array().unwrap() {
        let place = numbers(&case["place"]);
        let ours = noncentral_f::cdf(place[0], place[1], place[2], place[3]).unwrap();
        close(ours, number(&case["cdf"]));
    }
    for case in oracle["ends"].as_array().unwrap() {
        let observed = numbers(&case["observed"]);
        let level = number(&case["level"]);
        let ours = noncentral_f::noncentrality(observed[0], observed[1], observed[2], level).unwrap();
        let theirs = numbers(&case["ends"]);
        near(ours.0, theirs[0], 1e-7);
        near(ours.1, theirs[1], 1e-7);
    }
    assert_eq!(noncentral_f::noncentrality(f64::INFINITY, 2.0, 9.0, 0.9), None);
    assert_eq!(noncentral_f::noncentrality(f64::NAN, 2.0, 9.0, 0.9), None);
    assert_eq!(noncentral_f::noncentrality(0.0, 2.0, 9.0, 0.9), Some((0.0, 0.0)));
    assert_eq!(noncentral_f::cdf(1.0, 0.0, 9.0, 1.0), None);
}

/// Returns the terms of a case and its response.
fn model(case: &Value) -> (Vec<Term>, Vec<f64>) {
    let mut terms: Vec<Term> =
        ["a", "b", "c"].iter().map(|name| factor(codes(&case["codes"][name]))).collect();
    terms.push(Term::Score(numbers(&case["score"])));
    (terms, numbers(&case["y"]))
}

#[test]
fn linear_models() {
    for case in cases("linear") {
        let (terms, y) = model(&case);
        let design = Design::new(y.len(), &terms);
        let fit = Fit::new(&design, &y).unwrap();
        close(fit.r_squared(), number(&case["r_squared"]));
        assert_eq!(fit.residual_freedom as u64, case["df_resid"].as_u64().unwrap());
        for (ours, theirs) in fit.term_tests().iter().zip(case["type_ii"].as_array().unwrap()) {
            assert_eq!(ours.freedom as f64, number(&theirs["df"]));
            near(ours.sum_of_squares, number(&theirs["ss"]), 1e-7);
            if theirs.get("f").is_some() {
                near(ours.f.unwrap(), number(&theirs["f"]), 1e-8);
                near(ours.p.unwrap(), number(&theirs["p"]), 1e-7);
            }
        }
        if let Some(hc3) = case.get("hc3") {
            let robust = fit.robust(design.terms()[3].start).unwrap();
            close(robust.estimate, number(&hc3["b"]));
            close(robust.standard_error, number(&hc3["se"]));
            close(robust.p().unwrap(), number(&hc3["p"]));
            let contrast = fit.contrast(Some(1), Some(0)).unwrap();
            close(contrast.estimate, number(&case["contrast"]["b"]));
            close(contrast.standard_error, number(&case["contrast"]["se"]));
            close(contrast.p().unwrap(), number(&case["contrast"]["p"]));
            assert!(fit.aliased.is_empty());
        } else {
            assert_eq!(fit.aliased.len(), 1, "the column of the factor that another one determines");
            assert_eq!(fit.contrast(Some(fit.aliased[0]), None), None);
        }
    }
}

#[test]
fn shares_of_r_squared() {
    for case in cases("linear") {
        let (terms, y) = model(&case);
        let design = Design::new(y.len(), &terms);
        let center = y.iter().sum::<f64>() / y.len() as f64;
        let centered: Vec<f64> = y.iter().map(|y| y - center).collect();
        let matrix = design.cross_products(&centered, None);
        let shares = lmg::exact(&matrix, design.terms());
        all_close(&shares, &case["lmg"]);
        close(shares.iter().sum(), number(&case["r_squared"]));
        let sampled = lmg::sampled(&matrix, design.terms(), 400, &mut stream(1, "test", 0));
        for (exact, sampled) in shares.iter().zip(sampled) {
            assert!((exact - sampled).abs() < 0.02, "{sampled} from random orders against {exact}");
        }
    }
}

#[test]
fn responses_that_do_not_vary_have_no_fit() {
    let design = Design::new(4, &[factor(vec![0, 1, 0, 1])]);
    assert!(Fit::new(&design, &[0.3; 4]).is_none());
    assert!(
        Fit::new(&design, &[0.0, 1.0, 0.0, 1.0]).unwrap().term_tests()[0].f.is_none(),
        "an exact fit has no error"
    );
    let saturated = Design::new(2, &[factor(vec![0, 1])]);
    let fit = Fit::new(&saturated, &[0.1, 0.2]).unwrap();
    assert_eq!((fit.residual_freedom, fit.term_tests()[0].f, fit.robust(0)), (0, None, None));
    assert!(Fit::new(&Design::new(0, &[]), &[]).is_none());
    assert_eq!(lmg::exact(&[0.0; 4], std::slice::from_ref(&(0..1))), [0.0]);
}

#[test]
fn one_way_effects() {
    for case in cases("one_ways") {
        let (y, codes) = (numbers(&case["y"]), codes(&case["codes"]));
        let effect = OneWay::new(&y, &codes, case["groups"].as_u64().unwrap() as usize);
        close(effect.omega_squared().unwrap(), number(&case["omega"]));
    }
    assert_eq!(OneWay::new(&[1.0, 2.0], &[0, 1], 2).omega_squared(), None, "no repeats");
    assert_eq!(OneWay::new(&[1.0, 1.0, 1.0], &[0, 1, 1], 2).omega_squared(), None, "nothing varies");
    assert_eq!(OneWay::new(&[], &[], 0).epsilon_squared(), None);
}

#[test]
fn permutation_tests() {
    for case in cases("exact_permutations") {
        let (y, codes) = (numbers(&case["y"]), codes(&case["codes"]));
        let groups = codes.iter().max().unwrap() + 1;
        let exact = permutation::one_way_exact(&y, &codes, groups, 10_000).unwrap();
        close(exact, number(&case["p"]));
        assert_eq!(permutation::one_way_exact(&y, &codes, groups, 3), None);
        let drawn = permutation::one_way(&y, &[(&codes, groups)], 20_000, &mut stream(3, "test", 0));
        let error = (exact * (1.0 - exact) / 20_000.0).sqrt();
        assert!((drawn[0] - exact).abs() < 4.0 * error + 1e-4, "{} against {exact}", drawn[0]);
    }
    let p = permutation::one_way(&[1.0; 4], &[(&[0, 0, 1, 1], 2)], 99, &mut stream(3, "test", 1));
    assert_eq!(p, [1.0], "nothing varies");
}

#[test]
fn kendalls_tau() {
    for case in cases("kendalls") {
        let ours = kendall::kendall(&numbers(&case["x"]), &numbers(&case["y"])).unwrap();
        close(ours.tau_b, number(&case["tau"]));
        close(ours.p, number(&case["p"]));
    }
    assert_eq!(kendall::kendall(&[1.0, 1.0], &[1.0, 2.0]), None);
    assert_eq!(kendall::kendall(&[], &[]), None);
}

#[test]
fn ordered_groups() {
    for case in cases("jonckheeres") {
        let groups: Vec<Vec<f64>> = case["groups"].as_array().unwrap().iter().map(numbers).collect();
        let groups: Vec<&[f64]> = groups.iter().map(Vec::as_slice).collect();
        let ours = jonckheere::jonckheere_terpstra(&groups).unwrap();
        close(ours.statistic, number(&case["statistic"]));
        close(ours.mean, number(&case["mean"]));
        close(ours.variance, number(&case["variance"]));
    }
    assert_eq!(jonckheere::jonckheere_terpstra(&[&[1.0, 2.0], &[]]), None);
    assert_eq!(jonckheere::jonckheere_terpstra(&[&[1.0], &[1.0]]), None);
}

#[test]
fn monotone_fits() {
    for case in cases("isotonics") {
        let (y, w) = (numbers(&case["y"]), numbers(&case["w"]));
        all_close(&isotonic(&y, &w, Monotone::Increasing), &case["up"]);
        all_close(&isotonic(&y, &w, Monotone::Decreasing), &case["down"]);
    }
    assert!(isotonic(&[], &[], Monotone::Increasing).is_empty());
}

#[test]
fn two_groups() {
    for case in cases("two_samples") {
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let welch = two_sample::welch(&a, &b).unwrap();
        close(welch.t, number(&case["t"]));
        close(welch.freedom, number(&case["df"]));
        close(welch.p_greater, number(&case["p"]));
        let ranks = two_sample::mann_whitney(&a, &b).unwrap();
        close(ranks.u, number(&case["u"]));
        close(ranks.p, number(&case["mw"]));
    }
    assert_eq!(two_sample::welch(&[1.0], &[1.0, 2.0]), None);
    assert_eq!(two_sample::welch(&[2.0, 2.0], &[1.0, 1.0]).unwrap().p_greater, 0.0);
    assert_eq!(two_sample::mann_whitney(&[1.0], &[1.0]), None);
    assert_eq!(two_sample::mann_whitney(&[], &[1.0]), None);
}

#[test]
fn association_in_tables() {
    for case in cases("tables") {
        let counts: Vec<Vec<u64>> = serde_json::from_value(case["counts"].clone()).unwrap();
        let ours = table::association(&counts).unwrap();
        close(ours.chi_squared, number(&case["chi2"]));
        close(ours.p, number(&case["p"]));
        close(ours.cramers_v, number(&case["v"]));
    }
    assert_eq!(table::association(&[vec![3, 0], vec![2, 0]]), None, "one column is filled");
    assert_eq!(table::association(&[]), None);
}

#[test]
fn centered_discrepancy() {
    for case in cases("discrepancies") {
        let points: Vec<Vec<f64>> = serde_json::from_value(case["points"].clone()).unwrap();
        close(discrepancy::centered_l2(&points).unwrap(), number(&case["cd"]));
    }
    assert_eq!(discrepancy::centered_l2(&[]), None);
    let mut rng = stream(5, "test", 0);
    let mut coordinate = || random::below(&mut rng, 1 << 30) as f64 / f64::from(1 << 30);
    let mut sum = 0.0;
    for _ in 0..400 {
        let points: Vec<Vec<f64>> = (0..12).map(|_| (0..3).map(|_| coordinate()).collect()).collect();
        sum += discrepancy::centered_l2(&points).unwrap() / 400.0;
    }
    near(sum, discrepancy::centered_l2_at_random(12, &[discrepancy::Side::CONTINUOUS; 3]), 0.05);
}

#[test]
fn false_discovery_rates() {
    for case in cases("benjamini_hochbergs") {
        all_close(&benjamini_hochberg::adjust(&numbers(&case["p"])), &case["adjusted"]);
    }
    assert!(benjamini_hochberg::adjust(&[]).is_empty());
}

#[test]
fn bootstrap_intervals() {
    for case in cases("bcas") {
        let mut replicates = numbers(&case["replicates"]);
        let estimate = number(&case["estimate"]);
        let (lower, upper) = bootstrap::percentile(&mut replicates, 0.9).unwrap();
        all_close(&[lower, upper], &case["percentile"]);
        let ours = bootstrap::bca(&mut replicates, estimate, &numbers(&case["jackknife"]), 0.9).unwrap();
        all_close(&[ours.0, ours.1], &case["bca"]);
    }
    assert_eq!(bootstrap::percentile(&mut [], 0.9), None);
    assert_eq!(bootstrap::bca(&mut [1.0, 2.0], 0.5, &[1.0, 2.0], 0.9), None, "all on one side");
    assert_eq!(bootstrap::bca(&mut [1.0, 2.0], 1.5, &[1.0, 1.0], 0.9), None, "no acceleration");
}

#[test]
fn best_of_k() {
    for case in cases("best_ofs") {
        let (y, k) = (numbers(&case["y"]), case["k"].as_u64().unwrap() as usize);
        close(best_of::without_replacement(&y, k).unwrap(), number(&case["u"]));
        close(best_of::with_replacement(&y, k).unwrap(), number(&case["v"]));
    }
    assert_eq!(best_of::without_replacement(&[1.0], 2), None);
    assert_eq!(best_of::with_replacement(&[], 1), None);
}

#[test]
fn areas_under_curves() {
    for case in cases("delongs") {
        let labels: Vec<bool> = serde_json::from_value(case["labels"].clone()).unwrap();
        let scores: Vec<Vec<f64>> = case["scores"].as_array().unwrap().iter().map(numbers).collect();
        let scores: Vec<&[f64]> = scores.iter().map(Vec::as_slice).collect();
        let ours = delong::delong(&labels, &scores).unwrap();
        all_close(&ours.auc, &case["auc"]);
        for (row, theirs) in ours.covariance.iter().zip(case["covariance"].as_array().unwrap()) {
            all_close(row, theirs);
        }
        let (gap, error) = ours.difference(0, 1);
        close(gap, ours.auc[0] - ours.auc[1]);
        assert!(error < ours.standard_error(0) + ours.standard_error(1));
        assert_eq!(ours.difference(1, 1), (0.0, 0.0));
    }
    assert_eq!(delong::delong(&[true, false, false], &[&[0.1, 0.2, 0.3]]), None, "one positive");
}

#[test]
fn power_laws() {
    for case in cases("power_laws") {
        let (sizes, y) = (numbers(&case["sizes"]), numbers(&case["y"]));
        let ours = power_law::fit(&sizes, &y, &vec![1.0; y.len()]).unwrap();
        for (ours, name) in
            [(ours.limit, "limit"), (ours.amplitude, "amplitude"), (ours.exponent, "exponent")]
        {
            near(ours, number(&case[name]), 1e-5);
        }
    }
    assert_eq!(power_law::fit(&[1.0, 2.0, 2.0], &[1.0; 3], &[1.0; 3]), None, "two sizes");
    assert_eq!(power_law::fit(&[0.0, 1.0, 2.0], &[1.0; 3], &[1.0; 3]), None, "no size");
}
