"use strict";

// The scales of chart/scale.rs, for positions that change after the drawing.
const unitOf = (axis, value) => {
  const [low, high] = [axis.low, axis.high];
  return axis.kind === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
};
const valueAt = (axis, unit) => {
  const [low, high] = [axis.low, axis.high];
  return axis.kind === "log" ? low * Math.pow(high / low, unit) : low + unit * (high - low);
};

const brief = (value) => {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
};
const weights = (value) => {
  for (const [factor, unit] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= factor * 0.9995) return Number((value / factor).toPrecision(3)) + unit;
  }
  return String(Math.round(value));
};
const tickLabel = (axis, value) => {
  if (axis.format === "weights") return weights(value);
  if (axis.format === "percent") return Number((value * 100).toPrecision(3)) + "%";
  return brief(Number(value.toPrecision(6)));
};

// Returns the labels of ticks that are `step` apart; on log axes `step` is null. All have one notation.
const tickLabels = (axis, values, step) => {
  if (axis.format === "weights" || axis.format === "percent") return values.map((value) => tickLabel(axis, value));
  const sizes = values.map(Math.abs).filter((size) => size > 0);
  const least = step === null ? Math.min(...sizes) : step;
  if (sizes.length > 0 && (least < 0.999e-4 || Math.max(...sizes) >= 1e6)) {
    return values.map((value) => (value === 0 ? "0" : Number(value.toPrecision(4)).toExponential().replace(/e([+-])(\d)$/, "e$10$2")));
  }
  if (step === null) return values.map((value) => String(Number(value.toPrecision(6))));
  return values.map((value) => value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
};

const ticks = (axis, low, high) => {
  if (axis.kind === "places") {
    const found = [];
    for (let place = Math.max(0, Math.ceil(low)); place <= high && place < axis.names.length; place += 1) {
      found.push([place, axis.names[place]]);
    }
    return found;
  }
  const values = [];
  const labelled = (step) => {
    const labels = tickLabels(axis, values, step);
    return values.map((value, place) => [value, labels[place]]);
  };
  if (axis.kind === "log" && high / low > 3) {
    const decades = Math.log10(high / low);
    const factors = decades > 2 ? [1] : [1, 2, 5];
    const every = Math.max(1, Math.ceil(decades / 5));
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += every) {
      for (const factor of factors) {
        const value = factor * Math.pow(10, power);
        if (value >= low && value <= high) values.push(value);
      }
    }
    return labelled(null);
  }
  const rough = (high - low) / 5;
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  for (let count = Math.ceil(low / step); count * step <= high; count += 1) {
    values.push(count * step);
  }
  return labelled(step);
};
