// The selection of trials: a filter in words, ranges of fields, and pinned trials. All panels and the table show
// it, and the address of the page keeps it.
const selection = { filter: "", test: null, ranges: new Map(), error: null };

const parameterOf = (study, field) => study.params.find((one) => "param:" + one.name === field);

// Returns whether a trial is in a range: numbers from `low` to `high`, or one of `names`.
const isInRange = (study, trial, field, range) => {
  const value = fieldOf(study, trial, field);
  if (value === null || value === undefined) return false;
  const parameter = parameterOf(study, field);
  const name = parameter && parameter.names ? parameter.names[value] : null;
  if (range.names) return range.names.includes(name === null ? String(value) : name);
  const number = name === null ? value : Number(name);
  return number >= range.low && number <= range.high;
};

const isSelecting = () => selection.test !== null || selection.ranges.size > 0;

// Finds the selected trials anew and shows them.
const applySelection = () => {
  looks.kept.clear();
  if (isSelecting()) {
    trialData().studies.forEach((study, s) => {
      const kept = new Set();
      for (let trial = 0; trial < study.numbers.length; trial += 1) {
        const passes = Array.from(selection.ranges).every(([field, range]) => isInRange(study, trial, field, range));
        if (passes && (selection.test === null || selection.test(rowOf(study, s, trial)))) kept.add(trial);
      }
      looks.kept.set(s, kept);
    });
  }
  changed("kept");
};

// Takes a filter. One that cannot be read is reported and selects nothing out.
const setFilter = (text) => {
  selection.filter = text;
  try {
    selection.test = parseFilter(text, trialData());
    selection.error = null;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    selection.test = null;
    selection.error = error.message;
  }
  applySelection();
};
const clearSelection = () => {
  const input = document.getElementById("trials-filter");
  if (input) input.value = "";
  selection.ranges.clear();
  looks.pinned = [];
  setFilter("");
  changed("pinned");
};

const rangeText = (field, range) => {
  const name = fieldName(trialData(), field);
  if (range.names) return `${name}: ${range.names.join(", ")}`;
  if (range.low === -Infinity) return `${name}: ${range.high === Infinity ? "any" : `up to ${brief(range.high)}`}`;
  return `${name}: from ${brief(range.low)}${range.high === Infinity ? "" : ` to ${brief(range.high)}`}`;
};

// The number of selected trials, the ranges, the marked trials, and a button that clears them.
const drawChip = () => {
  let chip = document.getElementById("selection");
  const pins = looks.pinned.length;
  if (!isSelecting() && pins === 0 && selection.error === null) {
    if (chip) chip.remove();
    return;
  }
  if (!chip) {
    chip = make("div", { id: "selection", role: "status" });
    document.body.append(chip);
  }
  const count = Array.from(looks.kept.values()).reduce((sum, kept) => sum + kept.size, 0);
  const all = trialData().studies.reduce((sum, study) => sum + study.numbers.length, 0);
  const ranges = Array.from(selection.ranges, ([field, range]) => rangeText(field, range));
  const words = [
    ...(selection.error === null ? [] : ["The filter is not understood"]),
    ...(isSelecting() ? [`${count} of ${all} trials`, ...ranges] : []),
    ...(pins > 0 ? [`${pins} marked${pins === MOST_PINS ? ", the most that charts mark" : ""}`] : []),
  ].join("; ");
  chip.replaceChildren(make("span", {}, words), make("button", { type: "button", onclick: clearSelection }, "clear"));
};

const drawFilterError = () => {
  const input = document.getElementById("trials-filter");
  const note = document.getElementById("trials-filter-error");
  if (!input || !note) return;
  input.setAttribute("aria-invalid", String(selection.error !== null));
  const isEmpty = selection.test !== null && Array.from(looks.kept.values()).every((kept) => kept.size === 0);
  if (selection.error !== null) note.textContent = `The filter is not understood: ${selection.error}.`;
  else note.textContent = isEmpty ? "No trial matches. Words without a comparison are searched for in names and values." : "";
};

// The address: `#section?filter=...&range=field:low:high&pin=budget:number`.
const addressParts = () => {
  const [id, query] = location.hash.slice(1).split(/\?(.*)/s);
  return { id: id || "", query: query || "" };
};
const selectionQuery = () => {
  const query = new URLSearchParams();
  if (selection.filter && selection.error === null) query.append("filter", selection.filter);
  for (const [field, range] of selection.ranges) {
    const ends = range.names ? ["names", ...range.names] : ["from", range.low, range.high];
    query.append("range", [field, ...ends].map((part) => encodeURIComponent(part)).join(","));
  }
  const data = trialData();
  for (const [s, trial] of looks.pinned.filter(([s]) => data.studies[s])) {
    query.append("pin", [data.studies[s].label, data.studies[s].numbers[trial]].map((part) => encodeURIComponent(part)).join(","));
  }
  return query.toString();
};
const writing = { timer: null };
const writeAddress = () => {
  if (writing.timer) return;
  // Browsers limit how often a page may change its address.
  writing.timer = setTimeout(() => {
    writing.timer = null;
    // A dashboard has no trials at first.
    if (!document.getElementById("allometry-trials")) return;
    const query = selectionQuery();
    const { id } = addressParts();
    const hash = query ? `#${id}?${query}` : id ? `#${id}` : "";
    if (hash !== location.hash) history.replaceState(null, "", location.pathname + location.search + hash);
  }, 300);
};
const readAddress = () => {
  const query = new URLSearchParams(addressParts().query);
  const parts = (text) => text.split(",").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  selection.ranges.clear();
  for (const [field, kind, ...ends] of query.getAll("range").map(parts)) {
    const [low, high] = ends.map(Number);
    if (kind === "names" && ends.length > 0) selection.ranges.set(field, { names: ends });
    else if (kind === "from" && low <= high) selection.ranges.set(field, { low, high });
  }
  const data = trialData();
  looks.pinned = query.getAll("pin").map(parts).map(([label, number]) => {
    const s = data.studies.findIndex((study) => study.label === label);
    return s < 0 ? null : [s, data.studies[s].numbers.indexOf(Number(number))];
  }).filter((pin) => pin && pin[1] >= 0).slice(-MOST_PINS);
  const input = document.getElementById("trials-filter");
  const filter = query.get("filter") || "";
  if (input) input.value = filter;
  setFilter(filter);
  changed("pinned");
};

looks.listeners.push((what) => {
  if (what === "hovered" || what === "data") return;
  drawChip();
  if (what === "kept") drawFilterError();
  writeAddress();
});
document.addEventListener("input", (event) => {
  if (event.target.id !== "trials-filter") return;
  table.page = 0;
  setFilter(event.target.value);
});
addEventListener("hashchange", () => {
  const { query } = addressParts();
  // A link to a section keeps the selection.
  if (!query) writeAddress();
  else readAddress();
});
