// What do the keys do? "/" searches, "g" and a letter goes somewhere, "j" and "k" walk through rows, "?" tells all of it.
"use strict";
(() => {
  const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
  const PATIENCE = 1200; // milliseconds between "g" and the letter
  const help = document.getElementById("keys");
  let since = 0;

  const walk = (step) => {
    const rows = [...document.querySelectorAll("[data-row]")];
    if (!rows.length) return;
    const at = rows.indexOf(document.activeElement);
    rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + step))].focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches(TYPING)) return;
    const going = Date.now() - since < PATIENCE;
    since = 0;
    if (going) {
      const link = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
    } else if (event.key === "g") since = Date.now();
    else if (event.key === "?" && help) { event.preventDefault(); help.open ? help.close() : help.showModal(); }
    else if (event.key === "j") walk(1);
    else if (event.key === "k") walk(-1);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) help?.showModal();
    else if (event.target === help || event.target.closest("[data-close]")) help?.close();
  });
})();
