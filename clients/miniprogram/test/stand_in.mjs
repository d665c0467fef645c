// The client as it is built, and a stand-in for `wx.request` that answers when the test says so.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export async function built(entry, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../${entry}`, import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2020",
    write: false,
    ...options,
  });
  return outputFiles[0].text;
}

export const load = async (entry) =>
  import(`data:text/javascript;base64,${Buffer.from(await built(entry)).toString("base64")}`);

/** `request` takes calls; each waits in `calls` for `answer(body)` or `fail()`. */
export function network() {
  const calls = [];
  let seen = () => {};
  const request = ({ success, fail, ...sent }) => {
    calls.push({ ...sent, answer: (data) => success({ data, statusCode: 200 }), fail: () => fail() });
    seen();
  };
  /** The call number `n`, counted from 0, once it is made. */
  const call = async (n) => {
    while (calls.length <= n) await new Promise((resolve) => (seen = resolve));
    return calls[n];
  };
  return { request, calls, call };
}

/** Lets everything run that needs no further answer. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

export function store(tokens) {
  return {
    tokens,
    load() {
      return this.tokens;
    },
    save(given) {
      this.tokens = given;
    },
  };
}

const HOUR_MS = 3_600_000;

export const tokens = (name, endsInMs = HOUR_MS) => ({
  accessToken: `access-${name}`,
  refreshToken: `refresh-${name}`,
  expiresAt: new Date(Date.now() + endsInMs).toISOString(),
});
