// Which hunks of a change the person takes. All of them, until one is left out.
import type { ChosenHunks, DiffView, FileDiffView } from "./protocol.gen.js";

export interface Part {
  path: string;
  id: string;
  /** One line for a list. */
  says: string;
  /** Line of the new side, counted from 1. */
  line: number;
}

/** What can be chosen by itself: hunks, or a file that goes whole. */
export function parts(diff: DiffView): Part[] {
  return diff.files.flatMap((it) => (it.whole === undefined || it.whole === null ? byHunk(it) : whole(it, it.whole)));
}

function byHunk(it: FileDiffView): Part[] {
  return it.hunks.map((hunk) => ({ path: it.file.path, id: hunk.id, says: firstChange(hunk.text), line: Math.max(1, hunk.newStart) }));
}

function whole(it: FileDiffView, why: string): Part[] {
  return it.ids.slice(0, 1).map((id) => ({ path: it.file.path, id, says: `the whole file: ${why}`, line: 1 }));
}

function firstChange(text: string): string {
  const changed = text.split("\n").filter((it) => /^[+-]/.test(it));
  return (changed.find((it) => it.slice(1).trim() !== "") ?? changed[0] ?? "").trim();
}

/** What an answer names; `undefined`: all of it. A file of which nothing is taken is not named. */
export function chosen(diff: DiffView, left: ReadonlySet<string>): ChosenHunks[] | undefined {
  const all = parts(diff);
  if (!all.some((it) => left.has(it.id))) {
    return undefined;
  }
  return diff.files.flatMap((file): ChosenHunks[] => {
    const ids = all.filter((it) => it.path === file.file.path).map((it) => it.id);
    const taken = ids.filter((it) => !left.has(it));
    return taken.length === 0 ? [] : [taken.length === ids.length ? { path: file.file.path } : { path: file.file.path, hunks: taken }];
  });
}
