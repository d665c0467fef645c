// The audits of graphql-http (GraphQL over HTTP): node audit.mjs URL; every one must pass.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2], fetchFn: fetch });
for (const { status, id, name, reason } of results) {
  if (status !== "ok") console.error(`${status} ${id} ${name}: ${reason}`);
}
const passed = results.filter(({ status }) => status === "ok").length;
console.log(`graphql-http audits: ${passed} of ${results.length} pass.`);
process.exitCode = passed === results.length ? 0 : 1;
