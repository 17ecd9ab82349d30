// How often something is done that many changes ask for.

/** Does it at the first call, then at most once in this time, and once more after the last call. */
export class Pace {
  private timer: NodeJS.Timeout | undefined;
  private again = false;

  constructor(private readonly ms: number, private readonly does: () => void) {}

  call(): void {
    if (this.timer !== undefined) {
      this.again = true;
      return;
    }
    this.does();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.again) {
        this.again = false;
        this.call();
      }
    }, this.ms);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.again = false;
  }
}
