import { type Tokens, createClient, newKey } from "../src/client";
import {
  CouponClaimDocument,
  EnrolSelfDocument,
  type EnrolSelfMutationVariables,
  LoginDocument,
  LogoutDocument,
  MyCardDocument,
  MyCheckoutQuoteDocument,
  type MyCheckoutQuoteQueryVariables,
  MyCheckoutReserveDocument,
  MyCouponDocument,
  MyCouponsDocument,
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

/** What the member can use, soonest to run out first, and what they can claim. */
export async function myCoupons(after?: string) {
  const { data } = await client.send(MyCouponsDocument, { first: 20, after });
  return data?.me?.member;
}

/** The coupon to show at the till: its `token` is the QR code, good for five minutes. */
export async function showCoupon(id: string) {
  const { data } = await client.send(MyCouponDocument, { by: { id } });
  return data?.coupon;
}

/** One key for one press of the button: claimed once, however often it is sent. */
export async function claimCoupon(templateId: string) {
  const key = newKey();
  const input = { by: { templateId } };
  const { data } = await client.send(CouponClaimDocument, { input, key }, { key });
  return data?.couponClaim;
}

type Basket = MyCheckoutQuoteQueryVariables["input"];

/** What the basket costs, with the best of the member's coupons; asked anew as it changes. */
export async function quote(input: Basket) {
  const { data } = await client.send(MyCheckoutQuoteDocument, { input });
  return data?.checkoutQuote;
}

/** Keeps what pays for the basket while the member pays; or the quote of now, if that changed. */
export async function keep(input: Basket, externalId: string, payable: string) {
  const key = newKey();
  const kept = { ...input, source: "mall", externalId, payable };
  const { data } = await client.send(MyCheckoutReserveDocument, { input: kept, key }, { key });
  return data?.checkoutReserve;
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
