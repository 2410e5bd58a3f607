"""How fast this machine is, measured: what `qurd speed` prints. `table` is the front door.

`bare` compares a run with nothing but the passes that it needs, `crafted` every craft with the same and with other packages'
attacks (`peers`), `growth` says how time and memory grow with what is asked, `processes` what a second process brings. All
of it is told in seconds of the processor, which other programs on the machine change least; what is told from start to end
says so. `clock` holds what all of them measure with.
"""
