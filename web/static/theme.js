// Which colours does this reader want? Loaded before the first paint, so that no page flashes.
"use strict";
(() => {
  const KEY = "throwbar-theme";
  const root = document.documentElement;
  const wanted = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  const remember = (theme) => {
    root.dataset.theme = theme;
    try { localStorage.setItem(KEY, theme); } catch { /* a browser that keeps nothing still shows this page */ }
    document.dispatchEvent(new CustomEvent("theme:changed"));
  };

  if (["light", "dark"].includes(wanted())) root.dataset.theme = wanted();
  root.classList.add("scripted");

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-toggle]")) remember(isDark() ? "light" : "dark");
  });
})();
