import assert from "node:assert/strict";
import test from "node:test";
import { load, network, tokens } from "./stand_in.mjs";

const { call, calls, request } = network();
const storage = {};
globalThis.wx = {
  request,
  login: async () => ({ code: "code-1" }),
  getStorageSync: (key) => storage[key] ?? "",
  setStorageSync: (key, value) => (storage[key] = value),
};
const member = await load("example/member.ts");

test("somebody new enrols, sees their card and logs out", async () => {
  const login = member.logIn();
  const asked = await call(0);
  assert.deepEqual(asked.data.variables, { input: { code: "code-1" } });
  asked.answer({ data: { loginWithWeChat: { login: { tokens: null, enrolmentToken: "e-1" } } } });
  assert.equal(await login, "e-1");

  const enrolment = member.enrol({ enrolmentToken: "e-1", storeId: "sto_1", consents: [] });
  const given = tokens("1");
  (await call(1)).answer({ data: { memberEnrolSelf: { login: { tokens: given }, userErrors: [] } } });
  assert.deepEqual(await enrolment, []);
  assert.deepEqual(storage.tokens, given);

  const card = member.myCard();
  (await call(2)).answer({ data: { me: { member: { memberNo: "000000013" } } } });
  assert.deepEqual(await card, { memberNo: "000000013" });
  assert.equal(calls[2].header.authorization, "Bearer access-1");

  const out = member.logOut();
  (await call(3)).answer({ data: { logout: { endedSessions: 1 } } });
  await out;
  assert.equal(storage.tokens, "");
});

test("a card is shown after a silent login where there was no session", async () => {
  const card = member.myCard();
  const refused = { errors: [{ message: "-", extensions: { code: "UNAUTHENTICATED" } }] };
  (await call(4)).answer(refused);
  (await call(5)).answer({ data: { loginWithWeChat: { login: { tokens: tokens("2") } } } });
  (await call(6)).answer({ data: { me: { member: { memberNo: "000000013" } } } });
  assert.deepEqual(await card, { memberNo: "000000013" });
  assert.equal(calls[6].header.authorization, "Bearer access-2");
});

test("coupons are shown, one is claimed under one key, and one is made ready for the till", async () => {
  const mine = member.myCoupons();
  const coupons = { coupons: { nodes: [{ id: "cpn_1" }] }, claimableCoupons: { nodes: [] } };
  (await call(7)).answer({ data: { me: { member: coupons } } });
  assert.deepEqual(await mine, coupons);

  const claim = member.claimCoupon("ctp_1");
  (await call(8)).fail();
  const again = await call(9);
  const { key } = again.data.variables;
  assert.deepEqual(again.data.variables, { input: { by: { templateId: "ctp_1" } }, key });
  assert.equal(again.header["idempotency-key"], key);
  assert.deepEqual(calls[8].data, again.data);
  again.answer({ data: { couponClaim: { coupon: { id: "cpn_2" }, userErrors: [] } } });
  assert.equal((await claim).coupon.id, "cpn_2");

  const shown = member.showCoupon("cpn_2");
  (await call(10)).answer({ data: { coupon: { id: "cpn_2", token: "t" } } });
  assert.equal((await shown).token, "t");
});
