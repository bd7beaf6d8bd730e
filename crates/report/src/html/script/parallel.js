// Parallel coordinates: the reader drags ranges along axes, which select the trials inside all ranges.
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
  shape("path", { class: "line thin kept soft", d: lines.join("") }, layer);
};

// Returns the part of an axis that a range covers, from 0 to 1, or null.
const brushOn = (axis, range) => {
  if (Boolean(range.names) !== axis.names.length > 0) return null;
  if (range.names) {
    const places = range.names.map((name) => axis.names.indexOf(name)).filter((place) => place >= 0);
    if (places.length === 0) return null;
    return [unitOf(axis, Math.min(...places) - 0.4), unitOf(axis, Math.max(...places) + 0.4)];
  }
  const within = (value, end) => (Number.isFinite(value) ? Math.min(Math.max(unitOf(axis, value), -0.02), 1.02) : end);
  return [within(range.low, -0.02), within(range.high, 1.02)];
};
// Returns the range between two positions of an axis, or null if it holds no value. A range that reaches an end
// of the axis is open there: other budgets may have values beyond it.
const rangeOn = (axis, from, to) => {
  if (axis.names.length === 0) {
    return { low: from <= 0 ? -Infinity : valueAt(axis, from), high: to >= 1 ? Infinity : valueAt(axis, to) };
  }
  const names = axis.names.filter((_, place) => unitOf(axis, place) >= from && unitOf(axis, place) <= to);
  return names.length > 0 ? { names } : null;
};
const drawBrushes = (panel) => {
  panel.svg.querySelectorAll(".brush").forEach((old) => old.remove());
  panel.axes.forEach((axis, place) => {
    const range = selection.ranges.get(axis.field);
    const brush = range && brushOn(axis, range);
    if (!brush) return;
    const [top, bottom] = [axisY(panel, brush[1]), axisY(panel, brush[0])];
    shape("rect", { class: "brush", x: axisX(panel, place) - 8, width: 16, y: top, height: bottom - top }, panel.svg);
  });
};
looks.listeners.push((what) => {
  if (what === "kept") allPanels().filter((panel) => panel.axes).forEach(drawBrushes);
});

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
  const axis = panel.axes[place];
  const range = rangeOn(axis, Math.min(from, to), Math.max(from, to));
  if (range) selection.ranges.set(axis.field, range);
  else selection.ranges.delete(axis.field);
  if (!brushing.frame) {
    brushing.frame = requestAnimationFrame(() => {
      brushing.frame = null;
      applySelection();
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
  if (!moved) selection.ranges.delete(panel.axes[place].field);
  applySelection();
});
