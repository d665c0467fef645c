// Builds the page: node build.mjs [folder]; the folder is emptied first.
import { build } from "esbuild";
import { rm, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = resolve(process.argv[2] ?? process.env.GRAPHIQL_DIST ?? `${HERE}/../../src/graphql_api/graphiql/dist`);
const PUBLIC_PATH = "/graphiql";

// graphiql/style.css already holds all of Monaco's rules and its icon font.
const skipMonacoCss = {
  name: "skip-monaco-css",
  setup: (build) => build.onLoad({ filter: /monaco-editor[\\/]esm[\\/].*\.css$/ }, () => ({ contents: "", loader: "js" })),
};

const options = {
  absWorkingDir: HERE,
  outdir: OUT,
  publicPath: PUBLIC_PATH,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  metafile: true,
  target: "es2022",
  charset: "utf8",
  logLevel: "warning",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".graphql": "text", ".svg": "copy" },
  plugins: [skipMonacoCss],
};

/** The public address of the file built from an entry point. */
function addressOf(metafile, entryPoint) {
  const [path] = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === entryPoint);
  return `${PUBLIC_PATH}/${basename(path)}`;
}

async function buildWorkers() {
  const modules = {
    editor: "monaco-editor/esm/vs/editor/editor.worker.js",
    json: "monaco-editor/esm/vs/language/json/json.worker.js",
    graphql: "monaco-graphql/esm/graphql.worker.js",
  };
  const entryPoints = Object.entries(modules).map(([out, module]) => ({ in: `node_modules/${module}`, out: `${out}.worker` }));
  const { metafile } = await build({ ...options, entryPoints, format: "iife" });
  return Object.fromEntries(
    Object.entries(modules).map(([label, module]) => [label, addressOf(metafile, `node_modules/${module}`)]),
  );
}

async function buildPage(workerUrls) {
  const { metafile } = await build({
    ...options,
    entryPoints: ["main.jsx", "favicon.svg"],
    format: "esm",
    splitting: true,
    jsx: "automatic",
    define: { ...options.define, WORKER_URLS: JSON.stringify(workerUrls) },
  });
  return metafile;
}

function html(metafile) {
  const main = Object.values(metafile.outputs).find((output) => output.entryPoint === "main.jsx");
  const icon = Object.keys(metafile.outputs).find((path) => path.endsWith(".svg"));
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphQL API · GraphiQL</title>
<link rel="icon" type="image/svg+xml" href="${PUBLIC_PATH}/${basename(icon)}">
<link rel="stylesheet" href="${PUBLIC_PATH}/${basename(main.cssBundle)}">
<script type="module" src="${addressOf(metafile, "main.jsx")}"></script>
</head>
<body>
<div id="root"></div>
</body>
</html>
`;
}

await rm(OUT, { recursive: true, force: true });
const metafile = await buildPage(await buildWorkers());
await writeFile(`${OUT}/index.html`, html(metafile));
