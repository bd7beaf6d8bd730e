//! The summary for terminals: its look at several widths, and that it fits them.

use std::path::Path;

use allometry_analysis::{Analysis, LadderTrials, Options, Training, analyze};
use allometry_core::ClassCounts;
use allometry_report::words::verdict::sentence;
use allometry_report::{Pictures, brief, html, terminal};

use crate::support;

/// Returns the summary without the codes that colour it.
fn plain(analysis: &Analysis, width: usize) -> String {
    let text = terminal(analysis, width, "");
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// Returns the summary, with a line break before the learning rate of parameters as JSON, whose line is as
/// long as it must be to be copied.
fn summary(ladder: &LadderTrials, width: usize) -> String {
    plain(&analyze(ladder, &Options::default()), width)
        .replace(",\"learning_rate\":", ",\n\"learning_rate\":")
}

fn confirmed() -> LadderTrials {
    let mut ladder = support::synthetic();
    ladder.confirmations = ladder.studies.iter().map(support::confirmed).collect();
    ladder
}

fn lone() -> LadderTrials {
    let mut ladder = support::synthetic();
    ladder.name = None;
    ladder.studies.truncate(1);
    ladder
}

/// Names, values and labels that are far too long for a line.
fn long() -> LadderTrials {
    let mut ladder = support::synthetic();
    ladder.metrics = allometry_core::Metrics::one("metric".repeat(20), ladder.direction());
    ladder.name = Some("name ".repeat(40));
    let value = "value".repeat(30);
    for study in &mut ladder.studies {
        study.budget.label = study.budget.label.repeat(12);
        for trial in &mut study.trials {
            trial.params = [("word".repeat(30), value.as_str())].into_iter().collect();
        }
    }
    ladder
}

#[test]
fn every_line_fits_the_width() {
    let mut ladders = vec![support::synthetic(), support::odd(), confirmed(), lone(), long()];
    if let Some(seed) = support::seed("every_line_fits_the_width") {
        let mut seed = support::with_seed_sizes(seed);
        seed.rows = Some(ClassCounts { positives: 76, negatives: 346 });
        ladders.push(seed);
    }
    for ladder in &ladders {
        let analysis = analyze(ladder, &Options::default());
        for width in [60, 80, 100] {
            // Parameters as JSON are copied, as commands are.
            let page = plain(&analysis, width);
            for line in page.lines().filter(|line| !line.starts_with("  {\"")) {
                let columns = line.chars().count();
                assert!(columns <= width, "{columns} of {width} columns: {line}");
            }
        }
        assert_eq!(plain(&analysis, 20), plain(&analysis, 60), "the least width");
        assert_eq!(plain(&analysis, 300), plain(&analysis, 100), "the greatest width");
    }
}

#[test]
fn the_verdict_is_there_whole() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for ladder in [support::synthetic(), support::odd(), confirmed()] {
        let analysis = analyze(&ladder, &Options::default());
        let summary = plain(&analysis, 60);
        assert!(words(&summary).contains(&words(&sentence(&analysis))), "{summary}");
    }
}

