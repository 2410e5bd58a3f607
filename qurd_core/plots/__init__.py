"""Tables in, Plotly figures out: one module per chart, one theme, and the words that go with them."""
