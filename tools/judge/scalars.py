"""Values of our scalars for schemathesis, which knows the usual ones only."""

import schemathesis
from graphql import NameNode, ObjectFieldNode
from hypothesis import strategies as st
from schemathesis.graphql import nodes

TEXTS = {
    "Money": r"[0-9]{1,9}(\.[0-9]{1,2})?",
    "MonthDay": r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])",
    "PhoneNumber": r"1[3-9][0-9]{9}",
    "TimeOfDay": r"([01][0-9]|2[0-3]):[0-5][0-9]",
    "URL": r"https://[a-z]{1,20}\.example/[a-z0-9]{0,20}",
}

for name, form in TEXTS.items():
    schemathesis.graphql.scalar(name, st.from_regex(form, fullmatch=True).map(nodes.String))

leaves = st.one_of(
    st.text(max_size=20).map(nodes.String),
    st.integers(-(2**31), 2**31 - 1).map(nodes.Int),
    st.booleans().map(nodes.Boolean),
)
names = st.from_regex(r"[a-z][A-Za-z]{0,9}", fullmatch=True)
objects = st.dictionaries(names, leaves, max_size=4).map(
    lambda given: nodes.Object(
        [ObjectFieldNode(name=NameNode(value=key), value=value) for key, value in given.items()]
    )
)
schemathesis.graphql.scalar("JSON", objects)
