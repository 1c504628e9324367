// What pages do beyond plain forms and links. Everything works without it, only less comfortably.
"use strict";

document.documentElement.classList.add("scripted");

// ---- the photo: choose, take, drop, see it before it is sent ----
function showPicture(zone, file) {
  const preview = zone.querySelector(".preview");
  if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(file);
  preview.hidden = false;
  zone.classList.add("filled");
}

function refusal(zone, file) {
  if (!file.type.startsWith("image/")) return zone.dataset.notAPicture;
  return file.size > Number(zone.dataset.limit) ? zone.dataset.tooLarge : "";
}

function takePicture(zone, files) {
  const input = zone.querySelector("#file");
  const fault = document.getElementById("file-fault");
  const file = files[0];
  if (!file) return;
  fault.textContent = refusal(zone, file);
  if (fault.textContent) {
    input.value = "";
    return;
  }
  if (input.files !== files) {
    const chosen = new DataTransfer();
    chosen.items.add(file);
    input.files = chosen.files;
  }
  showPicture(zone, file);
  zone.dispatchEvent(new CustomEvent("picture", { bubbles: true, detail: file }));
}

function prepareDrop(zone) {
  const input = zone.querySelector("#file");
  const camera = zone.querySelector("[data-camera]");
  input.addEventListener("change", () => takePicture(zone, input.files));
  camera.addEventListener("change", () => takePicture(zone, camera.files));
  for (const name of ["dragenter", "dragover"])
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    takePicture(zone, event.dataTransfer.files);
  });
}

// ---- fields that count what is typed; characters as the services count them ----
function prepareCounter(field) {
  const hint = document.getElementById(field.dataset.counter);
  const count = () => {
    hint.textContent = hint.dataset.words.replace("{used}", String([...field.value].length));
  };
  field.addEventListener("input", count);
  count();
}

// ---- buttons that say that something is on its way ----
function prepareBusy(button) {
  const words = button.querySelector("span") || button;
  const before = words.textContent;
  button.form.addEventListener("submit", () => {
    words.textContent = button.dataset.busy;
    button.disabled = true;
  });
  window.addEventListener("pageshow", () => {
    words.textContent = before;
    button.disabled = false;
  });
}

// ---- an item while it is judged: the server says that something changed, the page asks what ----
function watch(box) {
  const address = box.dataset.progress;
  const state = () => box.querySelector("[data-final]");
  const over = () => state() && state().dataset.final === "yes";
  let source = null;
  let asking = false;
  let again = false;

  async function refresh() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(`${address}/progress`, { headers: { "HX-Request": "true" } });
      if (answer.ok) box.innerHTML = await answer.text();
    } catch {
      box.querySelector(".progress-words").textContent = box.dataset.lost;
    }
    asking = false;
    if (over()) finish();
    else if (again) {
      again = false;
      refresh();
    }
  }

  function finish() {
    if (source) source.close();
    source = null;
    if (window.htmx) window.htmx.ajax("GET", address, { target: "#facts", select: "#facts", swap: "outerHTML" });
  }

  function listen() {
    source = new EventSource(`${address}/events`);
    source.addEventListener("state", refresh);
    source.onerror = () => {
      if (source) source.close();
      setTimeout(async () => {
        await refresh();
        if (!over()) listen();
      }, 1000);
    };
  }

  if (!over()) listen();
}

// ---- a result that was opened and stayed open: search is told once, after ten seconds of being looked at ----
const LONG_VIEW_SECONDS = 10;

function prepareSeen(article) {
  // Only this visitor found it there; whoever gets the link should not seem to have.
  history.replaceState(history.state, "", location.pathname);
  let seconds = 0;
  const clock = setInterval(() => {
    if (document.visibilityState !== "visible") return;
    seconds += 1;
    if (seconds < LONG_VIEW_SECONDS) return;
    clearInterval(clock);
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    const body = new URLSearchParams({ from: article.dataset.found, seconds: String(seconds) });
    fetch(article.dataset.seen, { method: "POST", headers, body, keepalive: true }).catch(() => {});
  }, 1000);
}

// ---- what htmx could not do is said, not swallowed ----
function say(words) {
  const message = document.createElement("p");
  message.textContent = words;
  const toast = document.getElementById("toast");
  toast.replaceChildren(message);
  setTimeout(() => message.remove(), 8000);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const answer = event.detail.xhr;
  // Nobody's open question or focus is taken away by news.
  const used = event.detail.target.id === "facts" && event.detail.target.querySelector("details[open], :focus");
  if (used) event.detail.shouldSwap = false;
  if (answer.status < 400) return;
  const ours = (answer.getResponseHeader("content-type") || "").startsWith("text/html");
  const page = ours ? new DOMParser().parseFromString(answer.responseText, "text/html") : null;
  if (event.detail.requestConfig.verb !== "get") say(page ? page.body.textContent.trim() : document.body.dataset.failed);
});
document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.requestConfig.verb !== "get") say(document.body.dataset.failed);
});

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-drop]").forEach(prepareDrop);
  document.querySelectorAll("[data-counter]").forEach(prepareCounter);
  document.querySelectorAll("[data-busy]").forEach(prepareBusy);
  document.querySelectorAll("[data-progress]").forEach(watch);
  document.querySelectorAll("[data-seen]").forEach(prepareSeen);
  document.querySelector("[data-focus]")?.focus();
});
