// What every page loads: htmx with server-sent events, and the few behaviours HTML has no element for.
// Each behaviour listens on the document, so fragments that htmx swaps in need no wiring.
import htmx from "htmx.org";
import "htmx-ext-sse";
import { stream } from "./stream.js";

// No eval and no injected style element: the page's policy forbids both (see hanse/app/templating.py).
Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  timeout: 15000,
});
htmx.createEventSource = stream;
// A refused form comes back as 422 with the form in it: show it in place.
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "422", swap: true },
  { code: "[45]..", swap: false, error: true },
];

const TOAST_MS = 6000;
const CALM_MS = 1200;

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-step],[data-open],[data-close],[data-theme-choice],[data-copy],[data-pause],[role=tab]");
  if (!target) return;
  if (target.dataset.step) step(target);
  else if (target.dataset.open) document.getElementById(target.dataset.open)?.showModal();
  else if ("close" in target.dataset) target.closest("dialog, .toast, .notice")?.[target.closest("dialog") ? "close" : "remove"]();
  else if (target.dataset.themeChoice) chooseTheme(target, event);
  else if (target.dataset.copy) navigator.clipboard?.writeText(target.dataset.copy);
  else if (target.dataset.pause) pause(target);
  else if (target.role === "tab") choose(target);
});

document.addEventListener("keydown", (event) => {
  if (event.target.role !== "tab") return;
  const tabs = [...event.target.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const at = tabs.indexOf(event.target);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  choose(tabs[(next + tabs.length) % tabs.length]);
});

// A click on the dialog itself is a click on its backdrop: its content fills it.
document.addEventListener("mousedown", (event) => {
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

// A select or checkbox that is its own submit button.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form?.requestSubmit();
});

// The server says `HX-Trigger: {"toast": {"text": "…", "tone": "good"}}`.
document.addEventListener("toast", (event) => toast(event.detail));
// … and `{"basket": {"count": 3}}` when the basket has changed; the figure stands twice on a page.
document.addEventListener("basket", (event) => {
  for (const figure of document.querySelectorAll("[data-basket-count]")) {
    figure.firstElementChild.textContent = event.detail.count;
    figure.hidden = !event.detail.count;
  }
});
document.addEventListener("htmx:sendError", () => toast({ text: word("offline"), tone: "bad" }));
document.addEventListener("htmx:timeout", () => toast({ text: word("offline"), tone: "bad" }));
document.addEventListener("htmx:responseError", (event) => {
  toast({ text: event.detail.decodeURIComponent(event.detail.xhr.getResponseHeader("X-Reason") || "") || word("failed"), tone: "bad" });
});

// Whether the stream is alive is shown by whatever carries data-live inside the connected element.
document.addEventListener("htmx:sseOpen", (event) => live(event.target, true));
document.addEventListener("htmx:sseError", (event) => live(event.target, false));
// A list that a stream grows at its top keeps data-limit rows.
document.addEventListener("htmx:sseMessage", (event) => {
  const keep = Number(event.target.dataset.limit);
  while (keep && event.target.childElementCount > keep) event.target.lastElementChild.remove();
});

// What a form led here to say stands in a cookie for one page.
const said = document.cookie.match(/(?:^|; )hanse_said=([a-z]+\.[^;.]*)/);
if (said) {
  document.cookie = "hanse_said=; path=/; max-age=0; samesite=lax";
  const [tone, text] = said[1].split(".", 2);
  toast({ text: decodeURIComponent(text), tone });
}

// A stream that is paused shows nothing new; what came in between stands in the journal.
document.addEventListener("htmx:sseBeforeMessage", (event) => {
  const part = event.target;
  if ("paused" in part.dataset) event.preventDefault();
  else if ("calm" in part.dataset && busy(part)) {
    event.preventDefault();
    held.set(part, event.detail.data);
  }
});

// What is being pointed at or typed into is not replaced under the hand: the newest state waits a moment.
const held = new Map();
let touched = 0;
for (const name of ["pointerdown", "pointermove", "keydown"]) {
  document.addEventListener(name, () => (touched = Date.now()), { passive: true });
}
setInterval(() => {
  for (const [part, html] of held) {
    if (busy(part)) continue;
    held.delete(part);
    htmx.swap(part, html, { swapStyle: "innerHTML" });
  }
}, 300);

function busy(part) {
  return Date.now() - touched < CALM_MS && part.matches(":hover, :focus-within");
}

function pause(button) {
  const list = document.getElementById(button.dataset.pause);
  const paused = list.toggleAttribute("data-paused");
  button.ariaPressed = String(paused);
}

function step(button) {
  const input = button.closest(".stepper").querySelector("input");
  const before = input.value;
  button.dataset.step === "up" ? input.stepUp() : input.stepDown();
  if (input.value !== before) input.dispatchEvent(new Event("change", { bubbles: true }));
}

function choose(tab) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.ariaSelected = String(chosen);
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  tab.focus();
}

function chooseTheme(button, event) {
  event.preventDefault();
  const theme = button.dataset.themeChoice;
  document.documentElement.dataset.theme = theme;
  document.cookie = `hanse_theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  for (const other of document.querySelectorAll("[data-theme-choice]")) {
    other.ariaPressed = String(other.dataset.themeChoice === theme);
  }
  document.dispatchEvent(new CustomEvent("hanse:theme"));
}

function toast({ text, tone = "plain" }) {
  const template = document.getElementById("toast-template");
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.tone = tone;
  item.querySelector(".toast-text").textContent = text;
  document.getElementById("toasts").append(item);
  const leave = () => (item.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : item.remove());
  setTimeout(leave, TOAST_MS);
}

function word(name) {
  return document.getElementById("toast-template").dataset[name];
}

function live(element, alive) {
  for (const mark of element.querySelectorAll("[data-live]")) mark.dataset.live = alive ? "on" : "off";
}