#[test]
fn a_searched_ladder_at_80_columns() {
    insta::assert_snapshot!(summary(&support::synthetic(), 80), @r#"
    sp500 (v2)

    Do more weights pay?
    Undecided: these trials do not show whether 1.6M is better or worse than 100k;
    the gain per tenfold weights is +0.0221 AUC (95% interval -0.0534 to +0.0977) in
    the mean trial of the search.
    The error covers another search with its seeds (1% of its variance) and other
    validation rows (99% of its variance). Rows count as independent and as
    different for each budget, because predictions of the same rows are not stored
    for every budget.

    Mean AUC of a trial
    Budget  Weights  Value                    95% interval      Best    Trials
    100k    116k     0.7352  ├─────●─────┤    0.6817 to 0.7887  0.7534  16, 1 failed
    400k    403k     0.7432   ├─────●─────┤   0.6901 to 0.7962  0.7501  16, 1 failed
    1.6M    1.13M    0.7574     ├────●─────┤  0.7051 to 0.8096  0.7697  16, 1 failed
    Larger values are better. The best of many trials is partly luck.

    No trial beats the baseline logistic regression: AUC 0.7912 against 0.7697 of
    the best trial (of '1.6M'), on the validation rows; the gap is about 1.9
    standard errors.

    What to take
    Take 100k, trial 2: no larger size is significantly better. Its mean AUC over
    seeds is probably 0.7432 (90% interval 0.7309 to 0.7546). Its model has 119,569
    weights.
      d_model=48  n_layers=2  d_ff_ratio=2  learning_rate=0.000176  dropout=0.1
      activation=relu
      {"d_model":48,"n_layers":2,"d_ff_ratio":2,
    "learning_rate":0.00017589971112481057,"dropout":0.1,"activation":"relu"}

    What matters: share of the variance of AUC
    Parameter                                      Share (95% interval)  Budget
    learning_rate  █████                           15% (0% to 33%)       1.6M
    dropout        ███                             10% (0% to 29%)       1.6M
    activation     ██                              7% (0% to 31%)        400k
    d_model        █                               4% (0% to 33%)        1.6M
    n_layers       █                               3% (0% to 35%)        1.6M
    None is significant after Holm's adjustment: these shares may be chance.

    Findings: 0 errors, 7 warnings, 8 for information
    warning too-few-rows
      717 validation rows (123 positive) do not separate the budgets: they cause
      99% of the error. A true difference as large as the observed one (0.0219
      AUC, 1.6M over 100k) would be found in 80% of cases with about 21,000 rows
    warning collapsed-trials, 3 times
      100k: 1 of 16 trials predict nearly the same value for every row (6%)
    warning nominal-not-size, 2 times
      400k: the best model has 615k weights, but the label says 400k; trials range
      from 238k to 615k
    info missing-scores
      the predictions of the best trials on the validation rows are not stored:
      '100k', '400k' and '1.6M'
    info too-few-sizes
      3 sizes over 0.99 decades are too few for a power law and a forecast of the
      next size, which need 5 over 1.5
    and 1 finding on baselines, above
    and 2 more kinds of findings

    What next
    Report the baseline beside the models: none is shown to be better than it.
    "#);
}

#[test]
fn narrow_terminals_have_shorter_bars_and_fewer_columns() {
    insta::assert_snapshot!(summary(&support::synthetic(), 60), @r#"
    sp500 (v2)

    Do more weights pay?
    Undecided: these trials do not show whether 1.6M is better
    or worse than 100k; the gain per tenfold weights is +0.0221
    AUC (95% interval -0.0534 to +0.0977) in the mean trial of
    the search.
    The error covers another search with its seeds (1% of its
    variance) and other validation rows (99% of its variance).
    Rows count as independent and as different for each budget,
    because predictions of the same rows are not stored for
    every budget.

    Mean AUC of a trial
    Budget  Weights  Value                      95% interval
    100k    116k     0.7352  ├──────●─────┤     0.6817 to 0.7887
    400k    403k     0.7432   ├──────●─────┤    0.6901 to 0.7962
    1.6M    1.13M    0.7574     ├─────●──────┤  0.7051 to 0.8096
    Larger values are better. The best of many trials is partly
    luck.

    No trial beats the baseline logistic regression: AUC 0.7912
    against 0.7697 of the best trial (of '1.6M'), on the
    validation rows; the gap is about 1.9 standard errors.

    What to take
    Take 100k, trial 2: no larger size is significantly better.
    Its mean AUC over seeds is probably 0.7432 (90% interval
    0.7309 to 0.7546). Its model has 119,569 weights.
      d_model=48  n_layers=2  d_ff_ratio=2
      learning_rate=0.000176  dropout=0.1  activation=relu
      {"d_model":48,"n_layers":2,"d_ff_ratio":2,
    "learning_rate":0.00017589971112481057,"dropout":0.1,"activation":"relu"}

    What matters: share of the variance of AUC
    Parameter                       Share (95% interval)  Budget
    learning_rate  ██               15% (0% to 33%)       1.6M
    dropout        █                10% (0% to 29%)       1.6M
    activation     █                7% (0% to 31%)        400k
    d_model        █                4% (0% to 33%)        1.6M
    n_layers                        3% (0% to 35%)        1.6M
    None is significant after Holm's adjustment: these shares
    may be chance.

    Findings: 0 errors, 7 warnings, 8 for information
    warning too-few-rows
      717 validation rows (123 positive) do not separate the
      budgets: they cause 99% of the error. A true difference
      as large as the observed one (0.0219 AUC, 1.6M over …
    warning collapsed-trials, 3 times
      100k: 1 of 16 trials predict nearly the same value for
      every row (6%)
    warning nominal-not-size, 2 times
      400k: the best model has 615k weights, but the label
      says 400k; trials range from 238k to 615k
    info missing-scores
      the predictions of the best trials on the validation
      rows are not stored: '100k', '400k' and '1.6M'
    info too-few-sizes
      3 sizes over 0.99 decades are too few for a power law
      and a forecast of the next size, which need 5 over 1.5
    and 1 finding on baselines, above
    and 2 more kinds of findings

    What next
    Report the baseline beside the models: none is shown to be
    better than it.
    "#);
}

#[test]
fn wide_terminals_have_longer_bars() {
    insta::assert_snapshot!(summary(&support::synthetic(), 100), @r#"
    sp500 (v2)

    Do more weights pay?
    Undecided: these trials do not show whether 1.6M is better or worse than 100k; the gain per tenfold
    weights is +0.0221 AUC (95% interval -0.0534 to +0.0977) in the mean trial of the search.
    The error covers another search with its seeds (1% of its variance) and other validation rows (99%
    of its variance). Rows count as independent and as different for each budget, because predictions of
    the same rows are not stored for every budget.

    Mean AUC of a trial
    Budget  Weights  Value                                   95% interval      Best    Trials
    100k    116k     0.7352  ├───────────●───────────┤       0.6817 to 0.7887  0.7534  16, 1 failed
    400k    403k     0.7432    ├───────────●───────────┤     0.6901 to 0.7962  0.7501  16, 1 failed
    1.6M    1.13M    0.7574       ├───────────●───────────┤  0.7051 to 0.8096  0.7697  16, 1 failed
    Larger values are better. The best of many trials is partly luck.

    No trial beats the baseline logistic regression: AUC 0.7912 against 0.7697 of the best trial (of
    '1.6M'), on the validation rows; the gap is about 1.9 standard errors.

    What to take
    Take 100k, trial 2: no larger size is significantly better. Its mean AUC over seeds is probably
    0.7432 (90% interval 0.7309 to 0.7546). Its model has 119,569 weights.
      d_model=48  n_layers=2  d_ff_ratio=2  learning_rate=0.000176  dropout=0.1  activation=relu
      {"d_model":48,"n_layers":2,"d_ff_ratio":2,
    "learning_rate":0.00017589971112481057,"dropout":0.1,"activation":"relu"}

    What matters: share of the variance of AUC
    Parameter                                      Share (95% interval)  Budget
    learning_rate  █████                           15% (0% to 33%)       1.6M
    dropout        ███                             10% (0% to 29%)       1.6M
    activation     ██                              7% (0% to 31%)        400k
    d_model        █                               4% (0% to 33%)        1.6M
    n_layers       █                               3% (0% to 35%)        1.6M
    None is significant after Holm's adjustment: these shares may be chance.

    Findings: 0 errors, 7 warnings, 8 for information
    warning too-few-rows
      717 validation rows (123 positive) do not separate the budgets: they cause 99% of the error. A
      true difference as large as the observed one (0.0219 AUC, 1.6M over 100k) would be found in 80%
      of cases with about 21,000 rows
    warning collapsed-trials, 3 times
      100k: 1 of 16 trials predict nearly the same value for every row (6%)
    warning nominal-not-size, 2 times
      400k: the best model has 615k weights, but the label says 400k; trials range from 238k to 615k
    info missing-scores
      the predictions of the best trials on the validation rows are not stored: '100k', '400k' and
      '1.6M'
    info too-few-sizes
      3 sizes over 0.99 decades are too few for a power law and a forecast of the next size, which
      need 5 over 1.5
    and 1 finding on baselines, above
    and 2 more kinds of findings

    What next
    Report the baseline beside the models: none is shown to be better than it.
    "#);
}

#[test]
fn a_confirmed_ladder_takes_the_confirmed_configuration() {
    insta::assert_snapshot!(summary(&confirmed(), 80), @r#"
    sp500 (v2)

    Do more weights pay?
    Undecided: the confirmation does not determine the error of its differences. It
    needs at least two seeds of each budget, or predictions of the same test rows.

    Mean AUC on test rows
    Budget  Weights  Test                 95% interval      Validation  Trials
    100k    100k     0.6250  ├────●────┤  0.2000 to 1.0000  0.7534      16, 1 failed
    400k    400k     0.6250  ├────●────┤  0.2000 to 1.0000  0.7501      16, 1 failed
    1.6M    1.60M    0.6250  ├────●────┤  0.2000 to 1.0000  0.7697      16, 1 failed
    Larger values are better. Validation is the best trial of the search on the
    validation rows. The best of many trials is partly luck.

    No trial beats the baseline logistic regression: AUC 0.7912 against 0.7697 of
    the best trial (of '1.6M'), on the validation rows; the gap is about 1.9
    standard errors.

    What to take
    Take 100k, trial 1: no larger size is significantly better. Its mean AUC on the
    test rows is 0.6500.
      d_model=64  n_layers=1  d_ff_ratio=2  learning_rate=0.00031  dropout=0.3
      activation=relu
      {"d_model":64,"n_layers":1,"d_ff_ratio":2,
    "learning_rate":0.00031012139559708364,"dropout":0.3,"activation":"relu"}

    What matters: share of the variance of AUC
    Parameter                                      Share (95% interval)  Budget
    learning_rate  █████                           15% (0% to 33%)       1.6M
    dropout        ███                             10% (0% to 29%)       1.6M
    activation     ██                              7% (0% to 31%)        400k
    d_model        █                               4% (0% to 33%)        1.6M
    n_layers       █                               3% (0% to 35%)        1.6M
    None is significant after Holm's adjustment: these shares may be chance.

    Findings: 0 errors, 7 warnings, 8 for information
    warning too-few-rows
      717 validation rows (123 positive) do not separate the budgets: they cause
      99% of the error. A true difference as large as the observed one (0.0219
      AUC, 1.6M over 100k) would be found in 80% of cases with about 21,000 rows
    warning collapsed-trials, 3 times
      100k: 1 of 16 trials predict nearly the same value for every row (6%)
    warning nominal-not-size, 2 times
      400k: the best model has 615k weights, but the label says 400k; trials range
      from 238k to 615k
    info missing-scores
      the predictions of the best trials on the validation rows are not stored:
      '100k', '400k' and '1.6M'
    info too-few-sizes
      3 sizes over 0.99 decades are too few for a power law and a forecast of the
      next size, which need 5 over 1.5
    and 1 finding on baselines, above
    and 2 more kinds of findings

    What next
    Report the baseline beside the models: none is shown to be better than it.
    "#);
}

#[test]
fn a_single_study_says_nothing_of_scale() {
    insta::assert_snapshot!(summary(&lone(), 80), @r#"
    100k (v2)

    Best AUC
    Budget  Weights  Best                             95% interval      Trials
    100k    120k     0.7534  ├───────────●─────────┤  0.6975 to 0.8019  16, 1 failed
    Larger values are better. The best of many trials is partly luck.

    No trial beats the baseline logistic regression: AUC 0.7912 against 0.7534 of
    the best trial (of '100k'), on the validation rows; the gap is about 3.2
    standard errors.

    What to take
    Take trial 2. Its mean AUC over seeds is probably 0.7432 (90% interval 0.7309 to
    0.7546). Its model has 119,569 weights.
      d_model=48  n_layers=2  d_ff_ratio=2  learning_rate=0.000176  dropout=0.1
      activation=relu
      {"d_model":48,"n_layers":2,"d_ff_ratio":2,
    "learning_rate":0.00017589971112481057,"dropout":0.1,"activation":"relu"}

    What matters: share of the variance of AUC
    Parameter                                      Share (95% interval)
    activation     █                               3% (0% to 29%)
    d_model        █                               2% (0% to 32%)
    learning_rate  █                               2% (0% to 32%)
    n_layers                                       1% (0% to 31%)
    dropout                                        1% (0% to 32%)
    None is significant after Holm's adjustment: these shares may be chance.

    Findings: 0 errors, 2 warnings, 4 for information
    warning collapsed-trials
      100k: 1 of 16 trials predict nearly the same value for every row (6%)
    info missing-scores
      the predictions of the best trials on the validation rows are not stored:
      '100k'
    info single-budget
      there is only one budget, so scale cannot be assessed
    info single-level
      100k: tried at one value only: d_ff_ratio
    info duplicates
      100k: 1 of 16 trials repeat a configuration (6%), 0 of them with an
      identical value; values of one configuration have a standard deviation of
      0.0028
    and 1 finding on baselines, above

    What next
    Beat the baseline before you compare sizes: try other features, another context,
    more epochs or wider ranges. Until then use the baseline.
    "#);
}

#[test]
fn the_command_that_trains_the_configuration_to_take_is_given() {
    let mut ladder = lone();
    ladder.studies[0].budget.label = "2 million".into();
    let told = |ladder: &LadderTrials| {
        let analysis = analyze(ladder, &Options::default());
        let texts = [
            plain(&analysis, 80),
            brief(&analysis, &Pictures::none()),
            html(&analysis, ladder).replace("<pre>", "\n<pre>").replace("</pre>", "</pre>\n"),
        ];
        let lines =
            texts.iter().flat_map(|text| text.lines().filter(|line| line.contains("allometry train")));
        lines
            .filter(|line| line.len() < 300)
            .map(str::trim)
            .collect::<Vec<&str>>()
            .join("\n")
            .replace(" trains it", "\ntrains it")
            .replace(". Its ", ".\nIts ")
    };
    assert_eq!(told(&ladder), "", "trials of another program");
    ladder.training = Some(Training::Model);
    insta::assert_snapshot!(told(&ladder), @r#"
    $ allometry train --budget '2 million' --trial 2 -o model.safetensors
    `allometry train --budget '2 million' --trial 2 -o model.safetensors`
    trains it again, with the seed of its trial, and writes its checkpoint.
    Its mean AUC over seeds is probably 0.7432 (90% interval 0.7309 to 0.7546).
    Its model has 119,569 weights.
    <pre><code>allometry train --budget '2 million' --trial 2 -o model.safetensors</code></pre>
    <p><code>allometry train --budget '2 million' --trial 2 -o model.safetensors</code>
    trains it again, with the seed of its trial, and writes its checkpoint.
    Its mean AUC over seeds is probably 0.7432 (90% interval 0.7309 to 0.7546).
    Its model has 119,569 weights.</p>
    "#);
    let named = ladder.clone().of_file(Path::new("ladders/my other.toml"));
    let command = "allometry train 'my other.toml' --budget '2 million' --trial 2";
    assert_eq!(told(&named).matches(command).count(), 4, "{}", told(&named));
    assert_eq!(told(&ladder.clone().of_file(Path::new("ladders/ladder.toml"))), told(&ladder));
}
