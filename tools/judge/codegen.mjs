// Types of every operation in schema/operations, as a client generates and compiles them.
import { generate } from "@graphql-codegen/cli";
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";

const OUT = "generated/types";
const TEXTS = ["Date", "DateTime", "Money", "MonthDay", "PhoneNumber", "TimeOfDay", "URL"];

const clients = readdirSync("../../schema/operations");
const scalars = Object.fromEntries(TEXTS.map((name) => [name, "string"]));
const target = {
  preset: "client",
  presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
  config: { useTypeImports: true, strictScalars: true, scalars: { ...scalars, JSON: "Record<string, unknown>" } },
};

rmSync(OUT, { recursive: true, force: true });
await generate({
  schema: "../../schema/schema.graphql",
  silent: true,
  generates: Object.fromEntries(
    clients.map((client) => [`${OUT}/${client}/`, { ...target, documents: `../../schema/operations/${client}/*.graphql` }]),
  ),
});
const files = clients.map((client) => `${OUT}/${client}/graphql.ts`);
const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext"];
const paths = ["--moduleResolution", "bundler", "--typeRoots", "node_modules/@types"];
execFileSync("node_modules/.bin/tsc", [...options, ...paths, ...files], { stdio: "inherit" });
console.log(`graphql-codegen: types of ${clients.length} clients are generated and compile.`);
