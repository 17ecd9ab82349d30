// Documents that only the server has: both sides of a change, and pages about a task. All of them are for
// reading, and plain text: what models wrote is never rendered.
import * as vscode from "vscode";
import type { TaskView } from "./protocol.gen.js";
import type { Team } from "./team.js";
import * as words from "./words.js";

export const SCHEME = "baton";

export interface Side {
  repository: string;
  task: string;
  side: "from" | "to";
  /** The side is this commit: what is shown doesn't move while it is read. */
  commit: string;
}

export interface About {
  repository: string;
  task: string;
  page: words.Page;
  id?: string;
}

export function sideUri(path: string, it: Side): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: `/${path}`, query: JSON.stringify(it) });
}

export function pageUri(it: About): vscode.Uri {
  const name = [it.task, it.page === "task" ? undefined : it.page, it.id].filter((part) => part !== undefined).join(" ");
  return vscode.Uri.from({ scheme: SCHEME, path: `/${name}`, query: JSON.stringify(it) });
}

/** What one of our documents is about; any uri may come in, also one that somebody made up. */
export function read(uri: vscode.Uri): Side | About | undefined {
  if (uri.scheme !== SCHEME) {
    return undefined;
  }
  try {
    const it = JSON.parse(uri.query) as Partial<Side & About>;
    const isOurs = typeof it.repository === "string" && typeof it.task === "string";
    return isOurs && (it.side !== undefined || it.page !== undefined) ? (it as Side | About) : undefined;
  } catch {
    return undefined;
  }
}

export function isSide(it: Side | About | undefined): it is Side {
  return it !== undefined && "side" in it;
}

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  /** Documents that could not be had. */
  private readonly failed = new Set<string>();

  constructor(private readonly team: Team) {
    // A side of a change stays as it is once it was had; a page says what is true now.
    team.boards.onChange(() => {
      for (const it of vscode.workspace.textDocuments) {
        const about = read(it.uri);
        if (about !== undefined && (!isSide(about) || this.failed.has(it.uri.toString()))) {
          this.changed.fire(it.uri);
        }
      }
    });
  }

  dispose(): void {
    this.changed.dispose();
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const about = read(uri);
    if (about === undefined) {
      return "This is no document of Baton's.\n";
    }
    try {
      const text = await (isSide(about) ? this.side(uri, about) : this.page(about));
      this.failed.delete(uri.toString());
      return text;
    } catch (error) {
      this.failed.add(uri.toString());
      return `${error instanceof Error ? error.message : String(error)}\n`;
    }
  }

  private async side(uri: vscode.Uri, it: Side): Promise<string> {
    const { repository, task, side } = it;
    const file = await this.team.ask("baton/file", { repository, task, side, path: uri.path.slice(1) });
    if (file.commit !== it.commit) {
      return `${task} has another change meanwhile. Open the review again.\n`;
    }
    return file.text ?? `${file.why ?? "There is nothing to show"}\n`;
  }

  private async page(about: About): Promise<string> {
    const { repository, task: id } = about;
    const task = await this.team.task(repository, id);
    switch (about.page) {
      case "task":
        return words.task(task);
      case "evidence":
        return words.evidence(task);
      case "handoff":
        return one(task.handoffs.filter((it) => it.run === about.id).map(words.handoff));
      case "receipt":
        return one(receipts(task).filter((it) => it.id === about.id).map(words.receipt));
      case "run": {
        const run = task.runs.find((it) => it.id === about.id);
        if (run === undefined) {
          return one([]);
        }
        const said = await this.team.ask("baton/transcript", { repository, run: run.id });
        return words.run(run, said);
      }
    }
  }
}

function one(found: string[]): string {
  return found.length === 0 ? "There is no such thing in this task.\n" : found.join("\n");
}

export function receipts(task: TaskView): TaskView["runs"][number]["receipts"] {
  return task.runs.flatMap((it) => it.receipts);
}
