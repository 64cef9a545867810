// The page: takes pictures, runs jobs, shows records.

import * as api from '/api.js';
import { makeCards } from '/cards.js';
import { makeComparison } from '/comparison.js';
import { byId } from '/dom.js';
import * as format from '/format.js';
import { History } from '/history.js';
import { makeLayers } from '/layers.js';
import { clearProblem, onPicture, preview, showPicture, showProblem } from '/picture.js';
import { Record } from '/record.js';
import { makeThemeSwitch } from '/theme.js';
import { BASELINE } from '/variants.js';

let server = null;  // the answer of /v1/models
let views = [];  // functions that show a record
let shown = null;  // the record on the page
let job = null;  // {record, parameters, finished: ids, stop} while one runs

const history = new History((record) => show(record));

// --- Start ---------------------------------------------------------------------------------------------------

async function start() {
  try {
    server = await api.models();
  } catch (problem) {
    return showProblem(problem, start);
  }
  const { models } = server;
  byId('seeded').hidden = !server.seeded;
  byId('machine').textContent = `${server.cpu}, ${server.isa}, ${format.counted(server.threads, 'thread')}`;
  byId('version').textContent = `vgg19 ${server.version}.`;
  byId('rounds').max = server.limits.max_rounds;
  views = [makeCards(models), makeComparison(models), makeLayers(models)];
  refresh();
}

onPicture(take);
makeThemeSwitch();
byId('sample').addEventListener('click', takeSample);
byId('measure').addEventListener('submit', measure);
byId('cancel').addEventListener('click', cancel);
byId('download').addEventListener('click', download);
start();

// --- Pictures ------------------------------------------------------------------------------------------------

function take(picture) {
  if (server === null) return;
  const limit = server.limits.max_upload_bytes;
  if (picture.size > limit) {
    const problem = new api.Problem(`${picture.name} has ${format.bytes(picture.size)}; `
      + `this server takes up to ${format.bytes(limit)}.`);
    return showProblem(problem);
  }
  const record = new Record(picture, server.models);
  stopJob();
  show(record);
  run(record, { mode: 'parallel' });
}

async function takeSample() {
  try {
    take(await api.sample());
  } catch (problem) {
    showProblem(problem, takeSample);
  }
}

// --- Jobs ----------------------------------------------------------------------------------------------------

function measure(event) {
  event.preventDefault();
  run(shown, { mode: 'rounds', rounds: byId('rounds').value });
  byId('cancel').focus();
}

function cancel() {
  stopJob();
  say('Cancelled.');
}

function stopJob() {
  const hadFocus = document.activeElement === byId('cancel');
  job?.stop();
  job = null;
  refresh();
  if (hadFocus) byId('measure-start').focus();  // the focused button has disappeared
}

async function run(record, parameters) {
  stopJob();
  clearProblem();
  const own = { record, parameters, finished: new Set(), stop: () => {} };
  job = own;
  const again = () => run(record, parameters);
  const giveUp = (problem) => {
    stopJob();
    say('');
    showProblem(problem, again);
  };
  say(startText(record, parameters));
  refresh();
  try {
    const events = await api.createJob(record.picture, parameters);
    if (job === own) own.stop = api.follow(events, listeners(own, giveUp));
  } catch (problem) {
    if (job === own) giveUp(problem);
  }
}

function listeners(own, giveUp) {
  const { record, parameters } = own;
  // Drawing uses CPU time, so rounds are drawn only when all are finished, and none is slowed down.
  const update = parameters.mode === 'rounds' ? showProgress : refresh;
  const told = (name) => (data) => {
    record[name](data);
    update();
  };
  return {
    started: told('started'),
    agreement: told('agreement'),
    result(data) {
      own.finished.add(data.variant);
      history.add(record);
      told('result')(data);
    },
    failed(data) {
      if (!data.variant) return giveUp(new api.Problem(api.sentenceOf(data.error.message)));
      own.finished.add(data.variant);
      say(`${data.variant} failed: ${data.error.message}`);
      told('failed')(data);
    },
    round({ round }) {
      own.round = round;
      showProgress();
    },
    done(data) {
      if (data.state === 'cancelled') return giveUp(new api.Problem('The server cancelled the rest.', { retry: true }));
      record.done(data);
      stopJob();
      say(summary(record));
    },
    interrupted: () => say('The connection is lost; reconnecting…'),
    resumed: () => say('The connection is back.'),
    lost: giveUp,
  };
}

// --- Showing -------------------------------------------------------------------------------------------------

function show(record) {
  shown = record;
  clearProblem();
  preview(record.picture);
  refresh();
}

function refresh() {
  const running = job !== null && job.record === shown;
  const measuring = running && job.parameters.mode === 'rounds';
  const waiting = (id) => running && !measuring && !job.finished.has(id);
  for (const view of views) view(shown, waiting);
  if (shown) showPicture(shown);
  history.mark(shown);
  byId('cards').setAttribute('aria-busy', running);
  byId('measure-start').disabled = job !== null || !shown?.hasResults;
  byId('download').disabled = !shown?.hasResults;
  byId('measure').hidden = measuring;
  byId('progress').hidden = !measuring;
  if (measuring) showProgress();
}

function showProgress() {
  const { record, parameters } = job;
  const rounds = Number(parameters.rounds);
  const results = [...record.outcomes.values()].reduce((sum, outcome) => sum + outcome.rounds.length, 0);
  byId('progress-text').textContent = `Round ${Math.min((job.round ?? 0) + 1, rounds)} of ${rounds}`;
  byId('progress-bar').max = rounds * record.models.length;
  byId('progress-bar').value = results;
}

const say = (text) => { byId('status').textContent = text; };

function startText(record, { mode, rounds }) {
  const variants = format.counted(record.models.length, 'variant');
  return mode === 'rounds'
    ? `Measuring ${variants} one by one, ${format.counted(Number(rounds), 'round')}…`
    : `Classifying ${record.picture.name} with ${variants}…`;
}

function summary(record) {
  const ids = record.models.map((model) => model.id);
  const failed = ids.filter((id) => record.outcome(id).error).length;
  const done = `${format.counted(ids.length - failed, 'variant')} done${failed > 0 ? `, ${failed} failed` : ''}.`;
  const best = record.outcome(BASELINE).top[0];
  if (!best) return done;
  const others = ids.filter((id) => id !== BASELINE && record.outcome(id).agreement);
  const same = others.filter((id) => record.outcome(id).agreement.top1).length;
  const name = best.label || `class ${best.class}`;
  return `${done} ${BASELINE} says ${name}, ${format.percent(best.probability)}; `
    + `${same} of ${others.length} others say the same.`;
}

// --- Download ------------------------------------------------------------------------------------------------

function download() {
  const text = JSON.stringify(shown.toJson(server), null, 2);
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${shown.picture.name.replace(/\.[^.]*$/, '')}.vgg19.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
