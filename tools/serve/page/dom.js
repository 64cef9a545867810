// Creates elements. Text becomes text nodes, never markup.

/** The element of that id, which index.html has. */
export const byId = (id) => document.getElementById(id);

/** <name ATTRIBUTES>children…</name>; an attribute that is undefined, null or false is left out. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same in SVG. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

/** A table with a caption, a row of headings, and rows whose first cell is their heading. */
export function table(caption, headings, rows) {
  const head = headings.map((text) => element('th', { scope: 'col' }, text));
  const body = rows.map(([first, ...rest]) =>
    element('tr', {}, element('th', { scope: 'row' }, first), ...rest.map((text) => element('td', {}, text))));
  return element('table', {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body));
}

/** Calls draw(width in pixels) now, and again whenever the node's width has changed. */
export function drawAtWidth(node, draw) {
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width === drawn || width === 0) return;
    drawn = width;
    draw(width);
  }).observe(node);
}
