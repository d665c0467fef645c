// Clients that people use, against a running server: node clients.mjs URL TOKEN.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";

import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client/core";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { createClient, fetchExchange } from "@urql/core";
import { GraphQLClient } from "graphql-request";

const [url, token] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const STORES = "query Stores($first: Int!) { stores(first: $first) { nodes { id name unit { name } } } }";
const WRONG = "query Wrong { stores { nope } }";
const variables = { first: 3 };

/** Three stores, each with a name and a unit. */
function assertStores({ stores: { nodes } }) {
  assert.equal(nodes.length, 3);
  for (const { id, name, unit } of nodes) assert.ok(id.startsWith("sto_") && name && unit.name);
}

const apollo = (link = {}) =>
  new ApolloClient({ link: new HttpLink({ uri: url, headers, ...link }), cache: new InMemoryCache() });

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A query that nobody sent before, by its hash: first unknown, then told, then known. */
async function askByHash(useGETForHashedQueries) {
  const methods = [];
  const watched = (address, options) => {
    methods.push(options.method);
    return fetch(address, options);
  };
  const query = gql(STORES.replace("Stores", `Stores${randomUUID().replaceAll("-", "")}`));
  for (const cache of [new InMemoryCache(), new InMemoryCache()]) {
    const hashed = new PersistedQueryLink({ sha256, useGETForHashedQueries });
    const link = hashed.concat(new HttpLink({ uri: url, headers, fetch: watched }));
    assertStores((await new ApolloClient({ link, cache }).query({ query, variables })).data);
  }
  return methods;
}

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it was answered");
}

const checks = {
  "Apollo 4 by POST": async () => {
    assertStores((await apollo().query({ query: gql(STORES), variables })).data);
  },
  "Apollo 4 by GET": async () => {
    const { data } = await apollo({ useGETForQueries: true }).query({ query: gql(STORES), variables });
    assertStores(data);
  },
  "Apollo 4 by hash, POST": async () => {
    assert.deepEqual(await askByHash(false), ["POST", "POST", "POST"]);
  },
  "Apollo 4 by hash, GET": async () => {
    assert.deepEqual(await askByHash(true), ["GET", "POST", "GET"]);
  },
  "Apollo 4 reads the code of an error": async () => {
    const error = await failure(apollo().query({ query: gql(WRONG) }));
    assert.ok(CombinedGraphQLErrors.is(error));
    assert.equal(error.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  },
  "urql by POST": async () => {
    const client = createClient({ url, exchanges: [fetchExchange], fetchOptions: { headers }, preferGetMethod: false });
    const { data, error } = await client.query(STORES, variables).toPromise();
    assert.equal(error, undefined);
    assertStores(data);
  },
  "urql by GET": async () => {
    const client = createClient({ url, exchanges: [fetchExchange], fetchOptions: { headers }, preferGetMethod: "force" });
    const { data, error } = await client.query(STORES, variables).toPromise();
    assert.equal(error, undefined);
    assertStores(data);
  },
  "urql reads the code of an error": async () => {
    const client = createClient({ url, exchanges: [fetchExchange], fetchOptions: { headers }, preferGetMethod: false });
    const { error } = await client.query(WRONG, {}).toPromise();
    assert.equal(error.graphQLErrors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  },
  "graphql-request": async () => {
    assertStores(await new GraphQLClient(url, { headers }).request(STORES, variables));
  },
  "graphql-request by GET": async () => {
    const client = new GraphQLClient(url, { headers, method: "GET", jsonSerializer: JSON });
    assertStores(await client.request(STORES, variables));
  },
  "graphql-request reads the code of an error": async () => {
    const error = await failure(new GraphQLClient(url, { headers }).request(WRONG));
    assert.equal(error.response.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`${name}: works.`);
  } catch (error) {
    console.error(`${name}: ${String(error.message ?? error).slice(0, 500)}`);
    process.exitCode = 1;
  }
}
