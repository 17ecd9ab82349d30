// Messages that point to what waits: once for each thing, those that come together in one, and none for
// what was decided meanwhile. A message never decides anything.
import type { AttentionParams } from "./protocol.gen.js";

/** As long as this, what comes is said together. */
const GATHER_MS = 700;
const NAMED_MAX = 5;

export interface Pointer {
  text: string;
  /** What it is about, if that is one thing. */
  only: AttentionParams | undefined;
}

export class Gatherer {
  private readonly told = new Set<string>();
  private gathered: AttentionParams[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly isWaiting: (it: AttentionParams) => boolean,
    private readonly show: (it: Pointer) => void,
    private readonly waitMs: number = GATHER_MS,
  ) {}

  hear(it: AttentionParams): void {
    // A task may be parked again, so that alone is not remembered.
    const key = `${it.repository} ${it.id}`;
    if (it.id !== undefined && it.id !== null && (this.told.has(key) || this.told.add(key) !== this.told)) {
      return;
    }
    this.gathered.push(it);
    this.timer ??= setTimeout(() => this.flush(), this.waitMs);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private flush(): void {
    this.timer = undefined;
    const waiting = this.gathered.filter(this.isWaiting);
    this.gathered = [];
    const pointer = pointTo(waiting);
    if (pointer !== undefined) {
      this.show(pointer);
    }
  }
}

export function pointTo(waiting: AttentionParams[]): Pointer | undefined {
  const [first] = waiting;
  if (first === undefined) {
    return undefined;
  }
  if (waiting.length === 1) {
    return { text: first.says, only: first };
  }
  const tasks = [...new Set(waiting.map((it) => it.task))];
  const named = tasks.slice(0, NAMED_MAX).join(", ") + (NAMED_MAX < tasks.length ? ", ..." : "");
  return { text: `${tasks.length} tasks wait for you: ${named}`, only: tasks.length === 1 ? first : undefined };
}
