"""Fashion-MNIST, embedded: seventy thousand independent pictures of clothes (Xiao, Rasul, Vollgraf 2017)."""
