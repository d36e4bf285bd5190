"""A hand on the keyboard, and an eye that looks where the focus is."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Response

from tests.browser.pages import door_of
from tests.browser.people import until

MOST = 300  # presses of Tab; no page has so many stops

# Run before each page's own scripts: which stops were made, and at which of them the focus could not be seen. While
# `still` is true, parts of the page do not ask for news of themselves, which would take the place of what is walked.
WATCH = """
window.still = false;
document.addEventListener("htmx:beforeRequest", (event) => {
  if (still && event.target.matches("[data-poll]")) event.preventDefault();
});
window.stops = new Set();
window.unseen = [];
window.isSeen = (element) => {
  const near = [element, element.nextElementSibling, element.parentElement, element.closest("label")].filter(Boolean);
  const box = element.getBoundingClientRect();
  const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const marked = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 1;
  return inView && near.some((each) => marked(getComputedStyle(each)) || marked(getComputedStyle(each, "::after")));
};
document.addEventListener("focusin", ({ target }) => {
  stops.add(target);
  if (!isSeen(target)) unseen.push(target.outerHTML.slice(0, 120));
});
"""
# What a keyboard must be able to reach: of radio buttons the chosen one, from which the arrows lead to the others.
MISSING = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0'], [contenteditable]")]
  .filter((each) => each.tabIndex >= 0 && !each.disabled && each.type !== "hidden" && each.checkVisibility({ visibilityProperty: true }))
  .filter((each) => each.type !== "radio" || each.checked)
  .filter((each) => !stops.has(each)).map((each) => each.outerHTML.slice(0, 120))"""
SENDS = """
const to = (button) => new URL(button.getAttribute("formaction") ?? button.form.getAttribute("action") ?? location.href, location).pathname;
const posts = (button) => button.type === "submit" && button.form?.method === "post";
"""
AT_REST = "still = true; document.querySelector('.htmx-request') === null"
DOORS = "() => {" + SENDS + "return [...document.querySelectorAll('button')].filter(posts).map(to)}"
# Where the focus is, seen from a door: at its button, at the fold that hides it, or in a field of its form.
STAND = (
    "(path) => {"
    + SENDS
    + """
  const at = document.activeElement;
  const isDoor = (button) => posts(button) && to(button) === path && button.name !== "do";
  const fold = at.matches("summary") && !at.parentElement.open ? at.parentElement : null;
  return {
    sends: at.matches("button") && isDoor(at),
    opens: fold !== null && [...fold.querySelectorAll("button")].some(isDoor),
    field: at.form && [...at.form.querySelectorAll("button")].some(isDoor) ? at.name : "",
    seen: at === document.body || isSeen(at),
    what: at.outerHTML.slice(0, 120),
  };
}"""
)


def doors(page: Page) -> dict[str, str]:
    """The doors that the page has: their names, with the verb where there is one, and an address of each."""
    found: dict[str, str] = {}
    for path in page.evaluate(DOORS):
        name, arguments = door_of(path) or ("nowhere", {})
        found.setdefault(f"{name}/{arguments['verb']}" if "verb" in arguments else name, path)
    return found


def open_door(page: Page, path: str, typed: Mapping[str, str]) -> Response:
    """From the top of the page by Tab and Enter to the button that sends there; the answer. Fields are filled on the way."""
    left = dict(typed)
    for _ in range(MOST):
        stand = page.evaluate(STAND, path)
        assert stand["seen"], f"nobody sees that the focus is at {stand['what']}"
        if stand["sends"]:
            assert left == {}, "the button comes before some of its fields"
            return _entered(page, path)
        if stand["opens"]:
            page.keyboard.press("Enter")
            page.evaluate("() => new Promise((done) => setTimeout(done))")  # what opens may take the focus into it
            continue
        if stand["field"] in left:
            _type(page, left.pop(stand["field"]))
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to the button that sends to {path}")


def _type(page: Page, text: str) -> None:
    """A tab in it goes on to the next part of a field that has several."""
    for number, part in enumerate(text.split("\t")):
        if number:
            page.keyboard.press("Tab")
        page.keyboard.type(part)


def _entered(page: Page, path: str) -> Response:
    def is_answer(response: Response) -> bool:
        return response.request.method == "POST" and urlsplit(response.url).path == path

    loaded: list[Page] = []
    page.once("load", lambda page: loaded.append(page))  # noqa: PLW0108 - Playwright writes into what it is given
    with page.expect_response(is_answer) as answer:
        page.keyboard.press("Enter")
    while answer.value.request.is_navigation_request() and not loaded:
        page.wait_for_timeout(5)
    return answer.value


def walked(page: Page) -> dict[str, Any]:
    """What a walk by Tab through the whole page with everything unfolded does not reach, or reaches unseen."""
    until(page, lambda: page.evaluate(AT_REST))
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    missing = page.evaluate(MISSING)
    for _ in range(len(missing) // 10 + 12):
        for _ in range(10):
            page.keyboard.press("Tab")
        if not (missing := page.evaluate(MISSING)):
            break
    return {"never reached": missing, "not seen": page.evaluate("unseen")}
