// How do both backends do over time? Each chart of the page with its bands, its limits as lines and changes as marks.
import { KINDS } from "./chart-kinds.js";
import { drawMarks } from "./chart-marks.js";

const REFRESH = 3000; // milliseconds; longer ranges move too slowly to be asked for as often
const SLOWLY = 5;
const PATIENCE = 10000; // milliseconds until a question counts as lost and may be asked again
const HEIGHT = 200;
const FONT = "system-ui, sans-serif";
const PAINTS = ["baseline", "candidate", "baseline-band", "candidate-band", "limit", "grid-line", "text"];

const card = document.getElementById("charts");
const names = [card.dataset.baseline, card.dataset.candidate];
const plots = new Map();
const tops = new Map(); // how high the axis of each goes
let range = card.dataset.range;
let quantiles = card.dataset.quantiles.split(",");
let data = null;
let zoom = null; // [from, until] of what was brushed; null shows the whole range

const colours = () => Object.fromEntries(PAINTS.map((name) => [name, getComputedStyle(card.querySelector(`.paint .${name}`)).color]));
const clockOf = (seconds, span) => {
  const at = new Date(seconds * 1000).toISOString();
  return span > 86400 ? at.slice(5, 16).replace("T", " ") : at.slice(11, span > 1200 ? 16 : 19);
};
const spanOf = () => data.until - data.from;
const largest = (columns) => columns.reduce((most, column) => column.reduce((high, value) => Math.max(high, value ?? 0), most), 0);

// What one chart draws now: the bands come first, so that every line lies above them. Its lines decide how high the axis
// goes; bands may stretch it.
const STRETCH = 2;
const contentOf = (kind, operation) => {
  const [times, ...lines] = kind.columns(data, operation, quantiles) ?? [];
  if (!times) return null;
  const high = largest(lines);
  const near = kind.limits(data, operation, quantiles).filter((limit) => high > limit / kind.reach);
  const needed = Math.max(kind.least, high * 1.15, ...near.map((limit) => limit * 1.15));
  const bands = kind.bands?.(data, operation, needed) ?? [];
  return { columns: [times, ...bands, ...lines], top: Math.max(needed, Math.min(kind.room?.(bands) ?? 0, needed * STRETCH)) };
};

const zoomTo = (span) => {
  zoom = span;
  card.querySelectorAll("#unzoom, [data-zoom]").forEach((button) => { if (button.dataset.zoom !== "closer") button.hidden = span === null; });
  document.getElementById("zoomed").textContent = span ? `${span.map((at) => clockOf(at, 0)).join(" – ")} UTC` : "";
  plots.forEach((plot) => plot.setData(plot.data, true));
};

// What a mouse drags, keys and taps reach in steps: half as much, twice as much, half a step aside.
const zoomBy = (how) => {
  const whole = [data.from, data.until];
  const [from, until] = zoom ?? whole;
  const wide = (until - from) * ({ closer: 0.5, wider: 2 }[how] ?? 1);
  if (wide >= spanOf()) { zoomTo(null); return; }
  const middle = (from + until + (until - from) * ({ earlier: -1, later: 1 }[how] ?? 0)) / 2;
  const start = Math.min(Math.max(whole[0], middle - wide / 2), whole[1] - wide);
  zoomTo([start, start + wide]);
};

const brushed = (plot) => {
  if (plot.select.width < 4) return;
  const ends = [plot.select.left, plot.select.left + plot.select.width].map((x) => plot.posToVal(x, "x"));
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  zoomTo(ends);
};

const options = (box, kind, operation) => {
  const paint = colours();
  const axis = { stroke: paint.text, grid: { stroke: paint["grid-line"], width: 1 }, ticks: { show: false }, font: `12px ${FONT}` };
  const pairs = kind.bands ? ["baseline", "candidate"] : [];
  return {
    width: box.clientWidth, height: kind.height ?? HEIGHT, ms: 1e-3,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    hooks: { setSelect: [brushed], draw: [(plot) => drawMarks(plot, kind.limits(data, operation, quantiles), data.events, kind.word, colours())] },
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: true, y: false, setScale: false }, sync: { key: "throwbar" } },
    scales: { x: { time: true, range: () => zoom ?? [data.from, data.until] }, y: { range: () => [0, tops.get(box)] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, splits) => splits.map((at) => clockOf(at, spanOf())), space: 90, size: 28 },
      { ...axis, size: kind.axis ?? 58, values: (_, splits) => splits.map(kind.tick ?? kind.word), ...(kind.splits ? { splits: (plot) => kind.splits(plot.scales.y.max) } : {}) },
    ],
    bands: pairs.map((side, at) => ({ series: [2 * at + 1, 2 * at + 2], fill: paint[`${side}-band`] })),
    series: [
      {},
      ...pairs.flatMap((side) => ["high", "low"].map((end) => ({ label: `${side} ${end}`, width: 0, points: { show: false } }))),
      ...kind.lines(names, quantiles).map(({ side, width, dash, name }) => ({
        label: name, stroke: paint[side], width, dash, points: { show: false }, spanGaps: false, value: (_, value) => kind.word(value),
      })),
    ],
  };
};

