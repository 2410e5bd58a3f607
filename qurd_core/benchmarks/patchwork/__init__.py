"""The embedded benchmarks: small networks on patches of photographs, trained here from their lineages."""
