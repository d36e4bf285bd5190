// How does a page stay fresh without getting in the way of the person who is using it?
"use strict";
(() => {
  const BUSY = "input:not([type=hidden]), textarea, select";
  let asked = 0; // forms that were sent and not answered
  let answered = null; // the form whose answer is put in now; null while a poll's is

  const isPoll = (element) => element.matches("[data-poll], [data-quiet]"); // changes nothing
  const hasOpenForm = (region) => region.querySelector("details.ask[open]") !== null;
  const hasTyping = (region) => region.contains(document.activeElement) && document.activeElement.matches(BUSY);
  const hasChanges = (region) =>
    [...region.querySelectorAll("input[type=number], input[type=text], textarea")].some((field) => field.value !== field.defaultValue);
  const isBeingRead = (region) => { const marked = getSelection(); return !marked.isCollapsed && region.contains(marked.anchorNode); };
  const isInUse = (region) =>
    hasOpenForm(region) || (region.id !== "state" && (hasTyping(region) || hasChanges(region) || isBeingRead(region)));

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isPoll(event.detail.elt)) {
      if (document.hidden) event.preventDefault();
    } else asked += 1;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isPoll(event.detail.elt)) asked = Math.max(0, asked - 1);
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const from = event.detail.requestConfig?.elt;
    answered = from && !isPoll(from) ? from : null;
    if (!answered && event.detail.target && isInUse(event.detail.target)) event.detail.shouldSwap = false;
  });

  const keepUnfolded = (region, fragment) => region.querySelectorAll("details.fold[open][id]").forEach((fold) => {
    const same = fragment.querySelector?.(`#${CSS.escape(fold.id)}`);
    if (same) same.open = true;
  });

  // A form that is left alone while an own change is answered goes on from the version that this change has made.
  const renew = (region, fragment) => {
    const version = fragment?.querySelector?.("input[name=expected]")?.value;
    if (version) region.querySelectorAll("input[name=expected]").forEach((field) => { field.value = version; });
  };

  // What somebody works on is left alone, but for what a form was sent from: a poll may have told of the change before its
  // answer came, and the next form may be open already. The state and its banner always turn, but for a form that
  // is open in them.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const fresh = fragment?.firstElementChild ?? fragment;
    if (target && isInUse(target) && !(answered && target.contains(answered))) {
      event.detail.shouldSwap = false;
      if (answered) renew(target, fragment);
    } else if (fresh?.isEqualNode?.(target)) event.detail.shouldSwap = false;
    else if (target && fragment) keepUnfolded(target, fragment);
  });

  // A refusal is told at the top of the page; whoever pressed the button may be further down.
  document.addEventListener("htmx:oobAfterSwap", () => {
    if (asked > 0) document.querySelector("#notice .bad, #notice .warn")?.scrollIntoView({ block: "center" });
  });

  const line = () => document.getElementById("connection");
  const tell = (lost) => { if (line()) line().hidden = !lost; };
  document.addEventListener("htmx:sendError", () => tell(true));
  document.addEventListener("htmx:timeout", () => tell(true));
  // A form is sent once more without htmx: the answer is the sign-in, which keeps what was typed. A poll takes nothing away.
  const signedOut = (element) => {
    if (element.matches("form[method=post]")) element.submit();
    else if (!hasChanges(document.body) && !hasOpenForm(document.body)) location.reload();
    else if (line()) { line().textContent = "Your session is over. What you typed stays: send it, and sign in."; line().hidden = false; }
  };
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) signedOut(event.detail.elt);
    else if (status >= 500 || status === 404) tell(true);
  });
  document.addEventListener("htmx:afterOnLoad", () => tell(false));

  document.addEventListener("toggle", (event) => {
    const opened = event.target;
    if (!opened.matches?.("details.ask, details.menu") || !opened.open) return;
    document.querySelectorAll("details.menu[open]").forEach((other) => { if (other !== opened) other.open = false; });
    if (hasTyping(opened)) return; // browsers tell of it late: somebody may have gone to a field meanwhile
    opened.querySelector("form input:not([type=hidden]), form textarea")?.focus();
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const opened = event.target.closest?.("details.ask[open], details.menu[open]");
      if (opened) { opened.open = false; opened.querySelector("summary").focus(); }
    }
    const search = document.getElementById("search");
    if (event.key === "/" && search && !event.target.matches(BUSY)) { event.preventDefault(); search.focus(); search.select(); }
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) {
      document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
      return;
    }
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected: press Ctrl+C";
    }
  });
})();
