// Injected before the page's own scripts: simulates the faults that `faults` names.
//   seeded: the server says that the weights are seeded
//   busy: this many jobs are refused because the queue is full
//   failing: the variant with this id fails
//   broken: the events stop, and do not resume
//   endless: a job in rounds never ends
//   together: every variant ran in parallel with another
((faults) => {
  const realFetch = window.fetch;
  window.fetch = async (path, options) => {
    if (options?.method === 'POST' && faults.busy > 0) {
      faults.busy -= 1;
      const body = JSON.stringify({ error: { code: 'queue_full', message: 'the queue is full' } });
      return new Response(body, { status: 503, headers: { 'Retry-After': '1' } });
    }
    const response = await realFetch(path, options);
    if (path !== '/v1/models' || !faults.seeded) return response;
    return new Response(JSON.stringify({ ...await response.json(), seeded: true }));
  };

  window.EventSource = class extends EventSource {
    constructor(path) {
      super(faults.broken ? '/v1/jobs/00000000000000000000000000000000/events' : path);
      this.endless = false;
    }

    addEventListener(name, listener) {
      super.addEventListener(name, (event) => {
        const data = event.data ? JSON.parse(event.data) : {};
        this.endless ||= faults.endless && data.mode === 'rounds';
        if (this.endless && (name === 'done' || name === 'error')) return;
        if (name === 'result' && data.variant === faults.failing) {
          const failed = { variant: data.variant, error: { code: 'internal', message: 'out of <b>memory</b>' } };
          this.dispatchEvent(new MessageEvent('failed', { data: JSON.stringify(failed) }));
        } else if (name === 'result' && faults.together) {
          data.result.in_parallel = true;
          listener(new MessageEvent(name, { data: JSON.stringify(data) }));
        } else {
          listener(event);
        }
      });
    }
  };
})(FAULTS);
