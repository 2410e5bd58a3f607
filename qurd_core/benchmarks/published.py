"""The benchmarks of which the paper's authors published scores and no models: nobody can ask those anything again."""

BENCHMARKS = {  # name -> the authors' names of the benchmark and of its images
    "published-cifar10": ("SACBenchmark", "CIFAR10"),
    "published-flower102": ("ModelReuse", "Flower102"),
    "published-sdog120": ("ModelReuse", "SDog120"),
}
