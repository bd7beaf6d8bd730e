// The explorer: a chart of the trials over any two of their fields, coloured by a third.
const EXPLORER = { width: 720, height: 340, left: 76, top: 12, right: 18, bottom: 52 };
const explorer = { x: null, y: "value", colour: "budget", logX: null, logY: null };

const explorerFields = (data) => {
  const params = new Set(data.studies.flatMap((study) => study.params.map((one) => "param:" + one.name)));
  const sizes = data.studies.some((study) => study.sizes.some((size) => size !== null));
  return ["value", "number", ...(sizes ? ["size"] : []), "seconds", ...params];
};
const fieldName = (data, field) =>
  ({ value: data.metric || "value", number: "trial", size: "weights", seconds: "seconds" })[field] || field.replace(/^param:/, "");

// Returns the numbers or names that a field has in all studies.
const fieldCells = (data, field) => data.studies.flatMap((study) => {
  const cells = [];
  const parameter = parameterOf(study, field);
  for (let trial = 0; trial < study.numbers.length; trial += 1) {
    const value = fieldOf(study, trial, field);
    if (value !== null && value !== undefined) cells.push(parameter && parameter.names ? parameter.names[value] : value);
  }
  return cells;
});

// Returns the axis of a field, or null if no trial has it. Names have places in their order in the studies.
const explorerAxis = (data, field, log) => {
  const cells = fieldCells(data, field);
  if (cells.length === 0) return null;
  const format = field === "size" ? "weights" : "number";
  if (cells.some((cell) => typeof cell === "string")) {
    const names = [];
    for (const study of data.studies) {
      const parameter = parameterOf(study, field);
      for (const name of (parameter && parameter.names) || []) if (!names.includes(name)) names.push(name);
    }
    if (names.every((name) => filterNumber(name) !== null)) names.sort((a, b) => filterNumber(a) - filterNumber(b));
    return { kind: "places", low: -0.5, high: names.length - 0.5, names, format, field, spread: 0.6 };
  }
  let [low, high] = cells.reduce(([a, b], cell) => [Math.min(a, cell), Math.max(b, cell)], [Infinity, -Infinity]);
  const canLog = low > 0;
  const isLog = canLog && (log === null ? field !== "value" && high / low > 50 : log);
  if (isLog) {
    const margin = Math.pow(high / low, 0.04) || 1.1;
    [low, high] = high > low ? [low / margin, high * margin] : [low / 2, high * 2];
    return { kind: "log", low, high, names: [], format, field, spread: 0, canLog };
  }
  const margin = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
  return { kind: "linear", low: low - margin, high: high + margin, names: [], format, field, spread: 0, canLog };
};

// Returns the class of each trial's dot and the entries of the legend, for the field that gives the colour.
const explorerColours = (data, field) => {
  if (field === "budget") {
    return { of: (s) => budgetClass(s), legend: data.studies.map((study, s) => [budgetClass(s), study.label]) };
  }
  if (field === "state") {
    const classes = { C: "complete", P: "pruned", F: "bad", I: "soft", R: "running", W: "soft" };
    const used = new Set(data.studies.flatMap((study) => Array.from(study.states)));
    return { of: (s, trial) => classes[data.studies[s].states[trial]], legend: Array.from(used, (state) => [classes[state], stateNames[state]]) };
  }
  const axis = explorerAxis(data, field, null);
  if (!axis) return explorerColours(data, "budget");
  const cellOf = (s, trial) => {
    const value = fieldOf(data.studies[s], trial, field);
    const parameter = parameterOf(data.studies[s], field);
    if (value === null || value === undefined) return null;
    return parameter && parameter.names && axis.kind === "places" ? axis.names.indexOf(parameter.names[value]) : value;
  };
  if (axis.kind === "places" && axis.names.length <= 8) {
    return { of: (s, trial) => (cellOf(s, trial) === null ? "soft" : `b${cellOf(s, trial)}`), legend: axis.names.map((name, place) => [`b${place}`, name]) };
  }
  const steps = 5;
  const step = (value) => Math.min(steps - 1, Math.max(0, Math.floor(unitOf(axis, value) * steps)));
  const isSmall = axis.low < 1e-3 && axis.kind === "log";
  const number = (value) => (isSmall ? value.toExponential(1) : tickLabel(axis, Number(value.toPrecision(3))));
  const at = (part) => (axis.kind === "places" ? axis.names[Math.round(part * (axis.names.length - 1))] : number(valueAt(axis, part)));
  return {
    of: (s, trial) => (cellOf(s, trial) === null ? "soft" : `heat-line-${step(cellOf(s, trial))}`),
    legend: Array.from({ length: steps }, (_, place) => [`heat-line-${place}`, `${at(place / steps)} to ${at((place + 1) / steps)}`]),
  };
};

