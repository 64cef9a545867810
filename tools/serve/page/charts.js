// Charts as inline SVG, drawn at the width they have, with a table of the same figures beneath.

import { drawAtWidth, element, svg, table } from '/dom.js';

const ROW_HEIGHT = 46;
const TEXT_BASELINE = 14;
const TRACK_TOP = 22;
const TRACK_HEIGHT = 12;
const AXIS_HEIGHT = 22;

/**
 * Gives a <figure> its heading, a place for the chart, and the table. The answer shows new contents:
 * {note, draw(width) → SVG or null where there is nothing to show, table: {headings, rows}}.
 */
export function makeFigure(node, heading) {
  const note = element('p', { class: 'note' });
  const plot = element('div', { class: 'plot' });
  const scroll = element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${heading}: table` });
  const details = element('details', {}, element('summary', {}, 'As a table'), scroll);
  node.replaceChildren(element('figcaption', {}, element('h3', {}, heading), note), plot, details);

  let content = null;
  let width = 0;
  const draw = () => {
    if (content === null || width === 0) return;
    const picture = content.draw(width);
    plot.replaceChildren(...(picture ? [picture] : []));
  };
  drawAtWidth(plot, (newWidth) => {
    width = newWidth;
    draw();
  });
  return (newContent) => {
    content = newContent;
    note.textContent = content.note;
    details.hidden = content.table.rows.length === 0;
    scroll.replaceChildren(table(heading, content.table.headings, content.table.rows));
    draw();
  };
}

/**
 * A row for each of rows {name, text, className, segments: [{from, to, className, title}], points: [x],
 * middle: x, interval: [low, high]}: name and text above, and on one scale from 0 to `end` what is given of
 * the rest. ticks: [{at, text}], or none for no axis.
 */
export function rowChart({ title, description, rows, end, ticks = [], width }) {
  const scale = (value) => (end > 0 ? Math.min(value / end, 1) * (width - 1) : 0);
  const height = rows.length * ROW_HEIGHT + (ticks.length > 0 ? AXIS_HEIGHT : 0);
  const id = `chart-${title.toLowerCase().replaceAll(/\W+/g, '-')}`;
  return svg('svg', {
    role: 'img', width, height, viewBox: `0 0 ${width} ${height}`,
    'aria-labelledby': `${id}-title`, 'aria-describedby': `${id}-description`,
  },
  svg('title', { id: `${id}-title` }, title),
  svg('desc', { id: `${id}-description` }, description),
  ...axis(ticks, scale, rows.length * ROW_HEIGHT, width),
  ...rows.map((row, index) => drawRow(row, index * ROW_HEIGHT, scale, width)));
}

function drawRow(row, top, scale, width) {
  const middle = TRACK_TOP + TRACK_HEIGHT / 2;
  const shapes = (row.segments ?? []).map((segment) => drawSegment(segment, scale));
  if (row.interval) shapes.push(whisker(row.interval.map(scale), middle));
  for (const point of row.points ?? []) {
    shapes.push(svg('circle', { class: 'point', cx: scale(point), cy: middle, r: 3.5 }));
  }
  if (row.middle !== undefined) {
    const x = scale(row.middle);
    shapes.push(svg('line', { class: 'middle', x1: x, x2: x, y1: TRACK_TOP - 3, y2: TRACK_TOP + TRACK_HEIGHT + 3 }));
  }
  return svg('g', { class: row.className, transform: `translate(0 ${top})` },
    svg('text', { class: 'row-name', x: 0, y: TEXT_BASELINE }, row.name),
    svg('text', { class: 'row-text', x: width, y: TEXT_BASELINE, 'text-anchor': 'end' }, row.text),
    svg('rect', { class: 'track', x: 0, y: TRACK_TOP, width, height: TRACK_HEIGHT, rx: 3 }),
    ...shapes);
}

function drawSegment({ from = 0, to, className, title }, scale) {
  const x = scale(from);
  // A narrow gap separates neighbours.
  const width = Math.max(scale(to) - x - (from > 0 || title ? 1 : 0), 1);
  const rectangle = { class: `segment ${className ?? ''}`, x, y: TRACK_TOP, width, height: TRACK_HEIGHT, rx: title ? 1 : 3 };
  return svg('rect', rectangle, ...(title ? [svg('title', {}, title)] : []));
}

function whisker([low, high], middle) {
  const path = `M${low} ${middle - 5}v10M${low} ${middle}H${high}M${high} ${middle - 5}v10`;
  return svg('path', { class: 'whisker', d: path });
}

function axis(ticks, scale, height, width) {
  return ticks.flatMap(({ at, text }) => {
    const x = scale(at);
    const anchor = x < 12 ? 'start' : x > width - 24 ? 'end' : 'middle';
    return [svg('line', { class: 'grid', x1: x, x2: x, y1: TRACK_TOP - 6, y2: height }),
      svg('text', { class: 'tick', x, y: height + 14, 'text-anchor': anchor }, text)];
  });
}

/** Round numbers from 0 up to the first at or above `highest`, three to six of them: 0, 20, 40, 60. */
export function roundTicks(highest) {
  if (!(highest > 0)) return [0];
  const power = 10 ** Math.floor(Math.log10(highest / 3));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => highest / size <= 5);
  const count = Math.ceil(highest / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}
