// What the tests inside of VS Code share: waiting, their results, and a person who answers what is asked.
import * as fs from "node:fs";
import * as vscode from "vscode";

const WAIT_MS_MAX = 60_000;

export async function until<T>(what: string, fn: () => Promise<T | undefined | false> | T | undefined | false, ms = WAIT_MS_MAX): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const it = await fn();
    if (it !== undefined && it !== false) {
      return it;
    }
    if (end < Date.now()) {
      throw new Error(`too late: ${what}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}

export interface Asking {
  ask(method: string, params: unknown): Promise<never>;
  boards: { in(column: string): { repository: string; task: { id: string; step: string; state: string } }[] };
  running: string;
}

const results: string[] = [];

export async function test(name: string, does: () => Promise<void> | void): Promise<void> {
  const from = Date.now();
  try {
    await does();
    results.push(`ok - ${name} (${Date.now() - from} ms)`);
  } catch (error) {
    results.push(`not ok - ${name}: ${error instanceof Error ? error.stack : String(error)}`);
  }
  // Whoever waits outside sees how far it came, also if it comes no further.
  report();
}

/** Says how many failed. */
export function report(): number {
  const bad = results.filter((it) => it.startsWith("not ok")).length;
  const says = `${results.join("\n")}\n${results.length - bad} passed, ${bad} failed\n`;
  fs.writeFileSync(process.env["BATON_TEST_RESULTS"] ?? "results.txt", says);
  return bad;
}

/** One thing that a person was asked or told, and what they do. */
interface Told {
  text: string;
  /** What an input box holds already. */
  value: string;
}

/** Sits where VS Code's own boxes are: answers in their order, and remembers what was said. */
export class Person {
  readonly told: Told[] = [];
  private readonly answers: (string | string[] | undefined)[] = [];
  private readonly undo: (() => void)[] = [];

  constructor() {
    this.stand(vscode.window, "showInputBox", (options: vscode.InputBoxOptions) => {
      this.told.push({ text: options.title ?? "", value: options.value ?? "" });
      return this.next();
    });
    this.stand(vscode.window, "showQuickPick", (items: Iterable<vscode.QuickPickItem | string>, options: vscode.QuickPickOptions) => {
      const all = [...items];
      this.told.push({ text: options.title ?? "", value: "" });
      const answer = this.next();
      const chosen = all.filter((it) => [answer].flat().includes(typeof it === "string" ? it : it.label));
      if (answer !== undefined && !Array.isArray(answer) && chosen.length === 0) {
        throw new Error(`no ${answer} among ${all.map((it) => (typeof it === "string" ? it : it.label)).join(", ")}`);
      }
      return Array.isArray(answer) ? chosen : chosen[0];
    });
    for (const name of ["showInformationMessage", "showWarningMessage", "showErrorMessage"]) {
      this.stand(vscode.window, name, (text: string) => {
        this.told.push({ text, value: "" });
        return undefined;
      });
    }
  }

  /** What is answered next, in this order; `undefined` is Escape. */
  will(...answers: (string | string[] | undefined)[]): void {
    this.answers.push(...answers);
  }

  heard(what: RegExp): boolean {
    return this.told.some((it) => what.test(it.text));
  }

  /** Puts a function in the place of another, until the person leaves. */
  stand(object: object, name: string, does: (...args: never[]) => unknown): void {
    const holder = object as Record<string, unknown>;
    const before = holder[name];
    holder[name] = (...args: never[]) => Promise.resolve(does(...args));
    this.undo.push(() => (holder[name] = before));
  }

  leave(): void {
    this.undo.forEach((it) => it());
  }

  private next(): string | string[] | undefined {
    if (this.answers.length === 0) {
      throw new Error(`asked more than was expected: ${this.told.at(-1)?.text ?? ""}`);
    }
    return this.answers.shift();
  }
}