// Returns the forest's mean predictions over a parameter: for each study, places on the two axes.
const explorerMarginals = (home, x, y) => {
  if (y.field !== "value" || !x.field.startsWith("param:")) return [];
  return JSON.parse(home.dataset.marginals).filter((one) => "param:" + one.parameter === x.field).map((one) => {
    const points = one.points.map(([at, ...heights]) => [x.kind === "places" ? x.names.indexOf(String(at)) : Number(at), ...heights]);
    return { s: one.study, points: points.filter(([at]) => Number.isFinite(at) && at > (x.kind === "places" ? -1 : -Infinity)) };
  });
};

// Returns the class and the dashes of a budget's forest. Where colours mean something else than budgets, dashes
// tell the forests apart.
const explorerForest = (s) => {
  if (explorer.colour === "budget") return [budgetClass(s), {}];
  return ["ink", { "stroke-dasharray": ["none", "6 3", "2 3", "9 3 2 3"][s % 4] }];
};

const explorerSvg = (marginals, data, x, y) => {
  const { left, top, right } = EXPLORER;
  // On a phone the drawing is narrower, so that its letters are not scaled down.
  const width = Math.max(320, Math.min(EXPLORER.width, document.documentElement.clientWidth - 32));
  const across = width - left - right;
  const most = x.kind === "places" ? Math.max(...x.names.map((name) => name.length + 1)) * 9 * x.names.length : 0;
  // Long names are turned, many of them further, and need more room.
  const turn = most <= across ? 0 : across / x.names.length < 45 ? -60 : -30;
  const bottom = EXPLORER.bottom + (turn === 0 ? 0 : turn === -30 ? 40 : 60);
  const height = EXPLORER.height + bottom;
  const up = height - top - bottom;
  const svg = shape("svg", { class: "panel", viewBox: `0 0 ${width} ${height}`, width, height, id: "explorer-panel",
    "data-frame": `${left} ${top} ${across} ${up}`, "data-x": JSON.stringify(x), "data-y": JSON.stringify(y),
    "data-below": 20, "data-zoom": "offered", ...(turn === 0 ? {} : { "data-turn": turn }) });
  const clip = shape("clipPath", { id: "explorer-clip" }, svg);
  shape("rect", { x: left, y: top, width: across, height: up }, clip);
  const axes = shape("g", { class: "axes" }, svg);
  shape("g", { class: "grid" }, axes);
  shape("rect", { class: "frame", x: left, y: top, width: across, height: up }, axes);
  shape("text", { class: "label", x: left + across / 2, y: height - 8, "text-anchor": "middle" }, axes).textContent = fieldName(data, x.field);
  const middle = top + up / 2;
  shape("text", { class: "label", x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, axes).textContent = fieldName(data, y.field);
  const clipped = shape("g", { "clip-path": "url(#explorer-clip)" }, svg);
  const marks = shape("g", { class: "marks" }, clipped);
  const panel = panelOf(svg);
  const at = (a, b) => `${(left + unitOf(x, a) * across).toFixed(1)} ${(top + (1 - unitOf(y, b)) * up).toFixed(1)}`;
  const colours = explorerColours(data, explorer.colour);
  panel.colourOf = colours.of;
  const drawn = new Map();
  for (const [px, py, s, trial] of placesOf(panel)) {
    const name = colours.of(s, trial);
    drawn.set(name, `${drawn.get(name) || ""}M${px.toFixed(1)} ${py.toFixed(1)}h0`);
  }
  for (const { s, points } of marginals) {
    const line = points.map(([a, mean]) => at(a, mean));
    const ends = [...points.map(([a, , , high]) => at(a, high)), ...points.map(([a, , low]) => at(a, low)).reverse()];
    shape("path", { class: `band ${explorerForest(s)[0]}`, d: `M${ends.join("L")}Z` }, marks);
    shape("path", { class: `line ${explorerForest(s)[0]}`, d: `M${line.join("L")}`, ...explorerForest(s)[1] }, marks);
  }
  for (const [name, d] of drawn) shape("path", { class: `dots ${name}`, d }, marks);
  return { svg, panel, colours };
};

// Draws the ticks of the explorer, whose axes change.
const drawFirstGrid = (panel) => {
  panel.zoom = { sx: 1, sy: 1, dx: 0, dy: 0 };
  drawGrid(panel);
  panel.zoom = null;
  panel.firstGrid = Array.from(panel.svg.querySelector(".grid").childNodes);
};

const explorerChoice = (label, key, fields, data, names) => {
  const options = fields.map((field) => make("option", { value: field, ...(explorer[key] === field ? { selected: "" } : {}) },
    (names && names[field]) || fieldName(data, field)));
  const change = (event) => {
    explorer[key] = event.target.value;
    if (key === "x") explorer.logX = null;
    if (key === "y") explorer.logY = null;
    drawExplorer();
    document.querySelector(`#explorer select[name=${key}]`).focus();
  };
  return make("label", {}, `${label} `, make("select", { name: key, onchange: change }, ...options));
};
const explorerSwitch = (label, key, axis) => {
  const change = (event) => {
    explorer[key] = event.target.checked;
    drawExplorer();
    document.querySelector(`#explorer input[name=${key}]`).focus();
  };
  const off = axis.kind === "places" || !axis.canLog ? { disabled: "" } : {};
  const on = axis.kind === "log" ? { checked: "" } : {};
  return make("label", {}, make("input", { type: "checkbox", name: key, onchange: change, ...on, ...off }), ` ${label}`);
};

const drawExplorer = () => {
  const home = document.getElementById("explorer");
  if (!home) return;
  const data = trialData();
  const fields = explorerFields(data);
  const isUsable = (field) => fields.includes(field) && explorerAxis(data, field, null) !== null;
  if (!isUsable(explorer.x)) explorer.x = fields.find((field) => field.startsWith("param:") && isUsable(field)) || "number";
  if (!isUsable(explorer.y)) explorer.y = fields.find(isUsable) || "number";
  const [x, y] = [explorerAxis(data, explorer.x, explorer.logX), explorerAxis(data, explorer.y, explorer.logY)];
  if (!x || !y) {
    delete home.dataset.shown;
    home.replaceChildren(make("p", {}, "There is no trial to show yet."));
    return;
  }
  const usable = fields.filter(isUsable);
  const marginals = explorerMarginals(home, x, y);
  const { svg, panel, colours } = explorerSvg(marginals, data, x, y);
  drawFirstGrid(panel);
  const legend = colours.legend.map(([class_, words]) => {
    const mark = shape("svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" });
    shape("path", { class: `mark ${class_}`, d: "M8 8h0" }, mark);
    return make("li", {}, mark, words.length > 40 ? words.slice(0, 39) + "…" : words);
  });
  const hasLines = marginals.length > 0;
  if (hasLines && explorer.colour !== "budget") {
    for (const { s } of marginals) {
      const mark = shape("svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" });
      shape("path", { class: `line ${explorerForest(s)[0]}`, d: "M0 8h16", ...explorerForest(s)[1] }, mark);
      legend.push(make("li", {}, mark, `forest of ${data.studies[s].label}`));
    }
  }
  const alt = `${placesOf(panel).length} trials: ${fieldName(data, y.field)} over ${fieldName(data, x.field)}.`;
  const chart = make("div", { class: "chart-area" },
    make("ul", { class: "legend" }, ...legend),
    make("div", { class: "panels", role: "img", "aria-label": alt, tabindex: "0" }, svg),
    ...(hasLines ? [make("p", { class: "hint" }, "Lines are the mean predictions of a regression forest over the other parameters; bands are the spread of its trees.")] : []));
  // New trials leave the choices, one of which may be open, and the zoom.
  const shown = JSON.stringify([usable, explorer, x.kind, y.kind]);
  if (home.dataset.shown === shown) {
    const old = panelOf(home.querySelector("svg.panel"));
    const view = old.zoom ? windowOf(old) : null;
    home.querySelector(".chart-area").replaceWith(chart);
    if (view) zoomToWindow(panel, view);
  } else {
    home.dataset.shown = shown;
    home.replaceChildren(
      make("p", { class: "choices" }, explorerChoice("Across", "x", usable, data), explorerChoice("Up", "y", usable, data),
        explorerChoice("Colour", "colour", ["budget", "state", ...usable], data, { budget: "budget", state: "state" }),
        explorerSwitch("log across", "logX", x), explorerSwitch("log up", "logY", y)),
      chart,
    );
  }
  drawKept(panel);
  drawLooks(panel);
};
