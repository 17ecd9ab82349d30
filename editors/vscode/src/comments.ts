// Where, in words that a model wrote, a line of a file is named.

/** `src/lib.rs:5, the default` names a place; so does `src/lib.rs:5: ...`. Lines are counted from 1. */
export function place(text: string): { path: string; line: number } | undefined {
  const read = /(?:^|[\s`(])([\w./@+-]+?\.?[\w-]+):(\d{1,7})(?!\d)/.exec(text);
  const [, path, line] = read ?? [];
  return path === undefined || line === undefined || Number(line) < 1 ? undefined : { path, line: Number(line) };
}
