// Writes src/generated: types of the operations that the mini-program sends, and their manifest.
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { preset } from "@graphql-codegen/client-preset";
import { codegen } from "@graphql-codegen/core";
import { buildSchema, parse } from "graphql";

const here = (path) => new URL(path, import.meta.url);
const read = (path) => readFile(here(path), "utf8");
const folder = "../../schema/operations/mini_program/";

const text = await read("../../schema/schema.graphql");
const files = (await readdir(here(folder))).filter((name) => name.endsWith(".graphql")).sort();
const documents = await Promise.all(
  files.map(async (location) => {
    const rawSDL = await read(folder + location);
    return { location, rawSDL, document: parse(rawSDL) };
  }),
);

const outputs = await preset.buildGeneratesSection({
  baseOutputDir: "src/generated/",
  schema: parse(text),
  schemaAst: buildSchema(text),
  documents,
  plugins: [],
  pluginMap: {},
  presetConfig: {
    fragmentMasking: false,
    onExecutableDocumentNode: ({ definitions }) => ({ operation: definitions[0].operation }),
    persistedDocuments: { mode: "replaceDocumentWithHash", hashAlgorithm: "sha256" },
  },
  config: {
    documentMode: "string",
    enumsAsTypes: true,
    useTypeImports: true,
    skipTypename: true,
    onlyOperationTypes: true,
    avoidOptionals: { field: true },
    defaultScalarType: "string", // our scalars travel as text, but for JSON
    scalars: { JSON: "Record<string, unknown>" },
  },
  documentTransforms: [],
});

const wanted = ["graphql.ts", "persisted-documents.json"];
await mkdir(here("src/generated"), { recursive: true });
await Promise.all(
  outputs
    .filter(({ filename }) => wanted.some((name) => filename.endsWith(name)))
    .map(async (output) => writeFile(here(output.filename), await codegen(output))),
);
