// Suggestions while somebody registers: chips under the fields, by the quick model first and then by the deep one.
// They only offer: nothing that was typed is changed, and the form works the same when none come.
"use strict";

const PAUSE_MS = 300;
const MOST_TOLD = 40;

class Assist {
  constructor(form, told) {
    this.form = form;
    this.told = told;
    this.words = told.dataset;
    this.fields = { title: form.elements.title, tag: form.elements.description, category: form.elements.category };
    this.groups = {};
    this.seen = {};
    this.shown = new Map();
    this.picked = "";
    this.kept = null;
    this.turn = 0;
    this.asked = 0;
    for (const one of this.before()) this.remember(one);
    for (const name of ["title", "tag", "category"]) this.groups[name] = this.group(name);
    this.note = this.line("p", "assist-note", this.groups.category);
    this.live = this.line("p", "hidden", this.note);
    this.live.setAttribute("role", "status");
    this.live.setAttribute("aria-live", "polite");
    this.listen();
  }

  before() {
    try {
      return JSON.parse(this.told.value || "[]");
    } catch {
      return [];
    }
  }

  line(tag, className, after) {
    const made = document.createElement(tag);
    made.className = className;
    made.hidden = className !== "hidden";
    after.after(made);
    return made;
  }

  group(name) {
    const field = this.fields[name];
    const box = this.line("div", "assist", field.closest(".field").lastElementChild);
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", this.words[name]);
    box.dataset.suggestions = name;
    return box;
  }

  // ---- what happens on the page ----
  listen() {
    this.form.addEventListener("picture", (event) => this.picture(event.detail));
    for (const field of [this.fields.title, this.fields.tag]) {
      field.addEventListener("input", () => this.typed());
      field.addEventListener("compositionend", () => this.typed());
    }
    this.fields.category.addEventListener("change", () => this.press());
    this.form.addEventListener("submit", () => this.send());
    window.addEventListener("pageshow", () => {
      this.file.disabled = false;
    });
  }

  get file() {
    return this.form.querySelector("#file");
  }

