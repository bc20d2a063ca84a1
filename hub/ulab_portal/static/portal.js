// What moves in the portal's pages besides HTMX: notices, lost connections, the plot.
"use strict";

const say = (name) => document.body.dataset[name];
const noticeBox = () => document.getElementById("notice");

// A sentence the person must see, with a way to try once more.
function showNotice(text, retry) {
  const box = document.createElement("div");
  box.className = "alert alert-danger";
  const words = document.createElement("div");
  words.textContent = text;
  box.append(words);
  if (retry) {
    const again = document.createElement("button");
    again.type = "button";
    again.className = "btn btn-sm btn-primary";
    again.textContent = say("again");
    again.addEventListener("click", () => { closeNotice(); retry(); });
    box.append(again);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close";
  close.setAttribute("aria-label", say("close"));
  close.dataset.closeNotice = "";
  box.append(close);
  noticeBox().replaceChildren(box);
}

function closeNotice() {
  noticeBox().replaceChildren();
}

function retryOf(element) {
  if (element.matches("form")) return () => element.requestSubmit();
  return () => element.click();
}

// Something that asks by itself goes on by itself; something a person did is theirs to repeat.
function lost(event, sentence) {
  const element = event.detail.elt;
  // The state asks once after a submission, and only its answer says whether to go on asking.
  const asksOnce = element.id === "state";
  if (asksOnce || element.closest("[data-poll]")) {
    document.getElementById("waiting").textContent = say("waiting");
    if (asksOnce) setTimeout(() => htmx.trigger(document.body, "ulab:submitted"), 3000);
    // What asks only once, when it appears, has to be made to ask again.
    if (element.matches("[data-poll][hx-post]")) {
      setTimeout(() => htmx.ajax("POST", element.getAttribute("hx-post"), { source: element, target: "#submit-answer" }), 3000);
    }
  } else {
    showNotice(sentence, retryOf(element));
  }
}

document.addEventListener("htmx:sendError", (event) => lost(event, say("lost")));
document.addEventListener("htmx:timeout", (event) => lost(event, say("away")));
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (!xhr.getResponseHeader("HX-Retarget")) lost(event, say("away"));
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget")) {
    // Our own refusal: a sentence for the notice, and nothing left that still looks busy.
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    const { elt } = event.detail.requestConfig;
    if (elt.matches("[data-poll][hx-post]")) elt.remove();
  }
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail;
  if (elt.closest("[data-poll]")) return;
  closeNotice();
  // What was said of the last time must not stand beside what is said now.
  if (target.matches("[data-answer]")) target.replaceChildren();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) document.getElementById("waiting").textContent = "";
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-notice]")) closeNotice();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeNotice();
});

// The plot of scores, in the page's colours.
function drawCharts(root) {
  for (const place of root.querySelectorAll("[data-chart]")) {
    if (!window.echarts) continue;
    const { counts } = JSON.parse(place.dataset.chart);
    const style = getComputedStyle(place);
    const quiet = style.getPropertyValue("--ulab-quiet");
    const line = style.getPropertyValue("--ulab-line");
    const step = 100 / counts.length;
    echarts.getInstanceByDom(place)?.dispose();
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: style.fontFamily, color: quiet },
      grid: { left: 8, right: 16, top: 28, bottom: 34, containLabel: true },
      tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
      xAxis: { type: "category", name: place.dataset.axis, nameLocation: "middle", nameGap: 30, data: counts.map((_, i) => `${i * step}–${(i + 1) * step}`), axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: quiet } },
      yAxis: { type: "value", name: place.dataset.count, minInterval: 1, splitLine: { lineStyle: { color: line } }, axisLabel: { color: quiet } },
      series: [{ name: place.dataset.count, type: "bar", data: counts, barWidth: "70%", itemStyle: { color: style.getPropertyValue("--area").trim() || "#1f5fd0", borderRadius: [5, 5, 0, 0] } }],
    });
  }
}

// A feedback page runs no script, so the portal has to know how to show it.
function rememberTheme() {
  const theme = document.documentElement.dataset.bsTheme === "dark" ? "dark" : "light";
  document.cookie = `ulab-theme=${theme}; path=${say("prefix")}; max-age=31536000; samesite=lax`;
}

document.addEventListener("DOMContentLoaded", () => {
  drawCharts(document);
  rememberTheme();
  new MutationObserver(() => { drawCharts(document); rememberTheme(); }).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
});
document.addEventListener("htmx:afterSettle", (event) => drawCharts(event.detail.target));
window.addEventListener("resize", () => {
  for (const place of document.querySelectorAll("[data-chart]")) window.echarts?.getInstanceByDom(place)?.resize();
});
