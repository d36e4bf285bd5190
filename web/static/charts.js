// How do both backends do over time? Error rate and latency, with limits as lines and changes as marks.
"use strict";
(() => {
  const REFRESH = 3000; // milliseconds; longer ranges move too slowly to be asked for as often
  const SLOWLY = 5;
  const card = document.getElementById("charts");
  if (!card || typeof uPlot === "undefined") return;

  const paint = (name) => getComputedStyle(card.querySelector(`.paint .${name}`)).color;
  const colours = () => Object.fromEntries(["baseline", "candidate", "limit", "grid-line", "text"].map((name) => [name, paint(name)]));
  const clockOf = (seconds, span) => {
    const at = new Date(seconds * 1000).toISOString();
    return span > 86400 ? at.slice(5, 16).replace("T", " ") : at.slice(11, span > 1200 ? 16 : 19);
  };
  const short = (value) => String(Number(value.toPrecision(3)));
  const isMissing = (value) => value === null || value === undefined;
  const rate = (value) => (isMissing(value) ? "–" : `${short(value * 100)} %`);
  const time = (value) => (isMissing(value) ? "–" : value >= 1000 ? `${short(value / 1000)} s` : `${short(value)} ms`);

  let range = card.dataset.range;
  let data = null;
  const plots = new Map();

  // Each kind: its lines, its limit, and its words. A limit far above the data is told, not drawn: it would flatten them.
  const KINDS = {
    errors: {
      lines: (series) => [series.baseline.error_rate, series.candidate.error_rate],
      limits: (limits) => (limits.max_error_rate === null ? [] : [limits.max_error_rate]),
      widths: [["baseline", 2], ["candidate", 2]],
      names: [card.dataset.baseline, card.dataset.candidate],
      word: rate,
      least: 0.01,
      reach: 20,
    },
    latency: {
      lines: (series) => [series.baseline.p50_ms, series.baseline.p99_ms, series.candidate.p50_ms, series.candidate.p99_ms],
      limits: (limits) => Object.values(limits.max_latency_ms),
      widths: [["baseline", 1], ["baseline", 2], ["candidate", 1], ["candidate", 2]],
      names: ["p50", "p99"].map((q) => `${card.dataset.baseline} ${q}`).concat(["p50", "p99"].map((q) => `${card.dataset.candidate} ${q}`)),
      word: time,
      least: 10,
      reach: 4,
    },
  };

  // Evidence is drawn as its logarithm, so that the line it must reach is at the same height for every flag.
  const MOST = Math.log(1e12);
  const courseOf = (operation) => (operation ? data.evidence.operations[operation] : data.evidence.flag);
  const evidence = (values) => values.map((value) => (isMissing(value) ? null : Math.min(MOST, Math.max(0, value))));
  KINDS.evidence = {
    columns: (operation) => {
      const course = courseOf(operation);
      return [course.times, ...(operation ? [course.errors, course.latency] : [course.overall, course.overall]).map(evidence)];
    },
    limitsOf: (operation) => (isMissing(courseOf(operation).log_limit) ? [] : [courseOf(operation).log_limit]),
    widths: [["candidate", 2], ["candidate", 1]],
    names: ["errors", "latency"],
    word: (value) => (isMissing(value) ? "–" : `1 in ${value < 2.3 ? short(Math.exp(value)) : Math.round(Math.exp(value)).toLocaleString("en").replaceAll(",", " ")}`),
    least: Math.log(200),
    reach: 1,
    splits: (high) => [0, 1, 2, 3, 4, 6, 8, 10, 12].map((power) => power * Math.log(10)).filter((at) => at <= high),
  };

  const aMinute = (calls, starts) => { const step = starts.length > 1 ? starts[1] - starts[0] : 60; return calls.map((n) => (n * 60) / step); };
  KINDS.volume = {
    lines: (series) => [aMinute(series.baseline.calls, series.starts), aMinute(series.candidate.calls, series.starts)],
    limits: () => [],
    widths: [["baseline", 2], ["candidate", 2]],
    names: [card.dataset.baseline, card.dataset.candidate],
    word: (value) => (isMissing(value) ? "–" : `${short(value)}/min`),
    least: 1,
    reach: 1,
  };
  let zoom = null; // [from, until] of what was brushed; null shows the whole range
  const unzoom = document.getElementById("unzoom");
  const zoomTo = (span) => {
    zoom = span;
    if (unzoom) unzoom.hidden = span === null;
    plots.forEach((plot) => plot.setData(plot.data, true));
  };

  const limitsOf = (kind, operation) => kind.limitsOf ? kind.limitsOf(operation) : (data.limits[operation] ? kind.limits(data.limits[operation]) : []);

  const marks = (kind, operation) => ({
    hooks: {
      draw: [(plot) => {
        const { ctx, bbox } = plot;
        const c = colours();
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        ctx.lineWidth = devicePixelRatio * 1.5;
        ctx.strokeStyle = c.limit;
        ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
        ctx.fillStyle = c.limit;
        ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
        ctx.textAlign = "right";
        for (const limit of limitsOf(kind, operation)) {
          if (limit > plot.scales.y.max) {
            ctx.fillText(`limit ${kind.word(limit)}, above`, bbox.left + bbox.width - 4, bbox.top + 12 * devicePixelRatio);
            continue;
          }
          const y = Math.round(plot.valToPos(limit, "y", true));
          ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
        }
        for (const event of data.events) {
          const back = event.action === "rollout:roll_back";
          ctx.strokeStyle = back ? c.limit : c.text;
          ctx.lineWidth = devicePixelRatio * (back ? 2 : 1);
          ctx.setLineDash(back ? [] : [2 * devicePixelRatio, 3 * devicePixelRatio]);
          const x = Math.round(plot.valToPos(event.at, "x", true));
          ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
          if (back) {
            ctx.fillStyle = c.limit;
            ctx.font = `600 ${11 * devicePixelRatio}px system-ui, sans-serif`;
            const left = x > bbox.left + bbox.width * 0.75;
            ctx.textAlign = left ? "right" : "left";
            ctx.fillText("rolled back", x + (left ? -5 : 5) * devicePixelRatio, bbox.top + 28 * devicePixelRatio);
          }
        }
        ctx.restore();
      }],
    },
  });

  const top = (kind, operation) => (plot, low, high) => {
    const near = limitsOf(kind, operation).filter((limit) => (high ?? 0) > limit / kind.reach);
    return [0, Math.max(kind.least, (high ?? 0) * 1.15, ...near.map((limit) => limit * 1.15))];
  };

  const options = (box, kind, operation) => {
    const c = colours();
    const axis = { stroke: c.text, grid: { stroke: c["grid-line"], width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    return {
      width: box.clientWidth, height: 200, ms: 1e-3,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      plugins: [marks(kind, operation)],
      hooks: { setSelect: [(plot) => {
        if (plot.select.width < 4) return;
        const ends = [plot.select.left, plot.select.left + plot.select.width].map((x) => plot.posToVal(x, "x"));
        plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        zoomTo(ends);
      }] },
      legend: { show: false },
      cursor: { points: { size: 6 }, drag: { x: true, y: false, setScale: false }, sync: { key: "throwbar" } },
      scales: { x: { time: true, range: () => zoom ?? [data.from, data.until] }, y: { range: top(kind, operation) } },
      axes: [
        { ...axis, grid: { show: false }, values: (_, splits) => splits.map((at) => clockOf(at, data.until - data.from)), space: 90, size: 28 },
        { ...axis, size: kind.splits ? 74 : 58, values: (_, splits) => splits.map(kind.word), ...(kind.splits ? { splits: (plot) => kind.splits(plot.scales.y.max) } : {}) },
      ],
      series: [{}, ...kind.widths.map(([side, width], number) => ({
        label: kind.names[number], stroke: c[side], width, points: { show: false }, spanGaps: false, value: (_, value) => kind.word(value),
      }))],
    };
  };

  const tooltip = (plot, kind, box) => {
    plot.over.addEventListener("mousemove", () => {
      const at = plot.cursor.idx;
      if (at === null || at === undefined) return;
      const words = kind.names.map((name, number) => `${name} ${kind.word(plot.data[number + 1][at])}`);
      box.title = `${clockOf(plot.data[0][at], data.until - data.from)} UTC\n${words.join("\n")}`;
    });
  };

  const draw = (box) => {
    const operation = box.closest("[data-operation]").dataset.operation;
    const kind = KINDS[box.dataset.chart];
    const series = data.operations[operation];
    if ((!series && !kind.columns) || !box.clientWidth) return;
    const columns = kind.columns ? kind.columns(operation) : [series.starts, ...kind.lines(series)];
    const known = plots.get(box);
    if (known) { known.setData(columns); return; }
    const plot = new uPlot(options(box, kind, operation), columns, box);
    tooltip(plot, kind, box);
    plots.set(box, plot);
  };

  const boxes = () => card.querySelectorAll("[data-chart]");
  const redraw = () => { plots.forEach((plot) => plot.destroy()); plots.clear(); if (data) boxes().forEach(draw); };

  let beats = 0;
  const isTooEarly = () => (beats++) % (data && data.until - data.from > 4000 ? SLOWLY : 1) !== 0;

  const refresh = async () => {
    if (document.hidden) return;
    try {
      const response = await fetch(`${card.dataset.series}?range=${range}`, { headers: { Accept: "application/json" } });
      if (response.ok) { data = await response.json(); boxes().forEach(draw); card.dataset.drawn = String(plots.size); }
    } catch { /* the page's own polling says that the server does not answer */ }
  };

  card.querySelectorAll(".ranges a").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    range = link.dataset.range;
    zoomTo(null);
    card.querySelectorAll(".ranges a").forEach((other) => other.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    const wanted = document.getElementById("range");
    if (wanted) { wanted.value = range; htmx.trigger("#poll-summaries", "refresh"); }
    history.replaceState(null, "", link.href.replace("#charts", ""));
    refresh();
  }));
  unzoom?.addEventListener("click", () => zoomTo(null));
  card.addEventListener("dblclick", () => zoomTo(null));
  document.addEventListener("stream:changed", (event) => { if (event.detail.all || event.detail.flags.includes(card.dataset.flag)) refresh(); });
  new ResizeObserver(() => plots.forEach((plot, box) => plot.setSize({ width: box.clientWidth, height: 200 }))).observe(card);
  document.addEventListener("theme:changed", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  refresh();
  setInterval(() => { if (!isTooEarly()) refresh(); }, REFRESH);
})();
