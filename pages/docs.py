"""What the program does and means: the pages of `assets/docs`, which the definitions lead to."""

import streamlit as st

from pages.ui import definitions, frame, links

frame.require()
names = definitions.pages()
links.check("doc", names, "page")
with frame.tools():
    definitions.show()
shown = {"label_visibility": "collapsed", "required": True, "bind": "query-params"}
name = st.pills("Page", names, default=definitions.FIRST, key="doc", **shown)
# What is wider than the page goes on in the next line: what scrolls cannot be reached by key.
st.html("<style>.st-key-doc-text pre, .st-key-doc-text pre * { white-space: pre-wrap; overflow-wrap: anywhere; }</style>")
with st.container(width=900, key="doc-text"):
    st.markdown(definitions.text(name))
