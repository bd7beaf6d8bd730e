// Drawings of charts: positions of trials, tips, highlights.
const SVG = "http://www.w3.org/2000/svg";
const shape = (name, attributes, parent) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (parent) parent.appendChild(element);
  return element;
};

// Returns the class of a budget's marks, as chart/mod.rs.
const budgetClass = (position) => `b${position % 8}${Math.floor(position / 8) % 2 ? " again" : ""}`;

const panels = new WeakMap();
const panelOf = (svg) => {
  let panel = panels.get(svg);
  if (!panel) {
    const [left, top, width, height] = svg.dataset.frame.split(" ").map(Number);
    const axes = svg.dataset.axes ? JSON.parse(svg.dataset.axes) : null;
    const [x, y] = [JSON.parse(svg.dataset.x), JSON.parse(svg.dataset.y)];
    panel = { svg, left, top, width, height, axes, x, y,
      study: svg.dataset.study === undefined ? null : Number(svg.dataset.study), zoom: null, places: null };
    panel.showsTrials = !axes && Boolean(panel.x.field && panel.y.field);
    panels.set(svg, panel);
  }
  return panel;
};
const allPanels = () => Array.from(document.querySelectorAll("svg.panel"), panelOf);

// Returns the value of a trial on an axis, or null. Names have the place that they have on the axis, which may
// differ from their place in the study.
const placeOnAxis = (axis, study, trial) => {
  const value = fieldOf(study, trial, axis.field);
  if (value === null || value === undefined || axis.kind !== "places") return value === undefined ? null : value;
  const parameter = parameterOf(study, axis.field);
  if (!parameter || !parameter.names) return null;
  const place = axis.names.indexOf(parameter.names[value]);
  return place < 0 ? null : place;
};
// Returns the position of a trial in the drawing without zoom, or null.
const placeOf = (panel, study, trial) => {
  const x = placeOnAxis(panel.x, study, trial);
  const y = placeOnAxis(panel.y, study, trial);
  if (x === null || y === null) return null;
  // Dots at named places are spread as in chart/parameter.rs.
  const aside = panel.x.spread ? panel.x.spread * ((study.numbers[trial] * 0.61803398875) % 1 - 0.5) : 0;
  return [panel.left + unitOf(panel.x, x + aside) * panel.width, panel.top + (1 - unitOf(panel.y, y)) * panel.height];
};
const placesOf = (panel) => {
  const data = trialData();
  if (!panel.places || panel.placesFrom !== data) {
    panel.places = [];
    panel.placesFrom = data;
    data.studies.forEach((study, s) => {
      if (panel.study !== null && panel.study !== s) return;
      for (let trial = 0; trial < study.numbers.length; trial += 1) {
        const place = placeOf(panel, study, trial);
        if (place) panel.places.push([place[0], place[1], s, trial]);
      }
    });
  }
  return panel.places;
};
const zoomed = (panel, [x, y]) => {
  const zoom = panel.zoom;
  return zoom ? [zoom.dx + zoom.sx * x, zoom.dy + zoom.sy * y] : [x, y];
};

const pointIn = (panel, event) => {
  const box = panel.svg.getBoundingClientRect();
  const view = panel.svg.viewBox.baseVal;
  return [(event.clientX - box.left) * view.width / box.width, (event.clientY - box.top) * view.height / box.height];
};
const inside = (panel, [x, y]) =>
  x >= panel.left && x <= panel.left + panel.width && y >= panel.top && y <= panel.top + panel.height;

const nearestTrial = (panel, point) => {
  let best = null;
  let distance = 14 * 14;
  for (const place of placesOf(panel)) {
    const [x, y] = zoomed(panel, place);
    const next = (x - point[0]) ** 2 + (y - point[1]) ** 2;
    if (next < distance && inside(panel, [x, y])) [best, distance] = [[place[2], place[3]], next];
  }
  return best;
};

