/** Whether two values of JSON are equal. */
export function equal(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  return Object.keys(a).every((key) => equal(a[key], b[key]));
}
