/** How often a server that ended is started again. */

const MOST = 4;
const SPAN_MILLISECONDS = 180_000;

/** Counts the ends of the server; `now` is the clock in milliseconds. */
export class Crashes {
  private times: number[] = [];
  private readonly now: () => number;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  /** Note one more end: whether it is worth starting again, which a fifth in three minutes is not. */
  mayRestart(): boolean {
    const now = this.now();
    this.times = [...this.times, now].filter((time) => now - time < SPAN_MILLISECONDS);
    return this.times.length <= MOST;
  }

  /** Forget all of them: the user asked for a start. */
  forget(): void {
    this.times = [];
  }
}
