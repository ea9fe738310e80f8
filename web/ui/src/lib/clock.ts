/**
 * The server's clock. It runs on `performance.now()`, so a person changing the PC's hour moves nothing; the best (least delayed) of what
 * the server said wins. `lag` is how late the last word came compared with the quickest one.
 */
export class ServerClock {
  private offset: number | null = null;
  lag = 0;

  constructor(private readonly monotonic: () => number = () => performance.now()) {}

  heard(serverTime: string): void {
    const said = Date.parse(serverTime);
    if (Number.isNaN(said)) return;
    const offset = said - this.monotonic();
    // A jump of a minute is another server or a suspended PC, not the network: believe it.
    if (this.offset === null || offset > this.offset || this.offset - offset > 60_000) this.offset = offset;
    this.lag = this.offset - offset;
  }

  now(): number {
    return this.offset === null ? Date.now() : this.monotonic() + this.offset;
  }

  /** How far this PC's own clock is off; we warn above two seconds. */
  drift(): number {
    return this.offset === null ? 0 : Date.now() - this.now();
  }
}

export const clock = new ServerClock();
