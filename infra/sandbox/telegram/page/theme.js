// Sets the colours before anything is drawn: the choice of the person, else that of the system.
"use strict";

(() => {
  const key = "tapedesk-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try { return localStorage.getItem(key); } catch { return null; }
  };
  const apply = () => {
    const dark = stored() ? stored() === "dark" : system.matches;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    const bar = document.querySelector("meta[name=theme-color]");
    bar?.setAttribute("content", dark ? "#17212b" : "#ffffff");
  };
  system.addEventListener("change", apply);
  window.toggleTheme = () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem(key, next); } catch { /* private mode: lasts until reload */ }
    document.documentElement.dataset.theme = next;
  };
  apply();
})();
