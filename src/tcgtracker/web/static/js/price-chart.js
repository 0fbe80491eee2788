// <price-chart days="90"> draws the series that its links lead to. Without scripts the links stay.
"use strict";

const MOST_LINES = 6;
const DAYS_SHOWN = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });

class PriceChart extends HTMLElement {
  connectedCallback() {
    this._days = Number(this.getAttribute("days"));
    this._lines = new Map();
    this._kept = new Map();
    this._load = 0;
    this._frame = document.createElement("div");
    this._frame.className = "chart";
    this._frame.tabIndex = 0;
    this._frame.setAttribute("role", "img");
    this._frame.setAttribute("aria-label", this.getAttribute("label"));
    this._note = document.createElement("p");
    this._note.className = "chart-note";
    this._note.setAttribute("role", "status");
    this._buttons = [...this.querySelectorAll("a[data-src]")].map((link) => this._buttonOf(link));
    this.prepend(this._frame, this._note);
    this._ranges = this.closest("section").querySelectorAll("a[data-days]");
    for (const link of this._ranges) link.addEventListener("click", (event) => this._choose(event, link));
    this._frame.addEventListener("keydown", (event) => this._walk(event));
    this._scheme = matchMedia("(prefers-color-scheme: dark)");
    this._scheme.addEventListener("change", () => this._dress());
    this._make();
    this._draw();
  }

