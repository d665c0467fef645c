// The tabs of a first visit; a tab takes the name of its operation.
export const examples = [
  {
    query: `# 前五位会员，含门店与最近两笔订单
# Five members with store and two latest orders
# Ctrl/⌘ + Enter 运行 run · Ctrl + Space 提示 suggest
query Members {
  members(first: 5) {
    nodes {
      memberNo
      joinedAt
      store {
        name
      }
      orders(first: 2) {
        nodes {
          paidAt
          total
        }
      }
    }
  }
}
`,
  },
  {
    query: `# 当前令牌代表谁
# Whom the token stands for
query Me {
  me {
    __typename
  }
}
`,
  },
];
