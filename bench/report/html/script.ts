// What a browser adds to report.html: the theme's switch, words at the pointer, contenders to
// choose, tables to sort, a button to copy. The page says all it has to say without it. A program
// in a string, because the page is one file; strict, no globals, no network. Leaves: to page.ts.

export const pageScript = `
"use strict";
(() => {
const root = document.documentElement;
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const make = (name, properties) => Object.assign(document.createElement(name), properties);

// The choice outlives the page where the browser lets it; from a file it may not.
const kept = {
  get: () => { try { return localStorage.getItem("io-selectors-theme"); } catch { return null; } },
  set: (value) => { try { localStorage.setItem("io-selectors-theme", value); } catch {} },
};
const themes = ["system", "light", "dark"];
let theme = themes.includes(kept.get()) ? kept.get() : "system";
const switcher = make("button", { type: "button", id: "theme" });
const applyTheme = () => {
  if (theme === "system") root.removeAttribute("data-theme");
  else root.dataset.theme = theme;
  switcher.textContent = "Theme: " + theme;
};
switcher.addEventListener("click", () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  kept.set(theme);
  applyTheme();
});
applyTheme();
document.getElementById("controls").append(switcher);

// Words at the pointer: the charts' own titles, shown at once and where one looks.
const tip = make("div", { id: "tip", hidden: true });
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);
for (const title of all("svg.chart g title, svg.chart path title")) {
  title.parentNode.dataset.tip = title.textContent;
  title.remove();
}
const showTip = (event) => {
  const from = event.target.closest ? event.target.closest("[data-tip]") : null;
  tip.hidden = from === null;
  if (from === null) return;
  tip.textContent = from.dataset.tip;
  const { width, height } = tip.getBoundingClientRect();
  const x = Math.min(event.clientX + 14, innerWidth - width - 8);
  const above = event.clientY - height - 14;
  tip.style.left = Math.max(8, x) + "px";
  tip.style.top = (above > 8 ? above : event.clientY + 20) + "px";
};
document.addEventListener("pointermove", showTip);
document.addEventListener("pointerdown", showTip);
document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

// Contenders to choose: the others fade in every chart and table, and keep their places.
const marked = all("[data-contender]");
const ready = [...document.getElementById("chips").content.children];
const names = ready.map((chip) => chip.dataset.name);
const hidden = new Set();
const chips = new Map();
const applyChoice = () => {
  for (const one of marked) one.classList.toggle("off", hidden.has(one.dataset.contender));
  for (const [name, chip] of chips) chip.setAttribute("aria-pressed", String(!hidden.has(name)));
};
if (names.length > 1) {
  const bar = make("div", { className: "chips" });
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Contenders shown");
  bar.append(make("span", { textContent: "Show:" }));
  const every = make("button", { type: "button", textContent: "all" });
  every.addEventListener("click", () => { hidden.clear(); applyChoice(); });
  bar.append(every);
  for (const chip of ready) {
    const { name } = chip.dataset;
    chip.title = "Double-click: only this one";
    chip.addEventListener("click", () => {
      if (!hidden.delete(name)) hidden.add(name);
      applyChoice();
    });
    chip.addEventListener("dblclick", () => {
      hidden.clear();
      for (const other of names) if (other !== name) hidden.add(other);
      applyChoice();
    });
    chips.set(name, chip);
    bar.append(chip);
  }
  document.querySelector(".side").append(bar);
  applyChoice();
}

// Tables to sort: by the figure in full where there is one, else by the text.
const keyOf = (row, index) => {
  const cell = row.children[index];
  const figure = cell.querySelector("data");
  return figure ? Number(figure.value) : cell.textContent;
};
const compare = (left, right) => {
  if (typeof left === typeof right) return left < right ? -1 : left > right ? 1 : 0;
  return typeof left === "number" ? -1 : 1;
};
const sortBy = (table, head, index) => {
  const rising = head.getAttribute("aria-sort") !== "ascending";
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, index) }));
  rows.sort((left, right) => (rising ? 1 : -1) * compare(left.key, right.key));
  body.append(...rows.map(({ row }) => row));
};
for (const table of all("table:not(.words)")) {
  all("thead th", table).forEach((head, index) => {
    const button = make("button", { type: "button" });
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head, index));
    head.append(button);
  });
}

// The command to the clipboard, where the browser lets a page do that.
const command = document.getElementById("command");
if (command !== null && navigator.clipboard) {
  const copy = make("button", { type: "button", className: "copy", textContent: "Copy" });
  copy.addEventListener("click", () => {
    navigator.clipboard.writeText(command.textContent.trim()).then(
      () => { copy.textContent = "Copied"; },
      () => { copy.textContent = "Cannot copy here"; },
    );
  });
  command.after(copy);
}

// A link to a chart that is folded opens it; print opens all charts and no long tables.
const openTarget = () => {
  const target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  for (let one = target; one !== null; one = one.parentElement) {
    if (one instanceof HTMLDetailsElement) one.open = true;
  }
};
addEventListener("hashchange", openTarget);
openTarget();
let opened = [];
addEventListener("beforeprint", () => {
  opened = all("details:not([open]):not(.raw):not(.data)");
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => { for (const one of opened) one.open = false; });

// Where one is in the contents.
const links = new Map(all("nav a").map((link) => [link.hash.slice(1), link]));
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(target.id).setAttribute("aria-current", "true");
  }
}, { rootMargin: "-15% 0px -75% 0px" });
for (const id of links.keys()) seen.observe(document.getElementById(id));
})();
`;
