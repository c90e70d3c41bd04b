// What a browser adds to report.html: the theme's switch, words at the pointer, contenders to
// choose, tables to sort, a button that copies. The page is complete without it.

import { flameGraph } from "./flame.ts";

const root = document.documentElement;

/** What the selector finds below a node, in document order. */
function all<E extends Element = HTMLElement>(selector: string, from: ParentNode = document): E[] {
  return [...from.querySelectorAll<E>(selector)];
}

function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(name), properties);
}

function button(words: string, onClick: () => void, id = ""): HTMLButtonElement {
  const made = make("button", { type: "button", textContent: words, id });
  made.addEventListener("click", onClick);
  return made;
}

themeSwitch();
pointerWords();
contenderChoice();
for (const table of all<HTMLTableElement>("table:not(.words)")) makeSortable(table);
for (const graph of all(".flame")) flameGraph(graph);
copyButton();
folding();
placeInContents();

/** The choice outlives the page if the browser keeps it, which it may not do for a file. */
function themeSwitch(): void {
  const key = "io-selectors-theme";
  const themes = ["system", "light", "dark"];
  const kept = attempt(() => localStorage.getItem(key));
  let at = Math.max(0, themes.indexOf(kept ?? ""));
  const apply = () => {
    const theme = themes[at] ?? "system";
    if (theme === "system") root.removeAttribute("data-theme");
    else root.dataset["theme"] = theme;
    switcher.textContent = `Theme: ${theme}`;
  };
  const next = () => {
    at = (at + 1) % themes.length;
    attempt(() => localStorage.setItem(key, themes[at] ?? "system"));
    apply();
  };
  const switcher = button("", next, "theme");
  apply();
  document.getElementById("controls")?.append(switcher);
}

/** Null if the browser refuses. */
function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

/** The charts' own titles, shown at once and next to the pointer. */
function pointerWords(): void {
  const tip = make("div", { id: "tip", hidden: true });
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  for (const title of all<SVGTitleElement>("svg.chart g title, svg.chart path title")) {
    title.parentElement?.setAttribute("data-tip", title.textContent);
    title.remove();
  }
  const show = ({ target, clientX, clientY }: PointerEvent) => {
    const from = target instanceof Element ? target.closest("[data-tip]") : null;
    tip.hidden = from === null;
    if (from === null) return;
    tip.textContent = from.getAttribute("data-tip");
    const { width, height } = tip.getBoundingClientRect();
    const above = clientY - height - 14;
    tip.style.left = `${Math.max(8, Math.min(clientX + 14, innerWidth - width - 8))}px`;
    tip.style.top = `${above > 8 ? above : clientY + 20}px`;
  };
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  const hide = () => {
    tip.hidden = true;
  };
  document.addEventListener("scroll", hide, { passive: true });
}

/** The contenders that are not chosen fade in every chart and table, and keep their places. */
function contenderChoice(): void {
  const template = document.getElementById("chips");
  const chips = template instanceof HTMLTemplateElement ? all("button", template.content) : [];
  if (chips.length < 2) return;
  const marked = all("[data-contender]");
  const nameOf = (chip: HTMLElement) => chip.dataset["name"] ?? "";
  const hidden = new Set<string>();
  const apply = () => {
    for (const one of marked) {
      one.classList.toggle("off", hidden.has(one.dataset["contender"] ?? ""));
    }
    for (const chip of chips) chip.setAttribute("aria-pressed", String(!hidden.has(nameOf(chip))));
  };
  const hideAllBut = (name: string | null) => {
    hidden.clear();
    for (const other of chips.map(nameOf)) if (name !== null && other !== name) hidden.add(other);
    apply();
  };
  const bar = make("div", { className: "chips" });
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Contenders shown");
  bar.append(
    make("span", { textContent: "Show:" }),
    button("all", () => hideAllBut(null)),
  );
  for (const chip of chips) {
    chip.title = "Double-click: only this one";
    chip.addEventListener("click", () => {
      if (!hidden.delete(nameOf(chip))) hidden.add(nameOf(chip));
      apply();
    });
    chip.addEventListener("dblclick", () => hideAllBut(nameOf(chip)));
    bar.append(chip);
  }
  document.querySelector(".side")?.append(bar);
  apply();
}

function makeSortable(table: HTMLTableElement): void {
  for (const [index, head] of all("thead th", table).entries()) {
    const words = [...head.childNodes];
    const sorter = button("", () => sortBy(table, head, index));
    sorter.append(...words);
    head.append(sorter);
  }
}

function sortBy(table: HTMLTableElement, head: HTMLElement, index: number): void {
  const rising = head.getAttribute("aria-sort") !== "ascending";
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const [body] = table.tBodies;
  const rows = [...(body?.rows ?? [])].map((row) => ({ row, key: keyOf(row, index) }));
  rows.sort((left, right) => compareKeys(left.key, right.key, rising));
  body?.append(...rows.map(({ row }) => row));
}

/** The figure in full if there is one, else the text. */
function keyOf(row: HTMLTableRowElement, index: number): number | string {
  const cell = row.children[index];
  const figure = cell?.querySelector("data");
  return figure ? Number(figure.value) : (cell?.textContent ?? "");
}

/** A cell without a figure is last in both directions. */
function compareKeys(left: number | string, right: number | string, rising: boolean): number {
  if (typeof left !== typeof right) return typeof left === "number" ? -1 : 1;
  if (left === right) return 0;
  return left < right === rising ? -1 : 1;
}

/** The command to the clipboard, if the browser lets a page do that. */
function copyButton(): void {
  const command = document.getElementById("command");
  if (command === null || !("clipboard" in navigator)) return;
  const copy = button("Copy", () => {
    navigator.clipboard.writeText(command.textContent.trim()).then(
      () => copy.replaceChildren("Copied"),
      () => copy.replaceChildren("Cannot copy here"),
    );
  });
  copy.className = "copy";
  command.after(copy);
}

/** A link to a folded chart opens it; print opens all charts, and neither settings nor tables. */
function folding(): void {
  const openTarget = () => {
    const { hash } = location;
    let one = hash.length > 1 ? document.getElementById(hash.slice(1)) : null;
    for (; one !== null; one = one.parentElement) {
      if (one instanceof HTMLDetailsElement) one.open = true;
    }
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  let opened: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    opened = all("section:not(.closed, .banner) details:not([open]):not(.raw, .data)");
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
}

/** Marks the section that is being read in the contents. */
function placeInContents(): void {
  const links = new Map(
    all<HTMLAnchorElement>("nav a").map((link) => [link.hash.slice(1), link] as const),
  );
  const mark = (entries: readonly IntersectionObserverEntry[]) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(target.id)?.setAttribute("aria-current", "true");
    }
  };
  const seen = new IntersectionObserver(mark, { rootMargin: "-15% 0px -75% 0px" });
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section !== null) seen.observe(section);
  }
}
