// Opens the page in headless Chromium with every other host blocked and runs one query.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parseArgs, stripVTControlCharacters } from "node:util";

import { chromium } from "playwright-core";

const HELP = `usage: node check.mjs [options]

Opens GraphiQL, pastes a token, runs a query and each prefilled tab, reads the answers and what they
cost; exits 1 when any of it fails.

  --url URL          the page (default http://127.0.0.1:8000/graphql)
  --token TOKEN      bearer token to paste; none means anonymous
  --query QUERY      document to run (default: the first five members)
  --screenshot PATH  where to save a picture of the page (PNG)
  --timeout SECONDS  for each step (default 30)
  --help             this text

The browser is $CHROMIUM, or chromium or chromium-browser in PATH.
`;
const MEMBERS = "{ members(first: 5) { nodes { memberNo joinedAt store { name } orders(first: 2) { nodes { paidAt total } } } } }";

const HIGHLIGHTED = ".graphiql-query-editor .view-line [class*=bracket-highlighting]";

const OPTIONS = {
  url: { type: "string", default: "http://127.0.0.1:8000/graphql" },
  token: { type: "string" },
  query: { type: "string", default: MEMBERS },
  screenshot: { type: "string" },
  timeout: { type: "string", default: "30" },
  help: { type: "boolean", default: false },
};

function chromiumPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => [join(folder, "chromium"), join(folder, "chromium-browser")]).find(existsSync);
}

async function launch(hostname) {
  const executablePath = chromiumPath();
  if (!executablePath || !existsSync(executablePath)) throw new Error("no chromium: install it or set CHROMIUM");
  return chromium.launch({
    executablePath,
    args: [
      `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${hostname}`,
      "--no-proxy-server",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Collects what must stay empty: requests to other hosts, console errors, uncaught exceptions. */
function watch(page, origin) {
  const faults = [];
  page.context().on("request", (request) => {
    const url = new URL(request.url());
    const local = url.protocol === "data:" || url.protocol === "blob:" || url.origin === origin;
    if (!local) faults.push(`a request went to another host: ${url.origin}`);
  });
  page.on("console", (message) => {
    // Anonymous introspection may be refused; the answer to the query is judged by itself.
    const refused = message.location().url === `${origin}/graphql` && message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !refused) faults.push(`console error: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`uncaught error: ${error.message}`));
  return faults;
}

async function pasteToken(page, token) {
  const field = page.locator("input[name=token]");
  await field.fill(token);
  const schema = page.waitForResponse((response) => response.request().method() === "POST");
  await field.press("Enter");
  await schema;
}

async function runQuery(page, query) {
  const highlighted = page.locator(HIGHLIGHTED).first();
  await page.getByLabel("New tab").click();
  await highlighted.waitFor({ state: "detached" });
  await page.locator(".graphiql-query-editor .view-lines").click();
  await page.evaluate((text) => navigator.clipboard.writeText(text), query);
  await page.keyboard.press("ControlOrMeta+V");
  await highlighted.waitFor();
  const answered = page.waitForResponse((response) => response.request().postDataJSON()?.query === query);
  await page.keyboard.press("ControlOrMeta+Enter");
  const answer = await (await answered).json();
  await page.locator(".graphiql-response .view-lines", { hasText: /"(data|errors)"/ }).waitFor();
  return answer;
}

/** Runs every prefilled tab; gives what is wrong with their answers. */
async function runExamples(page) {
  const faults = [];
  const tabs = page.locator(".graphiql-tab-button");
  for (const [place, name] of (await tabs.allTextContents()).entries()) {
    if (name.startsWith("<")) continue; // the tab of the query that was typed
    const operation = new RegExp(`query\\s${name}\\b`);
    await tabs.nth(place).click();
    await page.locator(".graphiql-query-editor .view-line", { hasText: operation }).waitFor();
    await page.waitForTimeout(1000); // GraphiQL reads the name of the operation after the text
    const answered = page.waitForResponse(
      (response) => operation.test(response.request().postDataJSON()?.query),
    );
    await page.locator(".graphiql-execute-button").click();
    const { data, errors } = await (await answered).json();
    if (errors) faults.push(`the tab ${name} has "errors": ${JSON.stringify(errors)}`);
    if (Object.values(data ?? { nothing: null }).includes(null)) faults.push(`the tab ${name} finds nothing`);
  }
  return faults;
}

async function readCost(page) {
  return page.locator(".cost", { hasText: /cost \d+ \/ \d+/ }).innerText();
}

async function openExamples(page) {
  await page.getByLabel("Show Examples 示例").click();
  await page.locator(".examples button").first().waitFor();
}

async function openDocs(page) {
  await page.getByLabel("Show Documentation Explorer").click();
  await page.locator(".graphiql-doc-explorer-content", { hasText: "Root Types" }).waitFor();
}

async function check(page, { url, token, query, screenshot }, faults) {
  await page.goto(url);
  await page.locator(HIGHLIGHTED).first().waitFor();
  if (token) await pasteToken(page, token);
  const answer = await runQuery(page, query);
  if (answer.errors) faults.push(`the answer has "errors": ${JSON.stringify(answer.errors)}`);
  if (!answer.data) faults.push('the answer lacks "data"');
  if (faults.length) return;
  await openDocs(page);
  if (token) faults.push(...(await runExamples(page)));
  await readCost(page);
  await openExamples(page);
  if (screenshot) await page.screenshot({ path: screenshot });
}

async function run(options) {
  const { hostname, origin } = new URL(options.url);
  const browser = await launch(hostname);
  try {
    const page = await browser.newPage({
      viewport: { width: 1440, height: 900 },
      permissions: ["clipboard-read", "clipboard-write"],
    });
    page.setDefaultTimeout(Number(options.timeout) * 1000);
    const faults = watch(page, origin);
    await check(page, options, faults);
    if (faults.length) throw new Error(faults.join("\n"));
  } finally {
    await browser.close();
  }
}

try {
  const { values: options } = parseArgs({ options: OPTIONS });
  if (options.help) {
    process.stdout.write(HELP);
  } else {
    await run(options);
    console.log(`GraphiQL answered at ${options.url}; no other host was asked.`);
  }
} catch (error) {
  console.error(`GraphiQL check failed: ${stripVTControlCharacters(error.message)}`);
  process.exitCode = 1;
}