const tooltip = (plot, kind, box) => {
  const bands = kind.bands ? 4 : 0;
  const around = (number, at) => {
    const [high, low] = [plot.data[2 * number + 1]?.[at], plot.data[2 * number + 2]?.[at]];
    return bands && high !== null && high !== undefined ? ` (${kind.word(low)} … ${kind.word(high)})` : "";
  };
  plot.over.addEventListener("mousemove", () => {
    const at = plot.cursor.idx;
    if (at === null || at === undefined) return;
    const words = kind.lines(names, quantiles).map(({ name }, number) => `${name} ${kind.word(plot.data[bands + number + 1][at])}${around(number, at)}`);
    box.title = `${clockOf(plot.data[0][at], spanOf())} UTC\n${words.join("\n")}`;
  });
};

const draw = (box) => {
  const { operation } = box.closest("[data-operation]").dataset;
  const kind = KINDS[box.dataset.chart];
  const content = box.clientWidth ? contentOf(kind, operation) : null;
  if (!content) return;
  tops.set(box, content.top);
  const known = plots.get(box);
  if (known) { known.setData(content.columns); return; }
  const plot = new uPlot(options(box, kind, operation), content.columns, box);
  tooltip(plot, kind, box);
  plots.set(box, plot);
};
const drawAll = () => {
  if (!data) return;
  card.querySelectorAll("[data-chart]").forEach(draw);
  card.dataset.drawn = String(plots.size);
};

const redraw = () => {
  plots.forEach((plot) => plot.destroy());
  plots.clear();
  drawAll();
};

// One question at a time: a slow server is not asked more often for being slow. What is asked meanwhile is asked after it.
let asking = false;
let askAgain = false;
const answered = async () => {
  try {
    const response = await fetch(`${card.dataset.series}?range=${range}`, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE) });
    return response.ok ? await response.json() : null;
  } catch { return null; } // the page's own polling says that the server does not answer
};
const refresh = async () => {
  if (document.hidden) return;
  if (asking) { askAgain = true; return; }
  asking = true;
  try {
    do {
      askAgain = false;
      const answer = await answered();
      if (answer) { data = answer; drawAll(); }
    } while (askAgain);
  } finally { asking = false; }
};

// The choices are links, which work without a script; with one, they change the charts in place and the address with them.
const IN_ORDER = [...card.querySelectorAll("[data-quantile]")].map((link) => link.dataset.quantile);
const toggled = (name) => IN_ORDER.filter((each) => quantiles.includes(each) !== (each === name));
const addressOf = (changes) => {
  const address = new URL(location.href);
  address.hash = "";
  for (const [name, value] of Object.entries(changes)) if (value) address.searchParams.set(name, value); else address.searchParams.delete(name);
  return address.href.replaceAll("%2C", ",");
};
const mark = (link, on) => (on ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
const chosen = () => {
  history.replaceState(null, "", addressOf({ range, quantiles: quantiles.join(",") }));
  card.querySelectorAll("[data-range]").forEach((link) => { mark(link, link.dataset.range === range); link.href = `${addressOf({ range: link.dataset.range })}#charts`; });
  card.querySelectorAll("[data-quantile]").forEach((link) => { mark(link, quantiles.includes(link.dataset.quantile)); link.href = `${addressOf({ quantiles: toggled(link.dataset.quantile).join(",") })}#charts`; });
  for (const [name, value] of [["range", range], ["quantiles", quantiles.join(",")]]) document.getElementById(name).value = value;
  htmx.trigger("#poll-summaries", "refresh");
};
const onChoice = (selector, choose) => card.querySelectorAll(selector).forEach((link) => link.addEventListener("click", (event) => {
  event.preventDefault();
  choose(link);
  chosen();
}));
onChoice(".ranges [data-range]", (link) => { range = link.dataset.range; zoomTo(null); refresh(); });
onChoice("[data-quantile]", (link) => {
  const wanted = toggled(link.dataset.quantile);
  if (wanted.length) { quantiles = wanted; redraw(); }
});

let beats = 0;
const isTooEarly = () => (beats++) % (data && spanOf() > 4000 ? SLOWLY : 1) !== 0;
card.querySelectorAll("#unzoom, [data-zoom]").forEach((button) => button.addEventListener("click", () => {
  if (data) button.dataset.zoom ? zoomBy(button.dataset.zoom) : zoomTo(null);
  if (button.hidden) card.querySelector('[data-zoom="closer"]').focus();
}));
card.addEventListener("dblclick", () => zoomTo(null));
document.addEventListener("stream:changed", (event) => { if (event.detail.all || event.detail.flags.includes(card.dataset.flag)) refresh(); });
new ResizeObserver(() => plots.forEach((plot, box) => { if (box.clientWidth) plot.setSize({ width: box.clientWidth, height: plot.height }); })).observe(card);
card.addEventListener("toggle", drawAll, true); // what was folded has had no width
document.addEventListener("theme:changed", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
refresh();
setInterval(() => { if (!isTooEarly()) refresh(); }, REFRESH);
