// What a page in Relay needs of a schema: a refetchable fragment with pages, and one found by node().
import { graphql } from "relay-runtime";

export const query = graphql`
  query MembersQuery {
    ...Members_list
  }
`;

export const list = graphql`
  fragment Members_list on Query
  @refetchable(queryName: "MembersPagesQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
    members(first: $first, after: $after) @connection(key: "Members_members") {
      edges {
        node {
          id
          ...Members_card
        }
      }
    }
  }
`;

export const card = graphql`
  fragment Members_card on Member @refetchable(queryName: "MembersCardQuery") {
    memberNo
    joinedAt
    store {
      name
    }
  }
`;

export const consent = graphql`
  mutation MembersConsentMutation($input: MemberConsentSetInput!) {
    memberConsentSet(input: $input) {
      member {
        id
        ...Members_card
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;
