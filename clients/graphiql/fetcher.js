/** The token as pasted, without white space and a leading "Bearer". */
export function bareToken(pasted) {
  return pasted.trim().replace(/^Bearer\s+/i, "");
}

/**
 * A GraphiQL fetcher for our own /graphql; a header typed in the editor beats the token. What a run
 * cost is told to `onCost`; what GraphiQL itself asks of the schema is not.
 */
export function createFetcher(readToken, onCost) {
  return async (request, { headers = {} } = {}) => {
    const answer = await send(request, headers, readToken()).catch(rethrowBare);
    if (request.operationName !== "IntrospectionQuery") onCost(answer.extensions?.cost ?? null);
    return answer;
  };
}

async function send(request, typedHeaders, token) {
  const headers = new Headers({
    "Content-Type": "application/json",
    Accept: "application/graphql-response+json, application/json;q=0.9",
  });
  if (token) headers.set("Authorization", `Bearer ${token}`);
  for (const [name, value] of Object.entries(typedHeaders)) headers.set(name, value);
  const body = JSON.stringify(request);
  return readAnswer(await fetch("/graphql", { method: "POST", headers, body }));
}

async function readAnswer(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // A gateway in front of the API answers in HTML or not at all.
    throw new Error(`HTTP ${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
  }
}

function rethrowBare(error) {
  // GraphiQL prints the stack beside the message, which tells the reader nothing here.
  error.stack = undefined;
  throw error;
}
