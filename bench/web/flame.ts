// What a browser adds to a flame graph: a function that is chosen takes the whole width, and the
// arrow keys go from one to the next. WAI-ARIA Authoring Practices, "tree view".

interface DrawnBox {
  readonly element: HTMLElement;
  readonly level: number;
  readonly from: number;
  readonly count: number;
}

export function flameGraph(graph: HTMLElement): void {
  const boxes = [...graph.querySelectorAll<HTMLElement>("[role=treeitem]")].map(
    (element): DrawnBox => {
      const { from, count } = element.dataset;
      const level = Number(element.getAttribute("aria-level"));
      return { element, level, from: Number(from), count: Number(count) };
    },
  );
  const [whole] = boxes;
  if (whole === undefined) return;
  const boxAt = (target: EventTarget | null) => boxes.find(({ element }) => element === target);
  graph.addEventListener("click", ({ target }) => {
    const box = boxAt(target);
    if (box === undefined) return;
    enlarge(boxes, box);
    choose(boxes, box);
  });
  graph.addEventListener("keydown", (event) => {
    const box = boxAt(event.target);
    if (box === undefined) return;
    if (event.key === "Enter" || event.key === " ") enlarge(boxes, box);
    else if (event.key === "Escape") enlarge(boxes, whole);
    else {
      const next = neighbour(boxes, box, event.key);
      if (next === undefined) return;
      choose(boxes, next);
    }
    event.preventDefault();
  });
}

/** Boxes beside it vanish; those below it, which called it, take the whole width. */
function enlarge(boxes: readonly DrawnBox[], { from, count }: DrawnBox): void {
  for (const box of boxes) {
    const start = Math.max(box.from, from);
    const end = Math.min(box.from + box.count, from + count);
    box.element.hidden = end <= start;
    box.element.style.left = `${(100 * (start - from)) / count}%`;
    box.element.style.width = `${(100 * (end - start)) / count}%`;
  }
}

/** One of them is in the order of the tab key. */
function choose(boxes: readonly DrawnBox[], chosen: DrawnBox): void {
  for (const { element } of boxes) element.tabIndex = element === chosen.element ? 0 : -1;
  chosen.element.focus();
}

/** Up to what it calls, down to its caller, sideways to what shares its caller. */
function neighbour(boxes: readonly DrawnBox[], box: DrawnBox, key: string): DrawnBox | undefined {
  const shown = boxes.filter(({ element }) => !element.hidden);
  const inside = (inner: DrawnBox, outer: DrawnBox) =>
    inner.from >= outer.from && inner.from + inner.count <= outer.from + outer.count;
  const callerOf = (one: DrawnBox) =>
    shown.find((other) => other.level === one.level - 1 && inside(one, other));
  const caller = callerOf(box);
  const beside = shown.filter((other) => other.level === box.level && callerOf(other) === caller);
  const at = beside.indexOf(box);
  switch (key) {
    case "ArrowUp":
      return shown
        .filter((other) => other.level === box.level + 1 && inside(other, box))
        .sort((one, other) => other.count - one.count)[0];
    case "ArrowDown":
      return caller;
    case "ArrowLeft":
      return beside[at - 1];
    case "ArrowRight":
      return beside[at + 1];
    case "Home":
      return shown[0];
    default:
      return undefined;
  }
}
