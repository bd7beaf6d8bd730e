//! The report in one screen: verdict, budgets, baselines, what to take, what matters, findings, what next.

mod table;

use allometry_analysis::scaling::Quantity;
use allometry_analysis::trend::TrendClass;
use allometry_analysis::{Analysis, Estimate, Finding, FindingCode, Outcome, Severity, StudyAnalysis};
use allometry_core::visible::visible;
use allometry_core::{Direction, human_weights};
use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use crate::brief::{baselines_ahead, known_baselines, trials};
use crate::full::{is_lone, parameters};
use crate::next::{NextStep, next_step};
use crate::number::{UNKNOWN, counted, decimals, interval, share, short};
use crate::take::{Expected, Taken, chosen, estimated, of_each};
use crate::words;
use table::{Bar, Column};

/// The least and the greatest width of the summary in columns. It is not as wide as a wide terminal because
/// long lines are hard to read.
const WIDTHS: (usize, usize) = (60, 100);
/// The width of labels and names in columns.
const NAME: usize = 16;
/// The largest number of budgets shown.
const BUDGETS: usize = 12;
/// The largest number of parameters whose importance is shown.
const IMPORTANCES: usize = 5;
/// The largest number of parameters of a configuration that are shown.
const PARAMETERS: usize = 12;
/// The largest number of findings shown, and of lines of each.
const FINDINGS: (usize, usize) = (5, 3);

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const PLAIN: Style = Style::new();

/// Renders the summary with ANSI colours for a terminal of `width` columns; it uses 60 to 100 of them.
/// `ladder` are the arguments that name the ladder in the command that comes next; it is empty for
/// `ladder.toml`.
pub fn terminal(analysis: &Analysis, width: usize, ladder: &str) -> String {
    let mut page = Page { text: String::new(), width: width.clamp(WIDTHS.0, WIDTHS.1) };
    page.verdict(analysis);
    page.budgets(analysis);
    page.forecast(analysis);
    page.data(analysis);
    page.baselines(analysis);
    page.take(analysis, ladder);
    page.importance(analysis);
    page.findings(analysis);
    page.next(analysis, ladder);
    page.text
}

struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn verdict(&mut self, analysis: &Analysis) {
        let study = analysis.studies.first().filter(|_| is_lone(analysis)).map(|study| &*study.budget.label);
        let name = analysis.name.as_deref().or(study).unwrap_or("Ladder");
        let tag = analysis.tag.as_deref().map(|tag| format!(" ({tag})")).unwrap_or_default();
        self.line(BOLD, &clean(&format!("{name}{tag}"), self.width));
        if is_lone(analysis) {
            return;
        }
        let color = match analysis.verdict.outcome {
            Outcome::Holds => AnsiColor::Green,
            Outcome::Violated => AnsiColor::Red,
            Outcome::Flat => AnsiColor::Blue,
            Outcome::Undecided | Outcome::Unknown => AnsiColor::Yellow,
        };
        self.heading("Do more weights pay?");
        self.paragraph(color.on_default().bold(), &words::verdict::sentence(analysis));
        self.paragraph(DIM, &words::verdict::covers_sentence(analysis));
    }

    /// Writes a row per budget with the quantity that the verdict compares, or else with the best trial.
    fn budgets(&mut self, analysis: &Analysis) {
        let metric = clean(&analysis.metric, 20);
        let level = format!("{:.0}% interval", analysis.options.level * 100.0);
        let judgement = words::verdict::compared(analysis);
        let quantity = judgement.map(|judgement| words::verdict::quantity(judgement.quantity, &metric));
        let best = |study: &StudyAnalysis| study.summary.incumbent().map(|best| best.value);
        let compared = |study: &StudyAnalysis| {
            let values = &judgement?.values;
            values.iter().find(|one| one.budget == study.budget.label)
        };
        let studies = &analysis.studies[..analysis.studies.len().min(BUDGETS)];
        let shown = |study: &StudyAnalysis| match judgement {
            Some(_) => Some(compared(study)?.value),
            None => best(study),
        };
        let values: Vec<Option<Estimate>> = studies.iter().map(shown).collect();
        let weights = |study: &StudyAnalysis| {
            let weights = compared(study).and_then(|value| value.weights);
            let weights = weights.or_else(|| study.sizes.best.map(|size| size.total as f64));
            weights.map_or_else(|| UNKNOWN.to_owned(), human_weights)
        };
        let point = |value: Option<Estimate>| value.map_or_else(|| UNKNOWN.to_owned(), |v| decimals(v.point));
        let ends =
            values.iter().map(|v| v.and_then(|v| v.interval).map_or_else(String::new, |i| interval(Some(i))));
        let is_confirmed = judgement.is_some_and(|judgement| judgement.quantity == Quantity::Confirmed);
        let [heading, of_search] = match quantity {
            // The search has other rows than the values that the verdict compares.
            Some(_) if is_confirmed => ["Test", "Validation"],
            Some(_) => ["Value", "Best"],
            None => ["Best", ""],
        };
        let texts = |heading: &str, cell: &dyn Fn(&StudyAnalysis) -> String| {
            Column::texts(heading, studies.iter().map(cell).collect())
        };
        let mut columns = vec![
            texts("Budget", &|study| clean(&study.budget.label, NAME)),
            texts("Weights", &weights).leaves(2),
            Column::texts(heading, values.iter().copied().map(point).collect()),
            Column::bars(bars(&values)).leaves(3),
        ];
        if values.iter().flatten().any(|value| value.interval.is_some()) {
            columns.push(Column::texts(&level, ends.collect()));
        }
        if quantity.is_some() {
            columns.push(texts(of_search, &|study| point(best(study))).leaves(1));
        }
        columns.push(texts("Trials", &trials).leaves(0));
        self.heading(&quantity.unwrap_or_else(|| format!("Best {metric}")));
        self.table(columns, studies.len());
        let more = analysis.studies.len() - studies.len();
        if more > 0 {
            self.paragraph(DIM, &format!("and {}", counted(more as u64, "more budget")));
        }
        let better = if analysis.direction == Direction::Maximize { "Larger" } else { "Smaller" };
        let of_search = if is_confirmed {
            " Validation is the best trial of the search on the validation rows."
        } else {
            ""
        };
        let luck = "The best of many trials is partly luck.";
        self.paragraph(DIM, &format!("{better} values are better.{of_search} {luck}"));
    }

    fn forecast(&mut self, analysis: &Analysis) {
        if let Some(forecast) = words::forecast(analysis) {
            self.blank();
            self.paragraph(PLAIN, &forecast);
        }
    }

    fn data(&mut self, analysis: &Analysis) {
        if let Some(data) = words::data(analysis) {
            self.heading("More data or more weights?");
            self.paragraph(PLAIN, &data);
        }
    }

    /// Writes which baselines are ahead, or else the best one.
    fn baselines(&mut self, analysis: &Analysis) {
        let mut is_ahead = false;
        for finding in baselines_ahead(analysis) {
            self.blank();
            let (what, numbers) = words::finding::headline(finding);
            self.paragraph(AnsiColor::Yellow.on_default().bold(), &format!("{what}: {numbers}."));
            is_ahead = true;
        }
        let best = known_baselines(analysis)
            .reduce(|best, next| if analysis.direction.better(next.0, best.0) { next } else { best });
        if let Some((_, words)) = best.filter(|_| !is_ahead) {
            self.blank();
            self.paragraph(PLAIN, &format!("Best baseline on the validation rows: {words}."));
        }
    }

    /// Writes the configuration to take, or the best one of each budget if the verdict prefers none.
    fn take(&mut self, analysis: &Analysis, ladder: &str) {
        let alone = analysis
            .objectives
            .as_ref()
            .map(|_| format!("The choice is by {} alone; the report has the Pareto front.", analysis.metric));
        if let Some(taken) = chosen(analysis) {
            self.heading("What to take");
            self.paragraph(PLAIN, &taken.sentence(analysis));
            self.configuration(&taken);
            self.repeat(&taken, analysis, ladder);
        } else if of_each(analysis).next().is_some() {
            self.heading("What to take");
            self.paragraph(PLAIN, "The verdict prefers no size. The best configuration of each is:");
            for taken in of_each(analysis).take(BUDGETS) {
                let value = match taken.expected(analysis) {
                    Some(Expected::OnTestRows(mean)) => {
                        let is_of_seeds = mean.interval.is_some() && mean.effective_rows.is_none();
                        let covers = if is_of_seeds { ", an interval over seeds alone" } else { "" };
                        format!(", {} on the test rows{covers}", estimated(&mean))
                    }
                    Some(Expected::OverSeeds(mean)) => format!(", probably {} over seeds", estimated(&mean)),
                    Some(Expected::InSearch(value)) => format!(", {} in the search", decimals(value.point)),
                    None => String::new(),
                };
                let label = clean(&taken.study.budget.label, NAME);
                self.paragraph(PLAIN, &format!("{label}: trial {}{value}", taken.trial));
                self.configuration(&taken);
                self.repeat(&taken, analysis, ladder);
            }
        }
        self.paragraph(DIM, &alone.unwrap_or_default());
    }

    /// Writes the command that trains a configuration again, or its parameters as JSON if the trials come
    /// from another program.
    fn repeat(&mut self, taken: &Taken<'_>, analysis: &Analysis, ladder: &str) {
        match taken.command(analysis, ladder) {
            Some(command) => self.command(Some(command)),
            None => self.line(PLAIN, &format!("  {}", clean(&taken.json(), usize::MAX))),
        }
    }

    /// Writes the values of a configuration. A value is never apart from its name.
    fn configuration(&mut self, taken: &Taken<'_>) {
        let order: Vec<&str> = taken.study.trends.iter().map(|trend| trend.parameter.as_str()).collect();
        let names = parameters(std::iter::once(taken.params), &order);
        let value = |name: &str| taken.params.get(name).map_or_else(String::new, short);
        let shown = names.iter().take(PARAMETERS).map(|name| format!("{name}={}", value(name)));
        let more = names.len().saturating_sub(PARAMETERS);
        let more = (more > 0).then(|| format!("and {}", counted(more as u64, "more parameter")));
        let mut line = String::new();
        for part in shown.chain(more) {
            let part = clean(&part, self.width - 2);
            if !line.is_empty() && display_width(&line) + 2 + display_width(&part) > self.width {
                self.line(PLAIN, &line);
                line.clear();
            }
            line = format!("{line}  {part}");
        }
        if !line.is_empty() {
            self.line(PLAIN, &line);
        }
    }

    /// Writes the parameters that explain most, each with the budget where its share is significant, or else
    /// the largest.
    fn importance(&mut self, analysis: &Analysis) {
        let found: Vec<Important<'_>> = analysis
            .parameters_by_share()
            .into_iter()
            .take(IMPORTANCES)
            .filter_map(|name| Important::of(name, analysis))
            .collect();
        if found.is_empty() {
            return;
        }
        let metric = clean(&analysis.metric, 20);
        self.heading(&format!("What matters: share of the variance of {metric}"));
        let texts = |heading: &str, cell: &dyn Fn(&Important<'_>) -> String| {
            Column::texts(heading, found.iter().map(cell).collect())
        };
        let bars = found.iter().map(|one| Bar::Share(one.share.point)).collect();
        let level = format!("Share ({:.0}% interval)", analysis.options.level * 100.0);
        let mut columns = vec![
            texts("Parameter", &|one| clean(one.parameter, NAME)),
            Column::bars(bars).leaves(0),
            texts(&level, &|one| share(one.share)),
        ];
        if !is_lone(analysis) {
            columns.push(texts("Budget", &|one| clean(&one.study.budget.label, NAME)).leaves(2));
        }
        if found.iter().any(|one| !one.effect().is_empty()) {
            columns.push(texts("Effect", &|one| one.effect()).leaves(1));
        }
        self.table(columns, found.len());
        if !found.iter().any(Important::is_significant) {
            self.paragraph(DIM, "None is significant after Holm's adjustment: these shares may be chance.");
        }
    }

    fn findings(&mut self, analysis: &Analysis) {
        let count =
            |severity| analysis.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
        self.heading(&format!(
            "Findings: {}, {}, {} for information",
            counted(count(Severity::Error), "error"),
            counted(count(Severity::Warning), "warning"),
            count(Severity::Info)
        ));
        // The part on baselines says this one.
        let is_new = |group: &&[Finding]| group[0].code != FindingCode::BehindBaseline;
        let groups: Vec<&[Finding]> =
            analysis.findings.chunk_by(|a, b| a.code == b.code).filter(is_new).collect();
        for group in groups.iter().take(FINDINGS.0) {
            self.finding(group);
        }
        let baselines = baselines_ahead(analysis).count();
        if baselines > 0 {
            let findings = counted(baselines as u64, "finding");
            self.paragraph(DIM, &format!("and {findings} on baselines, above"));
        }
        let more = groups.len().saturating_sub(FINDINGS.0);
        if more > 0 {
            let kinds = if more == 1 { "kind" } else { "kinds" };
            self.paragraph(DIM, &format!("and {more} more {kinds} of findings"));
        }
    }

    /// Writes the first of the findings of one kind, and how many there are.
    fn finding(&mut self, group: &[Finding]) {
        let Finding { code, severity, .. } = &group[0];
        let color = match severity {
            Severity::Error => AnsiColor::Red,
            Severity::Warning => AnsiColor::Yellow,
            Severity::Info => AnsiColor::Blue,
        };
        let times = if group.len() > 1 { format!(", {} times", group.len()) } else { String::new() };
        let code = paint(DIM, &format!("{code}{times}"));
        let severity = paint(color.on_default().bold(), severity.as_str());
        self.line(PLAIN, &format!("{severity} {code}"));
        let mut lines = wrapped(&words::finding::message(&group[0]), self.width - 4);
        if lines.len() > FINDINGS.1 {
            lines.truncate(FINDINGS.1);
            lines[FINDINGS.1 - 1].push_str(" …");
        }
        for text in lines {
            self.line(PLAIN, &format!("  {text}"));
        }
    }

    /// Writes what to do next, the command last.
    fn next(&mut self, analysis: &Analysis, ladder: &str) {
        let Some(NextStep { sentence, command }) = next_step(analysis, ladder) else { return };
        self.heading("What next");
        self.paragraph(PLAIN, &sentence.replace('`', ""));
        self.command(command);
    }

    /// Writes a command to type, if there is one. It is not cut or wrapped, so that it can be copied.
    fn command(&mut self, command: Option<String>) {
        if let Some(command) = command {
            self.line(BOLD, &format!("  $ {}", clean(&command, usize::MAX)));
        }
    }

    fn table(&mut self, columns: Vec<Column>, rows: usize) {
        for (place, line) in table::lines(columns, rows, self.width).iter().enumerate() {
            self.line(if place == 0 { DIM } else { PLAIN }, line);
        }
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        self.line(BOLD, &clean(text, self.width));
    }

    /// Writes a text in lines of the page's width; nothing if it is empty.
    fn paragraph(&mut self, style: Style, text: &str) {
        for line in wrapped(text, self.width) {
            self.line(style, &line);
        }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, style: Style, text: &str) {
        self.text.push_str(&paint(style, text));
        self.text.push('\n');
    }
}

