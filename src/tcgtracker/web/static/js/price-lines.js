// From the answer of /api/v1/prices/card/... to one value a UTC day, and how that is drawn:
// a step line with its low-high band, broken where there is no price.
"use strict";

const DAY_MS = 86400000;
const dayOf = (text) => Math.floor(Date.parse(text) / DAY_MS);
const textOfDay = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);

// The last value in force on each day, carried to the last look; nothing in gaps.
function dailyValues(history) {
  const columns = history.columns;
  const rowOfDay = new Map();
  columns.observed_at.forEach((at, place) => rowOfDay.set(dayOf(at), place));
  const last = history.current ? dayOf(history.current.observed_at) : -1;
  const unseen = history.gaps
    .filter((gap) => gap.kind === "not_observed")
    .map((gap) => [Date.parse(gap.from), Date.parse(gap.to)]);
  const values = [];
  let inForce = history.at_start;
  for (let day = dayOf(history.first_day); day <= Math.min(dayOf(history.last_day), last); day++) {
    const place = rowOfDay.get(day);
    if (place !== undefined) {
      inForce = {
        state: columns.state[place],
        market_price: columns.market_price[place],
        price_low: columns.price_low[place],
        price_high: columns.price_high[place],
      };
    } else if (unseen.some(([from, to]) => from <= day * DAY_MS && (day + 1) * DAY_MS <= to)) {
      continue;
    }
    if (!inForce || inForce.state !== "priced" || inForce.market_price === null) continue;
    const low = inForce.price_low, high = inForce.price_high;
    values.push({
      time: textOfDay(day),
      day,
      text: inForce.market_price,
      market: Number(inForce.market_price),
      low: low === null ? null : Number(low),
      high: high === null ? null : Number(high),
      lowText: low,
      highText: high,
    });
  }
  return values;
}

// What lightweight-charts calls a custom series.
class PriceLines {
  constructor() {
    this._drawn = null;
    this._options = null;
  }

  renderer() {
    return this;
  }

  update(drawn, options) {
    this._drawn = drawn;
    this._options = options;
  }

  // A few sellers ask absurd prices: the scale follows what is near the market price.
  priceValueBuilder(item) {
    const band = this._options && !this._options.band ? [] : [item.low, item.high];
    const near = band.filter((value) => value !== null && value <= item.market * 1.5);
    return [Math.min(item.market, ...near), Math.max(item.market, ...near), item.market];
  }

  isWhitespace(item) {
    return item.market === undefined;
  }

  defaultOptions() {
    return { ...LightweightCharts.customSeriesDefaultOptions, color: "#000", band: true, lineWidth: 2 };
  }

  draw(target, priceToY) {
    const range = this._drawn && this._drawn.visibleRange;
    if (!range) return;
    target.useBitmapCoordinateSpace((space) => {
      const pen = space.context;
      const wide = space.horizontalPixelRatio, tall = space.verticalPixelRatio;
      const half = (this._drawn.barSpacing * wide) / 2;
      const from = Math.max(0, range.from - 1), to = Math.min(this._drawn.bars.length, range.to + 1);
      const bars = this._drawn.bars.slice(from, to).filter((bar) => !this.isWhitespace(bar.originalData));
      for (const run of runsOf(bars)) {
        const steps = run.map((bar) => ({ left: bar.x * wide - half, right: bar.x * wide + half, of: bar.originalData }));
        if (this._options.band) this._drawBand(pen, steps, (price) => priceToY(price) * tall);
        pen.beginPath();
        steps.forEach((step, place) => {
          const y = priceToY(step.of.market) * tall;
          if (place) pen.lineTo(step.left, y);
          else pen.moveTo(step.left, y);
          pen.lineTo(step.right, y);
        });
        pen.strokeStyle = this._options.color;
        pen.lineWidth = this._options.lineWidth * tall;
        pen.lineJoin = "round";
        pen.stroke();
      }
    });
  }

  _drawBand(pen, steps, y) {
    pen.save();
    pen.globalAlpha = 0.14;
    pen.fillStyle = this._options.color;
    for (const step of steps) {
      const { low, high } = step.of;
      if (low === null || high === null) continue;
      const top = y(high);
      pen.fillRect(step.left, top, step.right - step.left, Math.max(1, y(low) - top));
    }
    pen.restore();
  }
}

// Days that follow one another.
function runsOf(bars) {
  const runs = [];
  for (const bar of bars) {
    const run = runs[runs.length - 1];
    if (run && run[run.length - 1].originalData.day + 1 === bar.originalData.day) run.push(bar);
    else runs.push([bar]);
  }
  return runs;
}
