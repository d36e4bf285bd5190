// Where does the keyboard stand after a part of the page was replaced? Where it stood, else where the answer is told.
"use strict";
(() => {
  const CAN = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  let stood = null; // what had the focus when its part of the page was taken away

  const words = (element) => (element.getAttribute("aria-label") ?? element.textContent).trim();
  const describe = (element) => {
    const homes = [];
    for (let home = element.closest("[id]"); home; home = home.parentElement?.closest("[id]")) homes.push(home.id);
    const home = document.getElementById(homes[0]);
    return { homes, tag: element.tagName, words: words(element), rank: home ? [...home.querySelectorAll(CAN)].indexOf(element) : -1 };
  };

  // By its place, or by its words where rows have come and gone. What was folded up meanwhile is found at its fold.
  const again = (told) => {
    const home = document.getElementById(told.homes[0]);
    if (!home) return null;
    const same = (element) => element?.tagName === told.tag && words(element) === told.words;
    const all = [...home.querySelectorAll(CAN)];
    const found = told.rank < 0 ? home : same(all[told.rank]) ? all[told.rank] : all.find(same);
    return found?.checkVisibility() ? found : home.matches("details") ? home.querySelector("summary") : null;
  };

  const stand = (element, options) => {
    if (!element.matches(CAN)) element.tabIndex = -1;
    element.focus(options);
  };
  const isLost = (at = document.activeElement) => !at || at === document.body || !at.checkVisibility();
  const restore = () => {
    if (!stood || !isLost()) return;
    const found = again(stood);
    const notice = document.querySelector("#notice .notice") && document.getElementById("notice");
    if (found) stand(found, { preventScroll: !byHand });
    else if (byHand && notice) stand(notice);
    else stand(stood.homes.map((id) => document.getElementById(id)).find(Boolean) ?? document.getElementById("main"), { preventScroll: true });
    stood = null;
  };

  let byHand = false; // rather than by a poll
  const remember = ({ detail: { target, requestConfig } }) => {
    if (requestConfig) byHand = !requestConfig.elt.matches("[data-poll], [data-quiet]");
    const at = document.activeElement;
    if (target?.contains(at) && at !== document.body) stood = describe(at);
  };
  // A dialog gives the focus back to what it was taken from; while it was open, that may have been replaced.
  let last = null;
  document.addEventListener("focusin", ({ target }) => { if (!target.closest("dialog")) last = describe(target); });
  document.addEventListener("close", () => {
    if (isLost() && last) { stood = last; restore(); }
  }, true);

  for (const name of ["htmx:beforeSwap", "htmx:oobBeforeSwap"]) document.addEventListener(name, remember);
  for (const name of ["htmx:afterSwap", "htmx:oobAfterSwap", "htmx:afterSettle"]) document.addEventListener(name, restore);
})();
