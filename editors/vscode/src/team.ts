// The team as this window sees it: the server, found, started and asked; and what it said last.
import * as path from "node:path";
import * as vscode from "vscode";
import { Boards, type Running } from "./board.js";
import type { Asked, Connection, Wrong } from "./client.js";
import { NotFound, SETTING, find, isInRepository } from "./lookup.js";
import type { AttentionParams, BoardView, Requests, TaskView } from "./protocol.gen.js";

const KNOWN_TASKS_MAX = 50;

/** Takes over a command that the server offers in a menu; `undefined`: it is the server's. */
export type Taken = (argument: unknown, next: (argument: unknown) => Promise<unknown>) => Promise<unknown>;

export class Team implements vscode.Disposable {
  readonly boards = new Boards();
  readonly log = vscode.window.createOutputChannel("Team", { log: true });
  /** Commands of the server that a person shall be asked about first. */
  readonly taken = new Map<string, Taken>();
  private readonly trace = vscode.window.createOutputChannel("Team (Trace)", { log: true });
  private readonly changes = new vscode.EventEmitter<void>();
  private readonly attentions = new vscode.EventEmitter<AttentionParams>();
  readonly onChange = this.changes.event;
  readonly onAttention = this.attentions.event;
  private connection: Connection | undefined;
  private state: Running = "starting";
  private known = new Map<string, { version: number; task: Promise<TaskView> }>();
  private queue: Promise<void> = Promise.resolve();

  constructor(private readonly extension: vscode.Uri) {
    this.boards.onChange(() => this.changes.fire());
  }

  get running(): Running {
    return this.state;
  }

  get offers(): readonly string[] {
    return this.connection?.offer.requests ?? [];
  }

  dispose(): void {
    this.changes.dispose();
    this.attentions.dispose();
    this.log.dispose();
    this.trace.dispose();
  }

  /** Starts the server where there is something to do and the person trusts the workspace. */
  start(byHand = false): Promise<void> {
    return this.enqueue(() => this.startNow(byHand));
  }

  restart(): Promise<void> {
    return this.enqueue(async () => {
      await this.stopNow();
      await this.startNow(true);
    });
  }

  stop(): Promise<void> {
    return this.enqueue(() => this.stopNow());
  }

  async ask<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]> {
    if (this.connection === undefined) {
      // What a window restores asks before the server has started.
      await this.queue;
    }
    const { connection } = this;
    if (connection === undefined) {
      throw new Error("Baton's server is not running. \"Baton: Restart Server\" starts it.");
    }
    try {
      return await connection.ask(method, params);
    } catch (error) {
      const wrong = error as Wrong;
      const hint = wrong.data?.hint;
      throw new Error(hint === undefined || hint === "" ? wrong.message : `${wrong.message}. ${hint}`);
    }
  }

  /** One task whole; asked again only when its board has changed. */
  task(repository: string, task: string): Promise<TaskView> {
    const key = `${repository} ${task}`;
    const version = this.boards.version(repository);
    const known = this.known.get(key);
    if (known !== undefined && known.version === version) {
      return known.task;
    }
    const asked = this.ask("baton/task", { repository, task });
    this.known.delete(key);
    this.known.set(key, { version, task: asked });
    asked.catch(() => this.known.delete(key));
    for (const old of [...this.known.keys()].slice(0, Math.max(0, this.known.size - KNOWN_TASKS_MAX))) {
      this.known.delete(old);
    }
    return asked;
  }

  private enqueue(does: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(does, does);
    return this.queue;
  }

  private set(state: Running): void {
    this.state = state;
    void vscode.commands.executeCommand("setContext", "baton.state", state);
    this.changes.fire();
  }

  private async startNow(byHand: boolean): Promise<void> {
    if (this.connection !== undefined) {
      return;
    }
    if (!vscode.workspace.isTrusted) {
      this.set("untrusted");
      return;
    }
    const folders = (vscode.workspace.workspaceFolders ?? []).filter((it) => it.uri.scheme === "file");
    const inside = await Promise.all(folders.map((it) => isInRepository(it.uri.fsPath)));
    if (!byHand && !inside.includes(true)) {
      this.set("noRepository");
      return;
    }
    this.set("starting");
    try {
      const found = await find({
        setting: machine("server.path", ""),
        searched: process.env["PATH"] ?? "",
        bundled: path.join(this.extension.fsPath, "server"),
      });
      this.log.info(`server ${found.version}: ${found.command} (${found.because})`);
      const { connect } = await import("./client.js");
      const connection = await connect(this.asked(found.command));
      this.connection = connection;
      this.set("ready");
    } catch (error) {
      this.set("failed");
      void this.complain(error);
    }
  }

  private asked(command: string): Asked {
    return {
      command,
      args: machine<boolean>("server.inProcess", false) ? ["lsp", "--in-process"] : ["lsp"],
      log: this.log,
      trace: this.trace,
      onCommand: (name, args, next) => {
        const taken = this.taken.get(name);
        return taken === undefined ? next(name, args) : taken(args[0], (argument) => next(name, [argument]));
      },
      hears: {
        "baton/boardChanged": (it) => void this.hear(it.repository, it.board ?? undefined),
        "baton/attention": (it) => this.attentions.fire(it),
      },
      onRunning: (running) => {
        // Versions of a board count within one life of a server's state; a new server says all of it anew.
        if (!running) {
          this.known.clear();
          this.boards.clear();
        }
        if (this.connection !== undefined) {
          this.set(running ? "ready" : "starting");
        }
      },
    };
  }

  private async stopNow(): Promise<void> {
    const connection = this.connection;
    this.connection = undefined;
    await connection?.stop().catch((error: unknown) => this.log.warn(`the server did not stop: ${String(error)}`));
    this.known.clear();
    this.boards.clear();
  }

  private async hear(repository: string, board: BoardView | undefined): Promise<void> {
    const view = board ?? (await this.ask("baton/board", { repository }).catch(() => undefined));
    if (view === undefined) {
      return;
    }
    for (const it of view.tasks) {
      const before = this.boards.line(repository, it.id)?.step;
      if (before !== it.step) {
        this.log.info(`${it.id} ${it.role ?? ""}${it.role === undefined || it.role === null ? "" : ": "}${it.step}`);
      }
    }
    this.boards.put(view);
  }

  private async complain(error: unknown): Promise<void> {
    const says = error instanceof Error ? error.message : String(error);
    this.log.error(says);
    const settings = "Open Setting";
    const log = "Show Log";
    const chosen = await vscode.window.showErrorMessage(`Baton: ${says}`, ...(error instanceof NotFound ? [settings] : []), log);
    if (chosen === settings) {
      await vscode.commands.executeCommand("workbench.action.openSettings", SETTING);
    } else if (chosen === log) {
      this.log.show();
    }
  }
}

/** A setting that names a program or how it runs: the person's or the machine's, never a workspace's. */
export function machine<T>(name: string, otherwise: T): T {
  const found = vscode.workspace.getConfiguration("baton").inspect<T>(name);
  return found?.globalValue ?? otherwise;
}
