// The table of all trials, with sorting, a filter and pages.
const PAGE = 50;
// Number of rows on paper.
const PRINTED = 20;
const table = { sort: "value", descending: null, page: 0, printing: false };

const make = (name, attributes, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
};

const rowOf = (study, s, trial) => ({
  s, trial, study,
  cell(name) {
    if (name === "budget") return study.label;
    if (name === "trial") return study.numbers[trial];
    if (name === "state") return stateNames[study.states[trial]];
    if (name === "value") return study.values[trial];
    if (name === "weights") return study.sizes[trial];
    if (name === "seconds") return study.seconds[trial];
    const parameter = study.params.find((one) => one.name === name);
    if (!parameter || parameter.values[trial] === null) return null;
    const value = parameter.values[trial];
    if (!parameter.names) return value;
    const number = Number(parameter.names[value]);
    return Number.isFinite(number) ? number : parameter.names[value];
  },
  text() {
    return columnsOf(trialData()).map((name) => this.cell(name)).join(" ");
  },
});
const columnsOf = (data) => {
  const parameters = new Set(data.studies.flatMap((study) => study.params.map((one) => one.name)));
  return ["budget", "trial", "state", "value", "weights", "seconds", ...parameters];
};

// Returns the format of each column: one notation and one number of digits for all its numbers.
const formatsOf = (() => {
  const known = new WeakMap();
  return (data) => {
    if (!known.has(data)) known.set(data, new Map(columnsOf(data).map((name) => [name, formatOf(data, name)])));
    return known.get(data);
  };
})();
const formatOf = (data, name) => {
  const own = { trial: "numbers", value: "values", seconds: "seconds", weights: "sizes" }[name];
  const cells = data.studies.flatMap((study) => {
    if (own) return study[own];
    const parameter = study.params.find((one) => one.name === name);
    if (!parameter) return [];
    return parameter.names ? parameter.names.map((text) => (Number.isFinite(Number(text)) ? Number(text) : text)) : parameter.values;
  }).filter((cell) => cell !== null);
  const numeric = cells.length > 0 && cells.every((cell) => typeof cell === "number");
  if (!numeric || name === "weights") return { numeric, text: name === "weights" ? weights : brief };
  const sizes = cells.filter((cell) => cell !== 0).map(Math.abs);
  const [least, most] = sizes.reduce(([low, high], size) => [Math.min(low, size), Math.max(high, size)], [Infinity, 0]);
  if (cells.every(Number.isInteger) && most < 1e7) return { numeric, text: String };
  if (least < 1e-3 || most >= 1e6) return { numeric, text: (cell) => (cell === 0 ? "0" : cell.toExponential(2)) };
  const enough = Math.min(6, Math.max(1, 3 - Math.floor(Math.log10(most))));
  const shows = (digits) => cells.every((cell) => Math.abs(Number(cell.toFixed(digits)) - cell) <= 1e-9 * most);
  const digits = Array.from({ length: enough }, (_, place) => place + 1).find(shows) || enough;
  return { numeric, text: (cell) => cell.toFixed(digits) };
};

const rowsOf = (data) => {
  const rows = [];
  data.studies.forEach((study, s) => {
    const kept = looks.kept.get(s);
    for (let trial = 0; trial < study.numbers.length; trial += 1) {
      if (!kept || kept.has(trial)) rows.push(rowOf(study, s, trial));
    }
  });
  const sign = table.descending === null ? (data.direction === "maximize" ? -1 : 1) : table.descending ? -1 : 1;
  const keys = new Map(rows.map((row) => [row, row.cell(table.sort)]));
  rows.sort((a, b) => {
    const [x, y] = [keys.get(a), keys.get(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
  });
  return rows;
};

const drawTable = () => {
  const home = document.getElementById("trials-table");
  if (!home) return;
  const data = trialData();
  const [columns, rows, links, formats] = [columnsOf(data), rowsOf(data), trialLinks(), formatsOf(data)];
  const side = (name) => (formats.get(name).numeric && name !== "trial" ? "number" : null);
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  table.page = Math.min(table.page, pages - 1);
  const head = columns.map((name) => {
    const down = table.sort === name && (table.descending === null ? data.direction === "maximize" : table.descending);
    const sorted = table.sort === name ? (down ? "descending" : "ascending") : null;
    const sort = () => {
      [table.descending, table.sort, table.page] = [table.sort === name ? !down : false, name, 0];
      drawTable();
      document.querySelector(`#trials-table th:nth-child(${columns.indexOf(name) + 1}) button`).focus();
    };
    const shown = name.length > 40 ? name.slice(0, 39) + "…" : name;
    return make("th", { scope: "col", class: side(name), "aria-sort": sorted }, make("button", { type: "button", onclick: sort }, shown));
  });
  const shown = table.printing ? rows.slice(0, PRINTED) : rows.slice(table.page * PAGE, (table.page + 1) * PAGE);
  const body = shown.map((row) => {
    const pinned = looks.pinned.some((one) => sameTrial(one, [row.s, row.trial]));
    const cells = columns.map((name) => {
      const value = row.cell(name);
      if (name !== "trial") return make("td", { class: side(name) }, value === null || value === undefined ? "–" : formats.get(name).text(value));
      const pin = () => pinTrial([row.s, row.trial]);
      const button = make("button", { type: "button", class: "pin", "aria-pressed": String(pinned), title: "mark in all charts", onclick: pin }, String(value));
      return make("td", {}, button, ...(links ? [" ", make("a", { href: links.pages[row.s] + value }, "open")] : []));
    });
    return make("tr", { "data-trial": `${row.s} ${row.trial}`, class: pinned ? "pinned" : null }, ...cells);
  });
  const turn = (by) => () => {
    table.page += by;
    drawTable();
  };
  const button = (words, by, off) => make("button", { type: "button", onclick: turn(by), ...(off ? { disabled: "" } : {}) }, words);
  const more = [];
  if (links && looks.pinned.length > 1) {
    const marked = looks.pinned.map(([s, trial]) => `${links.studies[s]}:${data.studies[s].numbers[trial]}`);
    more.push(make("a", { href: `/compare?trials=${marked.join(",")}` }, "compare the marked trials"));
  }
  home.replaceChildren(
    make("p", { class: "count", "aria-live": "polite" }, `${rows.length} trials, page ${table.page + 1} of ${pages} `,
      button("previous", -1, table.page === 0), button("next", 1, table.page + 1 >= pages), ...more),
    make("div", { class: "scroll", tabindex: "0" }, make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body))),
  );
};

const scheduled = { table: null };
looks.listeners.push((what) => {
  if (what === "hovered" || what === "data" || scheduled.table) return;
  scheduled.table = requestAnimationFrame(() => {
    scheduled.table = null;
    drawTable();
  });
});
const rowTrial = (event) => {
  const row = event.target.closest && event.target.closest("[data-trial]");
  if (row) hoverTrial(row.dataset.trial.split(" ").map(Number));
};
document.addEventListener("pointerover", rowTrial);
document.addEventListener("focusin", rowTrial);
