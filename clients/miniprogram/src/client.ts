// Sends documents by their ids over wx.request: at most ten calls at a time, one refresh of tokens
// for all of them, and another try only where no answer came.
import type { DocumentTypeDecoration } from "@graphql-typed-document-node/core";

/** What `wx.request` is to this client; a stand-in for tests is a function of this shape. */
export type Request = (options: {
  url: string;
  method: "POST";
  header: Record<string, string>;
  data: Record<string, unknown>;
  success: (answer: { data: unknown }) => void;
  fail: () => void;
}) => unknown;

/** An operation of src/generated, with the types of its result and its variables. */
export interface Document<Data, Variables> extends DocumentTypeDecoration<Data, Variables> {
  __meta__?: Record<string, unknown> | undefined;
}

/** What a login gives and `tokenRefresh` renews. */
export interface Tokens {
  accessToken: string;
  expiresAt: string;
  refreshToken: string;
}

/** Where tokens are kept between starts of the mini-program. */
export interface TokenStore {
  load(): Tokens | undefined;
  save(tokens: Tokens | undefined): void;
}

/** The document that renews tokens: `RefreshDocument` of src/generated. */
export type Refresh = Document<
  { tokenRefresh: { tokens: Tokens | null; userErrors: readonly { code: string }[] } },
  { input: { refreshToken: string } }
>;

export type Code =
  | "NO_ANSWER"
  | "NOT_GRAPHQL"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "THROTTLED"
  | "QUERY_TOO_COMPLEX"
  | "PERSISTED_QUERY_NOT_FOUND"
  | "BAD_USER_INPUT"
  | "INTERNAL_SERVER_ERROR"
  | (string & {});

export interface Fault {
  message: string;
  path?: readonly (string | number)[];
  extensions: { code: Code; [more: string]: unknown };
}

/** The data, or what went wrong and the data that came in spite of it. Nothing is thrown. */
export type Result<Data> =
  | { data: Data; errors?: undefined }
  | { data: Data | null; errors: readonly [Fault, ...Fault[]] };

export interface Options {
  /** Makes another try of a mutation harmless, and so lets the client make one. */
  key?: string;
  /** Sent without a token: logins. */
  anonymous?: boolean;
}

type Rest<Variables> =
  Record<string, never> extends Variables
    ? [variables?: Variables, options?: Options]
    : [variables: Variables, options?: Options];

export interface Client {
  send<Data, Variables>(
    document: Document<Data, Variables>,
    ...rest: Rest<Variables>
  ): Promise<Result<Data>>;
}

const CONNECTIONS = 10;
const TRIES = 3;
const EARLY_MS = 60_000;
const OVER: Code[] = ["SESSION_ENDED", "TOKEN_REUSED", "CONFLICT"];

const failed = (code: Code, message: string): Result<never> => ({
  data: null,
  errors: [{ message, extensions: { code } }],
});

/** A key for one action of the user; keep it for as long as the action may be tried again. */
export const newKey = () =>
  [Date.now(), Math.random(), Math.random()].map((n) => n.toString(36).replace("0.", "")).join("");

/** A client of one endpoint; `wait` is how tests do without real pauses. */
export function createClient(
  url: string,
  request: Request,
  tokens: TokenStore,
  refresh: Refresh,
  wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
): Client {
  const waiting: (() => void)[] = [];
  let open = 0;
  let refreshing: Promise<Result<never> | undefined> | undefined;

  const once = async (data: Record<string, unknown>, header: Record<string, string>) => {
    if (open < CONNECTIONS) open++;
    else await new Promise<void>((turn) => waiting.push(turn));
    const answer = await new Promise<{ data: unknown } | undefined>((success) =>
      request({ url, method: "POST", header, data, success, fail: () => success(undefined) }),
    );
    const next = waiting.shift();
    if (next) next();
    else open--;
    return answer;
  };

  const call = async <Data>(
    { __meta__: meta }: Document<Data, never>,
    variables: unknown,
    key?: string,
    token?: string,
  ): Promise<Result<Data>> => {
    const header: Record<string, string> = { "content-type": "application/json" };
    if (token) header.authorization = `Bearer ${token}`;
    if (key) header["idempotency-key"] = key;
    const tries = meta?.operation === "query" || key ? TRIES : 1;
    for (let attempt = 1; ; attempt++) {
      const answer = await once({ documentId: `sha256:${meta?.hash}`, variables }, header);
      if (answer) {
        const body = answer.data as Result<Data> | undefined;
        return body?.data || body?.errors ? body : failed("NOT_GRAPHQL", "The answer is no GraphQL");
      }
      if (attempt === tries) return failed("NO_ANSWER", "The network gave no answer");
      await wait(2 ** attempt * 200 * (1 + Math.random()));
    }
  };

  /** Nothing once the store has other tokens than these; otherwise why not. */
  const renew = async ({ refreshToken }: Tokens): Promise<Result<never> | undefined> => {
    const { data, errors } = await call(refresh, { input: { refreshToken } });
    if (tokens.load()?.refreshToken !== refreshToken) return; // logged out or in meanwhile
    if (errors) return { data: null, errors };
    const { tokens: given, userErrors } = data.tokenRefresh;
    if (given) return void tokens.save(given);
    const code = userErrors[0]?.code ?? "NOT_GRAPHQL";
    if (!OVER.includes(code)) return failed(code, "The tokens could not be renewed");
    tokens.save(undefined);
    return failed("UNAUTHENTICATED", "The session is over; log in");
  };

  const renewed = (stale: Tokens) =>
    (refreshing ??= renew(stale).finally(() => (refreshing = undefined)));

  return {
    async send(document, ...[variables, { key, anonymous } = {}]) {
      for (let again = false; ; again = true) {
        let held = anonymous ? undefined : tokens.load();
        if (held && Date.parse(held.expiresAt) < Date.now() + EARLY_MS) {
          const fault = await renewed(held);
          if (fault) return fault;
          held = tokens.load();
        }
        const result = await call(document, variables, key, held?.accessToken);
        const refused = result.errors?.[0].extensions.code === "UNAUTHENTICATED";
        if (!held || !refused || again) return result;
        // It was not executed. Unless somebody has renewed them, these tokens are the refused ones.
        const fault = tokens.load()?.accessToken === held.accessToken && (await renewed(held));
        if (fault) return fault;
      }
    },
  };
}
