// Small things every page of the base needs; no framework.
"use strict";

// JupyterHub's own pages say lang="en" whatever they speak.
if (document.currentScript.dataset.language) {
  document.documentElement.lang = document.currentScript.dataset.language;
}

const STEPS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

// "3 hours ago", in the page's language; the exact moment is in the tooltip.
function sayRelative(root) {
  const language = document.documentElement.lang;
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const time of root.querySelectorAll("time[data-relative]")) {
    const moment = new Date(time.dateTime);
    const seconds = (moment - Date.now()) / 1000;
    const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) || STEPS.at(-1);
    time.textContent = relative.format(Math.trunc(seconds / size), unit);
    time.title ||= moment.toLocaleString(language);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  sayRelative(document);
  // A password field's eye.
  for (const eye of document.querySelectorAll("[data-reveal]")) {
    eye.addEventListener("click", () => {
      const shown = eye.getAttribute("aria-pressed") !== "true";
      eye.setAttribute("aria-pressed", String(shown));
      for (const id of eye.dataset.reveal.split(" ")) {
        document.getElementById(id).type = shown ? "text" : "password";
      }
      eye.querySelector("i").className = shown ? "fa fa-eye-slash" : "fa fa-eye";
    });
  }
  // A language link keeps the person on the page, its query included.
  for (const link of document.querySelectorAll("[data-language-link]")) {
    const url = new URL(link.href);
    url.searchParams.set("next", location.pathname + location.search);
    link.href = url;
  }
});
