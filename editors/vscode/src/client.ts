// The language client, in a bundle of its own: it is loaded when a server is started, not at activation.
import type { LogOutputChannel } from "vscode";
import {
  CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State, TransportKind,
  type ClientCapabilities, type LanguageClientOptions, type StaticFeature,
} from "vscode-languageclient/node";
import { PROTOCOL_VERSION, type BatonOffer, type BatonWish, type Notifications, type Requests } from "./protocol.gen.js";

export interface Asked {
  command: string;
  args: string[];
  log: LogOutputChannel;
  trace: LogOutputChannel;
  /** A command of the server's that somebody chose from a menu; may change it, or take it over. */
  onCommand(command: string, args: unknown[], next: (command: string, args: unknown[]) => Promise<unknown>): Promise<unknown>;
  /** What it tells; heard from its first word on. */
  hears: { [M in keyof Notifications]?: (params: Notifications[M]) => void };
  /** The server is gone, or is there again. */
  onRunning(running: boolean): void;
}

/** Errors of ours carry a hint. */
export interface Wrong extends Error {
  code?: number;
  data?: { hint?: string };
}

/** One server for the window; the workspace's folders lie inside of it. */
export interface Connection {
  offer: BatonOffer;
  ask<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]>;
  stop(): Promise<void>;
}

const RESTARTS_MAX = 4;
const RESTARTS_MS = 3 * 60_000;
const STOP_MS_MAX = 5_000;

/** What this client announces: boards as they change, and it shows messages and progress itself. */
class Wishes implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const wish: BatonWish = { protocolVersion: PROTOCOL_VERSION, showMessage: false };
    capabilities.experimental = { ...(capabilities.experimental as object | undefined), baton: wish };
    capabilities.window = { ...capabilities.window, workDoneProgress: false };
  }
  initialize(): void {}
  getState(): ReturnType<StaticFeature["getState"]> {
    return { kind: "static" };
  }
  clear(): void {}
}

function options(asked: Asked): LanguageClientOptions {
  const crashes: number[] = [];
  return {
    documentSelector: [{ scheme: "file" }],
    outputChannel: asked.log,
    traceOutputChannel: asked.trace,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        const now = Date.now();
        crashes.push(now);
        while ((crashes[0] ?? now) < now - RESTARTS_MS) {
          crashes.shift();
        }
        const again = crashes.length <= RESTARTS_MAX;
        asked.log.warn(again ? "the server ended; it is started again" : "the server keeps ending; Baton: Restart Server starts it again");
        return { action: again ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
      },
    },
    middleware: {
      executeCommand: (command, args, next) =>
        asked.onCommand(command, args as unknown[], (name, with_) => Promise.resolve(next(name, with_ as never) as unknown)),
    },
  };
}

/** Starts the server and shakes hands; throws where it is no Baton server, or another protocol. */
export async function connect(asked: Asked): Promise<Connection> {
  const run = { command: asked.command, args: asked.args, transport: TransportKind.stdio };
  const client = new LanguageClient("baton", "Baton", { run, debug: run }, options(asked));
  client.registerFeature(new Wishes());
  client.onDidChangeState((it) => {
    if (it.newState !== State.Starting) {
      asked.onRunning(it.newState === State.Running);
    }
  });
  for (const [method, does] of Object.entries(asked.hears)) {
    client.onNotification(method, does as (params: unknown) => void);
  }
  await client.start();
  const capabilities = client.initializeResult?.capabilities.experimental as { baton?: BatonOffer } | undefined;
  const offer = capabilities?.baton;
  if (offer?.protocolVersion !== PROTOCOL_VERSION) {
    await client.stop(STOP_MS_MAX).catch(() => undefined);
    const speaks = offer === undefined ? "no Baton protocol" : `protocol ${offer.protocolVersion}`;
    throw new Error(`${asked.command} speaks ${speaks}, this extension ${PROTOCOL_VERSION}. Update one of them, or name another server in the setting baton.server.path.`);
  }
  return {
    offer,
    ask: (method, params) => client.sendRequest(method, params),
    stop: async () => {
      await client.dispose(STOP_MS_MAX);
    },
  };
}
