// What stands across a chart besides its lines: limits at their height, and changes of the flag at their time.

const FONT = "system-ui, sans-serif";

const limitLines = (plot, limits, word, paint) => {
  const { ctx, bbox } = plot;
  ctx.lineWidth = devicePixelRatio * 1.5;
  ctx.strokeStyle = ctx.fillStyle = paint.limit;
  ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
  ctx.font = `${11 * devicePixelRatio}px ${FONT}`;
  ctx.textAlign = "right";
  for (const limit of limits) {
    if (limit > plot.scales.y.max) {
      ctx.fillText(`limit ${word(limit)}, above`, bbox.left + bbox.width - 4, bbox.top + 12 * devicePixelRatio);
      continue;
    }
    const y = Math.round(plot.valToPos(limit, "y", true));
    ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
  }
};

const eventLines = (plot, events, paint) => {
  const { ctx, bbox } = plot;
  for (const event of events) {
    const back = event.action === "rollout:roll_back";
    ctx.strokeStyle = back ? paint.limit : paint.text;
    ctx.lineWidth = devicePixelRatio * (back ? 2 : 1);
    ctx.setLineDash(back ? [] : [2 * devicePixelRatio, 3 * devicePixelRatio]);
    const x = Math.round(plot.valToPos(event.at, "x", true));
    ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
    if (!back) continue;
    ctx.fillStyle = paint.limit;
    ctx.font = `600 ${11 * devicePixelRatio}px ${FONT}`;
    const left = x > bbox.left + bbox.width * 0.75;
    ctx.textAlign = left ? "right" : "left";
    ctx.fillText("rolled back", x + (left ? -5 : 5) * devicePixelRatio, bbox.top + 28 * devicePixelRatio);
  }
};

// `limits` in the unit of the axis, `events` with `at` in seconds; `word` says a limit that lies above the chart.
export const drawMarks = (plot, limits, events, word, paint) => {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  limitLines(plot, limits, word, paint);
  eventLines(plot, events, paint);
  ctx.restore();
};
