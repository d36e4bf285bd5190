// Is something under way that takes its time? What was pressed says so and is not pressed twice; a bar tells of it,
// and the page can be used meanwhile.
"use strict";
(() => {
  const SOON = 400; // milliseconds; what is quicker needs no words
  const bar = document.getElementById("working");
  const busy = new Set();
  let saying = null;
  let stop = null;

  const say = (text) => { bar.querySelector("span").textContent = text; bar.hidden = false; };
  const begin = (element, halt = () => window.stop()) => {
    element.setAttribute("aria-busy", "true");
    busy.add(element);
    stop = halt;
    clearTimeout(saying);
    saying = setTimeout(() => say(element.dataset.working ?? element.form?.dataset.working ?? "Working…"), SOON);
  };
  const end = (element) => {
    element.removeAttribute("aria-busy");
    busy.delete(element);
    if (busy.size) return;
    clearTimeout(saying);
    bar.hidden = true;
  };
  const endAll = () => busy.forEach(end);

  document.addEventListener("submit", (event) => {
    const button = event.submitter ?? event.target.querySelector("button:not([type=button])");
    if (!button) return;
    if (!busy.has(button)) begin(button);
    else { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);
  // Whoever asks by htmx gets the answer in this page, if only that nobody answered.
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt } = event.detail.requestConfig; // the event's own element may be another, once the form was replaced
    busy.forEach((each) => { if (each.form && each.form === elt) end(each); });
  });

  const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
  const save = (parts, response) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts, { type: response.headers.get("Content-Type") }));
    link.download = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "export";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const download = async (link) => {
    const halt = new AbortController();
    begin(link, () => halt.abort());
    try {
      const response = await fetch(link.href, { signal: halt.signal });
      if (!response.ok || response.redirected) { location.assign(link.href); return; }
      const parts = [];
      const reader = response.body.getReader();
      for (let got = 0, part = await reader.read(); !part.done; part = await reader.read()) {
        parts.push(part.value);
        got += part.value.length;
        if (!bar.hidden) say(`${link.dataset.working} ${size(got)} so far`);
      }
      save(parts, response);
    } catch (error) {
      if (error.name !== "AbortError") location.assign(link.href);
    } finally { end(link); }
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-stop]")) { stop?.(); endAll(); return; }
    const link = event.target.closest("a[data-working]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (busy.has(link)) event.preventDefault();
    else if (link.hasAttribute("data-download")) { event.preventDefault(); download(link); }
    else begin(link);
  });
  addEventListener("pageshow", endAll); // the page may come back as it was left
})();