  _buttonOf(link) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = link.textContent;
    button.dataset.src = link.dataset.src;
    button.dataset.currency = link.dataset.currency;
    button.setAttribute("aria-pressed", String("on" in link.dataset));
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") === "true";
      if (!on && this._on().length >= MOST_LINES) {
        this._note.textContent = `At most ${MOST_LINES} lines at once: take one off first.`;
        return;
      }
      button.setAttribute("aria-pressed", String(!on));
      this._draw();
    });
    link.replaceWith(button);
    return button;
  }

  _on() {
    return this._buttons.filter((button) => button.getAttribute("aria-pressed") === "true");
  }

  _colour(name) {
    return getComputedStyle(this).getPropertyValue(name).trim();
  }

  _make() {
    this._chart = LightweightCharts.createChart(this._frame, {
      autoSize: true,
      layout: { attributionLogo: false, background: { type: "solid", color: "transparent" }, fontFamily: "inherit" },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.08 } },
      leftPriceScale: { borderVisible: false },
      timeScale: { borderVisible: false, fixLeftEdge: true, fixRightEdge: true, minBarSpacing: 0.05 },
      crosshair: { mode: LightweightCharts.CrosshairMode.Magnet },
      handleScroll: { vertTouchDrag: false, mouseWheel: false },
      handleScale: { mouseWheel: false },
    });
    this._chart.subscribeCrosshairMove((at) => this._say(at));
    this._dress();
  }

  _dress() {
    this._chart.applyOptions({
      layout: { textColor: this._colour("--soft") },
      grid: { vertLines: { visible: false }, horzLines: { color: this._colour("--line") } },
    });
    for (const line of this._lines.values()) {
      line.series.applyOptions({ color: this._colour(`--line-${line.place}`) });
    }
  }

  async _fetch(src) {
    const address = `${src}&days=${this._days}&shape=columns`;
    if (!this._kept.has(address)) {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      this._kept.set(address, await answer.json());
    }
    return this._kept.get(address);
  }

  async _draw() {
    const load = ++this._load;
    const wanted = this._on();
    this._note.textContent = "Loading…";
    let histories;
    try {
      histories = await Promise.all(wanted.map((button) => this._fetch(button.dataset.src)));
    } catch (error) {
      if (load === this._load) this._note.textContent = `The chart cannot be drawn now: ${error.message}. The numbers are below.`;
      return;
    }
    if (load !== this._load) return;
    for (const line of this._lines.values()) this._chart.removeSeries(line.series);
    this._lines.clear();
    for (const button of this._buttons) delete button.dataset.line;
    const drawn = wanted.map((button, place) => ({ button, history: histories[place], values: dailyValues(histories[place]) }));
    const days = spanOf(drawn.map((one) => one.values));
    drawn.forEach((one, place) => this._addLine(one, place + 1, days, drawn[0].button.dataset.currency));
    this._chart.applyOptions({ leftPriceScale: { visible: drawn.some((one) => one.button.dataset.currency !== drawn[0].button.dataset.currency) } });
    this._chart.timeScale().fitContent();
    const priced = drawn.some((one) => one.values.length);
    this._note.textContent = priced ? "" : wanted.length ? "No price within this range." : "Choose a series.";
    this.dataset.drawn = String(drawn.length);
  }

  _addLine({ button, history, values }, place, days, mainCurrency) {
    const currency = history.currency || "USD";
    const money = new Intl.NumberFormat("en", { style: "currency", currency });
    const series = this._chart.addCustomSeries(new PriceLines(), {
      color: this._colour(`--line-${place}`),
      band: place === 1,
      priceScaleId: currency === mainCurrency ? "right" : "left",
      priceLineVisible: false,
      priceFormat: { type: "custom", formatter: (value) => money.format(value), minMove: 0.01 },
    });
    const known = new Map(values.map((value) => [value.day, value]));
    series.setData(days.map((day) => known.get(day) || { time: textOfDay(day) }));
    if (place === 1) {
      for (const [text, title] of [[history.all_time_high, "all-time high"], [history.all_time_low, "all-time low"]]) {
        if (text === null) continue;
        series.createPriceLine({ price: Number(text), title, color: this._colour("--soft"), lineWidth: 1, lineStyle: LightweightCharts.LineStyle.Dashed, axisLabelVisible: false });
      }
    }
    button.dataset.line = String(place);
    this._lines.set(button, { series, place, money, label: button.textContent, days, known });
  }

  _say(at) {
    if (!at || at.time === undefined) {
      if (this._lines.size) this._note.textContent = "";
      return;
    }
    const day = dayOf(at.time);
    const parts = [...this._lines.values()].map(({ money, label, known }) => {
      const value = known.get(day);
      if (!value) return `${label} no price`;
      const band = value.low === null || value.high === null ? "" : ` (${money.format(value.low)} to ${money.format(value.high)})`;
      return `${label} ${money.format(value.market)}${band}`;
    });
    this._at = day;
    this._note.textContent = `${DAYS_SHOWN.format(new Date(day * DAY_MS))}: ${parts.join("; ")}`;
  }

  // Arrow keys move the crosshair from day to day.
  _walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    const line = this._lines.values().next().value;
    if (!step || !line || !line.known.size) return;
    event.preventDefault();
    const first = line.days[0], last = line.days[line.days.length - 1];
    const day = Math.min(last, Math.max(first, (this._at === undefined ? last + 1 : this._at) + step));
    const value = line.known.get(day);
    if (value) this._chart.setCrosshairPosition(value.market, value.time, line.series);
    else this._chart.clearCrosshairPosition();
    this._say({ time: textOfDay(day) });
  }

  _choose(event, link) {
    event.preventDefault();
    this._days = Number(link.dataset.days);
    this._at = undefined;
    for (const one of this._ranges) one.toggleAttribute("aria-current", false);
    link.setAttribute("aria-current", "true");
    history.replaceState(null, "", link.href);
    htmx.ajax("GET", link.href, { target: "#figures", swap: "outerHTML" });
    this._draw();
  }
}

// All days between the first and the last value of any line: the axis is one of days.
function spanOf(lines) {
  const days = lines.flatMap((values) => (values.length ? [values[0].day, values[values.length - 1].day] : []));
  if (!days.length) return [];
  const first = Math.min(...days);
  return Array.from({ length: Math.max(...days) - first + 1 }, (_, place) => first + place);
}

customElements.define("price-chart", PriceChart);