  typed() {
    this.hideWhatDoesNotFit();
    this.press();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.wordsChanged(), PAUSE_MS);
  }

  // A title of the picture is not offered over one that was typed.
  hideWhatDoesNotFit() {
    const title = this.title();
    if (!title) return;
    for (const chip of this.groups.title.querySelectorAll("button"))
      if (!chip.dataset.value.startsWith(title) && chip.dataset.value !== this.picked) chip.remove();
    this.groups.title.hidden = !this.groups.title.querySelector("button");
  }

  // A title that was taken as it was offered may still be exchanged for another.
  title() {
    const typed = this.fields.title.value;
    return typed === this.picked ? "" : typed;
  }

  async picture(file) {
    const turn = ++this.turn;
    this.kept = null;
    this.form.elements.image_id.value = "";
    this.seen = {};
    const answer = await this.ask("/register/picture", { file });
    if (turn !== this.turn || !answer) return;
    if (answer.fault) {
      document.getElementById("file-fault").textContent = answer.fault;
      return;
    }
    if (answer.image_id) {
      this.kept = file;
      this.form.elements.image_id.value = answer.image_id;
    }
    this.looked(answer);
    if (answer.job) this.refine(answer, turn);
  }

  async refine(first, turn) {
    const better = await this.ask("/register/refined", { job: first.job, image_id: first.image_id });
    if (turn !== this.turn) return;
    if (better && better.seen && Object.keys(better.seen).length) this.looked({ ...better, pending: false });
    else this.say(first.suggestions.length ? this.words.quick : "");
  }

  looked(answer) {
    this.seen = answer.seen || {};
    this.draw(answer.suggestions || []);
    const some = (answer.suggestions || []).length;
    this.say(!some ? "" : answer.pending ? this.words.looking : answer.refined ? this.words.refined : this.words.quick);
  }

  async wordsChanged() {
    const asked = ++this.asked;
    const answer = await this.ask("/register/suggestions", { seen: JSON.stringify(this.seen) });
    if (answer && asked === this.asked) this.draw(answer.suggestions || []);
  }

  async ask(address, more) {
    const body = new FormData();
    body.set("csrf", this.form.elements.csrf.value);
    body.set("title", this.title());
    body.set("description", this.fields.tag.value);
    for (const [name, value] of Object.entries(more)) body.set(name, value);
    try {
      const answer = await fetch(address, { method: "POST", body, headers: { accept: "application/json" } });
      const ours = (answer.headers.get("content-type") || "").startsWith("application/json");
      return ours && (answer.ok || answer.status === 422) ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  // ---- chips ----
  draw(suggestions) {
    for (const [name, box] of Object.entries(this.groups)) {
      const mine = suggestions.filter((one) => one.field === name);
      const focused = box.contains(document.activeElement) ? document.activeElement.dataset.value : null;
      box.replaceChildren(...(mine.length ? [this.name(name)] : []), ...mine.map((one) => this.chip(one)));
      box.hidden = !mine.length;
      if (focused !== null) this.refocus(name, focused);
    }
    this.press();
  }

  refocus(name, value) {
    const chips = [...this.groups[name].querySelectorAll("button")];
    (chips.find((chip) => chip.dataset.value === value) || chips[0] || this.fields[name]).focus();
  }

  name(field) {
    const name = document.createElement("span");
    name.className = "assist-name";
    name.textContent = this.words[field];
    return name;
  }

  chip(one) {
    this.remember(one);
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.dataset.value = one.value;
    chip.dataset.model = one.model;
    const by = document.createElement("small");
    by.textContent = one.by;
    chip.append(one.text, " ", by);
    chip.addEventListener("click", () => this.take(one));
    return chip;
  }

  take(one) {
    if (one.field === "category") this.fill(this.fields.category, one.value, "change");
    if (one.field === "title") {
      this.picked = one.model === "words" ? "" : one.value;
      this.fill(this.fields.title, one.value, "input");
    }
    if (one.field === "tag") this.tag(one.value);
  }

  fill(field, value, event) {
    field.value = value;
    field.dispatchEvent(new Event(event, { bubbles: true }));
  }

  tag(value) {
    const field = this.fields.tag;
    if (this.tagged(value)) return;
    const gap = !field.value || /\s$/.test(field.value) ? "" : " ";
    const more = `${field.value}${gap}#${value}`;
    if ([...more].length <= field.maxLength) this.fill(field, more, "input");
  }

  tagged(value) {
    return this.fields.tag.value.split(/\s+/).includes(`#${value}`);
  }

  press() {
    const is = {
      category: (value) => this.fields.category.value === value,
      title: (value) => this.fields.title.value === value,
      tag: (value) => this.tagged(value),
    };
    for (const [name, box] of Object.entries(this.groups))
      for (const chip of box.querySelectorAll("button")) chip.setAttribute("aria-pressed", is[name](chip.dataset.value));
  }

  say(words) {
    this.note.textContent = words;
    this.note.hidden = !words;
    const first = [...this.groups.category.querySelectorAll("button")].map((chip) => chip.firstChild.textContent);
    this.live.textContent = words && first.length ? `${this.words.category}: ${first.join(", ")}. ${words}` : "";
  }

  // ---- what was offered goes with the registration ----
  remember(one) {
    const key = [one.field, one.value, one.model].join("\n");
    this.shown.delete(key);
    const { field, value, model, prediction_id } = one;
    this.shown.set(key, { field, value, model, prediction_id });
  }

  send() {
    this.told.value = JSON.stringify([...this.shown.values()].slice(-MOST_TOLD));
    this.file.disabled = this.kept !== null && this.kept === this.file.files[0];
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const told = document.querySelector("[data-assist]");
  if (told) new Assist(told.form, told);
});
