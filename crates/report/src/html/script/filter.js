// The language of filters: comparisons such as `value > 0.7`, joined by `and`, `or`, `not` and parentheses, and
// words that a row contains. Comparisons side by side must all hold.
const COMPARISON = /^(<=|>=|==|!=|≤|≥|=|<|>)$/;
const TOKENS = /\s*(?:"([^"]*)"|'([^']*)'|(<=|>=|==|!=|[≤≥=<>()])|([^\s"'<>=!≤≥()&|]+))/y;

class FilterError extends Error {}

const filterTokens = (text) => {
  const tokens = [];
  TOKENS.lastIndex = 0;
  while (TOKENS.lastIndex < text.length) {
    const from = TOKENS.lastIndex;
    const match = TOKENS.exec(text);
    if (!match) {
      if (text.slice(from).trim() === "") break;
      throw new FilterError(`cannot read “${text.slice(from).trim()}”`);
    }
    const quoted = match[1] !== undefined ? match[1] : match[2];
    tokens.push(quoted === undefined ? { sign: match[3], word: match[4] } : { quoted });
  }
  return tokens;
};

// Returns a column of the table for a name in a filter. The name of the metric stands for its values.
const filterColumn = (data, name) => {
  const columns = columnsOf(data);
  const exact = columns.find((one) => one === name);
  const alike = columns.filter((one) => one.toLowerCase() === name.toLowerCase());
  if (exact) return exact;
  if (alike.length === 1) return alike[0];
  if (data.metric && data.metric.toLowerCase() === name.toLowerCase()) return "value";
  throw new FilterError(`there is no column “${name}”; there are ${columns.slice(0, 12).join(", ")}${columns.length > 12 ? ", …" : ""}`);
};

const UNITS = { k: 1e3, m: 1e6, b: 1e9 };
const filterNumber = (text) => {
  const match = text.match(/^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([kmb%])?$/i);
  if (!match) return null;
  const unit = (match[2] || "").toLowerCase();
  return Number(match[1]) * (unit === "%" ? 0.01 : UNITS[unit] || 1);
};
// The page holds six digits of a number.
const sameNumber = (a, b) => Math.abs(a - b) <= 1e-5 * Math.max(Math.abs(a), Math.abs(b));
// A number with four or more decimals is one that the table shows rounded.
const asTyped = (cell, number, text) => {
  const decimals = (text.match(/^[+-]?\d*\.(\d+)$/) || ["", ""])[1].length;
  return sameNumber(cell, number) || (decimals >= 4 && Math.abs(cell - number) <= 0.5001 * Math.pow(10, -decimals));
};
const relations = {
  "<": (a, b) => a < b && !sameNumber(a, b),
  ">": (a, b) => a > b && !sameNumber(a, b),
  "<=": (a, b) => a <= b || sameNumber(a, b),
  ">=": (a, b) => a >= b || sameNumber(a, b),
};

const comparison = (data, name, sign, text) => {
  const column = filterColumn(data, name);
  const number = filterNumber(text);
  const kind = { "==": "=", "≤": "<=", "≥": ">=" }[sign] || sign;
  if (kind === "=" || kind === "!=") {
    const equal = (cell) => String(cell).toLowerCase() === text.toLowerCase() ||
      (number !== null && typeof cell === "number" && asTyped(cell, number, text));
    return (row) => {
      const cell = row.cell(column);
      return cell !== null && cell !== undefined && equal(cell) === (kind === "=");
    };
  }
  if (number === null) throw new FilterError(`“${text}” after “${name} ${sign}” is not a number`);
  return (row) => {
    const cell = row.cell(column);
    return typeof cell === "number" && relations[kind](cell, number);
  };
};

// Returns the test of rows that a filter stands for, or null for an empty filter. Throws a FilterError for a text
// that is not a filter.
const parseFilter = (text, data) => {
  const tokens = filterTokens(text);
  let at = 0;
  const isWord = (word) => at < tokens.length && tokens[at].word !== undefined && tokens[at].word.toLowerCase() === word;
  const isSign = (test) => at < tokens.length && tokens[at].sign !== undefined && test(tokens[at].sign);
  const shown = () => {
    const token = tokens[at];
    return at >= tokens.length ? "the end" : `“${token.quoted !== undefined ? token.quoted : token.sign || token.word}”`;
  };
  const operand = () => {
    if (isSign((sign) => sign === "(")) {
      at += 1;
      const inner = either();
      if (!isSign((sign) => sign === ")")) throw new FilterError(`a “)” is missing before ${shown()}`);
      at += 1;
      return inner;
    }
    if (at >= tokens.length || tokens[at].sign !== undefined || isWord("and") || isWord("or")) {
      throw new FilterError(`a name, a word or “(” is missing before ${shown()}`);
    }
    const name = tokens[at].quoted !== undefined ? tokens[at].quoted : tokens[at].word;
    at += 1;
    if (!isSign((sign) => COMPARISON.test(sign))) {
      const part = name.toLowerCase();
      const names = [...columnsOf(data), data.metric || ""].map((one) => one.toLowerCase());
      if (names.includes(part)) throw new FilterError(`a comparison is missing after “${name}”`);
      return (row) => row.text().toLowerCase().includes(part);
    }
    const { sign } = tokens[at];
    at += 1;
    if (at >= tokens.length || tokens[at].sign !== undefined) throw new FilterError(`a value is missing after “${name} ${sign}”`);
    const value = tokens[at].quoted !== undefined ? tokens[at].quoted : tokens[at].word;
    at += 1;
    return comparison(data, name, sign, value);
  };
  const negated = () => {
    if (!isWord("not")) return operand();
    at += 1;
    const inner = negated();
    return (row) => !inner(row);
  };
  const all = () => {
    const tests = [negated()];
    while (at < tokens.length && !isWord("or") && !isSign((sign) => sign === ")")) {
      if (isWord("and")) at += 1;
      tests.push(negated());
    }
    return (row) => tests.every((test) => test(row));
  };
  const either = () => {
    const tests = [all()];
    while (isWord("or")) {
      at += 1;
      tests.push(all());
    }
    return (row) => tests.some((test) => test(row));
  };
  if (tokens.length === 0) return null;
  const test = either();
  if (at < tokens.length) throw new FilterError(`${shown()} does not belong there`);
  return test;
};
