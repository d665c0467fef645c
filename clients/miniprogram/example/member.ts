import { type Tokens, createClient, newKey } from "../src/client";
import {
  EnrolSelfDocument,
  type EnrolSelfMutationVariables,
  LoginDocument,
  LogoutDocument,
  MyCardDocument,
  MyOrdersDocument,
  MyProfileUpdateDocument,
  RefreshDocument,
} from "../src/generated/graphql";

const ENDPOINT = "https://api.example.cn/graphql";

const store = {
  load: () => (wx.getStorageSync("tokens") as Tokens | "") || undefined,
  save: (tokens: Tokens | undefined) => wx.setStorageSync("tokens", tokens ?? ""),
};

export const client = createClient(ENDPOINT, wx.request, store, RefreshDocument);

/** What to enrol with where WeChat's user is no member yet; nothing once logged in. */
export async function logIn(): Promise<string | undefined> {
  const { code } = await wx.login();
  const { data } = await client.send(LoginDocument, { input: { code } }, { anonymous: true });
  const { tokens, enrolmentToken } = data?.loginWithWeChat.login ?? {};
  if (tokens) store.save(tokens);
  return enrolmentToken ?? undefined;
}

type NewMember = EnrolSelfMutationVariables["input"];

/** The refusals to show; none once they are a member and logged in. */
export async function enrol(input: NewMember) {
  const { data } = await client.send(EnrolSelfDocument, { input }, { anonymous: true });
  const tokens = data?.memberEnrolSelf.login?.tokens;
  if (tokens) store.save(tokens);
  return data?.memberEnrolSelf.userErrors ?? [{ code: "UNAVAILABLE", message: "请稍后再试" }];
}

/** The member's card, logging in silently where the session is over. */
export async function myCard() {
  let result = await client.send(MyCardDocument);
  if (result.errors?.[0].extensions.code === "UNAUTHENTICATED") {
    await logIn();
    result = await client.send(MyCardDocument);
  }
  return result.data?.me?.member;
}

/** Ten orders, newest first; `after` is the cursor of the page before. */
export async function myOrders(after?: string) {
  const { data } = await client.send(MyOrdersDocument, { first: 10, after });
  return data?.me?.member?.orders;
}

/** Makes one key for one press of the button, so that the client may try again. */
export async function rename(id: string, nickname: string) {
  const key = newKey();
  return client.send(MyProfileUpdateDocument, { input: { id, nickname } }, { key });
}

export async function logOut() {
  await client.send(LogoutDocument);
  store.save(undefined);
}
