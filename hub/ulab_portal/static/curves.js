// Metrics of a shared run over its steps, in the page's colours.
"use strict";

function drawCurves() {
  if (!window.echarts) return;
  for (const place of document.querySelectorAll("[data-curve]")) {
    const style = getComputedStyle(place);
    const quiet = style.getPropertyValue("--ulab-quiet");
    const line = style.getPropertyValue("--ulab-line");
    echarts.getInstanceByDom(place)?.dispose();
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: style.fontFamily, color: quiet },
      grid: { left: 8, right: 16, top: 14, bottom: 30, containLabel: true },
      tooltip: { trigger: "axis", renderMode: "richText" },
      xAxis: { type: "value", min: "dataMin", max: "dataMax", name: place.dataset.axis, nameLocation: "middle", nameGap: 26, axisLine: { lineStyle: { color: line } }, splitLine: { show: false }, axisLabel: { color: quiet, hideOverlap: true } },
      yAxis: { type: "value", scale: true, splitLine: { lineStyle: { color: line } }, axisLabel: { color: quiet } },
      series: [{ name: place.dataset.name, type: "line", data: JSON.parse(place.dataset.curve), showSymbol: false, lineStyle: { width: 2 }, color: style.getPropertyValue("--area").trim() || "#1f5fd0" }],
    });
  }
}

document.addEventListener("DOMContentLoaded", () => {
  drawCurves();
  new MutationObserver(drawCurves).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
});
window.addEventListener("resize", () => {
  for (const place of document.querySelectorAll("[data-curve]")) window.echarts?.getInstanceByDom(place)?.resize();
});
