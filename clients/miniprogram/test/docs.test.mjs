import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

const read = (path) => readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
const blocks = (text) => [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);

test("what the pages show is what the example does, in both languages", async () => {
  const example = await read("clients/miniprogram/example/member.ts");
  const shown = blocks(await read("docs/miniprogram.md"));
  assert.ok(shown.length >= 4);
  for (const code of shown) assert.ok(example.includes(code), code);
  assert.deepEqual(blocks(await read("docs/miniprogram.zh-CN.md")), shown);
});
