// Returns the labels of charts that are outside their drawing or touch another one. Turned labels are compared as
// turned rectangles.
(() => {
  const corners = (text) => {
    const [box, at] = [text.getBBox(), text.getScreenCTM()];
    return [[0, 0], [1, 0], [1, 1], [0, 1]].map(([x, y]) => {
      const point = new DOMPoint(box.x + x * box.width, box.y + y * box.height).matrixTransform(at);
      return [point.x, point.y];
    });
  };
  const apart = (a, b) => [a, b].some((shape) => shape.some(([x, y], place) => {
    const [nextX, nextY] = shape[(place + 1) % 4];
    const along = ([px, py]) => px * (nextY - y) - py * (nextX - x);
    const size = Math.hypot(nextX - x, nextY - y);
    const [ends, others] = [a.map(along), b.map(along)];
    return Math.max(...ends) <= Math.min(...others) + size || Math.max(...others) <= Math.min(...ends) + size;
  }));
  const faults = [];
  for (const svg of document.querySelectorAll("svg.panel")) {
    const frame = svg.getBoundingClientRect();
    const texts = Array.from(svg.querySelectorAll("text"), (text) => [text.textContent, corners(text)])
      .filter(([, shape]) => shape[0][0] !== shape[2][0]);
    for (const [words, shape] of texts) {
      const out = shape.some(([x, y]) => x < frame.left - 1 || x > frame.right + 1 || y < frame.top - 2 || y > frame.bottom + 2);
      if (out) faults.push(`${svg.id}: ${words} is clipped`);
    }
    texts.forEach(([words, shape], place) => {
      for (const [other, its] of texts.slice(place + 1)) {
        if (!apart(shape, its)) faults.push(`${svg.id}: ${words} touches ${other}`);
      }
    });
  }
  return faults;
})()
