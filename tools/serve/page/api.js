// Client of the server's API, which /openapi.json describes.

/** What a person should read, when something did not work. */
export class Problem extends Error {
  constructor(message, { retry = false, retrySeconds = 0 } = {}) {
    super(message);
    this.retry = retry;  // retrying may help
    this.retrySeconds = retrySeconds;  // wait at least this long
  }
}

const UNREACHABLE = 'The server does not answer. Is “vgg19 serve” still running?';

/** GET /v1/models */
export const models = async () => (await request('/v1/models')).json();

/** GET /v1/sample, as a file */
export async function sample() {
  const response = await request('/v1/sample');
  return new File([await response.blob()], 'sample.jpg', { type: 'image/jpeg' });
}

/** POST /v1/jobs; the path of the job's events. */
export async function createJob(picture, parameters) {
  const query = new URLSearchParams({ top: 3, profile: 1, ...parameters });
  const type = picture.type || 'application/octet-stream';
  const response =
    await request(`/v1/jobs?${query}`, { method: 'POST', body: picture, headers: { 'Content-Type': type } });
  return (await response.json()).events;
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Problem(UNREACHABLE, { retry: true });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response) {
  const body = await response.json().catch(() => null);
  const message = body?.error?.message ?? `The server answered ${response.status} ${response.statusText}.`;
  if (response.status !== 503) return new Problem(sentenceOf(message), { retry: response.status >= 500 });
  const retrySeconds = Number(response.headers.get('Retry-After')) || 1;
  return new Problem(sentenceOf(`The server is busy: ${message}`), { retry: true, retrySeconds });
}

/** "the image ends early" → "The image ends early." */
export function sentenceOf(message) {
  return message.charAt(0).toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? '' : '.');
}

const EVENTS = ['started', 'result', 'agreement', 'failed', 'round', 'done'];
const GIVE_UP_MS = 8000;

/**
 * Follows a job: on.started(data), on.result(data), … for each event, and on.interrupted(),
 * on.resumed() and on.lost(problem) when the connection breaks, is back, or stays away.
 * Call what it returns to stop; the server then drops what is left of the job.
 */
export function follow(path, on) {
  const source = new EventSource(path);
  let timer = null;
  const stop = () => {
    clearTimeout(timer);
    source.close();
  };
  const lose = () => {
    stop();
    on.lost(new Problem('The connection was lost before all results arrived.', { retry: true }));
  };

  source.addEventListener('open', () => {
    if (timer !== null) on.resumed();
    clearTimeout(timer);
    timer = null;
  });
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) return lose();
    if (timer !== null) return;
    on.interrupted();
    timer = setTimeout(lose, GIVE_UP_MS);
  });
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => {
      if (name === 'done') stop();
      on[name](JSON.parse(event.data));
    });
  }
  return stop;
}
