// The example against a running API: node test/live.mjs URL CODE STORE_ID; prints what came of it.
import { load } from "./stand_in.mjs";

const [url, code, storeId] = process.argv.slice(2);
const storage = {};
const sent = new Set();
globalThis.wx = {
  request({ method, header, data, success, fail }) {
    sent.add(Object.keys(data).sort().join());
    fetch(url, { method, headers: header, body: JSON.stringify(data) })
      .then(async (answer) => success({ data: await answer.json(), statusCode: answer.status }))
      .catch(fail);
  },
  login: async () => ({ code }),
  getStorageSync: (key) => storage[key] ?? "",
  setStorageSync: (key, value) => (storage[key] = value),
};

const member = await load("example/member.ts");
const told = {};
const enrolmentToken = await member.logIn();
told.refusals = await member.enrol({ enrolmentToken, storeId, consents: [] });
told.card = (await member.myCard()).memberNo;
told.orders = (await member.myOrders()).nodes.length;

const [open] = (await member.myCoupons()).claimableCoupons.nodes;
const claimed = await member.claimCoupon(open.id);
const { nodes } = (await member.myCoupons()).coupons;
told.coupons = nodes.map(({ id }) => id === claimed.coupon.id);
told.shown = (await member.showCoupon(claimed.coupon.id)).usable;

const first = storage.tokens;
storage.tokens = { ...first, expiresAt: "2018-01-01T00:00:00Z" };
const cards = await Promise.all(Array.from({ length: 12 }, () => member.myCard()));
told.cards = [...new Set(cards.map(({ memberNo }) => memberNo))];
told.renewed = storage.tokens.refreshToken !== first.refreshToken;

await member.logOut();
told.loggedOut = storage.tokens === "";
storage.tokens = first;
told.again = (await member.myCard()).memberNo;
console.log(JSON.stringify({ ...told, sent: [...sent] }));
