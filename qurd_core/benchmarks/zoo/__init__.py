"""Embedded models of every wing: small networks, the loop that trains them, and the folder that they ship in."""
