// What does each kind of chart draw? Its columns, the bands around its lines, its limits, and the words of its numbers.

const short = (value) => String(Number(value.toPrecision(3)));
const isMissing = (value) => value === null || value === undefined;
const rate = (value) => (isMissing(value) ? "–" : `${short(value * 100)} %`);
const time = (value) => (isMissing(value) ? "–" : value >= 1000 ? `${short(value / 1000)} s` : `${short(value)} ms`);
const aMinute = (value) => (isMissing(value) ? "–" : `${short(value)}/min`);
const spaced = (number) => Math.round(number).toLocaleString("en").replaceAll(",", " ");
const oneIn = (value) => (isMissing(value) ? "–" : `1 in ${value < 2.3 ? short(Math.exp(value)) : spaced(Math.exp(value))}`);

// The axis has room for thousands: what is rarer is told by its power of ten.
const oneInRoughly = (value) => (value < Math.log(1e5) ? oneIn(value) : `1 in 10${[...String(Math.round(value / Math.log(10)))].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}`);

const SIDES = ["baseline", "candidate"];
// The larger the quantile, the heavier its line; the same strokes stand beside the names that choose them.
const STROKES = { p50: [1], p90: [1, [6, 3]], p95: [1.75, [8, 4]], p99: [2], p999: [2, [2, 3]] };
const MOST = Math.log(1e12);

const perMinute = (calls, starts) => { const step = starts.length > 1 ? starts[1] - starts[0] : 60; return calls.map((n) => (n * 60) / step); };
const evidence = (values) => values.map((value) => (isMissing(value) ? null : Math.min(MOST, Math.max(0, value))));
// Few enough that their words do not touch, however high the axis.
const tenfold = (high) => (high > 6 * Math.log(10) ? [0, 2, 4, 6, 8, 10, 12] : [0, 1, 2, 3, 4, 6]).map((power) => power * Math.log(10)).filter((at) => at <= high);

const shownSides = (names) => SIDES.map((side, at) => ({ side, width: 2, name: names[at] }));
const middle = (values) => { const known = values.filter((value) => !isMissing(value)).sort((a, b) => a - b); return known[known.length >> 1] ?? Infinity; };
const newest = (values) => values.findLast((value) => !isMissing(value)) ?? 0;
const blank = (values) => values.map(() => null);

// Each gets the data and an operation, "" for all together. `columns` are the times and the lines, `bands` a column above
// and one below each line. `room`: how high the bands would like the axis to be. `least`: the axis shows at least as
// much. `reach`: a limit that is further above the lines than that is told, not drawn: it would flatten them.
export const KINDS = {
  errors: {
    lines: shownSides,
    columns: (data, operation) => drawn(data, operation, (series) => SIDES.map((side) => series[side].error_rate)),
    // Where a step has too few calls to tell anything, a band would only say so, all over the chart.
    bands: (data, operation, needed) => {
      const sides = SIDES.map((side) => data.operations[operation][side]);
      const tells = sides.every(({ calls, error_rate_high: high }) => !calls.some(Boolean) || middle(high) <= 2 * needed);
      return sides.flatMap(({ error_rate_high: high, error_rate_low: low }) => (tells ? [high, low] : [blank(high), blank(low)]));
    },
    room: (bands) => Math.max(...[bands[0], bands[2]].map((high) => 1.2 * middle(high)).filter(Number.isFinite), 0),
    limits: (data, operation) => [data.limits[operation]?.max_error_rate].filter((limit) => !isMissing(limit)),
    word: rate,
    least: 0.01,
    reach: 20,
  },
  // The same over the attempt so far, by keys: what the rollout is decided on.
  keys: {
    lines: shownSides,
    columns: (data, operation) => decided(data, operation, (course) => SIDES.map((side) => course[side].rate)),
    bands: (data, operation) => SIDES.flatMap((side) => [courseOf(data, operation)[side].high, courseOf(data, operation)[side].low]),
    room: (bands) => 1.3 * Math.max(newest(bands[0]), newest(bands[2])),
    limits: () => [],
    word: rate,
    least: 0.002,
    reach: 1,
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
    lines: shownSides,
    columns: (data, operation) => drawn(data, operation, (series) => SIDES.map((side) => perMinute(series[side].calls, series.starts))),
    limits: () => [],
    word: aMinute,
    tick: spaced,
    least: 10,
    reach: 1,
  },
  // Drawn as its logarithm, so that the line it must reach is at the same height for every flag.
  evidence: {
    lines: () => [{ side: "candidate", width: 2, name: "errors" }, { side: "candidate", width: 1, name: "latency" }],
    columns: (data, operation) => decided(data, operation, (course) => (operation ? [course.errors, course.latency] : [course.overall, course.overall]).map(evidence)),
    limits: (data, operation) => [courseOf(data, operation)?.log_limit].filter((limit) => !isMissing(limit)),
    word: oneIn,
    tick: oneInRoughly,
    least: Math.log(200),
    reach: 1,
    splits: tenfold,
    axis: 74,
    height: 150,
  },
};

const courseOf = (data, operation) => (operation ? data.evidence.operations[operation] : data.evidence.flag);
// Null where the flag has lost the operation since the page was made.
const drawn = (data, operation, lines) => {
  const series = data.operations[operation];
  return series ? [series.starts, ...lines(series)] : null;
};
const decided = (data, operation, lines) => {
  const course = courseOf(data, operation);
  return course ? [course.times, ...lines(course)] : null;
};
