// Where the server is: the person's setting, the PATH, or what came with the extension. Whatever is found
// says its version before anything else is asked of it.
import { execFile } from "node:child_process";
import { constants, promises as fs } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export const SETTING = "baton.server.path";

const VERSION_MS_MAX = 10_000;

export interface Found {
  command: string;
  version: string;
  /** For the log: why this one. */
  because: string;
}

export interface Places {
  /** The setting, as the person or the machine has it; never a workspace's. */
  setting: string;
  /** `PATH` of the process. */
  searched: string;
  /** The folder in the extension where a packaged server lies. */
  bundled: string;
}

/** Says what is wrong in words that name the setting. */
export class NotFound extends Error {}

const executable = process.platform === "win32" ? "baton.exe" : "baton";

/** The first one that there is. A setting that is wrong is said, and never passed over. */
export async function find(places: Places): Promise<Found> {
  if (places.setting !== "") {
    const command = absolute(places.setting);
    if (command === undefined) {
      throw new NotFound(`The setting ${SETTING} must be an absolute path; it is "${places.setting}".`);
    }
    return { command, version: await version(command), because: `the setting ${SETTING}` };
  }
  const tried: string[] = [];
  for (const [command, because] of candidates(places)) {
    if (!(await isExecutable(command))) {
      continue;
    }
    try {
      return { command, version: await version(command), because };
    } catch (error) {
      tried.push(text(error));
    }
  }
  const why = tried.length === 0 ? "" : ` Tried: ${tried.join(" ")}`;
  throw new NotFound(`No Baton server was found on the PATH, and none came with the extension. Name one in the setting ${SETTING}.${why}`);
}

function candidates(places: Places): [string, string][] {
  // A relative entry would mean a program of the workspace.
  const folders = places.searched.split(path.delimiter).filter((it) => path.isAbsolute(it));
  const named = folders.map((it): [string, string] => [path.join(it, executable), "the PATH"]);
  return [...named, [path.join(places.bundled, executable), "it came with the extension"]];
}

function absolute(setting: string): string | undefined {
  const whole = setting.startsWith("~/") ? path.join(os.homedir(), setting.slice(2)) : setting;
  return path.isAbsolute(whole) ? whole : undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await fs.access(file, constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}

/** What `--version` says; only a Baton says it in this form. */
export async function version(command: string): Promise<string> {
  const says = await new Promise<string>((resolve, reject) => {
    const options = { timeout: VERSION_MS_MAX, cwd: os.homedir(), maxBuffer: 64 * 1024 };
    execFile(command, ["--version"], options, (error, out) => {
      if (error === null) {
        resolve(out);
      } else {
        reject(new NotFound(`${command} does not run: ${error.message.split("\n")[0]}. The setting ${SETTING} names another.`));
      }
    });
  });
  const read = /^baton (\d+\.\d+\.\d+\S*)/.exec(says);
  if (read?.[1] === undefined) {
    throw new NotFound(`${command} is not a Baton server: \`--version\` says "${says.slice(0, 80).trim()}". The setting ${SETTING} names another.`);
  }
  return read[1];
}

/** Whether a folder, or one above it, is a git repository. */
export async function isInRepository(folder: string): Promise<boolean> {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      await fs.access(path.join(at, ".git"));
      return true;
    } catch {
      if (path.dirname(at) === at) {
        return false;
      }
    }
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
