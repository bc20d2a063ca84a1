// The runs of a class: each student's best value, and all runs against something, in the page's colours.
"use strict";

function drawRuns() {
  if (!window.echarts) return;
  for (const place of document.querySelectorAll("[data-dots], [data-scatter]")) {
    const style = getComputedStyle(place);
    const colours = { quiet: style.getPropertyValue("--ulab-quiet"), line: style.getPropertyValue("--ulab-line"), area: style.getPropertyValue("--area").trim() || "#1f5fd0" };
    echarts.getInstanceByDom(place)?.dispose();
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption({
      animation: false,
      useUTC: true,
      textStyle: { fontFamily: style.fontFamily, color: colours.quiet },
      grid: { left: 8, right: 20, top: 16, bottom: 30, containLabel: true },
      // Plain text: names of runs are what students wrote.
      tooltip: { trigger: "item", renderMode: "richText", confine: true, formatter: (point) => point.data.said },
      ...(place.dataset.dots ? bestOf(place, colours) : runsOf(place, colours)),
    });
  }
}

const axis = (colours, more) => ({ axisLine: { lineStyle: { color: colours.line } }, axisLabel: { color: colours.quiet, hideOverlap: true }, splitLine: { lineStyle: { color: colours.line } }, ...more });
const below = (place) => ({ name: place.dataset.axis, nameLocation: "middle", nameGap: 26 });
const short = (value) => Number(value.toPrecision(4)).toString();

function bestOf(place, colours) {
  const { dots, quartiles } = JSON.parse(place.dataset.dots);
  const { metric, median } = place.dataset;
  const lines = quartiles.map((value, number) => ({ yAxis: value, lineStyle: { type: number === 1 ? "solid" : "dashed", color: colours.quiet }, label: { show: number === 1, formatter: `${median} ${short(value)}`, position: "insideEndTop", color: colours.quiet } }));
  return {
    xAxis: axis(colours, { type: "category", data: dots.map((_, number) => number + 1), axisTick: { show: false }, splitLine: { show: false }, ...below(place) }),
    yAxis: axis(colours, { type: "value", scale: true }),
    series: [{ type: "scatter", symbolSize: 10, itemStyle: { color: colours.area, opacity: 0.85 }, data: dots.map(([name, value]) => ({ value, said: `${name}\n${metric}: ${short(value)}` })), markLine: { silent: true, symbol: "none", animation: false, data: lines } }],
  };
}

function runsOf(place, colours) {
  const { kind, dots } = JSON.parse(place.dataset.scatter);
  const { metric } = place.dataset;
  return {
    xAxis: axis(colours, { type: kind, scale: true, splitLine: { show: false }, ...below(place) }),
    yAxis: axis(colours, { type: "value", scale: true }),
    series: [{ type: "scatter", symbolSize: 8, itemStyle: { color: colours.area, opacity: 0.55 }, data: dots.map(([x, y, who, said]) => ({ value: [x, y], said: `${who}\n${metric}: ${short(y)}\n${place.dataset.axis}: ${said}` })) }],
  };
}

document.addEventListener("DOMContentLoaded", () => {
  drawRuns();
  new MutationObserver(drawRuns).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
});
document.addEventListener("htmx:afterSettle", drawRuns);
document.addEventListener("change", (event) => {
  // Which end is the good one is another question for another metric.
  if (event.target.matches("#compare-by #metric")) event.target.form.elements.better.value = "";
});
window.addEventListener("resize", () => {
  for (const place of document.querySelectorAll("[data-dots], [data-scatter]")) window.echarts?.getInstanceByDom(place)?.resize();
});
