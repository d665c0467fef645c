import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { built, load, network, settled, store, tokens } from "./stand_in.mjs";

const { createClient, newKey } = await load("src/client.ts");
const generated = await load("src/generated/graphql.ts");
const { MyCardDocument, MyProfileUpdateDocument, LoginDocument, RefreshDocument } = generated;

const ENDPOINT = "https://api.example.cn/graphql";
const CARD = { data: { me: { id: "mbr_1" } } };
const REFUSED = { errors: [{ message: "-", extensions: { code: "UNAUTHENTICATED" } }] };
const id = (document) => `sha256:${document.__meta__.hash}`;

function start(held) {
  const wires = network();
  const pauses = [];
  const kept = store(held);
  const wait = async (ms) => void pauses.push(ms);
  const client = createClient(ENDPOINT, wires.request, kept, RefreshDocument, wait);
  return { ...wires, kept, pauses, client };
}

const refreshed = (given) => ({ data: { tokenRefresh: { tokens: given, userErrors: [] } } });
const refusedWith = (code) => ({ data: { tokenRefresh: { tokens: null, userErrors: [{ code }] } } });

test("a call is a POST of a document id, its variables and the token", async () => {
  const { client, call } = start(tokens("1"));
  const result = client.send(MyProfileUpdateDocument, { input: { id: "mbr_1", nickname: "小明" } });
  const { url, method, header, data, answer } = await call(0);
  assert.deepEqual(
    { url, method, header, data },
    {
      url: ENDPOINT,
      method: "POST",
      header: { "content-type": "application/json", authorization: "Bearer access-1" },
      data: {
        documentId: id(MyProfileUpdateDocument),
        variables: { input: { id: "mbr_1", nickname: "小明" } },
      },
    },
  );
  answer({ data: { memberUpdate: null } });
  assert.deepEqual(await result, { data: { memberUpdate: null } });
});

test("a login goes without the token that is held", async () => {
  const { client, call } = start(tokens("1", -1));
  void client.send(LoginDocument, { input: { code: "c" } }, { anonymous: true });
  assert.equal((await call(0)).header.authorization, undefined);
});

test("a query is tried three times where no answer comes", async () => {
  const { client, call, calls, pauses } = start(tokens("1"));
  const result = client.send(MyCardDocument);
  for (const n of [0, 1, 2]) (await call(n)).fail();
  assert.equal((await result).errors[0].extensions.code, "NO_ANSWER");
  assert.equal(calls.length, 3);
  assert.equal(pauses.length, 2);
  assert.ok(pauses[0] >= 400 && pauses[0] < 800 && pauses[1] >= 800 && pauses[1] < 1600);
});

test("the answer to another try is the result", async () => {
  const { client, call, calls } = start(tokens("1"));
  const result = client.send(MyCardDocument);
  (await call(0)).fail();
  (await call(1)).answer(CARD);
  assert.deepEqual(await result, CARD);
  assert.equal(calls.length, 2);
});

test("a mutation is tried again only with its key, and under the same key", async () => {
  const { client, call, calls } = start(tokens("1"));
  const variables = { input: { id: "mbr_1" } };
  const without = client.send(MyProfileUpdateDocument, variables);
  (await call(0)).fail();
  assert.equal((await without).errors[0].extensions.code, "NO_ANSWER");
  const withKey = client.send(MyProfileUpdateDocument, variables, { key: "k-1" });
  (await call(1)).fail();
  (await call(2)).answer({ data: {} });
  await withKey;
  assert.deepEqual(
    calls.map(({ header }) => header["idempotency-key"]),
    [undefined, "k-1", "k-1"],
  );
});

for (const body of ["<html>502 Bad Gateway</html>", undefined, { message: "Internal" }, { data: null }])
  test(`an answer that is no GraphQL is not asked for again: ${JSON.stringify(body)}`, async () => {
    const { client, call, calls } = start(tokens("1"));
    const result = client.send(MyCardDocument);
    (await call(0)).answer(body);
    assert.equal((await result).errors[0].extensions.code, "NOT_GRAPHQL");
    await settled();
    assert.equal(calls.length, 1);
  });

test("errors come with their code and with the data there is; they are not tried again", async () => {
  const { client, call, calls } = start(tokens("1"));
  const throttled = { errors: [{ message: "-", extensions: { code: "THROTTLED", retryAfter: 3 } }] };
  const partly = { data: { me: null }, errors: [{ message: "-", extensions: { code: "NOT_FOUND" } }] };
  for (const [n, body] of [throttled, partly].entries()) {
    const result = client.send(MyCardDocument);
    (await call(n)).answer(body);
    assert.deepEqual(await result, body);
  }
  await settled();
  assert.equal(calls.length, 2);
});

test("ten calls are open at most; the others follow in order", async () => {
  const { client, call, calls } = start(tokens("1"));
  const order = [];
  const all = Array.from({ length: 25 }, (_, n) =>
    client.send(MyCardDocument).then(() => order.push(n)),
  );
  await settled();
  assert.equal(calls.length, 10);
  calls[3].answer(CARD);
  await settled();
  assert.equal(calls.length, 11);
  for (let n = 0; n < 25; n++) if (n !== 3) (await call(n)).answer(CARD);
  await Promise.all(all);
  assert.equal(calls.length, 25);
  assert.deepEqual(order.slice(0, 3), [3, 0, 1]);
});

