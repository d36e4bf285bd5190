// What has changed? The server says it at once where it can; where it cannot, the page goes on asking every few seconds.
"use strict";
(() => {
  const RARELY = 30000; // milliseconds until a stream that broke is tried again
  const CALMLY = 5000; // milliseconds between questions while the stream speaks: it tells of flags, not of telemetry
  const address = document.documentElement.dataset.streamUrl;
  const watched = document.querySelector("[data-poll]");
  if (!address || !watched || typeof EventSource === "undefined") return;

  let speaks = false;
  let source = null;
  const asked = new WeakMap();

  const isNews = (element, told) => told.all || !element.dataset.flag || told.flags.includes(element.dataset.flag);
  const tell = (told) => {
    document.querySelectorAll("[data-poll]").forEach((element) => { if (isNews(element, told)) htmx.trigger(element, "refresh"); });
    document.dispatchEvent(new CustomEvent("stream:changed", { detail: told }));
  };

  // While the stream speaks, a question that only the clock asks is left out, but for one now and then.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    if (!element.hasAttribute("data-poll") || event.defaultPrevented) return;
    const byClock = event.detail.requestConfig.triggeringEvent?.type !== "refresh";
    const isEarly = Date.now() - (asked.get(element) ?? asked.set(element, Date.now()).get(element)) < CALMLY;
    if (speaks && byClock && isEarly) event.preventDefault();
    else asked.set(element, Date.now());
  });

  const mark = (on) => { speaks = on; document.documentElement.dataset.stream = on ? "open" : "closed"; };
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(address);
    source.addEventListener("hello", () => { mark(true); tell({ all: true, flags: [] }); });
    source.addEventListener("changed", (event) => tell(JSON.parse(event.data)));
    source.addEventListener("over", () => mark(false));
    source.addEventListener("error", () => { mark(false); if (source.readyState === EventSource.CLOSED) source = null; });
  };
  const close = () => { source?.close(); source = null; mark(false); };

  // A tab that nobody looks at holds no connection; it catches up when it is looked at.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
  setInterval(open, RARELY);
})();
