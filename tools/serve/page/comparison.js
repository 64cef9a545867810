// Charts that compare the variants: latency, size, accuracy.

import { makeFigure, roundTicks, rowChart } from '/charts.js';
import { byId } from '/dom.js';
import * as format from '/format.js';
import { colourClass } from '/variants.js';

/** Draws what the models alone tell; the answer shows a record's times. */
export function makeComparison(models) {
  showSizes(models);
  showAccuracy(models);
  const showFigure = makeFigure(byId('latency-chart'), 'Latency');
  const showLatency = (record) => showFigure(latency(record, models));
  showLatency(null);
  return showLatency;
}

function latency(record, models) {
  const timed = models.map((model) => ({ model, timing: record?.timing(model.id) })).filter(({ timing }) => timing);
  const rows = timed.map(({ model, timing }) => latencyRow(model, timing, models));
  const ticks = roundTicks(Math.max(0, ...timed.map(({ timing }) => timing.highest)));
  const note = latencyNote(timed.map(({ timing }) => timing));
  return {
    note,
    draw: (width) => rows.length > 0 && rowChart({
      title: 'Latency', description: `${note} ${spoken(rows)}`, rows, width, end: ticks.at(-1),
      ticks: ticks.map((at) => ({ at, text: at === 0 ? '0' : `${at} ms` })),
    }),
    table: {
      headings: ['Variant', 'Median', 'Least', 'Most', 'Runs', 'Taken'],
      rows: timed.map(({ model, timing }) => [model.id, format.milliseconds(timing.ms),
        format.milliseconds(timing.lowest), format.milliseconds(timing.highest), String(timing.points.length),
        timing.inParallel ? 'in parallel' : 'alone']),
    },
  };
}

function latencyRow(model, timing, models) {
  const mark = timing.inParallel ? ' in parallel' : '';
  return {
    name: model.id,
    text: format.milliseconds(timing.ms) + mark,
    className: colourClass(models, model.id),
    segments: [{ to: timing.ms, className: timing.measured ? 'faint' : timing.inParallel ? 'striped' : '' }],
    points: timing.measured ? timing.points : [],
    middle: timing.measured ? timing.ms : undefined,
  };
}

function latencyNote(timings) {
  if (timings.length === 0) return 'No times yet: choose a picture.';
  if (timings.some((timing) => timing.measured)) return 'One dot per round, a line at the median. Less is better.';
  if (timings.some((timing) => timing.inParallel)) {
    return 'Measured in parallel, while the variants shared the cores. “Measure one by one” gives comparable times.';
  }
  return 'Less is better.';
}

function showSizes(models) {
  const rows = models.map((model) => ({
    name: model.id,
    text: format.bytes(model.file_bytes),
    className: colourClass(models, model.id),
    segments: [{ to: model.file_bytes }],
  }));
  const note = 'The model’s file; res160 and the baseline may share one.';
  makeFigure(byId('size-chart'), 'Size on disk')({
    note: models.some(({ id }) => id === 'res160') ? note : 'The model’s file.',
    draw: (width) => rowChart({
      title: 'Size on disk', description: spoken(rows), rows, width,
      end: Math.max(...models.map((model) => model.file_bytes)),
    }),
    table: { headings: ['Variant', 'Size'], rows: rows.map((row) => [row.name, row.text]) },
  });
}

function showAccuracy(models) {
  const known = models.filter((model) => model.accuracy);
  byId('accuracy-chart').hidden = known.length === 0;
  if (known.length === 0) return;
  const rows = known.map((model) => accuracyRow(model, models));
  const images = known[0].accuracy.images;
  makeFigure(byId('accuracy-chart'), 'Accuracy')({
    note: `Top-1${images ? ` on ${format.counted(images, 'image')}` : ''}, with its 95 % interval. More is better.`,
    draw: (width) => rowChart({
      title: 'Accuracy', description: spoken(rows), rows, width, end: 1,
      ticks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: format.percent(at, 0) })),
    }),
    table: {
      headings: ['Variant', 'Top-1', '95 % interval', 'Top-5', 'Images'],
      rows: known.map(({ id, accuracy }) => [id, format.percent(accuracy.top1), intervalText(accuracy),
        accuracy.top5 === undefined ? '–' : format.percent(accuracy.top5), String(accuracy.images ?? '–')]),
    },
  });
}

function accuracyRow(model, models) {
  const { top1, top1_interval: interval } = model.accuracy;
  return {
    name: model.id,
    text: format.percent(top1),
    className: colourClass(models, model.id),
    segments: [{ to: top1, className: interval ? 'faint' : '' }],
    interval,
    middle: top1,
  };
}

function intervalText({ top1_interval: interval }) {
  return interval ? `${format.percent(interval[0])} to ${format.percent(interval[1])}` : '–';
}

const spoken = (rows) => `${rows.map((row) => `${row.name}: ${row.text}`).join('; ')}.`;
