/**
 * Building elements. Text reaches the document as text nodes only: there is no way here to pass markup, so whatever
 * people write stays what it is.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 *
 * @param properties set as DOM properties; `class` and names with a dash, and `role`, as attributes; `on` maps event
 *   names to listeners. A value of null or undefined is left out.
 * @param children elements, or strings, which become text; null and false are left out.
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name === "on")
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === "class") element.className = value;
    else if (name === "role" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** Make a 24 × 24 line icon from path data; it is decoration, its button carries the label. */
export function icon(...paths) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** Set text only where it differs: writing the same text again would drop a selection inside it. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const nodesByKey = new WeakMap();

/**
 * Make the children of `parent` those of `items`, keeping the element of every key that stays.
 *
 * Only elements whose place changed are moved, and focus stays where it was.
 */
export function keyed(parent, items, { key, create, update }) {
  const before = nodesByKey.get(parent) ?? new Map();
  const after = new Map();
  for (const item of items) {
    const name = key(item);
    const node = before.get(name) ?? create(item);
    update(node, item);
    after.set(name, node);
  }
  for (const [name, node] of before) if (!after.has(name)) node.remove();

  const focused = document.activeElement;
  let place = parent.firstChild;
  for (const node of after.values()) {
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  // Moving an element takes its focus away.
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
  nodesByKey.set(parent, after);
}