test("a failed call leaves its place to the next", async () => {
  const { client, call, calls } = start(tokens("1"));
  const all = Array.from({ length: 11 }, () => client.send(MyProfileUpdateDocument, { input: {} }));
  await settled();
  calls[0].fail();
  for (let n = 1; n < 11; n++) (await call(n)).answer({ data: {} });
  const results = await Promise.all(all);
  assert.equal(results.filter(({ errors }) => errors).length, 1);
});

test("tokens about to end are renewed once, and calls made together wait for it", async () => {
  const { client, call, calls, kept } = start(tokens("old", 59_000));
  const all = [1, 2, 3].map(() => client.send(MyCardDocument));
  const refresh = await call(0);
  await settled();
  assert.equal(calls.length, 1);
  assert.deepEqual(refresh.data, {
    documentId: id(RefreshDocument),
    variables: { input: { refreshToken: "refresh-old" } },
  });
  assert.equal(refresh.header.authorization, undefined);
  const given = tokens("new");
  refresh.answer(refreshed(given));
  for (const n of [1, 2, 3]) {
    assert.equal((await call(n)).header.authorization, "Bearer access-new");
    calls[n].answer(CARD);
  }
  assert.deepEqual(await Promise.all(all), [CARD, CARD, CARD]);
  assert.deepEqual(kept.load(), given);
});

test("a refused token is renewed once for all, and each call is sent again once", async () => {
  const { client, call, calls } = start(tokens("old"));
  const all = [client.send(MyCardDocument), client.send(MyProfileUpdateDocument, { input: {} })];
  await settled();
  calls[0].answer(REFUSED);
  const refresh = await call(2);
  calls[1].answer(REFUSED);
  await settled();
  assert.equal(calls.length, 3);
  refresh.answer(refreshed(tokens("new")));
  for (const n of [3, 4]) (await call(n)).answer(n === 3 ? CARD : REFUSED);
  const codes = (await Promise.all(all)).map(({ errors }) => errors?.[0].extensions.code);
  assert.deepEqual(codes, [undefined, "UNAUTHENTICATED"]);
  assert.equal(calls.length, 5);
});

test("a call refused after another one's renewal uses the new tokens", async () => {
  const { client, call, calls, kept } = start(tokens("old"));
  const result = client.send(MyCardDocument);
  const first = await call(0);
  kept.save(tokens("new"));
  first.answer(REFUSED);
  assert.equal((await call(1)).header.authorization, "Bearer access-new");
  calls[1].answer(CARD);
  assert.deepEqual(await result, CARD);
});

for (const code of ["SESSION_ENDED", "TOKEN_REUSED", "CONFLICT"])
  test(`a session that is over (${code}) is forgotten`, async () => {
    const { client, call, calls, kept } = start(tokens("old", -1));
    const result = client.send(MyCardDocument);
    (await call(0)).answer(refusedWith(code));
    assert.equal((await result).errors[0].extensions.code, "UNAUTHENTICATED");
    assert.equal(kept.load(), undefined);
    assert.equal(calls.length, 1);
  });

test("tokens stay where they could not be renewed for another reason", async () => {
  const { client, call, calls, kept } = start(tokens("old", -1));
  const limited = client.send(MyCardDocument);
  (await call(0)).answer(refusedWith("LIMIT_EXCEEDED"));
  assert.equal((await limited).errors[0].extensions.code, "LIMIT_EXCEEDED");
  const lost = client.send(MyCardDocument);
  (await call(1)).fail();
  assert.equal((await lost).errors[0].extensions.code, "NO_ANSWER");
  const later = client.send(MyCardDocument);
  (await call(2)).answer(refreshed(tokens("new")));
  (await call(3)).answer(CARD);
  assert.deepEqual(await later, CARD);
  assert.equal(kept.load().accessToken, "access-new");
  assert.equal(calls.length, 4);
});

test("a renewal that ends after the logout brings nobody back", async () => {
  const { client, call, kept } = start(tokens("old", -1));
  const result = client.send(MyCardDocument);
  const refresh = await call(0);
  kept.save(undefined);
  refresh.answer(refreshed(tokens("new")));
  (await call(1)).answer(REFUSED);
  assert.equal((await result).errors[0].extensions.code, "UNAUTHENTICATED");
  assert.equal(kept.load(), undefined);
});

test("keys differ, and are as long as the server takes them", () => {
  const keys = new Set(Array.from({ length: 1000 }, newKey));
  assert.equal(keys.size, 1000);
  for (const key of keys) assert.match(key, /^[0-9a-z]{16,64}$/);
});

test("the client is about 1 kB, and holds no document", async () => {
  const size = gzipSync(await built("src/client.ts", { minify: true }), { level: 9 }).length;
  console.log(`client: ${size} bytes, minified and compressed`);
  assert.ok(size <= 1100, `${size} bytes`);
  const page = await built("example/member.ts", { minify: true, external: ["../src/client"] });
  assert.doesNotMatch(page, /query MyCard|memberNo/);
});

test("the manifest holds each document under the hash that the client sends", async () => {
  const file = new URL("../src/generated/persisted-documents.json", import.meta.url);
  const manifest = JSON.parse(await readFile(file, "utf8"));
  const documents = Object.values(generated)
    .map(({ __meta__: meta }) => meta)
    .filter((meta) => meta?.hash);
  assert.deepEqual(documents.map(({ hash }) => hash).sort(), Object.keys(manifest).sort());
  for (const [hash, text] of Object.entries(manifest))
    assert.equal(createHash("sha256").update(text).digest("hex"), hash);
});
