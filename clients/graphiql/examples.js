import campaigns from "./examples/campaigns.graphql";
import checkout from "./examples/checkout.graphql";
import me from "./examples/me.graphql";
import members from "./examples/members.graphql";
import organisation from "./examples/organisation.graphql";
import purchases from "./examples/purchases.graphql";
import stores from "./examples/stores.graphql";

// The tabs of a first visit; a tab takes the name of its operation.
export const examples = [
  { chinese: "会员列表", english: "Members", query: members },
  { chinese: "会员消费档案", english: "A member's purchases", query: purchases },
  { chinese: "门店与导购", english: "Stores and guides", query: stores },
  { chinese: "结算试算", english: "What a basket costs", query: checkout },
  { chinese: "营销活动", english: "Campaigns", query: campaigns },
  { chinese: "组织架构", english: "Organisation", query: organisation },
  { chinese: "我是谁", english: "Who am I", query: me },
];
