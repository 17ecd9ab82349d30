// What a person writes at lines of a change, as the words that go back to the Engineer with it.

export interface LineComment {
  path: string;
  /** Counted from 1. */
  line: number;
  text: string;
}

/** As a compiler would name the places, which every role reads rightly. */
export function revision(words: string, comments: LineComment[]): string {
  const ordered = [...comments].sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1));
  const places = ordered.map((it) => `${it.path}:${it.line}: ${it.text.trim()}`);
  return [words.trim(), ...places].filter((it) => it !== "").join("\n");
}

/** `src/lib.rs:5, the default` names a place; so does `src/lib.rs:5: ...`. */
export function place(text: string): { path: string; line: number } | undefined {
  const read = /(?:^|[\s`(])([\w./@+-]+?\.?[\w-]+):(\d{1,7})(?!\d)/.exec(text);
  const [, path, line] = read ?? [];
  return path === undefined || line === undefined || Number(line) < 1 ? undefined : { path, line: Number(line) };
}
