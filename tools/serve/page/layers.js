// Where each variant spends its time: one bar per variant, one segment per layer.

import { makeFigure, rowChart } from '/charts.js';
import { byId, element } from '/dom.js';
import * as format from '/format.js';
import { STAGE_NAMES, stageOf } from '/variants.js';

/** The answer shows a record's layers. */
export function makeLayers(models) {
  const figure = byId('layers-chart');
  const showFigure = makeFigure(figure, 'Time by layer');
  const legend = makeLegend();
  figure.querySelector('figcaption').append(legend);
  const show = (record) => {
    const profiles = models.map((model) => profileOf(model, record)).filter((profile) => profile.layers.length > 0);
    legend.hidden = profiles.length === 0;
    showFigure(content(profiles));
  };
  show(null);
  return show;
}

function makeLegend() {
  const items = STAGE_NAMES.map((name, stage) =>
    element('li', {}, element('span', { class: `swatch stage-${stage}`, 'aria-hidden': 'true' }), name));
  return element('ul', { class: 'legend', 'aria-label': 'Parts of the network' }, ...items);
}

function profileOf(model, record) {
  const layers = record?.layers(model.id) ?? [];
  const timing = record?.timing(model.id);
  return {
    id: model.id,
    layers,
    total: layers.reduce((sum, layer) => sum + layer.ms, 0),
    inParallel: timing?.inParallel ?? false,
    measured: timing?.measured ?? false,
  };
}

function content(profiles) {
  const rows = profiles.map(profileRow);
  return {
    note: noteOf(profiles),
    draw: (width) => rows.length > 0 && rowChart({
      title: 'Time by layer', description: profiles.map(shares).join(' '), rows, width,
      end: Math.max(...profiles.map((profile) => profile.total)),
    }),
    table: tableOf(profiles),
  };
}

function noteOf(profiles) {
  if (profiles.length === 0) return 'No times yet: choose a picture.';
  const pieces = 'Each segment is a layer, in the network’s order; blocks are the convolutions between pools.';
  if (profiles.some((profile) => profile.measured)) return `${pieces} Medians, layer by layer.`;
  if (!profiles.some((profile) => profile.inParallel)) return pieces;
  return `${pieces} Measured in parallel, so shares are more meaningful than milliseconds.`;
}

function profileRow({ id, layers, total, inParallel }) {
  let from = 0;
  const segments = layers.map((layer) => {
    const segment = {
      from,
      to: from + layer.ms,
      className: `stage-${stageOf(layer.layer)}`,
      title: `${layer.layer}: ${format.milliseconds(layer.ms)}, ${layer.kernel}`,
    };
    from = segment.to;
    return segment;
  });
  return { name: id, text: format.milliseconds(total) + (inParallel ? ' in parallel' : ''), segments };
}

/** "int8: Block 1 20 %, Block 2 22 %, …" */
function shares({ id, layers, total }) {
  const sums = STAGE_NAMES.map((name, stage) => ({
    name,
    ms: layers.filter(({ layer }) => stageOf(layer) === stage).reduce((sum, { ms }) => sum + ms, 0),
  }));
  return `${id}: ${sums.map(({ name, ms }) => `${name} ${format.percent(ms / total, 0)}`).join(', ')}.`;
}

function tableOf(profiles) {
  const names = [...new Set(profiles.flatMap((profile) => profile.layers.map(({ layer }) => layer)))];
  const cell = (profile, name) => {
    const found = profile.layers.find(({ layer }) => layer === name);
    return found ? format.milliseconds(found.ms) : '–';
  };
  return {
    headings: ['Layer', ...profiles.map(({ id, inParallel }) => (inParallel ? `${id} (in parallel)` : id))],
    rows: names.map((name) => [name, ...profiles.map((profile) => cell(profile, name))]),
  };
}
