// One card per variant.

import { byId, element } from '/dom.js';
import * as format from '/format.js';
import { BASELINE, colourClass, sentence } from '/variants.js';

/** Fills the list of cards; the answer shows a record on them: (record, waiting: is a variant still to come?) */
export function makeCards(models) {
  const cards = models.map((model) => makeCard(model, models));
  byId('cards').replaceChildren(...cards.map((card) => card.node));
  return (record, waiting) => {
    for (const card of cards) show(card, record, waiting(card.model.id));
  };
}

function makeCard(model, models) {
  const node = byId('card').content.firstElementChild.cloneNode(true);
  const part = (name) => node.querySelector(`[data-part=${name}]`);
  node.classList.add(colourClass(models, model.id));
  node.dataset.variant = model.id;
  part('name').textContent = model.id;
  part('about').textContent = sentence(model);
  part('bytes').textContent = format.bytes(model.file_bytes);
  part('parameters').textContent = format.millions(model.active_parameters);
  part('work').textContent = format.gmac(model.gmac);
  part('input').textContent = format.inputSize(model.input_size);
  part('reference').textContent = BASELINE;
  part('plan').replaceChildren(...planItems(model));
  return { model, node, part };
}

function planItems(model) {
  const kernels = model.plan.map(({ kernel, layers }) =>
    element('li', {}, `${format.counted(layers, 'layer')}: `, element('code', {}, kernel)));
  return [...kernels, element('li', {}, 'File: ', element('code', {}, model.file))];
}

function show({ model, node, part }, record, waiting) {
  const outcome = record?.outcome(model.id);
  const state = stateOf(outcome, waiting);
  node.dataset.state = state;
  node.setAttribute('aria-busy', state === 'waiting');
  part('waiting').textContent = waitingText(state, outcome);
  part('top').replaceChildren(...(outcome?.error ? [] : outcome?.top ?? []).map(prediction));
  part('time').replaceChildren(...timeText(record?.timing(model.id)));
  part('speedup').replaceChildren(...speedupText(model.id, record?.speedup(model.id)));
  part('agreement').textContent = agreementText(model.id, outcome?.agreement);
}

function stateOf(outcome, waiting) {
  if (outcome?.error) return 'failed';
  if (waiting) return 'waiting';
  return outcome?.top.length > 0 ? 'done' : 'idle';
}

function waitingText(state, outcome) {
  if (state === 'failed') return `Failed: ${outcome.error}`;
  if (outcome?.top.length > 0) return '';
  return state === 'waiting' ? 'Running…' : 'No picture yet';
}

function prediction({ label, probability, ...rest }) {
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', probability);
  return element('li', {},
    element('span', { class: 'label' }, label || `class ${rest.class}`),
    element('span', { class: 'probability' }, format.percent(probability)),
    bar);
}

const figure = (text) => element('span', { class: 'figure' }, text);
const mark = (text) => element('span', { class: 'mark' }, text);
const inParallelMark = () => mark('in parallel');

function timeText(timing) {
  if (!timing) return ['–'];
  const time = figure(format.milliseconds(timing.ms));
  if (timing.inParallel) return [time, ' ', inParallelMark()];
  if (!timing.measured) return [time];
  const spread = `median of ${timing.points.length}, ${format.span(timing.lowest, timing.highest)}`;
  return [time, element('span', { class: 'spread' }, spread)];
}

function speedupText(id, speedup) {
  if (!speedup) return ['–'];
  if (id === BASELINE) return [figure(format.times(1)), ' ', mark('reference')];
  const factor = figure(format.times(speedup.factor));
  return speedup.inParallel ? [factor, ' ', inParallelMark()] : [factor];
}

function agreementText(id, agreement) {
  if (id === BASELINE) return 'is the baseline';
  if (!agreement) return '–';
  const first = agreement.top1 ? 'same top-1' : 'other top-1';
  return `${first}, top-5 ${format.percent(agreement.top5, 0)}, cosine ${format.cosine(agreement.cosine)}`;
}
