"""Warmed parents, whose forked children start where a cold process would still be importing.

A fork server is one process that has imported what its children need and listens on unix sockets.
It has two kinds of requesters: whoever runs in a sandbox gets a child in the very namespaces they
are in, and the base itself (its user, its socket) names a sandbox. `docs/warm-starts.md` says how.
"""