/// A parameter in the budget where its share of the variance is significant, or else the largest.
struct Important<'a> {
    parameter: &'a str,
    study: &'a StudyAnalysis,
    share: Estimate,
}

impl<'a> Important<'a> {
    fn of(parameter: &'a str, analysis: &'a Analysis) -> Option<Self> {
        let shares = analysis.studies.iter().filter_map(|study| {
            let share = study.importance.iter().find(|one| one.parameter == parameter)?.share?;
            Some(Self { parameter, study, share })
        });
        let rank = |one: &Self| (one.is_significant(), one.share.point);
        shares.reduce(|most, next| if rank(&next) > rank(&most) { next } else { most })
    }

    fn is_significant(&self) -> bool {
        self.study.importance_model.surviving.iter().any(|name| name == self.parameter)
    }

    /// Returns whether the effect is significant, and its direction if that is.
    fn effect(&self) -> String {
        let trend = self.study.trends.iter().find(|trend| trend.parameter == self.parameter);
        let class = trend.and_then(|trend| trend.adjusted.as_ref()).map(|adjusted| adjusted.class);
        let direction = class.filter(|class| !matches!(class, TrendClass::Flat | TrendClass::Undecided));
        let significant = self.is_significant().then_some("significant");
        let parts: Vec<&str> = significant.into_iter().chain(direction.map(TrendClass::as_str)).collect();
        parts.join(", ")
    }
}

