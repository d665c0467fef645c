import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";

import { examples } from "./examples.js";

function Icon() {
  return (
    <svg viewBox="0 0 24 24" height="1em" fill="none" stroke="currentColor" strokeWidth="1.5">
      <path d="M5 4h14v16H5zM8.5 8h7M8.5 12h7M8.5 16h4" />
    </svg>
  );
}

function Examples() {
  const { addTab } = useGraphiQLActions();
  const { queryEditor } = useGraphiQL(pick("queryEditor"));
  const open = (query) => {
    addTab();
    queryEditor?.setValue(query);
    queryEditor?.setScrollPosition({ scrollTop: 0, scrollLeft: 0 });
  };
  return (
    <section className="examples">
      <h2>示例 Examples</h2>
      {examples.map(({ chinese, english, query }) => (
        <button key={english} type="button" onClick={() => open(query)}>
          <b>{chinese}</b> {english}
        </button>
      ))}
    </section>
  );
}

export const EXAMPLES_PLUGIN = { title: "Examples 示例", icon: Icon, content: Examples };
