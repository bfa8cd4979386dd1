"""Everything that asks a model: requests, request cache, money, endpoints and the servers that are started for them.

Read in this order: ``request`` (what is asked, what comes back), ``cache`` (nothing is paid twice), ``ledger`` (no cap
is exceeded), ``limiter``, ``breaker`` and ``faults`` (how an endpoint is treated), ``transport`` and ``client`` (HTTP),
``model`` (all of these behind one call), ``servers`` and ``open`` (children and configuration).
"""
