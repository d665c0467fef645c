// Mistakes that `tsc` finds.
import { client } from "../example/member";
import { LoginDocument, MyCardDocument, MyOrdersDocument } from "../src/generated/graphql";

export const wrong = [
  // @ts-expect-error: `first` is missing
  () => client.send(MyOrdersDocument, {}),
  // @ts-expect-error: variables are missing
  () => client.send(LoginDocument),
  // @ts-expect-error: the code is text
  () => client.send(LoginDocument, { input: { code: 1 } }),
  // @ts-expect-error: the card has no such field
  async () => (await client.send(MyCardDocument)).data?.me?.member?.cash,
  // @ts-expect-error: the data may be missing
  async () => (await client.send(MyCardDocument)).data.me,
];
