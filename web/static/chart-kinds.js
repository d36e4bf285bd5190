// What does each kind of chart draw? Its columns, the bands around them, its limits, and the words of its numbers.

const short = (value) => String(Number(value.toPrecision(3)));
const isMissing = (value) => value === null || value === undefined;
const rate = (value) => (isMissing(value) ? "–" : `${short(value * 100)} %`);
const time = (value) => (isMissing(value) ? "–" : value >= 1000 ? `${short(value / 1000)} s` : `${short(value)} ms`);
const aMinute = (value) => (isMissing(value) ? "–" : `${short(value)}/min`);
const spaced = (number) => Math.round(number).toLocaleString("en").replaceAll(",", " ");
const oneIn = (value) => (isMissing(value) ? "–" : `1 in ${value < 2.3 ? short(Math.exp(value)) : spaced(Math.exp(value))}`);

const SIDES = ["baseline", "candidate"];
// The larger the quantile, the heavier its line; the same strokes stand beside the names that choose them.
const STROKES = { p50: [1], p90: [1, [6, 3]], p95: [1.75, [8, 4]], p99: [2], p999: [2, [2, 3]] };
const MOST = Math.log(1e12);

const perMinute = (calls, starts) => { const step = starts.length > 1 ? starts[1] - starts[0] : 60; return calls.map((n) => (n * 60) / step); };
const evidence = (values) => values.map((value) => (isMissing(value) ? null : Math.min(MOST, Math.max(0, value))));
const tenfold = (high) => [0, 1, 2, 3, 4, 6, 8, 10, 12].map((power) => power * Math.log(10)).filter((at) => at <= high);

// Each gets the data and an operation, "" for all together. `columns` are the times and the lines; `bands` pairs of
// columns around a line of the same place. `least`: the axis shows at least as much. `reach`: a limit that is further
// above the lines than that is told, not drawn, and a band is cut off there: they would flatten the lines.
export const KINDS = {
  errors: {
    lines: (names) => SIDES.map((side, at) => ({ side, width: 2, name: names[at] })),
    columns: (data, operation) => drawn(data, operation, (series) => SIDES.map((side) => series[side].error_rate)),
    bands: (data, operation) => drawn(data, operation, (series) => SIDES.flatMap((side) => [series[side].error_rate_high, series[side].error_rate_low])),
    limits: (data, operation) => [data.limits[operation]?.max_error_rate].filter((limit) => !isMissing(limit)),
    word: rate,
    least: 0.01,
    reach: 20,
  },
  latency: {
    lines: (names, quantiles) => SIDES.flatMap((side, at) => quantiles.map((quantile) => {
      const [width, dash] = STROKES[quantile];
      return { side, width, dash, name: `${names[at]} ${quantile}` };
    })),
    columns: (data, operation, quantiles) => drawn(data, operation, (series) => SIDES.flatMap((side) => quantiles.map((quantile) => series[side][`${quantile}_ms`]))),
    limits: (data, operation, quantiles) => quantiles.map((quantile) => data.limits[operation]?.max_latency_ms[quantile]).filter((limit) => !isMissing(limit)),
    word: time,
    least: 10,
    reach: 4,
  },
  volume: {
    lines: (names) => SIDES.map((side, at) => ({ side, width: 2, name: names[at] })),
    columns: (data, operation) => drawn(data, operation, (series) => SIDES.map((side) => perMinute(series[side].calls, series.starts))),
    limits: () => [],
    word: aMinute,
    least: 1,
    reach: 1,
  },
  // Drawn as its logarithm, so that the line it must reach is at the same height for every flag.
  evidence: {
    lines: () => [{ side: "candidate", width: 2, name: "errors" }, { side: "candidate", width: 1, name: "latency" }],
    columns: (data, operation) => {
      const course = courseOf(data, operation);
      return [course.times, ...(operation ? [course.errors, course.latency] : [course.overall, course.overall]).map(evidence)];
    },
    limits: (data, operation) => [courseOf(data, operation).log_limit].filter((limit) => !isMissing(limit)),
    word: oneIn,
    least: Math.log(200),
    reach: 1,
    splits: tenfold,
    axis: 74,
  },
};

const courseOf = (data, operation) => (operation ? data.evidence.operations[operation] : data.evidence.flag);
const drawn = (data, operation, lines) => {
  const series = data.operations[operation];
  return series ? [series.starts, ...lines(series)] : null;
};
