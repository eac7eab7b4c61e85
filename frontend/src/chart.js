// One line over time, drawn by uPlot, e.g. orders per second on the league's page.
// <figure data-chart='[[seconds…],[values…]]' data-label="…" data-stream="/events/…" data-event="rate">:
// each message of the stream is one `[seconds, value]`; the newest data-window points stay.
import uPlot from "uplot";
import { colour } from "./colour.js";
import { stream } from "./stream.js";

for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);

function draw(figure) {
  const canvas = figure.querySelector(".chart-canvas");
  let data = JSON.parse(figure.dataset.chart);
  let plot = make(figure, canvas, data);
  const size = () => ({ width: canvas.clientWidth, height: canvas.clientHeight });
  new ResizeObserver(() => plot.setSize(size())).observe(canvas);
  // Canvas knows no custom properties, so a change of theme draws the chart again.
  const again = () => {
    plot.destroy();
    plot = make(figure, canvas, data);
  };
  document.addEventListener("hanse:theme", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  if (!figure.dataset.stream) return;
  const keep = Number(figure.dataset.window || 300);
  const source = stream(figure.dataset.stream);
  source.addEventListener(figure.dataset.event || "message", (event) => {
    const [at, value] = JSON.parse(event.data);
    data = [[...data[0], at].slice(-keep), [...data[1], value].slice(-keep)];
    plot.setData(data);
  });
}

function make(figure, canvas, data) {
  const token = (name) => colour(canvas, name);
  const axis = { stroke: token("--ink-soft"), font: `12px ${getComputedStyle(canvas).fontFamily}`, ticks: { show: false } };
  const locale = document.documentElement.lang;
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium", hourCycle: "h23", timeZone: figure.dataset.zone || undefined });
  const count = new Intl.NumberFormat(locale);
  return new uPlot(
    {
      width: canvas.clientWidth,
      height: canvas.clientHeight,
      legend: { show: false },
      cursor: { y: false, points: { size: 8 } },
      scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.15)] } },
      axes: [
        { ...axis, space: 90, size: 28, grid: { show: false }, values: (_, ticks) => ticks.map((t) => clock.format(t * 1000)) },
        { ...axis, size: 44, grid: { stroke: token("--line"), width: 1 }, values: (_, ticks) => ticks.map((v) => count.format(v)) },
      ],
      series: [{}, { label: figure.dataset.label, stroke: token("--primary"), width: 2, fill: token("--primary-soft"), points: { show: false } }],
    },
    data,
    canvas,
  );
}
