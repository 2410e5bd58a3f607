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
with st.container(width=900):
    st.markdown(definitions.text(name))
