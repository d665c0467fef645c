import "./workers.js";
import "graphiql/style.css";
import "./main.css";

import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

import { examples } from "./examples.js";
import { EXAMPLES_PLUGIN } from "./examplesPlugin.jsx";
import { bareToken, createFetcher } from "./fetcher.js";

const plugins = [HISTORY_PLUGIN, EXAMPLES_PLUGIN];
const tabs = examples.map(({ query }) => ({ query }));

const TOKEN_KEY = "graphql.token";
const readToken = () => sessionStorage.getItem(TOKEN_KEY) ?? "";

function TokenField({ onSettled }) {
  const [token, setToken] = useState(readToken);
  const keep = (pasted) => {
    const bare = bareToken(pasted);
    sessionStorage.setItem(TOKEN_KEY, bare);
    setToken(bare);
  };
  return (
    <label className="token">
      <span>访问令牌 Bearer token</span>
      <input
        type="text"
        name="token"
        value={token}
        placeholder="粘贴令牌 paste a token"
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => keep(event.target.value)}
        onBlur={() => onSettled(token)}
        onKeyDown={(event) => event.key === "Enter" && onSettled(token)}
      />
      <output>{token ? "已带令牌 sent with every request" : "未带令牌 anonymous"}</output>
    </label>
  );
}

/** What the last run cost, and what the client has left. */
function Cost({ cost }) {
  if (!cost) return null;
  const { requestedQueryCost, actualQueryCost, throttleStatus } = cost;
  const { currentlyAvailable, maximumAvailable, restoreRate } = throttleStatus;
  return (
    <output className="cost">
      成本 cost <b>{actualQueryCost ?? "–"}</b> / {requestedQueryCost} · 剩余 left{" "}
      <b>{currentlyAvailable.toLocaleString("en")}</b> / {maximumAvailable.toLocaleString("en")} · +{restoreRate}/s
    </output>
  );
}

function Page() {
  const [settled, setSettled] = useState(readToken);
  const [cost, setCost] = useState(null);
  // A new fetcher makes GraphiQL read the schema again, which may differ for the new token.
  const fetcher = useMemo(() => createFetcher(readToken, setCost), [settled]);
  return (
    <>
      <header className="bar">
        <h1>GraphQL API</h1>
        <TokenField onSettled={setSettled} />
        <Cost cost={cost} />
      </header>
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={tabs}
        plugins={plugins}
        isHeadersEditorEnabled
        shouldPersistHeaders={false}
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>GraphiQL</GraphiQL.Logo>
      </GraphiQL>
    </>
  );
}

createRoot(document.getElementById("root")).render(<Page />);
