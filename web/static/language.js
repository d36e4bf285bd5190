// Does the browser know its own language? In a container it may say "en-US@posix", which Intl refuses, and uPlot with it.
"use strict";
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US" });
}