/// Returns the bars of values on the range of all their intervals.
fn bars(values: &[Option<Estimate>]) -> Vec<Bar> {
    let ends = |value: &Estimate| value.interval.map_or((value.point, value.point), |i| (i.lower, i.upper));
    let all = || values.iter().flatten().flat_map(|v| [v.point, ends(v).0, ends(v).1]);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let place = |x: f64| if high > low { (x - low) / (high - low) } else { 0.5 };
    let bar = |value: &Option<Estimate>| {
        value.map_or(Bar::Empty, |value| Bar::Interval {
            point: place(value.point),
            ends: value.interval.map(|i| (place(i.lower), place(i.upper))),
        })
    };
    values.iter().map(bar).collect()
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    textwrap::wrap(&clean(text, usize::MAX), width).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// Returns user text without control characters, cut to `width` columns.
fn clean(text: &str, width: usize) -> String {
    // Line breaks within a sentence become spaces; other control characters are written as escapes.
    let text = text.replace(['\n', '\t'], " ");
    let text = visible(&text).into_owned();
    if display_width(&text) <= width {
        return text;
    }
    let mut cut = String::new();
    for c in text.chars() {
        // A character may be two columns wide, and the dots need one.
        if display_width(&cut) + display_width(c.encode_utf8(&mut [0; 4])) + 1 > width {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc", 80), "a\\x1b[31mb c");
        assert_eq!(clean("a very long name", 8), "a very …");
    }
}
