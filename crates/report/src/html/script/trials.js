// Returns the trials of the page, read at the first call. To change the data, a page replaces the element.
const trialData = (() => {
  let source = null;
  let data = { studies: [] };
  return () => {
    const element = document.getElementById("allometry-trials");
    if (element !== source) {
      source = element;
      data = element ? JSON.parse(element.textContent) : { studies: [] };
    }
    return data;
  };
})();

// Returns the addresses of trial pages, which exist only on a dashboard.
const trialLinks = () => {
  const element = document.getElementById("allometry-trials");
  return element && element.dataset.links ? JSON.parse(element.dataset.links) : null;
};

const stateNames = { C: "complete", R: "running", P: "pruned", F: "failed", I: "interrupted", W: "waiting" };

const fieldOf = (study, trial, field) => {
  if (field === "number") return study.numbers[trial];
  if (field === "value") return study.values[trial];
  if (field === "size") return study.sizes[trial];
  if (field === "seconds") return study.seconds[trial];
  const parameter = parameterOf(study, field);
  return parameter ? parameter.values[trial] : null;
};

const paramText = (parameter, trial) => {
  const value = parameter.values[trial];
  return value === null ? "–" : parameter.names ? parameter.names[value] : brief(value);
};

const describeTrial = (study, trial) => {
  const lines = [`${study.label}, trial ${study.numbers[trial]}: ${brief(study.values[trial])}`];
  if (study.states[trial] !== "C") lines[0] += ` (${stateNames[study.states[trial]]})`;
  if (study.sizes[trial]) lines.push(`${weights(study.sizes[trial])} weights`);
  for (const parameter of study.params.slice(0, 14)) {
    if (parameter.values[trial] !== null) lines.push(`${parameter.name.slice(0, 40)}: ${paramText(parameter, trial)}`);
  }
  return lines;
};

// Maximum number of pinned trials. A further one replaces the first.
const MOST_PINS = 6;
// The highlighted trials: one under the pointer, the pinned trials, and the selected ones by study.
const looks = { hovered: null, pinned: [], kept: new Map(), listeners: [] };
const sameTrial = (a, b) => a !== null && b !== null && a[0] === b[0] && a[1] === b[1];
const changed = (what, studies) => looks.listeners.forEach((listener) => listener(what, studies));
const hoverTrial = (trial) => {
  if (trial === looks.hovered || sameTrial(trial, looks.hovered)) return;
  const studies = [trial, looks.hovered].filter(Boolean).map((one) => one[0]);
  looks.hovered = trial;
  changed("hovered", studies);
};
const pinTrial = (trial) => {
  const others = looks.pinned.filter((one) => !sameTrial(one, trial));
  looks.pinned = others.length < looks.pinned.length ? others : [...others, trial].slice(-MOST_PINS);
  changed("pinned");
};
