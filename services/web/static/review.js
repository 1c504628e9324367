// The moderator's keys: they work while the focus is on a case of the queue, and not while something is typed.
"use strict";

const TYPED = "input:not([type=checkbox]), select, textarea";

function cases() {
  return [...document.querySelectorAll("[data-case]")];
}

function moved(from, by) {
  const all = cases();
  const next = all[all.indexOf(from) + by];
  next?.focus();
  next?.scrollIntoView({ block: "start" });
}

function pressed(event) {
  const focused = event.target.closest("[data-case]");
  if (!focused || event.ctrlKey || event.metaKey || event.altKey || event.target.matches(TYPED)) return;
  const does = {
    j: () => moved(focused, 1),
    k: () => moved(focused, -1),
    p: () => focused.querySelector("button[value=publish]").click(),
    r: () => focused.querySelector("select[name=label]").focus(),
    u: () => document.querySelector("[data-last] button")?.click(),
  }[event.key.toLowerCase()];
  if (!does) return;
  event.preventDefault();
  does();
}

document.addEventListener("keydown", pressed);
document.addEventListener("DOMContentLoaded", () => {
  if (!document.querySelector("[data-focus]")) cases()[0]?.focus({ preventScroll: true });
});
