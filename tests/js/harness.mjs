/* A minute test runner for the browser: tests/e2e/test_widget_modules.py runs each test by its name. */

const tests = new Map();

export function test(name, body) {
  tests.set(name, body);
}

export async function run(name) {
  await tests.get(name)();
}

export function equal(actual, expected) {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value, sorted, 1) ?? String(value));
  if (a !== b) throw new Error(`expected ${b}\n but got ${a}`);
}

const sorted = (_key, value) =>
  value && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value;
