// What is true now, as the server last said: the boards of the repositories that are open, and what follows
// from them for the status item.
import type { ApprovalView, BoardView, QuestionView, TaskLineView } from "./protocol.gen.js";

export const COLUMNS = ["needsYou", "working", "shipped", "parked", "ended"] as const;
export type Column = (typeof COLUMNS)[number];

/** A task on a board; ids are unique within a repository alone. */
export interface Line {
  repository: string;
  task: TaskLineView;
}

export interface Waiting {
  repository: string;
  task: string;
  approval?: ApprovalView;
  question?: QuestionView;
}

export class Boards {
  private readonly boards = new Map<string, BoardView>();
  private readonly heard: (() => void)[] = [];

  onChange(does: () => void): void {
    this.heard.push(does);
  }

  /** Takes what is newer; says whether it was. */
  put(board: BoardView): boolean {
    const known = this.boards.get(board.repository);
    if (known !== undefined && board.version <= known.version) {
      return false;
    }
    this.boards.set(board.repository, board);
    this.changed();
    return true;
  }

  clear(): void {
    this.boards.clear();
    this.changed();
  }

  get repositories(): string[] {
    return [...this.boards.keys()];
  }

  version(repository: string): number {
    return this.boards.get(repository)?.version ?? 0;
  }

  /** Newest first, as the server lists them. */
  in(column: string): Line[] {
    return this.all().filter((it) => it.task.column === column);
  }

  all(): Line[] {
    return [...this.boards].flatMap(([repository, board]) => board.tasks.map((task) => ({ repository, task })));
  }

  /** Tasks that ended before those on the boards. */
  get more(): number {
    return [...this.boards.values()].reduce((sum, it) => sum + it.more, 0);
  }

  line(repository: string, task: string): TaskLineView | undefined {
    return this.boards.get(repository)?.tasks.find((it) => it.id === task);
  }

  /** What waits for a person, oldest first. */
  waiting(): Waiting[] {
    return [...this.boards].flatMap(([repository, board]) => [
      ...board.approvals.map((approval) => ({ repository, task: approval.task, approval })),
      ...board.questions.map((question) => ({ repository, task: question.task, question })),
    ]);
  }

  waitingOn(repository: string, task: string): Waiting[] {
    return this.waiting().filter((it) => it.repository === repository && it.task === task);
  }

  private changed(): void {
    for (const does of this.heard) {
      does();
    }
  }
}

/** Whether there is a server, and if not, why. */
export type Running = "ready" | "starting" | "failed" | "untrusted" | "noRepository";

export interface Status {
  text: string;
  tooltip: string;
  /** For screen readers, without icons. */
  label: string;
  warns: boolean;
}

const OFF: Record<Exclude<Running, "ready">, [icon: string, says: string]> = {
  starting: ["$(loading~spin)", "the server is starting"],
  failed: ["$(error)", "the server could not be started"],
  untrusted: ["$(shield)", "this workspace is not trusted, so nothing runs"],
  noRepository: ["$(circle-slash)", "no git repository is open"],
};

/** The one status item: a spinner while somebody works, the warning colour only where the person is needed. */
export function status(running: Running, boards: Boards): Status {
  if (running !== "ready") {
    const [icon, says] = OFF[running];
    return { text: `${icon} Baton`, tooltip: `Baton: ${says}`, label: `Baton: ${says}`, warns: false };
  }
  const needed = boards.in("needsYou");
  const working = boards.in("working");
  const spin = working.length === 0 ? "" : "$(loading~spin) ";
  const lines = [...needed, ...working].map((it) => `${it.task.id} ${it.task.title}: ${it.task.step}`);
  const tooltip = ["Baton", ...lines].join("\n");
  const first = needed[0];
  if (first !== undefined) {
    const says = needed.length === 1 ? `${first.task.id} waits for you` : `${needed.length} tasks wait for you`;
    return { text: `${spin}$(bell-dot) ${says}`, tooltip, label: `Baton: ${says}`, warns: true };
  }
  const only = working[0];
  if (only !== undefined) {
    const says = working.length === 1 ? `${only.task.id} ${only.task.step}` : `${working.length} tasks at work`;
    return { text: `${spin}${cut(says, 40)}`, tooltip, label: `Baton: ${says}`, warns: false };
  }
  return { text: "$(organization) Baton", tooltip: "Baton: nobody is at work", label: "Baton: nobody is at work", warns: false };
}

/** A line of at most this many characters; icons of a foreign text mean nothing. */
export function cut(text: string, chars: number): string {
  const line = text.replace(/\s+/g, " ").replaceAll("$(", "$ (").trim();
  const all = [...line];
  return all.length <= chars ? line : `${all.slice(0, chars - 1).join("")}…`;
}
