"""Sets of model pairs, and how their models are made.

`base` says what every benchmark offers and finds one by its name; `register_benchmarks` there imports the wings, which need
torch. Photographs, published ones and saved ones are read without.
"""
