import "./workers.js";
import "graphiql/style.css";
import "./main.css";

import { GraphiQL } from "graphiql";
import { useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

import { examples } from "./examples.js";
import { bareToken, createFetcher } from "./fetcher.js";

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

function Page() {
  const [settled, setSettled] = useState(readToken);
  // A new fetcher makes GraphiQL read the schema again, which may differ for the new token.
  const fetcher = useMemo(() => createFetcher(readToken), [settled]);
  return (
    <>
      <header className="bar">
        <h1>GraphQL API</h1>
        <TokenField onSettled={setSettled} />
      </header>
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={examples}
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
