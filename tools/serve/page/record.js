// Everything known about one picture, filled in by the events of its jobs.

import { BASELINE } from '/variants.js';

/** What is known of a variant on a picture. */
const emptyOutcome = () => ({
  top: [],
  agreement: null,
  error: '',
  together: null,  // the result of the run with all variants in parallel
  rounds: [],  // the results of the rounds, in which variants run one after another
  latency: null,  // over the rounds, as reported by the server
});

export class Record {
  constructor(picture, models) {
    this.picture = picture;
    this.models = models;
    this.width = 0;
    this.height = 0;
    this.mode = 'parallel';
    this.rounds = 0;  // of the job in mode rounds
    this.outcomes = new Map(models.map((model) => [model.id, emptyOutcome()]));
  }

  outcome(id) {
    return this.outcomes.get(id) ?? emptyOutcome();
  }

  /** Has any variant answered? */
  get hasResults() {
    return [...this.outcomes.values()].some((outcome) => outcome.top.length > 0);
  }

  started({ width, height, mode, rounds, variants }) {
    Object.assign(this, { width, height, mode, rounds });
    for (const id of variants) {
      const kept = mode === 'rounds' ? { ...this.outcome(id), error: '', rounds: [], latency: null } : emptyOutcome();
      this.outcomes.set(id, kept);
    }
  }

  result({ variant, result }) {
    const outcome = this.outcome(variant);
    outcome.top = result.top;
    if (this.mode === 'rounds') outcome.rounds.push(result);
    else outcome.together = result;
  }

  agreement({ variant, agreement }) {
    this.outcome(variant).agreement = agreement;
  }

  failed({ variant, error }) {
    this.outcome(variant).error = error.message;
  }

  done({ latency }) {
    if (this.mode !== 'rounds') return;
    for (const [id, figures] of Object.entries(latency)) this.outcome(id).latency = figures;
  }

  /**
   * {ms, lowest, highest, points, measured, inParallel}, or null where there is no time. Rounds (measured)
   * count before the run in which all ran at once; ms is their median.
   */
  timing(id) {
    const { rounds, together } = this.outcome(id);
    const runs = rounds.length > 0 ? rounds : together ? [together] : [];
    if (runs.length === 0) return null;
    const points = runs.map((run) => run.ms);
    return {
      ms: median(points),
      lowest: Math.min(...points),
      highest: Math.max(...points),
      points,
      measured: rounds.length > 0,
      inParallel: runs.some((run) => run.in_parallel),
    };
  }

  /** {factor, inParallel} against the baseline, or null where the two were not timed alike. */
  speedup(id) {
    const own = this.timing(id);
    const baseline = this.timing(BASELINE);
    if (!own || !baseline || own.measured !== baseline.measured) return null;
    return { factor: baseline.ms / own.ms, inParallel: own.inParallel || baseline.inParallel };
  }

  /** [{layer, kernel, ms}]: medians of the rounds, or the times of the run in which all ran at once. */
  layers(id) {
    const { rounds, together } = this.outcome(id);
    const runs = (rounds.length > 0 ? rounds : [together]).map((run) => run?.layers).filter(Boolean);
    if (runs.length === 0) return [];
    return runs[0].map((layer, index) => ({ ...layer, ms: median(runs.map((run) => run[index].ms)) }));
  }

  /** What the download holds. */
  toJson(server) {
    const { version, cpu, isa, threads, seeded } = server;
    const { name, size } = this.picture;
    return {
      server: { version, cpu, isa, threads, seeded },
      picture: { name, bytes: size, width: this.width, height: this.height },
      variants: this.models.map((model) => {
        const { top, agreement, error, together, rounds, latency } = this.outcome(model.id);
        const { input_size, file_bytes, active_parameters, gmac, accuracy } = model;
        return {
          id: model.id, input_size, file_bytes, active_parameters, gmac, accuracy,
          top, agreement, error: error || undefined,
          all_at_once: together && { ms: together.ms, in_parallel: together.in_parallel, layers: together.layers },
          one_by_one: rounds.length > 0
            ? { ...latency, rounds_ms: rounds.map((run) => run.ms), layers: this.layers(model.id) }
            : null,
        };
      }),
    };
  }
}

/** Of an even count, the mean of the middle two. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
