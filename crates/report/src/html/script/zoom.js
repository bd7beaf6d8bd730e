// Zoom: drag a rectangle, double-click to reset; + - 0 and arrows on the keyboard.
const setZoom = (panel, zoom) => {
  panel.zoom = zoom;
  const marks = panel.svg.querySelector(".marks");
  if (zoom) marks.setAttribute("transform", `matrix(${zoom.sx} 0 0 ${zoom.sy} ${zoom.dx} ${zoom.dy})`);
  else marks.removeAttribute("transform");
  panel.svg.classList.toggle("zoomed", Boolean(zoom));
  drawGrid(panel);
  if (!panel.showsTrials) return;
  drawKept(panel);
  drawLooks(panel);
};

const drawGrid = (panel) => {
  const grid = panel.svg.querySelector(".grid");
  if (!panel.firstGrid) panel.firstGrid = Array.from(grid.childNodes);
  if (!panel.zoom) {
    grid.replaceChildren(...panel.firstGrid);
    return;
  }
  const { left, top, width, height, zoom } = panel;
  const [right, bottom] = [left + width, top + height];
  grid.replaceChildren();
  const unitX = (place) => ((place - zoom.dx) / zoom.sx - left) / width;
  const unitY = (place) => 1 - ((place - zoom.dy) / zoom.sy - top) / height;
  for (const [value, label] of ticks(panel.x, valueAt(panel.x, unitX(left)), valueAt(panel.x, unitX(right)))) {
    const x = zoom.dx + zoom.sx * (left + unitOf(panel.x, value) * width);
    shape("line", { x1: x, x2: x, y1: top, y2: bottom }, grid);
    const turn = panel.svg.dataset.turn;
    const place = turn ? { x: x + 4, y: bottom + 9, "text-anchor": "end", transform: `rotate(${turn} ${x + 4} ${bottom + 9})` }
      : { x, y: bottom + Number(panel.svg.dataset.below), "text-anchor": "middle" };
    shape("text", place, grid).textContent = label;
  }
  for (const [value, label] of ticks(panel.y, valueAt(panel.y, unitY(bottom)), valueAt(panel.y, unitY(top)))) {
    const y = zoom.dy + zoom.sy * (top + (1 - unitOf(panel.y, value)) * height);
    shape("line", { x1: left, x2: right, y1: y, y2: y }, grid);
    shape("text", { x: left - 7, y: y + 4, "text-anchor": "end" }, grid).textContent = label;
  }
};

// Zooms to the rectangle between two points of the current drawing.
const zoomTo = (panel, [x0, y0], [x1, y1]) => {
  const { left, top, width, height } = panel;
  const [sx, sy] = [width / (x1 - x0), height / (y1 - y0)];
  const old = panel.zoom || { sx: 1, sy: 1, dx: 0, dy: 0 };
  const zoom = { sx: sx * old.sx, sy: sy * old.sy, dx: left + sx * (old.dx - x0), dy: top + sy * (old.dy - y0) };
  const whole = zoom.sx <= 1.001 && zoom.sy <= 1.001;
  if (zoom.sx < 1e4 && zoom.sy < 1e4) setZoom(panel, whole ? null : zoom);
};
const scaleBy = (panel, factor, shiftX, shiftY) => {
  const { left, top, width, height } = panel;
  const [middleX, middleY] = [left + width * (0.5 + shiftX), top + height * (0.5 + shiftY)];
  const [halfX, halfY] = [width / 2 / factor, height / 2 / factor];
  zoomTo(panel, [middleX - halfX, middleY - halfY], [middleX + halfX, middleY + halfY]);
};

// Returns the values at the ends of a zoomed panel; and zooms a panel to such values.
const windowOf = ({ x, y, left, top, width, height, zoom }) => {
  const unitX = (place) => ((place - zoom.dx) / zoom.sx - left) / width;
  const unitY = (place) => 1 - ((place - zoom.dy) / zoom.sy - top) / height;
  return { x: [valueAt(x, unitX(left)), valueAt(x, unitX(left + width))], y: [valueAt(y, unitY(top)), valueAt(y, unitY(top + height))] };
};
const zoomToWindow = (panel, view) => {
  const [x0, x1] = view.x.map((value) => panel.left + unitOf(panel.x, value) * panel.width);
  const [y0, y1] = view.y.map((value) => panel.top + (1 - unitOf(panel.y, value)) * panel.height);
  if ([x0, x1, y0, y1].every(Number.isFinite) && x1 > x0 && y1 > y0) zoomTo(panel, [x0, y0], [x1, y1]);
};

const drag = { panel: null };
document.addEventListener("pointerdown", (event) => {
  const svg = event.target.closest && event.target.closest("svg.panel");
  if (!svg || event.button !== 0 || event.pointerType === "touch") return;
  const panel = panelOf(svg);
  const from = pointIn(panel, event);
  if (svg.dataset.zoom !== "offered" || !inside(panel, from)) return;
  drag.panel = panel;
  drag.from = from;
  drag.box = shape("rect", { class: "selection" }, svg);
  event.preventDefault();
});
document.addEventListener("pointermove", (event) => {
  if (!drag.panel) return;
  const { panel, from, box } = drag;
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const [x, y] = pointIn(panel, event);
  drag.to = [clamp(x, panel.left, panel.left + panel.width), clamp(y, panel.top, panel.top + panel.height)];
  box.setAttribute("x", Math.min(from[0], drag.to[0]));
  box.setAttribute("y", Math.min(from[1], drag.to[1]));
  box.setAttribute("width", Math.abs(from[0] - drag.to[0]));
  box.setAttribute("height", Math.abs(from[1] - drag.to[1]));
});
document.addEventListener("pointerup", () => {
  const { panel, from, to, box } = drag;
  if (!panel) return;
  box.remove();
  drag.panel = null;
  drag.to = null;
  if (to && Math.abs(from[0] - to[0]) > 6 && Math.abs(from[1] - to[1]) > 6) {
    const ends = [Math.min, Math.max].map((end) => [end(from[0], to[0]), end(from[1], to[1])]);
    zoomTo(panel, ...ends);
  } else if (looks.hovered) pinTrial(looks.hovered);
});
document.addEventListener("dblclick", (event) => {
  const svg = event.target.closest && event.target.closest("svg.panel");
  if (svg && panelOf(svg).zoom) setZoom(panelOf(svg), null);
});
document.addEventListener("keydown", (event) => {
  const group = event.target.closest && event.target.closest(".panels");
  if (!group || event.ctrlKey || event.metaKey || event.altKey) return;
  const moves = { "+": [2, 0, 0], "=": [2, 0, 0], "-": [0.5, 0, 0], ArrowLeft: [1, -0.25, 0], ArrowRight: [1, 0.25, 0],
    ArrowUp: [1, 0, -0.25], ArrowDown: [1, 0, 0.25], 0: null, Escape: null };
  if (!(event.key in moves)) return;
  const offered = Array.from(group.querySelectorAll("svg.panel[data-zoom=offered]"), panelOf);
  const move = moves[event.key];
  if (move && move[0] === 1 && !offered.some((panel) => panel.zoom)) return;
  if (event.key === "Escape") clearSelection();
  for (const panel of offered) {
    if (move) scaleBy(panel, ...move);
    else setZoom(panel, null);
  }
  event.preventDefault();
});