const tip = (() => {
  let box = null;
  return (lines, event) => {
    if (!box) {
      box = document.createElement("div");
      box.className = "tip";
      box.setAttribute("role", "status");
      document.body.appendChild(box);
    }
    box.hidden = lines === null;
    if (lines === null) return;
    box.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    const right = Math.min(event.clientX + 14, window.innerWidth - box.offsetWidth - 8);
    const below = event.clientY + 16 + box.offsetHeight > window.innerHeight;
    box.style.left = `${Math.max(4, right)}px`;
    box.style.top = `${below ? Math.max(4, event.clientY - box.offsetHeight - 10) : event.clientY + 16}px`;
  };
})();

// Moves the title of a mark to the page's own tip, which appears without delay.
const markTip = (target) => {
  const mark = target.closest(".marks > *");
  if (!mark) return null;
  const title = mark.querySelector("title");
  if (title) {
    mark.dataset.tip = title.textContent;
    title.remove();
  }
  return mark.dataset.tip || null;
};

const hover = (event) => {
  const svg = event.target.closest && event.target.closest("svg.panel");
  if (!svg) {
    tip(null);
    if (!(event.target.closest && event.target.closest("[data-trial]"))) hoverTrial(null);
    return;
  }
  const panel = panelOf(svg);
  const point = pointIn(panel, event);
  const trial = panel.showsTrials && inside(panel, point) ? nearestTrial(panel, point) : null;
  const words = trial ? null : markTip(event.target);
  tip(trial ? describeTrial(trialData().studies[trial[0]], trial[1]) : words ? [words] : null, event);
  hoverTrial(trial);
};
document.addEventListener("pointermove", hover, { passive: true });
// A tap moves no pointer: it shows what is under the finger, until the page scrolls.
document.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "touch") hover(event);
}, { passive: true });
document.addEventListener("scroll", () => tip(null), { passive: true });

const layerOf = (panel, name) => {
  const layer = panel.svg.querySelector(`.${name}`) || shape("g", { class: name }, panel.svg);
  layer.replaceChildren();
  return layer;
};
const isOf = (panel, s) => panel.study === null || panel.study === s;

// Draws the selected trials over the pale others.
const drawKept = (panel) => {
  const layer = layerOf(panel, "chosen");
  panel.svg.classList.toggle("filtered", looks.kept.size > 0);
  if (looks.kept.size === 0) return;
  const data = trialData();
  if (panel.axes) {
    const kept = looks.kept.get(panel.study);
    if (kept) drawKeptLines(panel, data.studies[panel.study], kept, layer);
    return;
  }
  // A filter does not change what a colour means.
  const classOf = panel.colourOf || budgetClass;
  const drawn = new Map();
  for (const place of placesOf(panel)) {
    const kept = looks.kept.get(place[2]);
    const [x, y] = zoomed(panel, place);
    if (!kept || !kept.has(place[3]) || !inside(panel, [x, y])) continue;
    const name = classOf(place[2], place[3]);
    drawn.set(name, `${drawn.get(name) || ""}M${x.toFixed(1)} ${y.toFixed(1)}h0`);
  }
  for (const [name, d] of drawn) shape("path", { class: `dots ${name}`, d }, layer);
};

// Draws rings around hovered and pinned trials.
const drawLooks = (panel) => {
  const data = trialData();
  const layer = layerOf(panel, "looks");
  for (const [class_, trials] of [["pinned", looks.pinned], ["hovered", looks.hovered ? [looks.hovered] : []]]) {
    for (const [s, trial] of trials.filter(([s]) => isOf(panel, s) && data.studies[s])) {
      if (panel.axes) {
        shape("path", { class: `line ${class_}`, d: parallelLine(panel, data.studies[s], trial) }, layer);
      } else if (panel.showsTrials) {
        const place = placeOf(panel, data.studies[s], trial);
        const [x, y] = place ? zoomed(panel, place) : [-99, -99];
        if (inside(panel, [x, y])) shape("circle", { class: class_, cx: x, cy: y, r: 6 }, layer);
      }
    }
  }
};
looks.listeners.push((what, studies) => {
  const touched = (panel) => !studies || panel.study === null || studies.includes(panel.study);
  for (const panel of allPanels().filter((one) => (one.showsTrials || one.axes) && touched(one))) {
    if (what === "kept" || what === "data") drawKept(panel);
    if (what !== "kept") drawLooks(panel);
  }
});
