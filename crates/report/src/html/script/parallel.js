// Parallel coordinates: the reader drags ranges along axes, which keep the trials inside all ranges.
const brushes = new Map();
const axisX = (panel, place) => panel.left + unitOf(panel.x, place) * panel.width;
const axisY = (panel, unit) => panel.top + (1 - unitOf(panel.y, unit)) * panel.height;

const parallelLine = (panel, study, trial) => {
  let d = "";
  panel.axes.forEach((axis, place) => {
    const value = fieldOf(study, trial, axis.field);
    if (value === null || value === undefined) return;
    d += `${d ? "L" : "M"}${axisX(panel, place).toFixed(1)} ${axisY(panel, unitOf(axis, value)).toFixed(1)}`;
  });
  return d;
};
const drawKeptLines = (panel, study, kept, layer) => {
  const lines = Array.from(kept).slice(0, 600).map((trial) => parallelLine(panel, study, trial));
  layer.prepend(shape("path", { class: `line thin kept ${budgetClass(panel.study)}`, d: lines.join("") }));
};

const applyBrushes = (panel) => {
  const ranges = brushes.get(panel.study) || new Map();
  if (ranges.size === 0) {
    keepTrials(panel.study, null);
    return;
  }
  const study = trialData().studies[panel.study];
  const kept = new Set();
  for (let trial = 0; trial < study.numbers.length; trial += 1) {
    const passes = Array.from(ranges).every(([place, [low, high]]) => {
      const value = fieldOf(study, trial, panel.axes[place].field);
      if (value === null || value === undefined) return false;
      const unit = unitOf(panel.axes[place], value);
      return unit >= low && unit <= high;
    });
    if (passes) kept.add(trial);
  }
  keepTrials(panel.study, kept);
};
const drawBrushes = (panel) => {
  panel.svg.querySelectorAll(".brush").forEach((old) => old.remove());
  for (const [place, [low, high]] of brushes.get(panel.study) || []) {
    const [top, bottom] = [axisY(panel, high), axisY(panel, low)];
    shape("rect", { class: "brush", x: axisX(panel, place) - 8, width: 16, y: top, height: bottom - top }, panel.svg);
  }
};
const clearBrushes = () => {
  const studies = Array.from(brushes.keys());
  brushes.clear();
  allPanels().filter((panel) => panel.axes).forEach(drawBrushes);
  studies.forEach((study) => keepTrials(study, null));
};

const brushing = { panel: null };
const axisNear = (panel, x) => {
  const place = Math.round(valueAt(panel.x, (x - panel.left) / panel.width));
  return place >= 0 && place < panel.axes.length && Math.abs(axisX(panel, place) - x) < 24 ? place : null;
};
const unitAt = (panel, y) => valueAt(panel.y, 1 - (y - panel.top) / panel.height);
document.addEventListener("pointerdown", (event) => {
  const svg = event.target.closest && event.target.closest("svg.panel[data-axes]");
  if (!svg || event.button !== 0) return;
  const panel = panelOf(svg);
  const [x, y] = pointIn(panel, event);
  const place = axisNear(panel, x);
  if (place === null) return;
  Object.assign(brushing, { panel, place, from: unitAt(panel, y), moved: false });
  event.preventDefault();
});
document.addEventListener("pointermove", (event) => {
  const { panel, place, from } = brushing;
  if (!panel) return;
  const to = unitAt(panel, pointIn(panel, event)[1]);
  brushing.moved = brushing.moved || Math.abs(to - from) > 0.02;
  if (!brushing.moved) return;
  if (!brushes.has(panel.study)) brushes.set(panel.study, new Map());
  brushes.get(panel.study).set(place, [Math.min(from, to), Math.max(from, to)]);
  drawBrushes(panel);
  if (!brushing.frame) {
    brushing.frame = requestAnimationFrame(() => {
      brushing.frame = null;
      applyBrushes(panel);
    });
  }
});
// The browser takes over the finger to scroll.
document.addEventListener("pointercancel", () => {
  brushing.panel = null;
});
document.addEventListener("pointerup", () => {
  const { panel, place, moved } = brushing;
  if (!panel) return;
  brushing.panel = null;
  if (!moved && brushes.has(panel.study)) brushes.get(panel.study).delete(place);
  drawBrushes(panel);
  applyBrushes(panel);
});
